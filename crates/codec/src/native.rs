//! Native histograms: whether a `Histogram` message can be one, and what it is as classic buckets.
//!
//! The message is that of remote write, which 1.0 and 2.0 share. [`check()`] reads it once and allocates nothing.
//! The rules are Prometheus' own, so that what passes here is not refused by a store behind the buffer.

mod check;
mod classic;

pub use check::{Checked, check};
pub use classic::{Classic, classic};

/// The schema that says where its buckets end instead of computing it.
pub(crate) const CUSTOM_BUCKETS: i32 = -53;

#[cfg(test)]
mod tests;
