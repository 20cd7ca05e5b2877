//! A histogram whose buckets grow with the values: what native histograms are made of.
//!
//! It needs no bounds to be chosen: a bucket's upper bound is at first 9 % above its lower one, and buckets are merged in
//! pairs when there would be more than [`MOST_BUCKETS`]. Observations may have weights; what goes out is whole numbers
//! that never fall from one message to the next.

use prost::Message as _;

use crate::wire::v1;

/// Buckets that are held at most, of both signs together.
pub const MOST_BUCKETS: usize = 160;

/// Three doublings of the resolution: eight buckets from one power of two to the next.
const FIRST_SCHEMA: i32 = 3;

const FINE_SCHEMA: i32 = 5;

/// The coarsest that Prometheus knows: a bucket per 2^16.
const LAST_SCHEMA: i32 = -4;

/// Nearer to zero than this is zero: Prometheus' own default.
const ZERO_THRESHOLD: f64 = 2.938_735_877_055_719e-39;

type Buckets = Vec<(i32, f64)>;

/// Observations since it was made.
#[derive(Debug, Clone, PartialEq)]
pub struct Exponential {
    schema: i32,
    positive: Buckets,
    negative: Buckets,
    zero: f64,
    sum: f64,
}

impl Default for Exponential {
    fn default() -> Self {
        Self {
            schema: FIRST_SCHEMA,
            positive: Vec::new(),
            negative: Vec::new(),
            zero: 0.0,
            sum: 0.0,
        }
    }
}

impl Exponential {
    /// One with buckets a quarter as wide, for as long as they are not too many.
    #[must_use]
    pub fn fine() -> Self {
        Self {
            schema: FINE_SCHEMA,
            ..Self::default()
        }
    }

    /// Adds an observation that stands for `weight` of them. Both have to be finite, the weight not below 0.
    pub fn observe(&mut self, value: f64, weight: f64) {
        self.sum += value * weight;
        if value.abs() <= ZERO_THRESHOLD {
            self.zero += weight;
            return;
        }
        let index = index(value.abs(), self.schema);
        let buckets = if value > 0.0 {
            &mut self.positive
        } else {
            &mut self.negative
        };
        add(buckets, index, weight);
        while self.buckets() > MOST_BUCKETS && self.schema > LAST_SCHEMA {
            self.coarsen();
        }
    }

    /// Whether observing this value takes another bucket.
    #[must_use]
    pub fn grows_with(&self, value: f64) -> bool {
        let buckets = if value > 0.0 {
            &self.positive
        } else {
            &self.negative
        };
        let index = index(value.abs(), self.schema);
        value.abs() > ZERO_THRESHOLD && buckets.binary_search_by_key(&index, |it| it.0).is_err()
    }

    /// Adds what another one has seen.
    pub fn merge(&mut self, mut other: Self) {
        while self.schema > other.schema {
            self.coarsen();
        }
        while other.schema > self.schema {
            other.coarsen();
        }
        for (index, count) in other.positive {
            add(&mut self.positive, index, count);
        }
        for (index, count) in other.negative {
            add(&mut self.negative, index, count);
        }
        self.zero += other.zero;
        self.sum += other.sum;
        while self.buckets() > MOST_BUCKETS && self.schema > LAST_SCHEMA {
            self.coarsen();
        }
    }

    /// The observations' sum.
    #[must_use]
    pub fn sum(&self) -> f64 {
        self.sum
    }

    /// The observations' number, by their weights.
    #[must_use]
    pub fn count(&self) -> f64 {
        let of = |buckets: &Buckets| buckets.iter().map(|(_, count)| count).sum::<f64>();
        self.zero + of(&self.negative) + of(&self.positive)
    }

    /// How many buckets it holds.
    #[must_use]
    pub fn buckets(&self) -> usize {
        self.positive.len() + self.negative.len()
    }

    /// A value that about this share of the observations (0 to 1) is not above; not a number without observations.
    /// It is the middle of its bucket, so off by half its width.
    #[must_use]
    pub fn quantile(&self, share: f64) -> f64 {
        let mut left = share.clamp(0.0, 1.0) * self.count();
        let negative = self.negative.iter().rev();
        let negative = negative.map(|(index, count)| (-middle(*index, self.schema), *count));
        let zero = (self.zero > 0.0).then_some((0.0, self.zero));
        let positive = self.positive.iter();
        let positive = positive.map(|(index, count)| (middle(*index, self.schema), *count));
        let mut last = f64::NAN;
        for (value, count) in negative.chain(zero).chain(positive) {
            last = value;
            left -= count;
            if left <= 0.0 {
                break;
            }
        }
        last
    }

    /// The `Histogram` message of remote write: integer counts since `start_ms`.
    #[must_use]
    pub fn message(&self, at_ms: i64, start_ms: i64) -> Vec<u8> {
        let (positive_spans, positive_deltas, positive) = spans(&self.positive);
        let (negative_spans, negative_deltas, negative) = spans(&self.negative);
        let zero = whole(self.zero);
        let message = v1::Histogram {
            count: Some(v1::Count::CountInt(zero + positive + negative)),
            sum: self.sum,
            schema: self.schema,
            zero_threshold: ZERO_THRESHOLD,
            zero_count: Some(v1::ZeroCount::ZeroCountInt(zero)),
            negative_spans,
            negative_deltas,
            positive_spans,
            positive_deltas,
            timestamp: at_ms,
            start_timestamp: start_ms,
            ..v1::Histogram::default()
        };
        message.encode_to_vec()
    }

    /// Merges buckets in pairs. Each was rounded by itself in what was said so far, so they are rounded before they
    /// are added: a sum that is rounded later could be less, and a count that falls is a restart to its reader.
    fn coarsen(&mut self) {
        self.schema -= 1;
        for buckets in [&mut self.positive, &mut self.negative] {
            for (index, _) in buckets.iter_mut() {
                *index = (*index + 1) >> 1;
            }
            buckets.dedup_by(|later, kept| {
                let is_same = later.0 == kept.0;
                if is_same {
                    kept.1 = kept.1.round() + later.1.round();
                }
                is_same
            });
        }
    }
}

/// The bucket whose bounds are 2^((index-1)/2^schema), not included, and 2^(index/2^schema), included.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a double's logarithm times 8 is below 10,000"
)]
fn index(value: f64, schema: i32) -> i32 {
    (value.log2() * f64::from(schema).exp2()).ceil() as i32
}

/// The value in a bucket's middle, on its logarithmic scale.
fn middle(index: i32, schema: i32) -> f64 {
    ((f64::from(index) - 0.5) * f64::from(-schema).exp2()).exp2()
}

fn add(buckets: &mut Buckets, index: i32, weight: f64) {
    match buckets.binary_search_by_key(&index, |(index, _)| *index) {
        Ok(at) => {
            if let Some((_, count)) = buckets.get_mut(at) {
                *count += weight;
            }
        }
        Err(at) => buckets.insert(at, (index, weight)),
    }
}

/// Each count is rounded by itself, so none ever falls.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "weights are not negative, and the cast saturates"
)]
fn whole(count: f64) -> u64 {
    // So that the sum of all cannot overflow.
    count.round().min(1e18 / 512.0) as u64
}

/// Runs of neighbouring buckets, each count as the difference to the one before, and the sum of the counts.
fn spans(buckets: &Buckets) -> (Vec<v1::BucketSpan>, Vec<i64>, u64) {
    let mut spans: Vec<v1::BucketSpan> = Vec::new();
    let mut deltas = Vec::with_capacity(buckets.len());
    let (mut next, mut before, mut total) = (0, 0, 0);
    for (index, count) in buckets {
        let count = whole(*count);
        match spans.last_mut() {
            Some(span) if *index == next => span.length += 1,
            // The first offset is an index, the others are gaps.
            _ => spans.push(v1::BucketSpan {
                offset: index - next,
                length: 1,
            }),
        }
        next = index + 1;
        deltas.push(count.cast_signed() - before);
        before = count.cast_signed();
        total += count;
    }
    (spans, deltas, total)
}

#[cfg(test)]
mod tests;
