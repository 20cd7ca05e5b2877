//! Time-series stores, one file or folder per kind, all behind [`Write`].
#![warn(missing_docs)]

mod bound;
pub mod clickhouse;
mod config;
mod endpoint;
#[cfg(test)]
mod fixtures;
#[doc(hidden)]
pub mod fuzzing;
pub mod influx;
pub mod metrics;
pub mod mirror;
pub mod parquet;
pub mod postgres;
pub mod recent;
pub mod remote_write;
pub mod select;
mod write;

pub use config::{Config, OpenError, Store};
pub use endpoint::{BasicAuth, OpenError as EndpointError};
pub use write::{
    Batch, Batching, Item, Lane, Lanes, LeftOut, Parts, Record, Source, Write, WriteError,
};
