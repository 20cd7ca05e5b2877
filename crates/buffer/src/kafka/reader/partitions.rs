//! Which partitions are ours, how far they were read, committed and written by producers.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use std::time::Instant;

use crate::PartitionState;

/// Everything known of the assigned partitions.
#[derive(Default)]
pub(super) struct Partitions {
    known: Mutex<BTreeMap<i32, Partition>>,
    /// Held for reading while a commit is on its way, so that a partition is not given up under it.
    owned: RwLock<HashSet<i32>>,
    /// Whether there may be one whose log is doubted.
    has_doubts: AtomicBool,
}

/// One of ours.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Partition {
    /// The offset that should come next; none before the first one, if its start could not be found out.
    pub(super) next: Option<i64>,
    /// The first offset that exists.
    pub(super) start: Option<i64>,
    /// The offset of the next record to be written.
    pub(super) end: Option<i64>,
    /// What is committed.
    pub(super) committed: Option<i64>,
    /// The last record that was read.
    pub(super) last: Option<Mark>,
    /// One that was read before the last look at the topic, to know its log again: the last one may be of
    /// another log already.
    pub(super) witness: Option<Mark>,
    /// What would be skipped next, when a record that was read before was skipped.
    pub(super) skipping: Option<i64>,
    /// One for the next commit that is past it, and the one that commits tell now.
    pub(super) candidate: Option<Mark>,
    pub(super) vouched: Option<Mark>,
    /// Since when this log is read.
    pub(super) since: Option<Instant>,
    /// Whether the log seems to be another one than the one that was read.
    pub(super) is_doubtful: bool,
}

impl Partition {
    /// A record to know the log by.
    pub(super) fn witness(&self) -> Option<Mark> {
        self.witness.or(self.last)
    }
}

/// A record's place and time. Another record at this place is of another log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) offset: i64,
    pub(super) at_ms: i64,
}

/// What begins the metadata of a commit.
const VOUCHER: &str = "sluice/1";

impl Mark {
    /// As a commit has it, for the next owner to know the log by.
    pub(super) fn to_metadata(self) -> String {
        format!("{VOUCHER} {} {}", self.offset, self.at_ms)
    }

    /// None if the commit has none, or somebody else's.
    pub(super) fn from_metadata(metadata: &str) -> Option<Self> {
        let words = metadata.strip_prefix(VOUCHER)?.trim_start();
        let (offset, at_ms) = words.split_once(' ')?;
        Some(Self {
            offset: offset.parse().ok()?,
            at_ms: at_ms.parse().ok()?,
        })
    }
}

impl Partitions {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<i32, Partition>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It is ours now.
    pub(super) fn insert(&self, number: i32, partition: Partition) {
        self.lock().insert(number, partition);
        self.owned
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(number);
    }

    /// They are not ours any more. Waits for commits that are on their way.
    pub(super) fn remove(&self, numbers: &HashSet<i32>) {
        self.owned
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|number| !numbers.contains(number));
        self.lock().retain(|number, _| !numbers.contains(number));
    }

    /// What is ours, unchanged for as long as the guard lives.
    pub(super) fn hold(&self) -> RwLockReadGuard<'_, HashSet<i32>> {
        self.owned.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known of one, if it is ours.
    pub(super) fn get(&self, number: i32) -> Option<Partition> {
        self.lock().get(&number).copied()
    }

    /// Changes what is known of one, if it is ours.
    pub(super) fn update(&self, number: i32, change: impl FnOnce(&mut Partition)) {
        if let Some(partition) = self.lock().get_mut(&number) {
            change(partition);
        }
    }

    /// A record before this offset, to commit with it. However far ahead is read: a record that is waited for
    /// stays the same until commits have passed it.
    pub(super) fn voucher(&self, number: i32, offset: i64) -> Option<Mark> {
        let mut known = self.lock();
        let partition = known.get_mut(&number)?;
        partition.candidate = partition.candidate.or_else(|| partition.witness());
        if let Some(mark) = partition.candidate
            && mark.offset < offset
        {
            partition.vouched = Some(mark);
            partition.candidate = None;
        }
        partition.vouched
    }

    /// Ours, in order.
    pub(super) fn numbers(&self) -> Vec<i32> {
        self.lock().keys().copied().collect()
    }

    /// The log of one may be another one than the one that was read.
    pub(super) fn doubt(&self, number: i32) {
        self.update(number, |known| known.is_doubtful = true);
        self.has_doubts.store(true, Ordering::Release);
    }

    /// One that is doubted, which is not any more then: the next one behind the last, so that they take turns. Costs
    /// nothing when there is none.
    pub(super) fn take_doubtful(&self, last: Option<i32>) -> Option<i32> {
        if !self.has_doubts.load(Ordering::Acquire) {
            return None;
        }
        let mut known = self.lock();
        let doubtful = known.iter().filter(|(_, partition)| partition.is_doubtful);
        let doubtful: Vec<i32> = doubtful.map(|(number, _)| *number).collect();
        self.has_doubts.store(doubtful.len() > 1, Ordering::Release);
        let next = doubtful.iter().find(|number| Some(**number) > last);
        let number = *next.or(doubtful.first())?;
        if let Some(partition) = known.get_mut(&number) {
            partition.is_doubtful = false;
        }
        Some(number)
    }

    pub(super) fn state(&self) -> Vec<PartitionState> {
        let known = self.lock();
        known
            .iter()
            .map(|(number, partition)| PartitionState {
                partition: *number,
                start_offset: partition.start,
                // What was read exists, however old the last look at the end is.
                end_offset: partition
                    .end
                    .max(partition.next.filter(|_| partition.end.is_some())),
                committed: partition.committed,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests;
