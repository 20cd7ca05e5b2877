//! What the log remembers of its records without reading them: spans of offsets with bytes and times.
//!
//! The log forgets whole segments from the old end, and finds a time by them. The last one is
//! open: it grows until it has enough bytes or is old enough. Pure, so that a model can check it.

use std::collections::VecDeque;

/// A span of consecutive records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Segment {
    /// Its first offset.
    pub(super) first: u64,
    /// The offset after its last.
    pub(super) end: u64,
    /// Bytes of its records before compression.
    pub(super) bytes: u64,
    /// When its first record was appended.
    pub(super) opened_ms: i64,
    /// The latest time at which one of its records was appended.
    pub(super) appended_ms: i64,
    /// The latest time at which one of its records was received.
    pub(super) received_ms: i64,
}

/// What a record adds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Added {
    pub(super) bytes: u64,
    pub(super) appended_ms: i64,
    pub(super) received_ms: i64,
}

/// All segments of a log, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Segments {
    closed: VecDeque<Segment>,
    open: Segment,
    bytes: u64,
    max_bytes: u64,
    max_age_ms: i64,
}

/// Offsets are signed for Kafka's sake.
const MOST_OFFSETS: u64 = u64::MAX >> 1;

/// No segment is larger: 256 TiB.
const MOST_BYTES: u64 = 1 << 48;

impl Segment {
    const LEN: usize = 40;

    fn empty(at: u64) -> Self {
        Self {
            first: at,
            end: at,
            bytes: 0,
            opened_ms: i64::MAX,
            appended_ms: i64::MIN,
            received_ms: i64::MIN,
        }
    }

    /// As stored, beside its first offset.
    pub(super) fn encode(&self) -> [u8; Self::LEN] {
        let mut stored = [0; Self::LEN];
        let fields = [
            self.end.to_be_bytes(),
            self.bytes.to_be_bytes(),
            self.opened_ms.to_be_bytes(),
            self.appended_ms.to_be_bytes(),
            self.received_ms.to_be_bytes(),
        ];
        for (place, field) in stored.as_chunks_mut::<8>().0.iter_mut().zip(fields) {
            *place = field;
        }
        stored
    }

    /// What [`Self::encode`] stored; none if it is something else.
    pub(super) fn decode(first: u64, stored: &[u8]) -> Option<Self> {
        let (&[end, bytes, opened, appended, received], []) = stored.as_chunks::<8>() else {
            return None;
        };
        let (end, bytes) = (u64::from_be_bytes(end), u64::from_be_bytes(bytes));
        // Closed with at least one record, and of a size that can be added up.
        if end <= first || end > MOST_OFFSETS || bytes > MOST_BYTES {
            return None;
        }
        Some(Self {
            first,
            end,
            bytes,
            opened_ms: i64::from_be_bytes(opened),
            appended_ms: i64::from_be_bytes(appended),
            received_ms: i64::from_be_bytes(received),
        })
    }
}

impl Segments {
    /// Of a log whose first record is, or will be, at `start`; `closed` are the segments known of it.
    pub(super) fn new(
        start: u64,
        closed: impl IntoIterator<Item = Segment>,
        max_bytes: u64,
        max_age_ms: i64,
    ) -> Self {
        let closed: VecDeque<_> = closed
            .into_iter()
            .filter(|segment| segment.first >= start)
            .collect();
        Self {
            bytes: closed.iter().map(|segment| segment.bytes).sum(),
            open: Segment::empty(closed.back().map_or(start, |segment| segment.end)),
            closed,
            max_bytes,
            max_age_ms,
        }
    }

    /// The first offset that exists.
    pub(super) fn start(&self) -> u64 {
        self.closed.front().unwrap_or(&self.open).first
    }

    /// The offset of the next record.
    pub(super) fn end(&self) -> u64 {
        self.open.end
    }

    /// Bytes of all records before compression.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// When the oldest record was appended.
    pub(super) fn oldest_ms(&self) -> Option<i64> {
        let oldest = self.closed.front().unwrap_or(&self.open);
        (oldest.end > oldest.first).then_some(oldest.opened_ms)
    }

    /// When the newest record was appended.
    pub(super) fn newest_ms(&self) -> Option<i64> {
        let all = self.closed.iter().chain([&self.open]);
        all.filter(|segment| segment.end > segment.first)
            .map(|segment| segment.appended_ms)
            .max()
    }

    /// Takes a record at [`Self::end`]. A segment that this closed is answered, to be stored.
    pub(super) fn add(&mut self, added: Added) -> Option<Segment> {
        let open = &mut self.open;
        let is_full = open.bytes >= self.max_bytes
            || added.appended_ms.saturating_sub(open.opened_ms) >= self.max_age_ms;
        let closed = (open.end > open.first && is_full).then(|| {
            self.closed.push_back(*open);
            std::mem::replace(open, Segment::empty(open.end))
        });
        self.extend(added);
        closed
    }

    /// Takes a record at [`Self::end`] without closing a segment: what was closed when the record
    /// was appended is stored with it, whatever the bounds are now.
    pub(super) fn extend(&mut self, added: Added) {
        let open = &mut self.open;
        if open.end == open.first {
            open.opened_ms = added.appended_ms;
        }
        open.end += 1;
        open.bytes += added.bytes;
        open.appended_ms = open.appended_ms.max(added.appended_ms);
        open.received_ms = open.received_ms.max(added.received_ms);
        self.bytes += added.bytes;
    }

    /// The next record will be at `to`, because those between are lost. Only while reloading.
    pub(super) fn skip_to(&mut self, to: u64) {
        if self.open.first == self.open.end {
            self.open = Segment::empty(to);
        } else {
            self.open.end = to;
        }
    }

    /// The start once all segments whose newest record was appended before `cutoff_ms` are forgotten.
    pub(super) fn start_after_expiry(&self, cutoff_ms: i64) -> u64 {
        self.start_after(|segment| segment.appended_ms < cutoff_ms)
    }

    /// The start once at least `excess` bytes are forgotten, of segments that end at or below
    /// `floor` alone. May free less than asked.
    pub(super) fn start_after_freeing(&self, excess: u64, floor: u64) -> u64 {
        let mut freed = 0;
        self.start_after(|segment| {
            let goes = freed < excess && segment.end <= floor;
            freed += if goes { segment.bytes } else { 0 };
            goes
        })
    }

    fn start_after(&self, mut goes: impl FnMut(&Segment) -> bool) -> u64 {
        self.closed
            .iter()
            .chain([&self.open])
            .take_while(|segment| segment.end > segment.first && goes(segment))
            .last()
            .map_or(self.start(), |segment| segment.end)
    }

    /// Forgets everything below `start`, which one of the `start_after…` answered. Answers the
    /// first offsets of the closed segments that went.
    pub(super) fn forget_below(&mut self, start: u64) -> Vec<u64> {
        let mut gone = Vec::new();
        while let Some(segment) = self.closed.pop_front_if(|segment| segment.end <= start) {
            self.bytes -= segment.bytes;
            gone.push(segment.first);
        }
        if self.open.end <= start {
            self.bytes -= self.open.bytes;
            self.open = Segment::empty(start);
        }
        gone
    }

    /// The first offset of the segment in which the first record received at or after `at_ms` is.
    pub(super) fn locate(&self, at_ms: i64) -> u64 {
        self.closed
            .iter()
            .chain([&self.open])
            .find(|segment| segment.received_ms >= at_ms)
            .map_or(self.end(), |segment| segment.first)
    }
}

#[cfg(test)]
mod tests;
