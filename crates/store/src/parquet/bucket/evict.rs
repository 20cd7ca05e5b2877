//! Days past the archive's own retention leave the disk, each file once its object was seen.

use std::fs;
use std::io::ErrorKind;
use std::time::Duration;

use object_store::ObjectStoreExt as _;
use object_store::path::Path as Object;

use super::moving::Moving;
use super::table::Table;
use super::upload::days_before;
use super::{Pass, milliseconds, upload};
use crate::metrics;
use crate::parquet::disk::{self, Lock};
use crate::parquet::error::Error;
use crate::parquet::layout::Day;
use crate::parquet::merge;

/// Deletes files of days that ended more than `local` ago, counted as without an object store: from the clock or
/// from the end of the newest day, whichever is earlier.
pub(super) async fn evict(
    pass: &Pass,
    table: &Table,
    moving: &mut Moving,
    local: Duration,
) -> Result<(), Error> {
    let all = days_before(&pass.layout, i64::MAX)?;
    let Some(newest) = all.iter().filter_map(|name| Day::parse(name)).max() else {
        return Ok(());
    };
    let cutoff_ms = pass
        .now_ms
        .min(newest.end_ms())
        .saturating_sub(milliseconds(local));
    for day in days_before(&pass.layout, cutoff_ms)? {
        evict_day(pass, table, moving, &day).await?;
    }
    Ok(())
}

async fn evict_day(
    pass: &Pass,
    table: &Table,
    moving: &mut Moving,
    day: &str,
) -> Result<(), Error> {
    let prefix = format!("{day}/");
    let mut gone = Vec::new();
    let noted = moving.files.iter();
    // A note alone is not enough: where the table never heard of it, this is the only copy.
    let of_day = noted.filter(|(name, going)| {
        name.starts_with(&prefix) && going.arrived && table.files.knows(&going.object)
    });
    for (name, going) in of_day {
        if table.files.live.contains_key(&going.object)
            && !is_there(pass, &going.object, going.bytes).await?
        {
            tracing::error!(
                object = going.object,
                "archive: an object of the table was deleted or changed by somebody else; the file is still on the disk and is sent again"
            );
            upload::send(
                pass,
                &pass.layout.root().join(name),
                &going.object,
                going.bytes,
            )
            .await?;
        }
        // Of one that is in the table no more, the rows are in a larger object, or past the retention.
        gone.push(name.clone());
    }
    let folder = pass.layout.root().join(day);
    if !gone.is_empty() {
        disk::remove_files(&pass.layout, gone.iter())?;
        for name in &gone {
            moving.files.remove(name);
        }
        moving.save(&pass.layout)?;
    }
    let stay = merge::list(&folder)?.len();
    if stay > 0 {
        tracing::info!(
            day,
            files = stay,
            "archive: files of a day past the retention are not in the object store yet and stay"
        );
        return Ok(());
    }
    let _lock = Lock::exclusive(&pass.layout.install_lock())?;
    match fs::remove_dir(&folder) {
        // Somebody added a file just now.
        Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => return Ok(()),
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(Error::io("remove", &folder)(error));
        }
        _ => {}
    }
    disk::sync_dir(pass.layout.root())?;
    metrics::archive_days_expired(&pass.store, 1);
    tracing::info!(
        store = pass.store,
        day,
        "archive: a day has left the disk and is in the object store alone"
    );
    Ok(())
}

async fn is_there(pass: &Pass, object: &str, bytes: u64) -> Result<bool, Error> {
    match pass.objects.head(&Object::from(object)).await {
        Ok(found) => Ok(found.size == bytes),
        Err(object_store::Error::NotFound { .. }) => Ok(false),
        Err(error) => Err(Error::bucket("look at", object)(error)),
    }
}
