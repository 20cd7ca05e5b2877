//! How far a partition is done: which offset may be committed. Pure.
//!
//! A record is done when all its parts are; the frontier lies behind the last record below which
//! everything is done. It never moves backwards and never passes a record that is not done.

use std::collections::VecDeque;

/// What a record costs here in memory, done or not, as long as an earlier one is not done.
const RECORD_BYTES: usize = size_of::<Open>();

#[derive(Debug)]
struct Open {
    offset: i64,
    parts: usize,
    received_at_ms: i64,
    bytes: usize,
}

/// The frontier of one partition during one assignment.
#[derive(Debug)]
pub(crate) struct Frontier {
    /// The records since the first one that is not done.
    open: VecDeque<Open>,
    /// Behind the last record of which all before are done too.
    done: i64,
    /// Behind the last record that was begun.
    read: i64,
    weight: usize,
}

impl Frontier {
    /// Everything below `offset` is done.
    pub(crate) fn new(offset: i64) -> Self {
        Self {
            open: VecDeque::new(),
            done: offset,
            read: offset,
            weight: 0,
        }
    }

    /// Takes note of a record with so many parts (none: it is done already) that holds so much memory.
    ///
    /// Answers whether it is new: a record below [`Self::read`] was begun before and is left alone.
    pub(crate) fn begin(
        &mut self,
        offset: i64,
        parts: usize,
        received_at_ms: i64,
        bytes: usize,
    ) -> bool {
        if offset < self.read {
            return false;
        }
        let bytes = if parts == 0 { 0 } else { bytes };
        self.weight += bytes + RECORD_BYTES;
        self.read = offset + 1;
        self.open.push_back(Open {
            offset,
            parts,
            received_at_ms,
            bytes,
        });
        self.advance();
        true
    }

    /// Nothing below `offset` will be read any more.
    pub(crate) fn skip_to(&mut self, offset: i64) {
        if offset > self.read {
            self.begin(offset - 1, 0, 0, 0);
        }
    }

    /// So many parts of a record are done.
    pub(crate) fn finish(&mut self, offset: i64, parts: usize) {
        let Ok(at) = self.open.binary_search_by_key(&offset, |open| open.offset) else {
            debug_assert!(false, "offset {offset} is finished but not open");
            return;
        };
        if let Some(open) = self.open.get_mut(at) {
            debug_assert!(open.parts >= parts, "more parts finished than begun");
            open.parts = open.parts.saturating_sub(parts);
            if open.parts == 0 {
                self.weight -= std::mem::take(&mut open.bytes);
            }
        }
        self.advance();
    }

    fn advance(&mut self) {
        while let Some(open) = self.open.pop_front_if(|open| open.parts == 0) {
            self.weight -= RECORD_BYTES;
            self.done = open.offset + 1;
        }
    }

    /// What may be committed: the offset of the next record to read after a restart.
    pub(crate) fn done(&self) -> i64 {
        self.done
    }

    /// Behind the last record that was begun.
    pub(crate) fn read(&self) -> i64 {
        self.read
    }

    /// When the first record that is not done was received.
    pub(crate) fn oldest_received_at_ms(&self) -> Option<i64> {
        self.open.front().map(|open| open.received_at_ms)
    }

    /// Memory held, in bytes.
    pub(crate) fn weight(&self) -> usize {
        self.weight
    }
}

#[cfg(test)]
mod tests;
