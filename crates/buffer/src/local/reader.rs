//! The consumer's side of the embedded log.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::PARTITION;
use super::entry::RecordDecoder;
use super::handle::{Log, as_offset};
use super::memory::Kept;
use super::queue::Command;
use super::shared::{State, Tail};
use super::store::{Read, Store};
use crate::{Commit, Consumed, Drain, DrainError, Event, PartitionState};

/// Longest name of a reader, in bytes.
const MAX_NAME_BYTES: usize = 200;

/// Where a reader starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// Where it committed last; a new one at the earliest record.
    Cursor,
    /// At the first record received at or after this time, milliseconds since the Unix epoch. The
    /// reader is not remembered, nothing is kept for it, and its commits do nothing.
    At(i64),
    /// At this offset. Not remembered either.
    Offset(i64),
}

/// One reader of the log.
#[derive(Debug)]
pub struct Reader {
    committer: Committer,
    tail: watch::Receiver<Tail>,
    position: u64,
    is_assigned: bool,
    is_paused: bool,
}

/// Commits for its reader.
#[derive(Debug, Clone)]
pub struct Committer {
    log: Log,
    name: Arc<str>,
    is_remembered: bool,
}

impl Reader {
    pub(super) async fn open(log: Log, name: &str, start: Start) -> Result<Self, DrainError> {
        if name.is_empty() || name.len() > MAX_NAME_BYTES {
            return Err(DrainError::Fatal(format!(
                "a reader's name has 1 to {MAX_NAME_BYTES} bytes, {name:?} has {}",
                name.len()
            )));
        }
        let name: Arc<str> = Arc::from(name);
        let tail = log.shared().tail.subscribe();
        let is_remembered = start == Start::Cursor;
        if is_remembered && !log.shared().open_readers().insert(Arc::clone(&name)) {
            return Err(DrainError::Fatal(format!(
                "a reader {name} is open already"
            )));
        }
        // From here on, dropping the reader gives the name back.
        let mut reader = Self {
            committer: Committer {
                log,
                name,
                is_remembered,
            },
            tail,
            position: 0,
            is_assigned: false,
            is_paused: false,
        };
        reader.position = match start {
            Start::Cursor => reader.committer.register().await?,
            Start::At(at_ms) => reader.locate(at_ms).await?,
            Start::Offset(offset) => u64::try_from(offset).unwrap_or(0),
        };
        Ok(reader)
    }

    /// The first record received at or after a time, exactly where records came in that order.
    async fn locate(&self, at_ms: i64) -> Result<u64, DrainError> {
        let shared = self.committer.log.shared();
        let segment = shared.index().records.locate(at_ms);
        let end = self.tail.borrow().end;
        let find = move |store: &Store| {
            let mut position = segment;
            while position < end {
                match store.read(position, end, 1 << 20)? {
                    Read::Missing { next } => position = next,
                    Read::Records(records) => {
                        let earlier = records
                            .iter()
                            .take_while(|record| record.received_at_ms < at_ms);
                        let skipped = earlier.count();
                        position += skipped as u64;
                        if skipped < records.len() {
                            break;
                        }
                    }
                }
            }
            Ok(position.min(end))
        };
        shared.read(find).await
    }

    /// The offset that comes next.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    fn expired(&mut self, to: u64) -> Event {
        let from = std::mem::replace(&mut self.position, to);
        Event::Expired {
            partition: PARTITION,
            from: as_offset(from),
            to: as_offset(to),
        }
    }

    async fn wait(&mut self) -> Result<(), DrainError> {
        self.tail
            .changed()
            .await
            .map_err(|_| DrainError::Fatal("the log is closed".to_owned()))
    }
}

impl Drain for Reader {
    type Committer = Committer;

    async fn next(&mut self) -> Result<Event, DrainError> {
        if !self.is_assigned {
            self.is_assigned = true;
            return Ok(Event::Assigned {
                partition: PARTITION,
                offset: as_offset(self.position),
            });
        }
        loop {
            let tail = self.tail.borrow_and_update().clone();
            match tail.state {
                State::Open => {}
                State::Down => {
                    self.wait().await?;
                    continue;
                }
                State::Failed(reason) => return Err(DrainError::Fatal(reason.to_string())),
                State::Closed => return Err(DrainError::Fatal("the log is closed".to_owned())),
            }
            if self.position < tail.start {
                return Ok(self.expired(tail.start));
            }
            if self.is_paused || self.position >= tail.end {
                self.wait().await?;
                continue;
            }
            let shared = self.committer.log.shared();
            let (from, to, max_bytes) = (self.position, tail.end, shared.tuning.chunk_bytes);
            let kept = shared.memory().read(from, to, max_bytes);
            if !kept.is_empty() {
                self.position += kept.len() as u64;
                return decode(kept).map(Event::Records);
            }
            let read = shared
                .read(move |store| store.read(from, to, max_bytes))
                .await;
            match read {
                Ok(Read::Records(records)) => {
                    self.position += records.len() as u64;
                    return Ok(Event::Records(records));
                }
                // Either it was forgotten meanwhile, or the disk lost it: gone in both cases.
                Ok(Read::Missing { next }) => return Ok(self.expired(next)),
                // It was closed between the look at its state and the read: look again.
                Err(DrainError::Unavailable(_)) if self.tail.has_changed().unwrap_or(true) => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn committer(&self) -> Committer {
        self.committer.clone()
    }

    fn pause(&mut self, paused: bool) {
        self.is_paused = paused;
    }

    fn source(&self) -> &'static str {
        "local"
    }

    fn retention(&self) -> Duration {
        self.committer.log.shared().retention
    }

    async fn close(self) {}
}

fn decode(kept: Vec<Kept>) -> Result<Vec<Consumed>, DrainError> {
    let mut decoder = RecordDecoder::default();
    let records = kept.into_iter().map(|kept| {
        let record = decoder
            .decode(as_offset(kept.offset), kept.stored)
            .map_err(|error| DrainError::Fatal(format!("record {}: {error}", kept.offset)))?;
        Ok(Consumed {
            memo: kept.memo,
            ..record
        })
    });
    records.collect()
}

impl Drop for Reader {
    fn drop(&mut self) {
        let committer = &self.committer;
        if committer.is_remembered {
            let shared = committer.log.shared();
            shared.open_readers().remove(&committer.name);
        }
    }
}

impl Committer {
    async fn register(&self) -> Result<u64, DrainError> {
        let name = Arc::clone(&self.name);
        self.log
            .shared()
            .ask(|answer| Command::Register(name, answer))
            .await
    }
}

impl Commit for Committer {
    async fn commit(&self, offsets: Vec<(i32, i64)>) -> Result<(), DrainError> {
        for (partition, offset) in offsets {
            if partition != PARTITION {
                return Err(DrainError::NotOwned(partition));
            }
            let offset = u64::try_from(offset)
                .map_err(|_| DrainError::Fatal(format!("offset {offset} cannot be committed")))?;
            if self.is_remembered {
                let name = Arc::clone(&self.name);
                self.log
                    .shared()
                    .ask(|answer| Command::Commit(name, offset, answer))
                    .await?;
            }
        }
        Ok(())
    }

    fn state(&self) -> Vec<PartitionState> {
        let shared = self.log.shared();
        let tail = shared.tail.borrow().clone();
        let committed = self
            .is_remembered
            .then(|| shared.index().cursors.get(&self.name).copied())
            .flatten();
        vec![PartitionState {
            partition: PARTITION,
            start_offset: Some(as_offset(tail.start)),
            end_offset: Some(as_offset(tail.end)),
            committed: committed.map(as_offset),
        }]
    }
}
