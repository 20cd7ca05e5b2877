//! A native histogram as cumulative buckets, for readers that know no others.

use prost::Message as _;

use super::CUSTOM_BUCKETS;
use crate::wire::v1::{BucketSpan, Count, Histogram, ZeroCount};

/// Prometheus' marker for a series that has ended: a NaN with these bits.
const STALE: u64 = 0x7ff0_0000_0000_0002;

/// Cumulative buckets by their upper bounds, the last of which is `+Inf` and has the count.
#[derive(Debug, Clone, PartialEq)]
pub struct Classic {
    /// Upper bounds that rise, and how many observations are not above each.
    pub buckets: Vec<(f64, f64)>,
    /// The sum of the observations.
    pub sum: f64,
    /// How many observations there are.
    pub count: f64,
}

/// A bucket: where it starts and ends, and what is in it.
type Bucket = (f64, f64, f64);

/// The classic form of a `Histogram` message that [`super::check()`] passed. Each bucket with observations keeps both
/// its bounds, so that what lies between buckets stays empty. A stale marker is a stale marker in every number.
///
/// `None` when the bytes are no such message.
#[must_use]
pub fn classic(message: &[u8]) -> Option<Classic> {
    let histogram = Histogram::decode(message).ok()?;
    if histogram.sum.to_bits() == STALE {
        let stale = histogram.sum;
        return Some(Classic {
            buckets: vec![(f64::INFINITY, stale)],
            sum: stale,
            count: stale,
        });
    }
    let mut rows = Rows::default();
    for (lower, upper, count) in below_zero(&histogram)
        .into_iter()
        .chain(around_zero(&histogram))
        .chain(above_zero(&histogram))
    {
        rows.add(lower, upper, count);
    }
    let stated = match histogram.count {
        Some(Count::CountInt(count)) => exact(count),
        Some(Count::CountFloat(count)) => count,
        None => 0.0,
    };
    // Rounding must not make the last bucket smaller than the one before it.
    let count = if stated > rows.cumulative {
        stated
    } else {
        rows.cumulative
    };
    if rows.last() == Some(f64::INFINITY) {
        rows.buckets.pop();
    }
    rows.buckets.push((f64::INFINITY, count));
    Some(Classic {
        buckets: rows.buckets,
        sum: histogram.sum,
        count,
    })
}

#[derive(Debug, Default)]
struct Rows {
    buckets: Vec<(f64, f64)>,
    cumulative: f64,
}

impl Rows {
    fn last(&self) -> Option<f64> {
        self.buckets.last().map(|(bound, _)| *bound)
    }

    fn add(&mut self, lower: f64, upper: f64, count: f64) {
        let is_new = |last: Option<f64>, bound: f64| last.is_none_or(|last| bound > last);
        if lower.is_finite() && is_new(self.last(), lower) {
            self.buckets.push((lower, self.cumulative));
        }
        self.cumulative += count;
        // The bucket of minus infinity ends where no classic one can.
        if upper == f64::NEG_INFINITY {
            return;
        }
        if is_new(self.last(), upper) {
            self.buckets.push((upper, self.cumulative));
        } else if let Some((_, cumulative)) = self.buckets.last_mut() {
            *cumulative = self.cumulative;
        }
    }
}

fn above_zero(histogram: &Histogram) -> Vec<Bucket> {
    let counts = counts(&histogram.positive_deltas, &histogram.positive_counts);
    indices(&histogram.positive_spans)
        .zip(counts)
        .map(|(index, count)| {
            let ends = |index| bound(index, histogram.schema, &histogram.custom_values);
            (ends(index - 1), ends(index), count)
        })
        .collect()
}

fn below_zero(histogram: &Histogram) -> Vec<Bucket> {
    let counts = counts(&histogram.negative_deltas, &histogram.negative_counts);
    let mut buckets: Vec<Bucket> = indices(&histogram.negative_spans)
        .zip(counts)
        .map(|(index, count)| {
            let ends = |index| -bound(index, histogram.schema, &[]);
            (ends(index), ends(index - 1), count)
        })
        .collect();
    buckets.reverse();
    buckets
}

fn around_zero(histogram: &Histogram) -> Option<Bucket> {
    let count = match histogram.zero_count? {
        ZeroCount::ZeroCountInt(count) => exact(count),
        ZeroCount::ZeroCountFloat(count) => count,
    };
    let width = histogram.zero_threshold;
    (count > 0.0).then_some((-width, width, count))
}

/// The bucket numbers of spans.
fn indices(spans: &[BucketSpan]) -> impl Iterator<Item = i64> {
    let mut next = 0_i64;
    spans.iter().flat_map(move |span| {
        let start = next + i64::from(span.offset);
        next = start + i64::from(span.length);
        start..next
    })
}

/// Counts of buckets: those of an integer histogram add up from differences.
fn counts(deltas: &[i64], floats: &[f64]) -> Vec<f64> {
    if deltas.is_empty() {
        return floats.to_vec();
    }
    let mut count = 0_i64;
    deltas
        .iter()
        .map(|delta| {
            count = count.saturating_add(*delta);
            exact(u64::try_from(count).unwrap_or_default())
        })
        .collect()
}

/// Where a bucket ends.
fn bound(index: i64, schema: i32, custom: &[f64]) -> f64 {
    if schema == CUSTOM_BUCKETS {
        return match usize::try_from(index) {
            Ok(index) => custom.get(index).copied().unwrap_or(f64::INFINITY),
            Err(_) => f64::NEG_INFINITY,
        };
    }
    let (exponent, fraction) = if schema < 0 {
        (index.saturating_mul(1 << -schema), 0.0)
    } else {
        let per_power = 1_i64 << schema;
        let part = i32::try_from(index.rem_euclid(per_power)).unwrap_or_default();
        let parts = i32::try_from(per_power).unwrap_or(1);
        (
            index.div_euclid(per_power),
            f64::from(part) / f64::from(parts),
        )
    };
    // The largest finite number ends the last bucket; infinities have the one behind it.
    if exponent == 1024 && fraction == 0.0 {
        return f64::MAX;
    }
    let exponent = i32::try_from(exponent.clamp(-1100, 1100)).unwrap_or_default();
    // In two steps, because the smallest numbers have no power of two of their own.
    let half = exponent / 2;
    fraction.exp2() * 2_f64.powi(half) * 2_f64.powi(exponent - half)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "buckets become 64-bit floats, as Prometheus makes them"
)]
fn exact(count: u64) -> f64 {
    count as f64
}
