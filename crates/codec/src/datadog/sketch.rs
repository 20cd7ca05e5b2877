//! Distributions as native histograms.
//!
//! The agent's sketch has buckets around powers of 1.015625; each goes, by its middle, into one of 32 buckets per
//! doubling (schema 5, a width of 2.2 %). Quantiles so stay within 3 %; sum and count are exact, and the
//! sketch's minimum and maximum are not kept.

use std::collections::BTreeMap;

use prost::Message as _;

use crate::wire::v1::{BucketSpan, Count, Histogram, ZeroCount};

/// Buckets per doubling are 2 to this power.
const SCHEMA: i32 = 5;

/// 2^-30. What is smaller has no bucket of its own; the agent's smallest bucket is around 0.994e-9.
const SMALLEST: f64 = 9.313_225_746_154_785e-10;

/// The ratio of neighbouring buckets of the agent's sketches, less 1.
const STEP: f64 = 2.0 / 128.0;

/// The agent's bucket of the value 1; see `pkg/quantile/config.go` of its mapping library.
const BUCKET_OF_ONE: i32 = 1338;

/// The bucket of the largest number.
const LAST: i32 = 1024 << SCHEMA;

/// Of a gauge: the histogram is that of its interval alone.
const RESET_HINT: i32 = 3;

/// Observations by bucket.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Counts {
    positive: BTreeMap<i32, u64>,
    negative: BTreeMap<i32, u64>,
    zero: u64,
    count: u64,
    pub(super) sum: f64,
}

impl Counts {
    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// How many observations there are.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Adds an observed value.
    pub(super) fn observe(&mut self, value: f64) {
        self.sum += value;
        self.add(value, 1);
    }

    /// Adds the observations of one of the agent's buckets.
    pub(super) fn add_bucket(&mut self, key: i32, count: u32) {
        let exponent = key.saturating_abs().saturating_sub(BUCKET_OF_ONE);
        let middle = (f64::from(exponent) * STEP.ln_1p()).exp();
        let value = match key {
            0 => 0.0,
            1.. => middle,
            _ => -middle,
        };
        self.add(value, u64::from(count));
    }

    fn add(&mut self, value: f64, count: u64) {
        if count == 0 {
            return;
        }
        self.count += count;
        if value.abs() < SMALLEST {
            self.zero += count;
            return;
        }
        let position = (value.abs().log2() * f64::from(1 << SCHEMA)).ceil();
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a float's exponent has 11 bits"
        )]
        let bucket = (position as i32).min(LAST);
        let side = if value > 0.0 {
            &mut self.positive
        } else {
            &mut self.negative
        };
        *side.entry(bucket).or_default() += count;
    }

    /// The `Histogram` message of remote write.
    pub(super) fn message(&self, at_ms: i64) -> Vec<u8> {
        let (positive_spans, positive_deltas) = spans(&self.positive);
        let (negative_spans, negative_deltas) = spans(&self.negative);
        let histogram = Histogram {
            count: Some(Count::CountInt(self.count)),
            sum: self.sum,
            schema: SCHEMA,
            zero_threshold: SMALLEST,
            zero_count: Some(ZeroCount::ZeroCountInt(self.zero)),
            negative_spans,
            negative_deltas,
            positive_spans,
            positive_deltas,
            reset_hint: RESET_HINT,
            timestamp: at_ms,
            ..Histogram::default()
        };
        histogram.encode_to_vec()
    }
}

fn spans(buckets: &BTreeMap<i32, u64>) -> (Vec<BucketSpan>, Vec<i64>) {
    let mut spans: Vec<BucketSpan> = Vec::new();
    let mut deltas = Vec::with_capacity(buckets.len());
    let (mut next, mut before) = (0, 0_i64);
    for (&bucket, &count) in buckets {
        match spans.last_mut() {
            Some(span) if bucket == next => span.length += 1,
            _ => spans.push(BucketSpan {
                offset: bucket - next,
                length: 1,
            }),
        }
        next = bucket + 1;
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        deltas.push(count - before);
        before = count;
    }
    (spans, deltas)
}
