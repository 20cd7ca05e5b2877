//! What one round of the writer thread will do to the log: decided in memory, carried out by one write.

use std::sync::Arc;

use bytes::Bytes;

use super::entry;
use super::index::Index;
use super::queue::{Answer, Command};
use super::segments::Added;
use super::shared::Shared;
use super::store::{Batch, Lane, Store, cursor_key};
use super::tables::Put;
use crate::{DrainError, PublishError, Record, metrics};

/// Who is answered once a batch is durable.
pub(super) enum Waiting {
    Publish(Answer<(), PublishError>),
    Appended(Answer<u64, PublishError>, u64),
    /// Whatever happens to the batch.
    Refused(Answer<u64, PublishError>, PublishError),
    Done(Answer<(), DrainError>),
    Registered(Answer<u64, DrainError>, u64),
}

/// A round on its way to the disk.
pub(super) struct Plan {
    pub(super) batch: Batch,
    pub(super) waiting: Vec<Waiting>,
    /// The records that are appended, with their offsets.
    pub(super) appended: Vec<(u64, Bytes)>,
    /// Whether the last record was refused for want of room; none without a record.
    pub(super) is_full: Option<bool>,
    /// Lanes whose start moved.
    pub(super) forgotten: Vec<Lane>,
    /// What happens to the tables.
    pub(super) puts: Vec<Put>,
    /// What ages are counted by.
    now_ms: i64,
    /// For people.
    wall_ms: i64,
}

impl Plan {
    /// To do nothing.
    pub(super) fn new(store: &Store, now_ms: i64, wall_ms: i64) -> Self {
        Self {
            batch: store.batch(),
            waiting: Vec::new(),
            appended: Vec::new(),
            is_full: None,
            forgotten: Vec::new(),
            puts: Vec::new(),
            now_ms,
            wall_ms,
        }
    }

    /// Adds all commands of a round.
    pub(super) fn add(
        &mut self,
        shared: &Shared,
        store: &Store,
        index: &mut Index,
        commands: Vec<Command>,
    ) {
        self.make_room(shared, index, &commands);
        for command in commands {
            match command {
                Command::Append(record, answer) => {
                    let max_bytes = shared.config.max_size.0;
                    let size = index.records.bytes() + entry::record_bytes(&record) as u64;
                    self.is_full = Some(size > max_bytes);
                    if size > max_bytes {
                        metrics::log_refused();
                        let error = PublishError::Full(shared.why_full());
                        self.waiting.push(Waiting::Refused(answer, error));
                    } else {
                        self.append(store, index, &record, answer);
                    }
                }
                Command::Bury(letter, answer) => {
                    let stored = entry::encode_dead_letter(&letter, self.wall_ms);
                    let added = self.added(&stored, self.now_ms);
                    let stored = stored.into();
                    index.append(store, &mut self.batch, Lane::Dead, stored, added);
                    self.bound_dead_letters(shared, index);
                    self.waiting.push(Waiting::Publish(answer));
                }
                Command::Put(put, answer) => {
                    self.batch.put_entry(&put);
                    self.puts.push(*put);
                    self.waiting.push(Waiting::Publish(answer));
                }
                Command::Commit(_, offset, answer) if offset > index.records.end() => {
                    let end = index.records.end();
                    answer.give(Err(DrainError::Fatal(format!(
                        "offset {offset} cannot be committed, the log ends at {end}"
                    ))));
                }
                Command::Commit(reader, offset, answer) => {
                    self.batch.put(cursor_key(&reader), &offset.to_be_bytes());
                    index.cursors.insert(reader, offset);
                    self.waiting.push(Waiting::Done(answer));
                }
                Command::Register(reader, answer) => {
                    let cursor = self.register(index, reader);
                    self.waiting.push(Waiting::Registered(answer, cursor));
                }
                Command::Forget(reader, answer) => {
                    self.batch.remove(cursor_key(&reader));
                    index.cursors.remove(&reader);
                    self.waiting.push(Waiting::Done(answer));
                }
                Command::Expire(answer) => {
                    self.forget_expired(shared, index);
                    self.waiting.push(Waiting::Done(answer));
                }
                Command::Trim(answer) => {
                    let from = index.records.start();
                    let start = index.records.start_after_freeing(u64::MAX, index.floor());
                    if start > from {
                        self.forget(index, Lane::Records, start);
                    }
                    self.waiting.push(Waiting::Done(answer));
                }
            }
        }
    }

    fn append(
        &mut self,
        store: &Store,
        index: &mut Index,
        record: &Record,
        answer: Answer<u64, PublishError>,
    ) {
        let stored = Bytes::from(entry::encode_record(record, self.now_ms));
        let added = self.added(&stored, record.received_at_ms);
        let kept = stored.clone();
        let offset = index.append(store, &mut self.batch, Lane::Records, stored, added);
        self.appended.push((offset, kept));
        self.waiting.push(Waiting::Appended(answer, offset));
    }

    /// Where a reader goes on; at the start, if it is new.
    fn register(&mut self, index: &mut Index, reader: Arc<str>) -> u64 {
        let (start, end) = (index.records.start(), index.records.end());
        let cursor = match index.cursors.get(&reader).copied() {
            Some(cursor) if cursor <= end => return cursor,
            Some(cursor) => {
                tracing::error!(
                    reader = &*reader,
                    cursor,
                    end,
                    "the log ends before what this reader has read: records were lost; it goes on at the end"
                );
                end
            }
            None => start,
        };
        self.batch.put(cursor_key(&reader), &cursor.to_be_bytes());
        index.cursors.insert(reader, cursor);
        cursor
    }

    fn added(&self, stored: &[u8], received_ms: i64) -> Added {
        Added {
            bytes: stored.len() as u64,
            appended_ms: self.now_ms,
            received_ms,
        }
    }

    /// Forgets what has expired, then what every reader has read, if the round does not fit otherwise.
    fn make_room(&mut self, shared: &Shared, index: &mut Index, commands: &[Command]) {
        let incoming: usize = commands
            .iter()
            .map(|command| match command {
                Command::Append(record, _) => entry::record_bytes(record),
                _ => 0,
            })
            .sum();
        let max_bytes = shared.config.max_size.0;
        if index.records.bytes() + incoming as u64 <= max_bytes {
            return;
        }
        self.forget_expired(shared, index);
        let excess = (index.records.bytes() + incoming as u64).saturating_sub(max_bytes);
        let from = index.records.start();
        let start = index.records.start_after_freeing(excess, index.floor());
        if start > from {
            tracing::info!(
                from,
                to = start,
                "dropped records that every reader has read, for room"
            );
            self.forget(index, Lane::Records, start);
        }
    }

    fn bound_dead_letters(&mut self, shared: &Shared, index: &mut Index) {
        let max_bytes = shared.config.dead_letters_max_size.0;
        let excess = index.dead.bytes().saturating_sub(max_bytes);
        let from = index.dead.start();
        // The newest stays, however large it is.
        let start = index
            .dead
            .start_after_freeing(excess, index.dead.end().saturating_sub(1));
        if start > from {
            tracing::warn!(from, to = start, "dropped the oldest dead letters for room");
            metrics::log_dead_letters_dropped(start - from);
            self.forget(index, Lane::Dead, start);
        }
    }

    /// Forgets whatever is older than its retention, read or not, and says so.
    pub(super) fn forget_expired(&mut self, shared: &Shared, index: &mut Index) {
        let ages = [
            (Lane::Records, shared.retention),
            (Lane::Dead, shared.config.dead_letters_retention.0),
        ];
        for (lane, retention) in ages {
            let retention_ms = i64::try_from(retention.as_millis()).unwrap_or(i64::MAX);
            let cutoff_ms = self.now_ms.saturating_sub(retention_ms);
            let from = index.lane(lane).start();
            let start = index.lane(lane).start_after_expiry(cutoff_ms);
            if start <= from {
                continue;
            }
            tracing::info!(
                lane = lane.name(),
                from,
                to = start,
                "entries of the log expired"
            );
            if lane == Lane::Records {
                report_unread(index, from, start);
            }
            self.forget(index, lane, start);
        }
    }

    fn forget(&mut self, index: &mut Index, lane: Lane, start: u64) {
        index.forget_below(&mut self.batch, lane, start);
        if !self.forgotten.contains(&lane) {
            self.forgotten.push(lane);
        }
    }
}

impl Waiting {
    pub(super) fn succeed(self) {
        match self {
            Self::Publish(answer) => answer.give(Ok(())),
            Self::Appended(answer, offset) => answer.give(Ok(offset)),
            Self::Refused(answer, error) => answer.give(Err(error)),
            Self::Done(answer) => answer.give(Ok(())),
            Self::Registered(answer, cursor) => answer.give(Ok(cursor)),
        }
    }

    /// The batch may or may not be there when the log is opened again.
    pub(super) fn fail(self, message: &str) {
        let message = message.to_owned();
        match self {
            Self::Publish(answer) => answer.give(Err(PublishError::Unconfirmed(message))),
            Self::Appended(answer, _) => answer.give(Err(PublishError::Unconfirmed(message))),
            Self::Refused(answer, error) => answer.give(Err(error)),
            Self::Done(answer) => answer.give(Err(DrainError::Unavailable(message))),
            Self::Registered(answer, _) => answer.give(Err(DrainError::Unavailable(message))),
        }
    }
}

/// Says which readers lose what.
fn report_unread(index: &Index, from: u64, to: u64) {
    for (reader, cursor) in &index.cursors {
        let first_lost = from.max(*cursor);
        if first_lost < to {
            tracing::error!(
                reader = &**reader,
                from = first_lost,
                to,
                "records expired that this reader has not read"
            );
            metrics::log_expired_unread(reader, to - first_lost);
        }
    }
}
