//! What the handles of a log share with its writer thread.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use model::Clock;
use service::health::Condition;
use tokio::sync::watch;

use super::config::{Config, Tuning};
use super::index::Index;
use super::memory::Memory;
use super::queue::{Answer, Command, Queue, Refused};
use super::store::{SharedStore, Store};
use super::tables::Tables;
use crate::DrainError;

/// How far a reader may read, and whether there is anything to read from.
#[derive(Debug, Clone)]
pub(super) struct Tail {
    /// The first offset that exists.
    pub(super) start: u64,
    /// The offset after the last durable record.
    pub(super) end: u64,
    pub(super) state: State,
}

/// Of the whole log.
#[derive(Debug, Clone)]
pub(super) enum State {
    Open,
    /// Broken; the writer thread tries to open it again.
    Down,
    /// Broken; only a person can help.
    Failed(Arc<str>),
    Closed,
}

/// One log.
pub(super) struct Shared {
    pub(super) dir: PathBuf,
    pub(super) id: String,
    pub(super) config: Config,
    pub(super) retention: Duration,
    pub(super) tuning: Tuning,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) condition: Condition,
    pub(super) queue: Queue,
    pub(super) tail: watch::Sender<Tail>,
    pub(super) store: SharedStore,
    pub(super) index: Mutex<Index>,
    pub(super) memory: Mutex<Memory>,
    pub(super) tables: Mutex<Tables>,
    /// Names of readers that are open; two of one name would undo each other's commits.
    pub(super) open_readers: Mutex<BTreeSet<Arc<str>>>,
    pub(super) fsyncs: AtomicU64,
    /// Whether the writer thread has ended and the files are closed.
    pub(super) has_ended: watch::Sender<bool>,
}

impl Shared {
    pub(super) fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn open_readers(&self) -> MutexGuard<'_, BTreeSet<Arc<str>>> {
        self.open_readers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Replaces the store. With none, returns when nobody reads from the old one any more.
    pub(super) fn set_store(&self, store: Option<Store>) {
        let old = {
            let mut place = self.store.write().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *place, store)
        };
        drop(old);
    }

    /// Sets the state and shows the offsets that are durable.
    pub(super) fn publish_tail(&self, state: State) {
        let (start, end) = {
            let index = self.index();
            (index.records.start(), index.records.end())
        };
        self.tail.send_replace(Tail { start, end, state });
    }

    pub(super) fn set_state(&self, state: State) {
        self.tail.send_modify(|tail| tail.state = state);
    }

    pub(super) fn why_full(&self) -> String {
        let max_size = self.config.max_size;
        format!("{max_size} of records are kept, and a reader has not read the oldest of them")
    }

    pub(super) fn count_fsync(&self) {
        self.fsyncs.fetch_add(1, Ordering::Relaxed);
    }

    /// Has the writer thread do something and waits for it.
    pub(super) async fn ask<T>(
        &self,
        command: impl FnOnce(Answer<T, DrainError>) -> Command,
    ) -> Result<T, DrainError> {
        let (answer, answered) = Answer::new();
        match self.queue.push(command(answer)) {
            Ok(()) => answered.await.unwrap_or_else(|_| {
                Err(DrainError::Unavailable(
                    "the log's writer stopped".to_owned(),
                ))
            }),
            Err(Refused::Full) => Err(DrainError::Unavailable(
                "the log's queue is full".to_owned(),
            )),
            Err(Refused::Closed) => Err(DrainError::Fatal("the log is closed".to_owned())),
        }
    }

    /// Reads on a thread that may block.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Store) -> Result<T, super::failure::Failure> + Send + 'static,
    ) -> Result<T, DrainError> {
        let store = Arc::clone(&self.store);
        let work = tokio::task::spawn_blocking(move || {
            let store = store.read().unwrap_or_else(PoisonError::into_inner);
            let store = store
                .as_ref()
                .ok_or_else(|| DrainError::Unavailable("the log is not open".to_owned()))?;
            read(store).map_err(|failure| DrainError::Fatal(failure.to_string()))
        });
        work.await
            .unwrap_or_else(|error| Err(DrainError::Fatal(format!("reading the log: {error}"))))
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared")
            .field("dir", &self.dir)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
