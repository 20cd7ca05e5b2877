//! One sample as a JSON object, the record format `json`.
//!
//! JSON has no NaN and no infinities. Senders of remote write do, so a record carries them as
//! strings that only [`crate::record::decode`] takes for numbers.

use std::io::Write;

use model::MetricType;

use super::any::Decimal;
use crate::bound::Bound;
use crate::native::Classic;

/// Prometheus' marker for a series that has ended: a NaN with these bits.
const STALE: u64 = 0x7ff0_0000_0000_0002;

/// The value behind a string that stands for a number.
pub(super) fn special(text: &str) -> Option<f64> {
    Some(match text {
        "NaN" => f64::NAN,
        "StaleNaN" => f64::from_bits(STALE),
        "+Inf" => f64::INFINITY,
        "-Inf" => f64::NEG_INFINITY,
        _ => return None,
    })
}

/// One sample as the JSON object of the record format `json`. `labels` without `__name__`.
///
/// What JSON has no number for is a string: `"NaN"`, `"StaleNaN"` (Prometheus' stale marker),
/// `"+Inf"`, `"-Inf"`. Type, unit and help are left out where nobody stated them.
#[must_use]
pub fn sample<'x>(
    name: &str,
    labels: impl IntoIterator<Item = (&'x str, &'x str)>,
    at_ms: i64,
    value: f64,
    kind: MetricType,
    unit: &str,
    help: &str,
) -> Vec<u8> {
    let mut output = Vec::with_capacity(256);
    put_start(&mut output, name, at_ms);
    put_value(&mut output, value);
    put_end(&mut output, labels, kind, unit, help);
    output
}

/// A histogram as the JSON object of the record format `json`; see [`sample`].
///
/// Reading it gives the classic series: a bucket for each bound, a sum and a count. A native histogram has no
/// other form in JSON.
#[must_use]
pub fn histogram<'x>(
    name: &str,
    labels: impl IntoIterator<Item = (&'x str, &'x str)>,
    at_ms: i64,
    value: &Classic,
    unit: &str,
    help: &str,
) -> Vec<u8> {
    let mut output = Vec::with_capacity(512);
    put_start(&mut output, name, at_ms);
    output.extend_from_slice(b"{\"buckets\":{");
    for (number, (bound, count)) in value.buckets.iter().enumerate() {
        let comma = if number > 0 { "," } else { "" };
        put(&mut output, format_args!("{comma}\"{}\":", Bound(*bound)));
        put_value(&mut output, *count);
    }
    output.extend_from_slice(b"},\"sum\":");
    put_value(&mut output, value.sum);
    output.extend_from_slice(b",\"count\":");
    put_value(&mut output, value.count);
    output.push(b'}');
    put_end(&mut output, labels, MetricType::Histogram, unit, help);
    output
}

fn put_start(output: &mut Vec<u8>, name: &str, at_ms: i64) {
    output.extend_from_slice(b"{\"metric_name\":");
    put_text(output, name);
    put(output, format_args!(",\"timestamp\":{at_ms},\"value\":"));
}

fn put_end<'x>(
    output: &mut Vec<u8>,
    labels: impl IntoIterator<Item = (&'x str, &'x str)>,
    kind: MetricType,
    unit: &str,
    help: &str,
) {
    output.extend_from_slice(b",\"labels\":{");
    for (number, (name, value)) in labels.into_iter().enumerate() {
        if number > 0 {
            output.push(b',');
        }
        put_text(output, name);
        output.push(b':');
        put_text(output, value);
    }
    output.push(b'}');
    if kind != MetricType::Unspecified {
        put(output, format_args!(",\"type\":\"{}\"", kind.as_str()));
    }
    for (field, text) in [("unit", unit), ("help", help)] {
        if !text.is_empty() {
            put(output, format_args!(",\"{field}\":"));
            put_text(output, text);
        }
    }
    output.push(b'}');
}

fn put(output: &mut Vec<u8>, arguments: std::fmt::Arguments<'_>) {
    output
        .write_fmt(arguments)
        .expect("writing into memory does not fail");
}

fn put_text(output: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(output, text).expect("text always serializes");
}

fn put_value(output: &mut Vec<u8>, value: f64) {
    // Whole numbers without a fraction, as agents send them; below 2^53 that loses nothing.
    if value.fract() == 0.0 && value.abs() < 9e15 && value.to_bits() != (-0.0_f64).to_bits() {
        put(output, format_args!("{value:.0}"));
    } else if value.is_finite() {
        put(output, format_args!("{}", Decimal(value)));
    } else if value.is_nan() {
        let stale = value.to_bits() == STALE;
        let text: &[u8] = if stale { b"\"StaleNaN\"" } else { b"\"NaN\"" };
        output.extend_from_slice(text);
    } else {
        let text: &[u8] = if value > 0.0 {
            b"\"+Inf\""
        } else {
            b"\"-Inf\""
        };
        output.extend_from_slice(text);
    }
}
