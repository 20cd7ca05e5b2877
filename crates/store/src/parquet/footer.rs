//! A file's footer, looked at before the Parquet library reads it.
//!
//! A footer says how long its lists are. The library passes over a list of truth values that it does not know one by
//! one, without a byte for each, so that a damaged footer of a hundred bytes keeps it busy for ten seconds. What is
//! written well has a byte for each item, at the least: more items than bytes are refused here.
//!
//! This goes by the types that fields say they have. The library goes by their numbers where it knows these, so a footer
//! with wrong types is read differently there, and may still take it as long.

use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use ::parquet::errors::ParquetError;
use ::parquet::file::reader::ChunkReader;

/// What a file ends with: the footer's length, and these.
const MAGIC: &[u8] = b"PAR1";

/// The length and the magic bytes.
const TAIL_BYTES: usize = 8;

/// Structures and lists in each other. Honest footers have not more than ten.
const MOST_DEPTH: usize = 64;

/// A reader of a file whose footer is in order, as far as this goes.
pub(super) fn reader_of<R: ChunkReader + 'static>(
    file: R,
) -> Result<ParquetRecordBatchReaderBuilder<R>, ParquetError> {
    check(&file)?;
    ParquetRecordBatchReaderBuilder::try_new(file)
}

/// Refuses a footer with more items than bytes. What else may be wrong is for the library to say.
pub(super) fn check(file: &impl ChunkReader) -> Result<(), ParquetError> {
    let Some(tail_start) = file.len().checked_sub(TAIL_BYTES as u64) else {
        return Ok(());
    };
    let tail = file.get_bytes(tail_start, TAIL_BYTES)?;
    let Some((length, magic)) = tail.split_first_chunk() else {
        return Ok(());
    };
    let length = u32::from_le_bytes(*length);
    let Some(start) = tail_start.checked_sub(u64::from(length)) else {
        return Ok(());
    };
    if magic != MAGIC {
        return Ok(());
    }
    let footer = file.get_bytes(start, length as usize)?;
    if is_bounded(&footer) {
        return Ok(());
    }
    let why = "its footer is damaged: its lists have more items than it has bytes";
    Err(ParquetError::General(why.to_owned()))
}

/// Whether all lists and maps of a structure together have not more items than there are bytes, and are not in each other
/// too deep. Bytes that break off, or are none of the compact protocol, are where the library stops, too.
fn is_bounded(structure: &[u8]) -> bool {
    let mut walk = Walk {
        rest: structure,
        items_left: structure.len() as u64,
    };
    !matches!(walk.structure(MOST_DEPTH), Err(End::TooMuch))
}

/// Why a walk ends early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// More than there can be.
    TooMuch,
    /// Nothing that can be read.
    Unreadable,
}

/// The way through a value of Thrift's compact protocol:
/// <https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md>.
struct Walk<'b> {
    rest: &'b [u8],
    items_left: u64,
}

impl Walk<'_> {
    fn structure(&mut self, depth: usize) -> Result<(), End> {
        let depth = depth.checked_sub(1).ok_or(End::TooMuch)?;
        loop {
            let field = self.byte()?;
            let kind = field & 0x0f;
            if kind == 0 {
                return Ok(());
            }
            if field >> 4 == 0 {
                // Its number, which otherwise is how far it is from the one before.
                self.varint()?;
            }
            // The value of a truth value is its kind.
            if !matches!(kind, 1 | 2) {
                self.value(kind, depth)?;
            }
        }
    }

    fn value(&mut self, kind: u8, depth: usize) -> Result<(), End> {
        match kind {
            // The library takes no byte for a truth value in a list that it passes over.
            1 | 2 => Ok(()),
            3 => self.skip(1),
            4..=6 => self.varint().map(drop),
            7 => self.skip(8),
            8 => {
                let length = self.varint()?;
                self.skip(length)
            }
            9 | 10 => self.list(depth),
            11 => self.map(depth),
            12 => self.structure(depth),
            13 => self.skip(16),
            _ => Err(End::Unreadable),
        }
    }

    fn list(&mut self, depth: usize) -> Result<(), End> {
        let depth = depth.checked_sub(1).ok_or(End::TooMuch)?;
        let head = self.byte()?;
        let count = match head >> 4 {
            15 => self.varint()?,
            count => u64::from(count),
        };
        self.take_items(count)?;
        for _ in 0..count {
            self.value(head & 0x0f, depth)?;
        }
        Ok(())
    }

    fn map(&mut self, depth: usize) -> Result<(), End> {
        let depth = depth.checked_sub(1).ok_or(End::TooMuch)?;
        let count = self.varint()?;
        if count == 0 {
            return Ok(());
        }
        self.take_items(count)?;
        let kinds = self.byte()?;
        for _ in 0..count {
            self.value(kinds >> 4, depth)?;
            self.value(kinds & 0x0f, depth)?;
        }
        Ok(())
    }

    fn take_items(&mut self, count: u64) -> Result<(), End> {
        self.items_left = self.items_left.checked_sub(count).ok_or(End::TooMuch)?;
        Ok(())
    }

    fn byte(&mut self) -> Result<u8, End> {
        let (byte, rest) = self.rest.split_first().ok_or(End::Unreadable)?;
        self.rest = rest;
        Ok(*byte)
    }

    fn skip(&mut self, bytes: u64) -> Result<(), End> {
        let bytes = usize::try_from(bytes).map_err(|_| End::Unreadable)?;
        self.rest = self.rest.get(bytes..).ok_or(End::Unreadable)?;
        Ok(())
    }

    fn varint(&mut self) -> Result<u64, End> {
        let mut number = 0;
        for at in 0..10 {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f).wrapping_shl(7 * at);
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(End::Unreadable)
    }
}

#[cfg(test)]
mod tests;
