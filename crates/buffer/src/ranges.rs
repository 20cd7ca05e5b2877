//! Reading chosen offsets without being a reader that the buffer knows: for replays and for people who watch.
//!
//! Nothing is joined, committed or held back by it: whoever reads so takes nothing from anybody.

use crate::{Consumed, DrainError};

/// What a partition holds now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The partition.
    pub partition: i32,
    /// The first offset that still exists.
    pub start: i64,
    /// The offset that the next record will get.
    pub end: i64,
}

/// What to read of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OffsetRange {
    /// The partition.
    pub partition: i32,
    /// The first offset to read.
    pub from: i64,
    /// The first offset that is not read any more; without it, reading goes on with whatever comes.
    pub to: Option<i64>,
}

/// What comes of a range, in order within its partition.
#[derive(Debug)]
pub enum Piece {
    /// Records of one or several partitions.
    Records(Vec<Consumed>),
    /// A range was read to its end.
    Ended {
        /// Its partition.
        partition: i32,
    },
    /// Records expired before they were read: offsets `from..to`.
    Expired {
        /// The partition.
        partition: i32,
        /// First lost offset.
        from: i64,
        /// First offset that still exists.
        to: i64,
    },
}

/// Reads ranges.
pub trait ReadRanges: Send + 'static {
    /// What comes next. Cancel-safe. Waits for ever when every range has ended.
    fn next(&mut self) -> impl Future<Output = Result<Piece, DrainError>> + Send;
}
