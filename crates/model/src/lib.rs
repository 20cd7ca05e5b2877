//! The vocabulary that every crate shares.
//!
//! Pure: no I/O, no threads, and time only as an argument, so that each rule about names, labels,
//! values and timestamps can be tested as a function and is the same behind every protocol.
#![warn(missing_docs)]

mod batch;
mod block;
mod clock;
mod code;
mod kind;
mod limits;
mod refusal;
mod validate;

pub use batch::{Batch, BatchExemplar, Counts, FIRST_KNOWN, Family, Label, Sample, Series, Value};
pub use block::{Block, BlockBuilder, BlockError, Exemplar, Histogram, Point, SeriesView};
pub use clock::{Aging, Clock, ManualClock};
pub use code::Code;
pub use kind::MetricType;
pub use limits::Limits;
pub use refusal::{Refusal, Refused};
pub use validate::{SeriesChecker, check_at, check_series, good_times, head};

/// The reserved label that holds a series' metric name.
pub const NAME_LABEL: &str = "__name__";
