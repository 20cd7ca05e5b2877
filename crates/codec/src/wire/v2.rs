//! `io.prometheus.write.v2.Request`, remote write 2.0, and the records of the buffer.

use prost::Message;

pub use super::v1::{BucketSpan, Count, Histogram, ZeroCount};

/// A request.
#[derive(Clone, PartialEq, Message)]
pub struct Request {
    /// All text; the first one is empty.
    #[prost(string, repeated, tag = "4")]
    pub symbols: Vec<String>,
    /// The series.
    #[prost(message, repeated, tag = "5")]
    pub timeseries: Vec<TimeSeries>,
}

/// A series.
#[derive(Clone, PartialEq, Message)]
pub struct TimeSeries {
    /// Numbers of symbols, name and value in turn, sorted by name, `__name__` among them.
    #[prost(uint32, repeated, tag = "1")]
    pub labels_refs: Vec<u32>,
    /// Float samples.
    #[prost(message, repeated, tag = "2")]
    pub samples: Vec<Sample>,
    /// Native histograms.
    #[prost(message, repeated, tag = "3")]
    pub histograms: Vec<Histogram>,
    /// Exemplars.
    #[prost(message, repeated, tag = "4")]
    pub exemplars: Vec<Exemplar>,
    /// Type, unit, help.
    #[prost(message, optional, tag = "5")]
    pub metadata: Option<Metadata>,
    /// When counting started; older senders put it here. Milliseconds since the Unix epoch.
    #[prost(int64, tag = "6")]
    pub created_timestamp: i64,
}

/// A value at a time.
#[derive(Clone, Copy, PartialEq, Message)]
pub struct Sample {
    /// The value.
    #[prost(double, tag = "1")]
    pub value: f64,
    /// Milliseconds since the Unix epoch.
    #[prost(int64, tag = "2")]
    pub timestamp: i64,
    /// When counting started, milliseconds since the Unix epoch; 0 when unknown.
    #[prost(int64, tag = "3")]
    pub start_timestamp: i64,
}

/// An example observation.
#[derive(Clone, PartialEq, Message)]
pub struct Exemplar {
    /// Numbers of symbols, name and value in turn.
    #[prost(uint32, repeated, tag = "1")]
    pub labels_refs: Vec<u32>,
    /// The observed value.
    #[prost(double, tag = "2")]
    pub value: f64,
    /// Milliseconds since the Unix epoch.
    #[prost(int64, tag = "3")]
    pub timestamp: i64,
}

/// What is known of a series' metric.
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub struct Metadata {
    /// The number of the type, see `model::MetricType::from_wire`.
    #[prost(uint32, tag = "1")]
    pub r#type: u32,
    /// The number of the help text.
    #[prost(uint32, tag = "3")]
    pub help_ref: u32,
    /// The number of the unit.
    #[prost(uint32, tag = "4")]
    pub unit_ref: u32,
}
