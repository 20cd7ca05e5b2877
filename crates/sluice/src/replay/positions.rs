//! How far a replay is, in every partition: read, handed on, in the store. Decides when it is done and where it would
//! go on.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::plan::Span;

/// The partitions of a replay.
#[derive(Debug, Default)]
pub(crate) struct Positions {
    partitions: Mutex<BTreeMap<i32, Partition>>,
    changed: Notify,
}

#[derive(Debug, Clone, Copy)]
struct Partition {
    from: i64,
    to: i64,
    /// The next offset to be read.
    read: i64,
    /// The offset after the last one that was handed on: what is skipped is done when it is read.
    handed_on: i64,
    /// Everything below is in the store.
    committed: i64,
}

impl Partition {
    fn next(&self) -> i64 {
        if self.committed >= self.handed_on {
            self.read
        } else {
            self.committed
        }
    }
}

impl Positions {
    /// Of these spans, from these offsets on; where there is none, from the span's beginning.
    pub(crate) fn new(spans: &[Span], next: &BTreeMap<i32, i64>) -> Self {
        let partitions = spans.iter().map(|span| {
            let next = next.get(&span.partition).copied().unwrap_or(span.from);
            let next = next.clamp(span.from, span.to);
            let partition = Partition {
                from: span.from,
                to: span.to,
                read: next,
                handed_on: next,
                committed: next,
            };
            (span.partition, partition)
        });
        Self {
            partitions: Mutex::new(partitions.collect()),
            changed: Notify::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<i32, Partition>> {
        self.partitions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn update(&self, number: i32, change: impl FnOnce(&mut Partition)) {
        if let Some(partition) = self.lock().get_mut(&number) {
            change(partition);
        }
        self.changed.notify_waiters();
    }

    /// A record is not handed on: it is not meant, or is none.
    pub(crate) fn skipped(&self, number: i32, offset: i64) {
        self.update(number, |partition| {
            partition.read = partition
                .read
                .max(offset.saturating_add(1))
                .min(partition.to);
        });
    }

    /// A record is handed on to the store.
    pub(crate) fn handed_on(&self, number: i32, offset: i64) {
        self.update(number, |partition| {
            partition.handed_on = offset.saturating_add(1);
            partition.read = partition.handed_on;
        });
    }

    /// Nothing more comes of this partition.
    pub(crate) fn ended(&self, number: i32) {
        self.update(number, |partition| partition.read = partition.to);
    }

    /// The store has everything below an offset.
    pub(crate) fn committed(&self, number: i32, offset: i64) {
        self.update(number, |partition| {
            partition.committed = partition.committed.max(offset);
        });
    }

    /// Where each partition would go on.
    pub(crate) fn next(&self) -> BTreeMap<i32, i64> {
        let partitions = self.lock();
        let next = partitions.iter();
        next.map(|(number, partition)| (*number, partition.next()))
            .collect()
    }

    /// How many records are done, of how many.
    pub(crate) fn progress(&self) -> (u64, u64) {
        let length = |from: i64, to: i64| u64::try_from(to.saturating_sub(from)).unwrap_or(0);
        let partitions = self.lock();
        partitions
            .values()
            .fold((0, 0), |(done, total), partition| {
                (
                    done + length(partition.from, partition.next()),
                    total + length(partition.from, partition.to),
                )
            })
    }

    /// Whether the store has everything.
    pub(crate) fn is_done(&self) -> bool {
        let partitions = self.lock();
        partitions
            .values()
            .all(|partition| partition.next() >= partition.to)
    }

    /// Returns when the store has everything.
    pub(crate) async fn done(&self) {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            if self.is_done() {
                return;
            }
            changed.await;
        }
    }
}

#[cfg(test)]
mod tests;
