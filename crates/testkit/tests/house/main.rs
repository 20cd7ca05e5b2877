//! House rules that no other tool checks; `make check` runs them.
//!
//! Each test lists every place that breaks its rule, so that one run shows all there is to do.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests: a panic is the report"
)]

mod borders;
mod documents;
mod metrics;
mod monitoring;
mod sources;
mod threats;
mod tree;
