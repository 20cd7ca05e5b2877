//! Blocks made of their elements, by somebody who knows which bytes come again.
//!
//! A block is the length of what it holds, as a varint, and elements: *literals*, which are bytes, and *copies*, which
//! are as many bytes as came so far before, over their own beginning too
//! ([the format](https://github.com/google/snappy/blob/main/format_description.txt)). A compressor finds what comes
//! again by hashing every few bytes. Here the caller says it, and it is true: nothing is looked at.

use std::ops::Range;

use super::Compressor;
use crate::protobuf::{length, put_varint};

/// How far back a copy with two bytes of offset reaches.
pub(crate) const REACH: usize = 0xffff;

/// Offsets of copies of two bytes.
const NEAR: usize = 1 << 11;

/// Bytes of copies of two bytes.
const NEAR_LEN: Range<usize> = 4..12;

/// What a copy makes at most.
const COPY: usize = 64;

/// Literals whose tag says their length.
const SHORT: usize = 60;

/// Of a longer literal, so that its length has two bytes.
const LONG: usize = 1 << 16;

/// A literal of so many bytes is copied at once.
const WORD: usize = 16;

const BY_TWO_BYTES: u64 = 1;
const BY_THREE_BYTES: u64 = 2;

/// What is kept for the next block, in bytes. Usual ones need a tenth of it.
const KEPT_BYTES: usize = 1 << 20;

/// The elements of a block.
#[derive(Debug, Default)]
pub(crate) struct Elements {
    /// Longer than what is written, so that few writes ask for room.
    place: Vec<u8>,
    at: usize,
    /// Bytes that come again and have no element yet: there may be more of them.
    repeated: usize,
    /// How far before they came.
    distance: usize,
}

impl Elements {
    /// Adds bytes that came before, `distance` from where they come again, which is at least one byte and at most
    /// [`REACH`].
    #[inline]
    pub(crate) fn repeat(&mut self, bytes: usize, distance: usize) {
        debug_assert!(
            (1..=REACH).contains(&distance),
            "no copy reaches {distance}"
        );
        if self.distance != distance {
            self.end_copies();
            self.distance = distance;
        }
        self.repeated += bytes;
    }

    /// Adds bytes that came before, as [`Self::repeat`] does, and then bytes out of some: at once, if both are as they
    /// mostly are, and there are some more bytes behind.
    #[inline(always)]
    pub(crate) fn repeat_and_add(
        &mut self,
        repeated: usize,
        distance: usize,
        of: &[u8],
        range: Range<usize>,
    ) {
        const ROOM: usize = 8 + 1 + WORD;
        let (all, len) = (self.repeated + repeated, range.len());
        if self.distance == distance
            && (1..=2 * COPY).contains(&all)
            && (1..=WORD).contains(&len)
            && let Some(word) = of.get(range.start..).and_then(<[u8]>::first_chunk::<WORD>)
            && let place = self.place.get_mut(self.at..)
            && let Some(place) = place.and_then(<[u8]>::first_chunk_mut::<ROOM>)
        {
            let (copies, copies_len) = copies(all, distance);
            if let Some(place) = place.first_chunk_mut() {
                *place = copies.to_le_bytes();
            }
            let place = place.get_mut(copies_len..);
            if let Some([tag, bytes @ ..]) = place.and_then(<[u8]>::first_chunk_mut::<{ 1 + WORD }>)
            {
                [*tag, ..] = ((len - 1) << 2).to_le_bytes();
                *bytes = *word;
            }
            self.repeated = 0;
            self.at += copies_len + 1 + len;
            return;
        }
        self.repeat(repeated, distance);
        self.literal(of.get(range).unwrap_or_default());
    }

    /// Adds bytes.
    #[inline(never)]
    pub(crate) fn literal(&mut self, bytes: &[u8]) {
        self.end_copies();
        for bytes in bytes.chunks(LONG) {
            let [low, high, ..] = (bytes.len() - 1).to_le_bytes();
            match bytes.len() {
                ..=SHORT => self.put([low << 2], 1),
                61..=0x100 => self.put([60 << 2, low], 2),
                _ => self.put([61 << 2, low, high], 3),
            }
            self.make_room(bytes.len());
            if let Some(place) = self.place.get_mut(self.at..self.at + bytes.len()) {
                place.copy_from_slice(bytes);
            }
            self.at += bytes.len();
        }
    }

    fn end_copies(&mut self) {
        let mut rest = std::mem::take(&mut self.repeated);
        while rest > 0 {
            // What is left is worth a copy, too.
            let part = if rest < 2 * COPY { rest } else { COPY };
            let (copies, len) = copies(part, self.distance);
            self.put(copies.to_le_bytes(), len);
            rest -= part;
        }
    }

    /// Writes bytes of which the first `len` count: what comes next overwrites the others.
    fn put<const N: usize>(&mut self, bytes: [u8; N], len: usize) {
        let place = self.place.get_mut(self.at..);
        match place.and_then(<[u8]>::first_chunk_mut) {
            Some(place) => *place = bytes,
            None => self.put_behind(&bytes),
        }
        self.at += len;
    }

    #[cold]
    fn put_behind(&mut self, bytes: &[u8]) {
        self.make_room(bytes.len());
        if let Some(place) = self.place.get_mut(self.at..self.at + bytes.len()) {
            place.copy_from_slice(bytes);
        }
    }

    fn make_room(&mut self, bytes: usize) {
        if self.place.len() < self.at + bytes {
            self.grow(bytes);
        }
    }

    #[cold]
    fn grow(&mut self, bytes: usize) {
        const FEWEST: usize = 4096;
        let bytes = (self.at + bytes).max(2 * self.place.len()).max(FEWEST);
        self.place.resize(bytes, 0);
    }

    /// The block that holds `before`, compressed as usual, and then `bytes` bytes that these elements make.
    pub(crate) fn block(
        &mut self,
        compressor: &mut Compressor,
        before: &[u8],
        bytes: usize,
    ) -> Vec<u8> {
        const HEAD: usize = 5;
        self.end_copies();
        let first = compressor.elements(before);
        let added = self.place.get(..self.at).unwrap_or_default();
        let mut block = Vec::with_capacity(HEAD + first.len() + added.len());
        put_varint(&mut block, length(before.len() + bytes));
        block.extend_from_slice(first);
        block.extend_from_slice(added);
        block
    }

    /// Forgets all elements.
    pub(crate) fn clear(&mut self) {
        (self.at, self.repeated, self.distance) = (0, 0, 0);
        if self.place.len() > KEPT_BYTES {
            self.place = Vec::new();
        }
    }
}

/// The copies of at most as many bytes as two of them can make, and how many bytes they are.
#[inline(always)]
fn copies(bytes: usize, distance: usize) -> (u64, usize) {
    let far = length(distance) << 8 | BY_THREE_BYTES;
    let tag = |bytes: usize| length(bytes - 1) << 2;
    let (first, shift, rest) = match bytes {
        ..=COPY => (0, 0, bytes),
        // What is left is worth a copy, too.
        _ if bytes < COPY + NEAR_LEN.start => (tag(SHORT) | far, 24, bytes - SHORT),
        _ => (tag(COPY) | far, 24, bytes - COPY),
    };
    let (last, len) = if NEAR_LEN.contains(&rest) && distance < NEAR {
        let (low, high) = (length(distance & 0xff), length(distance >> 8));
        let tag = tag(rest - NEAR_LEN.start + 1) | high << 5;
        (tag | BY_TWO_BYTES | low << 8, 2)
    } else {
        (tag(rest) | far, 3)
    };
    (first | last << shift, shift / 8 + len)
}

#[cfg(test)]
mod tests;
