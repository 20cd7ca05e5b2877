//! The 24-hour buffer between the gateway and the stores.
//!
//! Two buffers behind the same traits: Kafka, and an embedded log for one machine. Whoever holds a
//! [`Publish`] or a [`Drain`] does not know which, and no other crate names `rdkafka` or `fjall`.
#![warn(missing_docs)]

mod drain;
mod fallback;
pub mod kafka;
pub mod local;
mod memo;
pub mod metrics;
mod publish;
mod ranges;
#[cfg(test)]
mod small_disk;
pub mod spool;
mod spread;
mod table;

pub use drain::{Commit, Consumed, Drain, DrainError, Event, Handover, PartitionState};
pub use fallback::Switched;
pub use memo::{Claim, Memo};
pub use publish::{
    BuryDead, ContentType, DeadLetter, Durability, Original, Publish, PublishError, Record, Reject,
    Rejected,
};
pub use ranges::{Bounds, OffsetRange, Piece, ReadRanges};
pub use spread::{Moved, Spread};
pub use table::{Change, Follow, MAX_KEY_BYTES, Table};
