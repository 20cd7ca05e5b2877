//! What leaves the table, and a day later the object store.

use std::time::Duration;

use futures::TryStreamExt as _;
use object_store::path::Path as Object;
use object_store::{ObjectStore as _, ObjectStoreExt as _};

use super::table::{Change, Table};
use super::{Pass, milliseconds};
use crate::metrics;
use crate::parquet::error::Error;
use crate::parquet::layout::Day;

/// Queries that began with an older list of files are over by then, and so are uploads that nobody ended.
const GRACE_MS: i64 = 24 * 3_600_000;

/// Takes days that ended more than `retention` ago out of the table.
pub(super) async fn expire(
    pass: &Pass,
    table: &mut Table,
    retention: Duration,
) -> Result<(), Error> {
    let days = table.files.live.values().map(super::actions::Add::day);
    let Some(newest) = days.filter_map(Day::parse).max() else {
        return Ok(());
    };
    let cutoff_ms = pass
        .now_ms
        .min(newest.end_ms())
        .saturating_sub(milliseconds(retention));
    let remove: Vec<_> = table
        .files
        .live
        .values()
        .filter(|add| Day::parse(add.day()).is_some_and(|day| day.end_ms() <= cutoff_ms))
        .map(|add| add.removed(pass.now_ms, true))
        .collect();
    if remove.is_empty() {
        return Ok(());
    }
    let files = remove.len();
    let sizes = remove.iter().filter_map(|remove| remove.size);
    let bytes = sizes.fold(0, u64::saturating_add);
    let change = Change {
        operation: "DELETE",
        add: Vec::new(),
        remove,
    };
    // Outdated: another archive does the same, and the next pass sees the rest.
    if table.commit(change, pass.now_ms).await? == super::Committed::Done {
        metrics::bucket_files(&pass.store, "expired", files, bytes);
        tracing::info!(
            store = pass.store,
            files,
            bytes,
            "archive: days past the retention have left the table"
        );
    }
    Ok(())
}

/// Deletes objects that no reader needs: those that left the table a day ago, and those of ours that never came to it.
pub(super) async fn vacuum(pass: &Pass, table: &Table) -> Result<(), Error> {
    let listed = pass.objects.list(None);
    let objects: Vec<_> = listed
        .try_collect()
        .await
        .map_err(Error::bucket("list", "/"))?;
    let (mut files, mut bytes) = (0, 0);
    let ours = format!("/{}-", pass.archive);
    for object in objects {
        let path = object.location.to_string();
        let since_ms = match table.files.gone.get(&path) {
            Some(since_ms) => *since_ms,
            None if table.files.knows(&path) || !path.contains(&ours) => continue,
            None => object.last_modified.timestamp_millis(),
        };
        if !path.starts_with("date=") || since_ms.saturating_add(GRACE_MS) > pass.now_ms {
            continue;
        }
        match pass.objects.delete(&Object::from(path.as_str())).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => return Err(Error::bucket("delete", &path)(error)),
        }
        files += 1;
        bytes += object.size;
    }
    if files > 0 {
        metrics::bucket_files(&pass.store, "deleted", files, bytes);
        tracing::info!(
            store = pass.store,
            files,
            bytes,
            "archive: objects that are in no table are deleted"
        );
    }
    Ok(())
}
