//! Time-series stores, one file or folder per kind, all behind [`Write`].
#![warn(missing_docs)]

pub mod recent;
mod write;

pub use write::{Batch, Batching, Item, Lane, Lanes, Source, Write, WriteError};
