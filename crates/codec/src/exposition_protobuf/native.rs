//! A native histogram as remote write has it: other field numbers, and packed.

use model::{Code, Refusal};
use prost::Message;

use super::Stop;
use crate::wire::v1::{BucketSpan, Count, Histogram, ZeroCount};

/// Says that a histogram is no counter, so that nobody looks for resets.
const RESET_HINT_GAUGE: i32 = 3;

/// The fields of `io.prometheus.client.Histogram` that a native one has.
#[derive(Clone, PartialEq, Message)]
struct Native {
    #[prost(uint64, tag = "1")]
    count: u64,
    #[prost(double, tag = "2")]
    sum: f64,
    #[prost(double, tag = "4")]
    count_float: f64,
    #[prost(sint32, tag = "5")]
    schema: i32,
    #[prost(double, tag = "6")]
    zero_threshold: f64,
    #[prost(uint64, tag = "7")]
    zero_count: u64,
    #[prost(double, tag = "8")]
    zero_count_float: f64,
    #[prost(message, repeated, tag = "9")]
    negative_spans: Vec<BucketSpan>,
    #[prost(sint64, repeated, tag = "10")]
    negative_deltas: Vec<i64>,
    #[prost(double, repeated, tag = "11")]
    negative_counts: Vec<f64>,
    #[prost(message, repeated, tag = "12")]
    positive_spans: Vec<BucketSpan>,
    #[prost(sint64, repeated, tag = "13")]
    positive_deltas: Vec<i64>,
    #[prost(double, repeated, tag = "14")]
    positive_counts: Vec<f64>,
}

/// The `Histogram` message of remote write for one of the exposition's.
///
/// # Errors
/// When it breaks a rule of native histograms.
pub(super) fn message(
    exposed: &[u8],
    is_gauge: bool,
    at_ms: i64,
    start_ms: i64,
) -> Result<Vec<u8>, Stop> {
    let native = Native::decode(exposed)
        .map_err(|error| refused(format!("the native histogram is malformed: {error}")))?;
    let is_float = native.count_float > 0.0
        || native.zero_count_float > 0.0
        || !native.positive_counts.is_empty()
        || !native.negative_counts.is_empty();
    let histogram = Histogram {
        count: Some(if is_float {
            Count::CountFloat(native.count_float)
        } else {
            Count::CountInt(native.count)
        }),
        sum: native.sum,
        schema: native.schema,
        zero_threshold: native.zero_threshold,
        zero_count: Some(if is_float {
            ZeroCount::ZeroCountFloat(native.zero_count_float)
        } else {
            ZeroCount::ZeroCountInt(native.zero_count)
        }),
        negative_spans: native.negative_spans,
        negative_deltas: native.negative_deltas,
        negative_counts: native.negative_counts,
        positive_spans: native.positive_spans,
        positive_deltas: native.positive_deltas,
        positive_counts: native.positive_counts,
        reset_hint: if is_gauge { RESET_HINT_GAUGE } else { 0 },
        timestamp: at_ms,
        custom_values: Vec::new(),
        start_timestamp: start_ms,
    };
    let message = histogram.encode_to_vec();
    crate::native::check(&message).map_err(refused)?;
    Ok(message)
}

fn refused(message: String) -> Stop {
    Stop::Refused(Refusal::new(Code::HistogramInvalid, message))
}
