//! Chosen offsets of the embedded log, read without being remembered.

use std::collections::BTreeMap;

use super::PARTITION;
use super::handle::{Log, as_offset};
use super::reader::{Reader, Start};
use crate::ranges::{Bounds, OffsetRange, Piece, ReadRanges};
use crate::{Drain as _, DrainError, Event};

/// A part of the log that is being read.
#[derive(Debug)]
pub struct RangeReader {
    reader: Reader,
    to: Option<i64>,
    has_ended: bool,
}

impl Log {
    /// What the log holds now.
    #[must_use]
    pub fn bounds(&self) -> Bounds {
        let tail = self.shared().tail.borrow().clone();
        Bounds {
            partition: PARTITION,
            start: as_offset(tail.start),
            end: as_offset(tail.end),
        }
    }

    /// The offset of the first record that was received at `at_ms` or later, exactly where records came in that order.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn at_time(&self, at_ms: i64) -> Result<i64, DrainError> {
        let reader = self.reader("ranges", Start::At(at_ms)).await?;
        Ok(as_offset(reader.position()))
    }

    /// The offset that each reader will read next.
    #[must_use]
    pub fn cursors(&self) -> BTreeMap<String, i64> {
        let readers = self.readers().into_iter();
        readers
            .map(|(name, offset)| (name.as_ref().to_owned(), offset))
            .collect()
    }

    /// Reads a range.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn read(&self, range: OffsetRange) -> Result<RangeReader, DrainError> {
        let reader = self.reader("ranges", Start::Offset(range.from)).await?;
        Ok(RangeReader {
            reader,
            to: range.to,
            has_ended: false,
        })
    }
}

impl ReadRanges for RangeReader {
    async fn next(&mut self) -> Result<Piece, DrainError> {
        loop {
            let position = as_offset(self.reader.position());
            if self.to.is_some_and(|to| position >= to) {
                if self.has_ended {
                    return std::future::pending().await;
                }
                self.has_ended = true;
                let partition = PARTITION;
                return Ok(Piece::Ended { partition });
            }
            match self.reader.next().await? {
                Event::Records(mut records) => {
                    if let Some(to) = self.to {
                        records.retain(|record| record.offset < to);
                    }
                    if !records.is_empty() {
                        return Ok(Piece::Records(records));
                    }
                }
                Event::Expired {
                    partition,
                    from,
                    to,
                } => {
                    let to = to.min(self.to.unwrap_or(i64::MAX));
                    return Ok(Piece::Expired {
                        partition,
                        from,
                        to,
                    });
                }
                Event::Assigned { .. } | Event::Revoked { .. } | Event::Lost { .. } => {}
            }
        }
    }
}
