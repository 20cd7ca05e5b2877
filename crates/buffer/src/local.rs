//! The embedded log: the buffer on one machine, with Kafka's contract and without Kafka.
//!
//! One partition. A record is acknowledged when it is fsynced; all that wait share one fsync. Kept
//! for the retention and bounded in bytes; named readers continue where they committed, also
//! after kill -9. Nothing that a named reader has not read goes away silently: only age removes it,
//! which is logged, counted and told to the reader. For room, only records that all have read go;
//! then new ones are refused.
//!
//! `local/store.rs` is the only code that names `fjall`.

mod config;
mod engine;
mod entry;
mod failure;
#[doc(hidden)]
pub mod fuzzing;
mod handle;
mod index;
mod journal;
mod lock;
mod memory;
mod plan;
mod queue;
mod ranges;
mod reader;
mod segments;
mod shared;
mod store;
mod table;
mod tables;
mod writer;

pub use config::Config;
pub use entry::Buried;
pub use handle::{Log, OpenError};
pub use lock::{DataDir, DataDirLock, LockError};
pub use ranges::RangeReader;
pub use reader::{Committer, Reader, Start};
pub use table::{Follower, Table};
pub use writer::Writer;

/// The only one.
pub const PARTITION: i32 = 0;

/// The largest key plus value of one record: what a Kafka topic takes by default, so that both buffers split alike.
pub const MAX_RECORD_BYTES: usize = 1_000_000;

#[cfg(test)]
mod tests;
