//! The newest records, in memory: readers that keep up do not go to the disk.
//!
//! They are the same bytes that the engine's memtable holds. Only records that are durable come
//! here, in the order of their offsets and without a gap.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::Memo;

/// A record as it is stored.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) offset: u64,
    pub(super) stored: Bytes,
    /// For all its readers.
    pub(super) memo: Memo,
}

/// The newest records.
#[derive(Debug)]
pub(super) struct Memory {
    records: VecDeque<Kept>,
    bytes: usize,
    max_bytes: usize,
}

impl Memory {
    /// Empty; at most `max_bytes` of records.
    pub(super) fn new(max_bytes: usize) -> Self {
        Self {
            records: VecDeque::new(),
            bytes: 0,
            max_bytes,
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.records.clear();
        self.bytes = 0;
    }

    /// Adds a durable record.
    pub(super) fn push(&mut self, offset: u64, stored: Bytes) {
        if self
            .records
            .back()
            .is_some_and(|last| last.offset + 1 != offset)
        {
            self.clear();
        }
        self.bytes += stored.len();
        self.records.push_back(Kept {
            offset,
            stored,
            memo: Memo::shared(),
        });
        while self.bytes > self.max_bytes
            && let Some(oldest) = self.records.pop_front()
        {
            self.bytes -= oldest.stored.len();
        }
    }

    /// The records of `from..to`, until they have `max_bytes`; none when `from` is not here.
    pub(super) fn read(&self, from: u64, to: u64, max_bytes: usize) -> Vec<Kept> {
        let Some(skipped) = self
            .records
            .front()
            .and_then(|first| usize::try_from(from.checked_sub(first.offset)?).ok())
        else {
            return Vec::new();
        };
        let mut bytes = 0;
        self.records
            .iter()
            .skip(skipped)
            .take_while(|kept| {
                let fits = bytes < max_bytes && kept.offset < to;
                bytes += kept.stored.len();
                fits
            })
            .cloned()
            .collect()
    }
}

#[cfg(test)]
mod tests;
