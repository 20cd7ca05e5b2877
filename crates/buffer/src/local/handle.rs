//! A handle of the embedded log: opening it, its readers and writers, closing it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use model::Clock;
use service::health::Condition;
use tokio::sync::watch;

use super::config::{Config, Tuning};
use super::engine::Engine;
use super::entry::Buried;
use super::failure::Failure;
use super::index::Index;
use super::memory::Memory;
use super::queue::{Command, Queue};
use super::reader::{Reader, Start};
use super::shared::{Shared, State, Tail};
use super::store::Store;
use super::table::{self, Follower, Table};
use super::tables::Tables;
use super::writer::Writer;
use crate::{DrainError, metrics};

/// The log cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another log is open on the directory, in this process or in another.
    #[error("the log {} is open elsewhere; a directory has one process", dir.display())]
    Locked {
        /// The directory.
        dir: PathBuf,
    },
    /// There are files in the directory that no log put there.
    #[error("{} is neither empty nor a log; choose another directory", dir.display())]
    NotALog {
        /// The directory.
        dir: PathBuf,
    },
    /// The disk, or what is on it.
    #[error("the log {} cannot be opened: {source}", dir.display())]
    Failed {
        /// The directory.
        dir: PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// The embedded log. Clones are the same log.
#[derive(Debug, Clone)]
pub struct Log(Arc<Handle>);

/// Closes the queue when the last clone goes, so that the writer thread ends after what waits.
#[derive(Debug)]
struct Handle(Arc<Shared>);

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.queue.close();
    }
}

impl Log {
    /// Opens the log in `dir`, or makes one there. Blocks: it reads what was written since the last
    /// time the memtables were flushed.
    ///
    /// `condition` is met while the log takes records; its reason says why when it does not.
    ///
    /// # Errors
    /// When another process has it, `dir` holds something else, or the disk fails.
    pub fn open(
        dir: &Path,
        config: &Config,
        retention: Duration,
        clock: Arc<dyn Clock>,
        condition: Condition,
    ) -> Result<Self, OpenError> {
        let tuning = Tuning::of(config, retention);
        Self::open_tuned(dir, config, retention, clock, condition, tuning)
    }

    pub(super) fn open_tuned(
        dir: &Path,
        config: &Config,
        retention: Duration,
        clock: Arc<dyn Clock>,
        condition: Condition,
        tuning: Tuning,
    ) -> Result<Self, OpenError> {
        let failed = |failure: Failure| match failure.is_locked {
            true => OpenError::Locked {
                dir: dir.to_owned(),
            },
            false => OpenError::Failed {
                dir: dir.to_owned(),
                source: Box::new(failure),
            },
        };
        if is_missing_or_empty(dir).map_err(|error| failed(error.into()))? {
            let id = format!("{:032x}", rand::random::<u128>());
            Store::create(dir, &id, &tuning).map_err(failed)?;
        } else if !dir.join("version").exists() {
            return Err(OpenError::NotALog {
                dir: dir.to_owned(),
            });
        }
        let (store, id) = Store::open(dir, &tuning).map_err(failed)?;
        let index = Index::load(&store, &tuning).map_err(failed)?;
        let mut tables = Tables::default();
        tables.load(&store).map_err(failed)?;
        let tail = Tail {
            start: index.records.start(),
            end: index.records.end(),
            state: State::Open,
        };
        tracing::info!(
            dir = %dir.display(),
            start = tail.start,
            end = tail.end,
            kept_bytes = index.records.bytes(),
            "the log is open"
        );
        let memory_bytes = usize::try_from(tuning.memtable_bytes).unwrap_or(usize::MAX);
        let shared = Arc::new(Shared {
            dir: dir.to_owned(),
            id,
            config: config.clone(),
            retention,
            tuning,
            clock,
            condition,
            queue: Queue::new(config.max_queue.bytes()),
            tail: watch::Sender::new(tail),
            store: Arc::new(RwLock::new(Some(store.clone()))),
            index: Mutex::new(index),
            memory: Mutex::new(Memory::new(memory_bytes)),
            tables: Mutex::new(tables),
            open_readers: Mutex::new(BTreeSet::new()),
            fsyncs: AtomicU64::new(0),
            has_ended: watch::Sender::new(false),
        });
        metrics::log_limit(config.max_size.0);
        let engine = Engine::new(Arc::clone(&shared), store);
        std::thread::Builder::new()
            .name("log-writer".to_owned())
            .spawn(move || engine.run())
            .map_err(|error| failed(error.into()))?;
        shared.condition.ready();
        Ok(Self(Arc::new(Handle(shared))))
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.0.0
    }

    /// Given to the log when it was made; another one in the same place has another.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.shared().id
    }

    /// Takes records and dead letters.
    #[must_use]
    pub fn writer(&self) -> Writer {
        Writer::new(self.clone())
    }

    /// A reader. One that starts at its cursor is remembered by its name from now on: what it
    /// has not read is kept, within the retention, even while it is not open.
    ///
    /// # Errors
    /// When a reader of this name is open, or the log cannot remember a new one.
    pub async fn reader(&self, name: &str, start: Start) -> Result<Reader, DrainError> {
        Reader::open(self.clone(), name, start).await
    }

    /// A table, empty if it was never written, and a follower that is told everything from its beginning on.
    ///
    /// # Errors
    /// When the name is empty or longer than 200 bytes.
    pub fn table(&self, name: &str) -> Result<(Table, Follower), DrainError> {
        table::open(self.clone(), name)
    }

    /// The names of the readers that the log remembers, and the next offset that each will read.
    #[must_use]
    pub fn readers(&self) -> Vec<(Arc<str>, i64)> {
        let index = self.shared().index();
        let cursors = index.cursors.iter();
        cursors
            .map(|(name, offset)| (Arc::clone(name), as_offset(*offset)))
            .collect()
    }

    /// Forgets a reader, for one that will not come back: nothing is kept for it any more.
    ///
    /// # Errors
    /// When it is open, or the log does not take it.
    pub async fn forget_reader(&self, name: &str) -> Result<(), DrainError> {
        if self.shared().open_readers().contains(name) {
            return Err(DrainError::Fatal(format!("the reader {name} is open")));
        }
        let name = Arc::from(name);
        self.shared()
            .ask(|answer| Command::Forget(name, answer))
            .await
    }

    /// Forgets what has expired now instead of within the next ten seconds.
    ///
    /// # Errors
    /// When the log does not take it.
    pub async fn expire(&self) -> Result<(), DrainError> {
        self.shared().ask(Command::Expire).await
    }

    /// Forgets what every reader has read now, and not only when room is needed.
    ///
    /// # Errors
    /// When the log does not take it.
    pub async fn trim(&self) -> Result<(), DrainError> {
        self.shared().ask(Command::Trim).await
    }

    /// The newest dead letters, at most `limit`, the oldest of them first.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn dead_letters(&self, limit: usize) -> Result<Vec<Buried>, DrainError> {
        let (start, end) = {
            let index = self.shared().index();
            (index.dead.start(), index.dead.end())
        };
        let from = start.max(end.saturating_sub(limit as u64));
        let read = move |store: &Store| store.dead_letters(from, end);
        self.shared().read(read).await
    }

    /// The offset after the last durable record.
    pub(crate) fn end(&self) -> u64 {
        self.shared().tail.borrow().end
    }

    /// Bytes of records that are kept, before compression: what `max_size` bounds.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.shared().index().records.bytes()
    }

    /// Bytes of the records that wait for the disk.
    #[must_use]
    pub fn queue_bytes(&self) -> usize {
        self.shared().queue.bytes()
    }

    /// How many times the disk was asked to confirm, since the log was opened.
    #[must_use]
    pub fn fsyncs(&self) -> u64 {
        self.shared().fsyncs.load(Ordering::Relaxed)
    }

    /// Takes nothing more, answers what waits, closes the files. Other handles find the log closed.
    pub async fn close(&self) {
        self.shared().queue.close();
        let mut has_ended = self.shared().has_ended.subscribe();
        // An error would mean that the sender is gone, and with it the thread.
        has_ended.wait_for(|ended| *ended).await.ok();
    }
}

fn is_missing_or_empty(dir: &Path) -> std::io::Result<bool> {
    match std::fs::read_dir(dir) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}

/// Offsets are not negative, and grow by one: they end far beyond any log.
pub(super) fn as_offset(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
