//! The items that wait for one lane's next write, and where a batch is cut. Pure.

use std::collections::VecDeque;
use std::collections::vec_deque::Drain;
use std::sync::Arc;

use bytes::Bytes;
use store::{Batching, Item};
use tokio::time::Instant;

/// What an item takes in memory beside its part of the record, here or in a batch.
pub(crate) const ITEM_BYTES: usize = size_of::<Queued>();

/// An item on its way to a batch.
#[derive(Debug)]
pub(crate) struct Queued {
    pub(crate) item: Item,
    /// Its part of its record's memory, and its own.
    pub(crate) bytes: usize,
    /// When it was queued.
    pub(crate) since: Instant,
    /// Whether it is the first of its record in this lane.
    pub(crate) starts_record: bool,
    /// The record's key where it is not the metric name.
    pub(crate) foreign_key: Option<Arc<ForeignKey>>,
}

/// A record's key that is not the metric name: another producer's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ForeignKey(pub(crate) Option<Bytes>);

/// One lane.
#[derive(Debug, Default)]
pub(crate) struct LaneQueue {
    queue: VecDeque<Queued>,
    samples: usize,
    bytes: usize,
    /// Whether a write is in flight.
    pub(crate) busy: bool,
}

impl LaneQueue {
    pub(crate) fn push(&mut self, queued: Queued) {
        self.samples += queued.item.len();
        self.bytes += queued.bytes;
        self.queue.push_back(queued);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Memory of what waits here.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Samples that wait here.
    pub(crate) fn samples(&self) -> usize {
        self.samples
    }

    /// When a batch should be cut: now that it is full, later when it is old enough, never when there is nothing.
    pub(crate) fn due(&self, batching: &Batching, now: Instant) -> Option<Instant> {
        let first = self.queue.front()?;
        if self.samples >= batching.max_samples || self.bytes >= batching.max_bytes {
            return Some(now);
        }
        Some(first.since + batching.max_age)
    }

    /// Takes the next batch: at least one unit, and as many as fit. A unit is an item, or a whole record.
    pub(crate) fn cut(&mut self, batching: &Batching, whole_records: bool) -> Drain<'_, Queued> {
        let (mut count, mut samples, mut bytes) = (0, 0, 0);
        let mut at = 0;
        while at < self.queue.len() {
            let end = self.unit_end(at, whole_records);
            let unit = self.queue.range(at..end);
            let (unit_samples, unit_bytes) = unit.fold((0, 0), |(samples, bytes), queued| {
                (samples + queued.item.len(), bytes + queued.bytes)
            });
            let full = samples + unit_samples > batching.max_samples
                || bytes + unit_bytes > batching.max_bytes;
            if count > 0 && full {
                break;
            }
            (samples, bytes) = (samples + unit_samples, bytes + unit_bytes);
            (count, at) = (end, end);
        }
        self.samples -= samples;
        self.bytes -= bytes;
        self.queue.drain(..count)
    }

    fn unit_end(&self, start: usize, whole_records: bool) -> usize {
        if !whole_records {
            return start + 1;
        }
        let rest = self.queue.range(start + 1..);
        start + 1 + rest.take_while(|queued| !queued.starts_record).count()
    }

    /// Drops what came from partitions that `gone` says yes to, and answers how many samples that was.
    pub(crate) fn drop_partitions(&mut self, gone: impl Fn(i32) -> bool) -> usize {
        let before = self.samples;
        let (samples, bytes) = (&mut self.samples, &mut self.bytes);
        self.queue.retain(|queued| {
            let stays = !gone(queued.item.source.partition);
            if !stays {
                *samples -= queued.item.len();
                *bytes -= queued.bytes;
            }
            stays
        });
        before - self.samples
    }
}

#[cfg(test)]
mod tests;
