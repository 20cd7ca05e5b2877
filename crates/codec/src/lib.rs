//! Bytes to the model and back, one file per format.
//!
//! Pure: no I/O, no clock, no threads. Whatever the bytes, decoding never panics, never recurses
//! deeper than a fixed bound, and never holds more memory than a multiple of what it was given or,
//! where bytes are inflated, than the limit it was given.
#![warn(missing_docs)]

pub mod catalogue;
pub mod datadog;
pub mod deflate;
pub mod exponential;
pub mod exposition_protobuf;
pub mod inflate;
pub mod influx;
pub mod json;
pub mod native;
pub mod opentsdb;
pub mod otlp;
pub mod parts;
pub mod record;
pub mod remote_write;
pub mod snappy;
pub mod statsd;
pub mod text;
pub mod victoria_json;
pub mod wire;

mod bound;
mod decimal;
mod decoded;
mod protobuf;
mod refusing;
mod same;
#[cfg(test)]
mod shown;
mod symbols;

pub use decoded::{Decoded, Ignored};
pub use inflate::{Encoding, InflateError, UnsupportedEncoding, inflate};
pub use refusing::TOLD;
