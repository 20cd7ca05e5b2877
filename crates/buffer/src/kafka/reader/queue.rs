//! What was read and waits for the consumer: bounded in bytes, news of partitions before records.
//!
//! Two lanes. Assigned, revoked and lost partitions overtake records, and records of a partition that
//! went away are dropped before its news is queued, so that in what comes out records of a partition
//! only ever stand between its assignment and its end.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::{Consumed, DrainError, Event, metrics};

/// Records of one event.
const MAX_RECORDS: usize = 1000;

/// What a record takes beside its key and value, in bytes.
const RECORD_OVERHEAD_BYTES: usize = 256;

pub(super) struct Queue {
    inner: Mutex<Inner>,
    changed: Notify,
    group: String,
    limit_bytes: usize,
}

#[derive(Default)]
struct Inner {
    news: VecDeque<Result<Event, DrainError>>,
    data: VecDeque<Data>,
    bytes: usize,
    /// The consumer wants no records now.
    paused: bool,
    /// Fetching stands still until half of the bound is free again.
    full: bool,
    /// Nothing comes any more.
    ended: Option<DrainError>,
    discarded: bool,
}

enum Data {
    Records(Vec<Consumed>),
    Expired { partition: i32, from: i64, to: i64 },
}

impl Queue {
    pub(super) fn new(group: &str, limit_bytes: usize) -> Self {
        Self {
            inner: Mutex::default(),
            changed: Notify::new(),
            group: group.to_owned(),
            limit_bytes,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next event. Nothing is taken out before this resolves.
    pub(super) async fn next(&self) -> Result<Event, DrainError> {
        loop {
            let changed = self.changed.notified();
            if let Some(event) = self.pop() {
                self.show();
                return event;
            }
            changed.await;
        }
    }

    fn pop(&self) -> Option<Result<Event, DrainError>> {
        let mut inner = self.lock();
        if let Some(news) = inner.news.pop_front() {
            return Some(news);
        }
        if !inner.paused
            && let Some(data) = inner.data.pop_front()
        {
            return Some(Ok(match data {
                Data::Records(records) => {
                    inner.bytes -= records.iter().map(size_bytes).sum::<usize>();
                    if inner.bytes <= self.limit_bytes / 2 {
                        inner.full = false;
                    }
                    Event::Records(records)
                }
                Data::Expired {
                    partition,
                    from,
                    to,
                } => Event::Expired {
                    partition,
                    from,
                    to,
                },
            }));
        }
        inner.ended.clone().map(Err)
    }

    /// Adds a record, past the bound too: what librdkafka handed out is ours.
    pub(super) fn push_record(&self, record: Consumed) {
        let mut inner = self.lock();
        if inner.discarded {
            return;
        }
        inner.bytes += size_bytes(&record);
        inner.full |= inner.bytes >= self.limit_bytes;
        let was_empty = inner.data.is_empty();
        match inner.data.back_mut() {
            Some(Data::Records(records)) if records.len() < MAX_RECORDS => records.push(record),
            _ => inner.data.push_back(Data::Records(vec![record])),
        }
        drop(inner);
        if was_empty {
            self.changed.notify_one();
        }
    }

    /// Tells of lost records, in order with the partition's other records.
    pub(super) fn push_expired(&self, partition: i32, from: i64, to: i64) {
        let expired = Data::Expired {
            partition,
            from,
            to,
        };
        self.lock().data.push_back(expired);
        self.changed.notify_one();
    }

    /// Tells what happened to partitions, before any record that waits.
    pub(super) fn push_news(&self, event: Event) {
        let mut inner = self.lock();
        // Dropping an event with a handover ends the handover.
        if !inner.discarded {
            inner.news.push_back(Ok(event));
        }
        drop(inner);
        self.changed.notify_one();
    }

    /// Reports a passing error once, however often it comes before somebody looks.
    pub(super) fn push_error(&self, error: DrainError) {
        let mut inner = self.lock();
        let known = inner.news.iter().any(Result::is_err);
        if !known && !inner.discarded {
            inner.news.push_back(Err(error));
        }
        drop(inner);
        self.changed.notify_one();
    }

    /// Drops the records of these partitions that nobody has seen yet.
    pub(super) fn purge(&self, partitions: &HashSet<i32>) {
        let mut inner = self.lock();
        for data in &mut inner.data {
            if let Data::Records(records) = data {
                records.retain(|record| !partitions.contains(&record.partition));
            }
        }
        inner.data.retain(|data| match data {
            Data::Records(records) => !records.is_empty(),
            Data::Expired { partition, .. } => !partitions.contains(partition),
        });
        inner.bytes = inner
            .data
            .iter()
            .map(|data| match data {
                Data::Records(records) => records.iter().map(size_bytes).sum(),
                Data::Expired { .. } => 0,
            })
            .sum();
        inner.full &= inner.bytes > self.limit_bytes / 2;
    }

    pub(super) fn pause(&self, paused: bool) {
        self.lock().paused = paused;
        self.changed.notify_one();
    }

    /// Whether fetching should stand still.
    pub(super) fn wants_pause(&self) -> bool {
        let inner = self.lock();
        inner.paused || inner.full
    }

    /// Shows how much waits.
    pub(super) fn show(&self) {
        let bytes = self.lock().bytes;
        metrics::kafka_read_ahead(&self.group, bytes);
    }

    /// Nobody reads any more: what waits is dropped, handovers among it end.
    pub(super) fn discard(&self) {
        let mut inner = self.lock();
        inner.discarded = true;
        inner.news.clear();
        inner.data.clear();
        inner.bytes = 0;
    }

    /// Nothing will come any more: this is the last answer.
    pub(super) fn end(&self, error: DrainError) {
        self.lock().ended.get_or_insert(error);
        self.changed.notify_one();
    }
}

fn size_bytes(record: &Consumed) -> usize {
    record.key.as_ref().map_or(0, bytes::Bytes::len) + record.value.len() + RECORD_OVERHEAD_BYTES
}

#[cfg(test)]
pub(super) mod tests;
