//! An archive of Parquet files: every sample exactly once, whatever dies in between.
//!
//! A batch of one partition becomes one file per day of its samples. The files are complete, synced
//! and visible before the write is answered, so the offset is committed after them; what was written
//! but not committed is replaced when its records come again (see [`commit`]). One process at a time
//! writes a partition into one folder (see [`owner`]). Old days go to an object store (see [`bucket`]).

pub mod bucket;
mod checked;
mod columns;
mod commit;
mod config;
mod disk;
mod error;
mod expire;
mod file;
pub(crate) mod fuzzed;
mod group;
mod hybrid;
mod layout;
mod manifest;
mod merge;
mod owner;
mod read;
mod rows;
mod scan;
mod series;
mod texts;
mod workers;

use std::collections::{BTreeSet, HashMap};
use std::hash::BuildHasher as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use model::Clock;
use service::log_limit::LogLimit;

pub use config::Config;
pub use error::Error;
pub use merge::Merged;
pub use read::read_values;
pub use scan::{ReadError, Scanned};

use crate::{Batch, Batching, Lanes, Write, WriteError, metrics};
use bucket::Bucket;
use file::Origin;
use layout::Layout;
use manifest::{Entry, Manifest};
use owner::{Membership, Ownership};
use rows::Rows;
use workers::Workers;

/// How often days are looked at. A day is over once a day, but a process may not run that long.
const MAINTAIN_EVERY: Duration = Duration::from_secs(3600);

/// An object store that is away is soon asked again.
const MOVE_AGAIN_AFTER: Duration = Duration::from_secs(300);

/// The archive. Clones are the same archive.
#[derive(Debug, Clone)]
pub struct Archive {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// The store's name, for metrics.
    store: String,
    /// Which buffer the offsets are of.
    source: String,
    config: Config,
    layout: Layout,
    #[expect(
        dead_code,
        reason = "the folder is this store's for as long as it is open"
    )]
    membership: Membership,
    /// Where old days go.
    bucket: Option<Bucket>,
    /// A lock per partition: a write whose caller is gone still ends before the next one begins.
    partitions: Mutex<HashMap<i32, Arc<Mutex<Option<Partition>>>>>,
    undated: LogLimit,
    workers: Workers,
}

/// What is known of a partition since it was resumed.
#[derive(Debug)]
struct Partition {
    manifest: Manifest,
    ownership: Ownership,
    /// Where reading started: what was written from there on comes again.
    resumed_at: i64,
}

/// Where a batch was in its partition.
#[derive(Debug, Clone, Copy)]
struct Span {
    partition: i32,
    first: i64,
    last: i64,
}

/// What a batch became.
#[derive(Debug, Clone, Copy)]
struct Written {
    files: usize,
    bytes: u64,
}

/// Tells the writing thread that nobody waits for it any more.
struct Abandon(Arc<AtomicBool>);

impl Drop for Abandon {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Archive {
    /// Opens the archive and makes its folders. `store` is the store's name, for metrics; `source`
    /// says which buffer offsets are of (a cluster and topic, an embedded log), and changes whenever
    /// its offsets start anew. `data_dir` has the archive's folder when the settings name none.
    ///
    /// # Errors
    /// When the folder cannot be made or written to.
    pub fn open(
        config: Config,
        store: impl Into<String>,
        source: impl Into<String>,
        data_dir: &Path,
    ) -> Result<Self, Error> {
        let store = store.into();
        let bucket = match &config.object_store {
            Some(settings) => Some(Bucket::open(settings, &store)?),
            None => None,
        };
        Self::open_with(config, store, source.into(), data_dir, bucket)
    }

    fn open_with(
        config: Config,
        store: String,
        source: String,
        data_dir: &Path,
        bucket: Option<Bucket>,
    ) -> Result<Self, Error> {
        let dir = config.dir.clone().unwrap_or_else(|| data_dir.join(&store));
        let layout = Layout::new(dir);
        commit::prepare(&layout)?;
        let membership = owner::join(&layout, &store, &source)?;
        let workers = Workers::start().map_err(Error::io("start the threads of", layout.root()))?;
        let shared = Shared {
            store,
            source,
            config,
            layout,
            membership,
            bucket,
            partitions: Mutex::default(),
            undated: LogLimit::new(),
            workers,
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    /// Deletes the days past the retention as of `now_ms` and answers their folders' names. With an object
    /// store it deletes nothing: what goes then goes file by file, once it is there.
    ///
    /// # Errors
    /// When a folder cannot be listed or deleted; the days before it are gone then.
    pub fn expire(&self, now_ms: i64) -> Result<Vec<String>, Error> {
        let shared = &self.shared;
        let retention = shared.config.retention.0;
        if retention.is_zero() || shared.bucket.is_some() {
            return Ok(Vec::new());
        }
        let deleted = expire::expire(&shared.layout, retention, now_ms)?;
        if !deleted.is_empty() {
            metrics::archive_days_expired(&shared.store, deleted.len());
            tracing::info!(store = shared.store, days = ?deleted, "archive: days past the retention are deleted");
        }
        Ok(deleted)
    }

    /// Merges the small files of days that were over an hour before `now_ms` and answers how many
    /// files became how many. Readers see a day before or after, never in between.
    ///
    /// # Errors
    /// When a day cannot be merged; it stays as it is. When that is because a file of it is damaged, all others are
    /// merged.
    pub fn merge(&self, now_ms: i64) -> Result<Merged, Error> {
        let shared = &self.shared;
        if !shared.config.merge {
            return Ok(Merged::default());
        }
        let merged = merge::merge(&shared.layout, now_ms)?;
        if merged.before > 0 {
            metrics::archive_files_merged(&shared.store, merged.before);
            tracing::info!(
                store = shared.store,
                before = merged.before,
                after = merged.after,
                "archive: small files of past days are merged"
            );
        }
        Ok(merged)
    }

    /// Moves days to the object store, if there is one, as of `now_ms`.
    ///
    /// # Errors
    /// When the object store or the disk refuses. Whatever was done stays done; nothing is lost or there twice.
    pub async fn relocate(&self, now_ms: i64) -> Result<(), Error> {
        let shared = &self.shared;
        let Some(bucket) = &shared.bucket else {
            return Ok(());
        };
        let retention = shared.config.retention.0;
        let result = bucket.pass(&shared.layout, retention, now_ms).await;
        metrics::bucket_pass(&shared.store, result.is_ok(), now_ms);
        result
    }

    /// Deletes days past the retention, merges small files and moves days to the object store, again and
    /// again. Never ends: spawn it beside a stop signal.
    pub async fn maintain(self, clock: impl Clock) {
        loop {
            let archive = self.clone();
            let now_ms = clock.now_ms();
            let pass = tokio::task::spawn_blocking(move || {
                let expired = archive.expire(now_ms).map(drop);
                let merged = archive.merge(now_ms).map(drop);
                expired.and(merged)
            });
            match pass.await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    tracing::error!(%error, "archive: its upkeep is tried again later");
                }
                Err(error) => tracing::error!(%error, "archive: its upkeep failed"),
            }
            let pause = match self.relocate(now_ms).await {
                Ok(()) => MAINTAIN_EVERY,
                Err(error) => {
                    tracing::error!(%error, "archive: days stay on the disk, moving them is tried again");
                    MOVE_AGAIN_AFTER
                }
            };
            tokio::time::sleep(pause).await;
        }
    }
}

/// A text that nobody else comes up with.
fn random_name() -> String {
    let random = std::hash::RandomState::new();
    format!("{:016x}", random.hash_one(std::process::id()))
}

impl Shared {
    fn partition(&self, partition: i32) -> Arc<Mutex<Option<Partition>>> {
        let mut partitions = self
            .partitions
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        Arc::clone(partitions.entry(partition).or_default())
    }

    fn resume(&self, partition: i32, offset: i64) -> Result<(), Error> {
        let slot = self.partition(partition);
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        *slot = None;
        *slot = Some(self.resumed(partition, offset)?);
        Ok(())
    }

    fn resumed(&self, partition: i32, offset: i64) -> Result<Partition, Error> {
        // First: from here on nobody else changes what is read below.
        let ownership = Ownership::take(&self.layout, partition)?;
        let manifest = commit::resume(&self.layout, &self.source, partition, offset)?;
        Ok(Partition {
            manifest,
            ownership,
            resumed_at: offset,
        })
    }

    fn write(
        &self,
        batch: &Batch,
        span: Span,
        keep_on: &dyn Fn() -> Result<(), Error>,
    ) -> Result<Written, Error> {
        let slot = self.partition(span.partition);
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        keep_on()?;
        let partition = match &mut *slot {
            Some(partition) => partition,
            None => slot.insert(self.resumed(span.partition, span.first)?),
        };
        let received_at_ms = |offset| {
            let mut sources = batch.items.iter().map(|item| item.source);
            let source = sources.find(|source| source.offset == offset)?;
            Some(source.received_at_ms)
        };
        // What an earlier attempt at these records left, before a crash or in this process.
        let mut manifest = partition.manifest.clone();
        let replaced: BTreeSet<String> = manifest
            .take_replaced(partition.resumed_at, span, received_at_ms)
            .into_iter()
            .flat_map(|entry| entry.files)
            .collect();
        let rows = Rows::new(&batch.items);
        if rows.days().any(|day| !day.is_dated())
            && let Some(suppressed) = self.undated.pass()
        {
            tracing::warn!(
                store = self.store,
                suppressed,
                "archive: samples whose time is before the year 1 or after 9999 go to the folder _undated, where readers do not see them"
            );
        }
        let origin = Origin {
            source: &self.source,
            span,
        };
        let token = partition.ownership.token();
        let staged = commit::stage(&self.layout, token, origin, &rows, &replaced, keep_on)?;
        let held = keep_on().and_then(|()| partition.ownership.hold(&self.layout));
        let _held = held.inspect_err(|_| staged.discard())?;
        let mut files = replaced.clone();
        files.extend(staged.names());
        manifest.push(Entry {
            first: span.first,
            last: span.last,
            received_at_ms: received_at_ms(span.first).unwrap_or_default(),
            files: files.into_iter().collect(),
        });
        // From here on the manifest names all files, so whatever fails is replaced by the next attempt.
        partition.manifest = manifest;
        commit::publish(
            &self.layout,
            &partition.manifest,
            span.partition,
            &staged,
            &replaced,
        )
        .inspect_err(|_| staged.discard())?;
        Ok(Written {
            files: staged.names().len(),
            bytes: staged.bytes,
        })
    }
}

/// Where the batch was, unless nothing of it counts.
fn span(batch: &Batch) -> Result<Option<Span>, Error> {
    let mut items = batch.items.iter().filter(|item| !item.is_empty());
    let Some(item) = items.next() else {
        return Ok(None);
    };
    let mut span = Span {
        partition: item.source.partition,
        first: item.source.offset,
        last: item.source.offset,
    };
    for item in items {
        if item.source.partition != span.partition {
            return Err(Error::Mixed(span.partition, item.source.partition));
        }
        span.first = span.first.min(item.source.offset);
        span.last = span.last.max(item.source.offset);
    }
    Ok(Some(span))
}

impl Write for Archive {
    fn lanes(&self) -> Lanes {
        Lanes::ByPartition
    }

    fn batching(&self) -> Batching {
        let config = &self.shared.config;
        Batching {
            max_samples: config.max_samples,
            max_bytes: config.max_size.bytes(),
            max_age: config.close_after.0,
        }
    }

    async fn resume(&self, partition: i32, offset: i64) -> Result<(), WriteError> {
        let shared = Arc::clone(&self.shared);
        let work = {
            let shared = Arc::clone(&shared);
            move || shared.resume(partition, offset)
        };
        Ok(shared.workers.run(work).await?)
    }

    async fn write(&self, batch: &Batch) -> Result<(), WriteError> {
        let Some(span) = span(batch)? else {
            return Ok(());
        };
        let started = Instant::now();
        let shared = Arc::clone(&self.shared);
        let batch = batch.clone();
        let abandoned = Arc::new(AtomicBool::new(false));
        let watch = Abandon(Arc::clone(&abandoned));
        let work = move || {
            let keep_on = || {
                if abandoned.load(Ordering::SeqCst) {
                    Err(Error::Abandoned)
                } else {
                    Ok(())
                }
            };
            shared.write(&batch, span, &keep_on)
        };
        let result = self.shared.workers.run(work).await;
        drop(watch);
        let store = &self.shared.store;
        let result = result.map_err(WriteError::from).map(|written| {
            metrics::archive_files_written(store, written.files, written.bytes);
        });
        metrics::archive_written(store, &result, started.elapsed());
        result
    }
}

#[cfg(test)]
mod tests;
