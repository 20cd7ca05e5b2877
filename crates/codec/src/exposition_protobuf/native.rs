//! A native histogram as remote write has it: other field numbers, and packed.

use model::{Code, Refusal};
use prost::Message;

use super::Stop;
use crate::wire::v1::{BucketSpan, Count, Histogram, ZeroCount};

/// The resolutions that there are.
const SCHEMAS: std::ops::RangeInclusive<i32> = -4..=8;

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
    check(&native, is_float).map_err(refused)?;
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
    Ok(histogram.encode_to_vec())
}

fn check(native: &Native, is_float: bool) -> Result<(), String> {
    if !SCHEMAS.contains(&native.schema) {
        return Err(format!(
            "the native histogram has schema {}; it can be -4 to 8",
            native.schema
        ));
    }
    let sides = [
        (
            "positive",
            &native.positive_spans,
            &native.positive_deltas,
            &native.positive_counts,
        ),
        (
            "negative",
            &native.negative_spans,
            &native.negative_deltas,
            &native.negative_counts,
        ),
    ];
    let mut total = u128::from(native.zero_count);
    for (side, spans, deltas, counts) in sides {
        let spanned: u64 = spans.iter().map(|span| u64::from(span.length)).sum();
        let (buckets, other) = if is_float {
            (counts.len(), deltas.len())
        } else {
            (deltas.len(), counts.len())
        };
        if other > 0 {
            return Err(format!("the {side} buckets have both integers and floats"));
        }
        if spanned != buckets as u64 {
            return Err(format!(
                "the {side} spans have {spanned} buckets together, but there are {buckets}"
            ));
        }
        if spans.iter().skip(1).any(|span| span.offset < 0) {
            return Err(format!("a {side} span goes back"));
        }
        if counts.iter().any(|count| count.is_nan() || *count < 0.0) {
            return Err(format!("a {side} bucket has a negative count"));
        }
        let mut count = 0_i64;
        for delta in deltas {
            count = count
                .checked_add(*delta)
                .filter(|count| *count >= 0)
                .ok_or_else(|| format!("a {side} bucket has a negative count"))?;
            total += u128::from(count.unsigned_abs());
        }
    }
    // Observations of NaN are in no bucket, and make the sum NaN.
    let fits = total == u128::from(native.count)
        || (native.sum.is_nan() && total < u128::from(native.count));
    if !is_float && !fits {
        return Err(format!(
            "the native histogram has {total} observations in its buckets, but its count is {}",
            native.count
        ));
    }
    Ok(())
}

fn refused(message: String) -> Stop {
    Stop::Refused(Refusal::new(Code::HistogramInvalid, message))
}
