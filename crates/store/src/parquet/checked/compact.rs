//! The way through a value of Thrift's compact protocol.
//!
//! <https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md>

use super::format::{Fields, Kind};

/// Structures and lists in each other. Honest footers have not more than ten.
pub(super) const MOST_DEPTH: usize = 64;

/// What is still to be gone through. Everything answers `None` at the first thing that is not as it should be.
pub(super) struct Walk<'b> {
    pub(super) rest: &'b [u8],
    /// Items that lists and maps may still have: all together not more than there were bytes.
    items_left: u64,
    depth_left: usize,
    /// What the last [`Kind::PageBytes`] said.
    pub(super) page_bytes: Option<u64>,
}

impl<'b> Walk<'b> {
    pub(super) const fn new(bytes: &'b [u8]) -> Self {
        Self {
            rest: bytes,
            items_left: bytes.len() as u64,
            depth_left: MOST_DEPTH,
            page_bytes: None,
        }
    }

    /// Goes through a structure that has these fields, and others that are read by the types that they say they have.
    pub(super) fn structure(&mut self, fields: Fields) -> Option<()> {
        self.deeper(|walk| {
            let mut id = 0_i16;
            loop {
                let head = walk.byte()?;
                let code = head & 0x0f;
                if code == 0 {
                    return Some(());
                }
                id = match i16::from(head >> 4) {
                    0 => i16::try_from(walk.signed()?).ok()?,
                    delta => id.checked_add(delta)?,
                };
                let field = fields.iter().find(|(known, _)| *known == id);
                walk.value(code, field.map_or(&Kind::Unknown, |(_, kind)| kind))?;
            }
        })
    }

    fn value(&mut self, code: u8, kind: &Kind) -> Option<()> {
        if !kind.is_written_as(code) {
            return None;
        }
        match code {
            // A field's truth is in its type. In a list, the library passes over it without a byte.
            1 | 2 => Some(()),
            3 => self.skip(1),
            4..=6 => {
                let number = self.signed()?;
                if matches!(kind, Kind::PageBytes) {
                    self.page_bytes = Some(u64::try_from(number).ok()?);
                }
                Some(())
            }
            7 => self.skip(8),
            8 => {
                let length = self.varint()?;
                self.skip(length)
            }
            9 | 10 => self.list(kind.items()),
            11 => self.map(),
            12 => self.structure(kind.fields()),
            13 => self.skip(16),
            _ => None,
        }
    }

    fn list(&mut self, items: &Kind) -> Option<()> {
        self.deeper(|walk| {
            let head = walk.byte()?;
            let count = match head >> 4 {
                15 => walk.varint()?,
                count => u64::from(count),
            };
            walk.take_items(count)?;
            (0..count).try_for_each(|_| walk.value(head & 0x0f, items))
        })
    }

    /// The format has none: these are of fields that nobody knows.
    fn map(&mut self) -> Option<()> {
        self.deeper(|walk| {
            let count = walk.varint()?;
            if count == 0 {
                return Some(());
            }
            walk.take_items(count)?;
            let codes = walk.byte()?;
            (0..count).try_for_each(|_| {
                walk.value(codes >> 4, &Kind::Unknown)?;
                walk.value(codes & 0x0f, &Kind::Unknown)
            })
        })
    }

    fn deeper(&mut self, walk: impl FnOnce(&mut Self) -> Option<()>) -> Option<()> {
        self.depth_left = self.depth_left.checked_sub(1)?;
        walk(self)?;
        self.depth_left += 1;
        Some(())
    }

    fn take_items(&mut self, count: u64) -> Option<()> {
        self.items_left = self.items_left.checked_sub(count)?;
        Some(())
    }

    fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*byte)
    }

    fn skip(&mut self, bytes: u64) -> Option<()> {
        self.rest = self.rest.get(usize::try_from(bytes).ok()?..)?;
        Some(())
    }

    /// A number whose lowest bit is its sign.
    fn signed(&mut self) -> Option<i64> {
        let number = self.varint()?;
        Some((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }

    fn varint(&mut self) -> Option<u64> {
        let mut number = 0;
        for at in 0..10 {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f).wrapping_shl(7 * at);
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }
}
