//! Request bodies: encoded once, then only their numbers change.
//!
//! A body that never changes flatters compression and caches threefold, and one that is encoded
//! anew for each request costs the generator more than the gateway. So timestamps and values have
//! a fixed width and are patched in place. Every value is a number that is never used twice, so
//! that a sample can be found again.

use std::io::Write as _;

/// Digits of a Unix time in milliseconds until the year 2286.
const TIMESTAMP_WIDTH: usize = 13;
/// Digits of a value: enough to count for years, and exact as a 64-bit float.
const VALUE_WIDTH: usize = 14;

/// The shape of the agents in the field: three labels, about 195 bytes a sample.
pub(crate) struct Template {
    bytes: Vec<u8>,
    timestamps: Vec<usize>,
    values: Vec<usize>,
}

impl Template {
    /// A body of `batch` samples over `names` metric names; `connection` decides the hosts.
    pub(crate) fn new(connection: usize, batch: usize, names: usize) -> Self {
        let mut bytes = br#"{"metrics": ["#.to_vec();
        let (mut timestamps, mut values) = (Vec::with_capacity(batch), Vec::with_capacity(batch));
        for number in 0..batch {
            let name = number % names;
            let host = connection * batch.div_ceil(names) + number / names;
            if number > 0 {
                bytes.extend_from_slice(b", ");
            }
            bytes.extend_from_slice(
                format!(r#"{{"metric_name": "service_metric_{name:04}_percent", "timestamp": "#)
                    .as_bytes(),
            );
            timestamps.push(bytes.len());
            bytes.extend_from_slice(&[b'1'; TIMESTAMP_WIDTH]);
            bytes.extend_from_slice(br#", "value": "#);
            values.push(bytes.len());
            bytes.extend_from_slice(&[b'1'; VALUE_WIDTH]);
            let labels = format!(
                r#", "labels": {{"host": "web-server-{host:05}", "region": "us-east-1", "environment": "production"}}}}"#
            );
            bytes.extend_from_slice(labels.as_bytes());
        }
        bytes.extend_from_slice(b"]}");
        Self {
            bytes,
            timestamps,
            values,
        }
    }

    /// The body at `at_ms` with values that count up from `first_value`.
    pub(crate) fn patch(&mut self, at_ms: u64, first_value: u64) -> &[u8] {
        for &at in &self.timestamps {
            write_digits(&mut self.bytes, at, TIMESTAMP_WIDTH, at_ms);
        }
        for (&at, value) in self.values.iter().zip(first_value..) {
            // The leading 1 keeps the width: JSON knows no leading zeros.
            write_digits(&mut self.bytes, at, VALUE_WIDTH, 10_000_000_000_000 + value);
        }
        &self.bytes
    }
}

fn write_digits(bytes: &mut [u8], at: usize, width: usize, number: u64) {
    if let Some(mut place) = bytes.get_mut(at..at + width) {
        write!(place, "{number:0width$}").expect("the place is as wide as the number");
    }
}
