//! Questions about what a process keeps, answered beside its work and within bounds.
//!
//! Samples come from the recent window and the archive of `sluice standalone`. A question runs on threads of its own,
//! behind everything that somebody's samples wait for, and ends at its limits in memory and time, or when who asked is gone.
#![warn(missing_docs)]

mod aggregate;
mod answer;
mod ask;
mod budget;
mod config;
mod error;
pub mod fuzzing;
mod http;
mod labels;
pub mod metrics;
mod pattern;
mod pool;
mod promql;
mod source;
mod table;
#[cfg(test)]
mod testing;

pub use config::Config;
pub use http::{Queries, router};
