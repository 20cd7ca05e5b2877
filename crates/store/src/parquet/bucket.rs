//! Old days move to an object store, and become a table there that others read.
//!
//! In steps between which the process may die, and which all can be done twice:
//!
//! 1. A file of a day that is over is noted ([`moving`]): from now on it is merged with nothing.
//! 2. Its bytes are sent ([`upload`]), under a name that holds their hash: sent twice, it is one object.
//! 3. A commit puts it into the table ([`table`]). Readers see all files of a commit or none.
//! 4. That is noted, and much later, after the archive's `retention`, its object is looked for once more and
//!    the file leaves the disk ([`evict`]).
//!
//! Small objects of a day become large ones ([`compact`]), and days past the retention leave the table; objects that
//! are in no table go a day later ([`vacuum`]), when no reader has an old list of files any more.

mod actions;
mod client;
mod compact;
mod config;
mod evict;
mod moving;
mod table;
mod upload;
mod vacuum;

use std::sync::Arc;
use std::time::Duration;

use object_store::ObjectStore;
use tokio::sync::Mutex;

pub use config::Config;
pub(super) use moving::Moving;

use super::disk::Lock;
use super::error::Error;
use super::layout::Layout;
use crate::metrics;
use table::{Committed, Table};

/// The object store of an archive.
#[derive(Debug)]
pub(super) struct Bucket {
    /// The store's name, for metrics.
    store: String,
    url: String,
    after_ms: i64,
    retention: Duration,
    objects: Arc<dyn ObjectStore>,
    table: Mutex<Table>,
}

/// What all steps of a pass need.
#[derive(Debug, Clone)]
struct Pass {
    store: String,
    objects: Arc<dyn ObjectStore>,
    layout: Layout,
    /// The archive's own name.
    archive: String,
    now_ms: i64,
}

impl Bucket {
    /// Prepares everything and asks nobody: an object store that is away is no reason not to start.
    pub(super) fn open(config: &Config, store: &str) -> Result<Self, Error> {
        Ok(Self::over(client::connect(config)?, config, store))
    }

    pub(super) fn over(objects: Arc<dyn ObjectStore>, config: &Config, store: &str) -> Self {
        Self {
            store: store.to_owned(),
            url: format!(
                "{}@{}",
                config.url,
                config.endpoint.as_deref().unwrap_or_default()
            ),
            after_ms: milliseconds(config.after.0),
            retention: config.retention.0,
            table: Mutex::new(Table::new(Arc::clone(&objects), config.exclusive)),
            objects,
        }
    }

    /// Does everything that is to do as of `now_ms`, unless another process does. Days are on the disk for
    /// `local`, at least.
    pub(super) async fn pass(
        &self,
        layout: &Layout,
        local: Duration,
        now_ms: i64,
    ) -> Result<(), Error> {
        let Some(_lock) = Lock::try_exclusive(&layout.merge_lock())? else {
            return Ok(());
        };
        let pass = Pass {
            store: self.store.clone(),
            objects: Arc::clone(&self.objects),
            layout: layout.clone(),
            archive: Moving::archive(layout)?,
            now_ms,
        };
        let mut table = self.table.lock().await;
        table.refresh(now_ms).await?;
        let mut moving = Moving::load(layout)?;
        moving.go_to(&self.url);
        let mut moving = upload::note(&pass, moving, self.after_ms).await?;
        upload::upload(&pass, &mut table, &mut moving).await?;
        compact::compact(&pass, &mut table).await?;
        if !self.retention.is_zero() {
            vacuum::expire(&pass, &mut table, self.retention).await?;
        }
        if !local.is_zero() {
            evict::evict(&pass, &table, &mut moving, local).await?;
        }
        vacuum::vacuum(&pass, &table).await?;
        metrics::bucket_table(&self.store, table.files.live.values().map(|add| add.size));
        Ok(())
    }
}

/// Whether a commit can be understood: for the fuzz targets alone.
pub(super) fn reads_commit(text: &str) -> bool {
    actions::Files::default().apply(text).is_ok()
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Runs what reads and writes files where nobody waits.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Error::Defect(error.to_string()))?
}
