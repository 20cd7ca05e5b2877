//! Time-series stores, one file or folder per kind, all behind [`Write`].
#![warn(missing_docs)]

mod config;
#[cfg(test)]
mod fixtures;
#[doc(hidden)]
pub mod fuzzing;
pub mod metrics;
pub mod parquet;
pub mod recent;
pub mod remote_write;
mod write;

pub use config::{Config, OpenError, Store};
pub use write::{Batch, Batching, Item, Lane, Lanes, Parts, Record, Source, Write, WriteError};
