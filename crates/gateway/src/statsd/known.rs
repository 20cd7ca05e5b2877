//! Lines that were read before: one of a series that is known costs a hash, a comparison and its number.
//!
//! What a line says beside its value is the same each time, and so is how it is to be read. Both are kept under these
//! bytes, which are compared. Only what was read and taken whole is known, so nothing is taken that would not be
//! without it. The memory is bounded; beyond the bound lines are read as if this were not there.

use std::hash::BuildHasher as _;
use std::sync::Arc;

use codec::statsd::{Parts, Reading};
use foldhash::quality::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry as Slot;

use super::series::Identity;

/// For each line that is known, so many may come that are not, before room is made for those that come now.
const PATIENCE: usize = 4;

/// The lines that one receiver knows.
#[derive(Debug)]
pub(super) struct KnownLines {
    table: HashTable<Line>,
    hasher: RandomState,
    used_bytes: usize,
    limit_bytes: usize,
    /// Lines that were not known since the table was full.
    misses: usize,
}

/// How a line is read.
#[derive(Debug)]
pub(super) struct Line {
    hash: u64,
    /// Head and tail.
    text: Box<[u8]>,
    head_bytes: usize,
    /// With any value.
    pub reading: Reading<'static>,
    pub identity: Arc<Identity>,
}

impl Line {
    fn is(&self, parts: &Parts<'_>) -> bool {
        self.text.len() == parts.head.len() + parts.tail.len()
            && self.text.split_at_checked(self.head_bytes) == Some((parts.head, parts.tail))
    }

    fn size(&self) -> usize {
        // The table has room for a half more, allocations have headers. A series that has ended is held by this alone,
        // and is about as long as its line.
        size_of::<Self>() * 3 / 2 + 2 * self.text.len() + size_of::<Identity>() + 64
    }
}

impl KnownLines {
    /// With a bound in bytes; with none nothing is known.
    pub(super) fn new(limit_bytes: usize) -> Self {
        Self {
            table: HashTable::new(),
            hasher: RandomState::default(),
            used_bytes: 0,
            limit_bytes,
            misses: 0,
        }
    }

    fn hash(&self, parts: &Parts<'_>) -> u64 {
        self.hasher.hash_one((parts.head, parts.tail))
    }

    /// How a line like this was read.
    pub(super) fn find(&self, parts: &Parts<'_>) -> Option<&Line> {
        if self.table.is_empty() {
            return None;
        }
        self.table.find(self.hash(parts), |line| line.is(parts))
    }

    /// From now on lines like this are read so.
    pub(super) fn learn(
        &mut self,
        parts: &Parts<'_>,
        reading: Reading<'static>,
        identity: Arc<Identity>,
    ) {
        if self.limit_bytes == 0 {
            return;
        }
        if self.used_bytes >= self.limit_bytes {
            self.misses += 1;
            if self.misses <= self.table.len() * PATIENCE {
                return;
            }
            self.table.clear();
            (self.used_bytes, self.misses) = (0, 0);
        }
        let hash = self.hash(parts);
        match self
            .table
            .entry(hash, |line| line.is(parts), |line| line.hash)
        {
            // The series had ended meanwhile, and is another one now.
            Slot::Occupied(mut found) => {
                let line = found.get_mut();
                (line.reading, line.identity) = (reading, identity);
            }
            Slot::Vacant(room) => {
                let line = Line {
                    hash,
                    text: [parts.head, parts.tail].concat().into(),
                    head_bytes: parts.head.len(),
                    reading,
                    identity,
                };
                self.used_bytes += line.size();
                room.insert(line);
            }
        }
    }
}

#[cfg(test)]
mod tests;
