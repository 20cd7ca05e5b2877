//! Exponential histograms: native histograms of the same resolution, or of the finest that there is.
//!
//! OTLP's bucket 0 begins above 1, Prometheus' ends at 1: every index grows by one. A scale above 8 is merged down
//! to 8, one below -4 has no native counterpart and is refused.

use model::{Code, Refusal};
use prost::Message as _;

use super::STALE_BITS;
use super::delta::Amount;
use super::metric::Metric;
use super::translate::{Bad, Point, Translator, owned};
use crate::protobuf::{Malformed, Reader, Value};
use crate::wire::v1::{BucketSpan, Count, Histogram, ZeroCount};

const FINEST: i32 = 8;
const COARSEST: i32 = -4;

/// More buckets on one side than any SDK makes (160 is usual).
const MAX_BUCKETS: usize = 16_384;

/// A sum of deltas is merged to a coarser scale until it has at most so many on each side.
const MAX_SUM_BUCKETS: usize = 1024;

/// Prometheus' own when a histogram does not say one.
const ZERO_THRESHOLD: f64 = 1e-128;

/// Populated buckets by OTLP's index, rising.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Buckets(pub(super) Vec<(i64, u64)>);

/// What a data point says.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Exponential {
    pub(super) scale: i32,
    pub(super) count: u64,
    pub(super) sum: Option<f64>,
    pub(super) zero_count: u64,
    pub(super) zero_threshold: f64,
    pub(super) positive: Buckets,
    pub(super) negative: Buckets,
}

impl Buckets {
    fn read(message: &[u8]) -> Result<Result<Self, Refusal>, Malformed> {
        let mut offset = 0;
        let mut reader = Reader(message);
        while let Some((number, field)) = reader.field()? {
            if number == 1 {
                offset = i64::from(field.sint32()?);
            }
        }
        let mut buckets = Vec::new();
        let mut length = 0_usize;
        let mut reader = Reader(message);
        while let Some((number, field)) = reader.field()? {
            if number == 2 {
                each_count(field, |count| {
                    let index = offset.saturating_add(i64::try_from(length).unwrap_or(i64::MAX));
                    if count > 0 && length < MAX_BUCKETS {
                        buckets.push((index, count));
                    }
                    length += 1;
                })?;
            }
        }
        if length > MAX_BUCKETS {
            let message = format!("the histogram has {length} buckets, the limit is {MAX_BUCKETS}");
            return Ok(Err(Refusal::new(Code::HistogramInvalid, message)));
        }
        Ok(Ok(Self(buckets)))
    }

    /// Merges each 2^`steps` buckets into one.
    fn coarsen(&mut self, steps: i32) {
        let shift = u32::try_from(steps).unwrap_or_default().min(63);
        if shift == 0 {
            return;
        }
        for (index, _) in &mut self.0 {
            *index >>= shift;
        }
        self.0.dedup_by(|later, kept| {
            let is_same = later.0 == kept.0;
            if is_same {
                kept.1 = kept.1.saturating_add(later.1);
            }
            is_same
        });
    }

    fn add(&mut self, other: &Self) {
        let mut all = std::mem::take(&mut self.0);
        all.extend_from_slice(&other.0);
        all.sort_unstable_by_key(|(index, _)| *index);
        self.0 = all;
        self.0.dedup_by(|later, kept| {
            let is_same = later.0 == kept.0;
            if is_same {
                kept.1 = kept.1.saturating_add(later.1);
            }
            is_same
        });
    }

    fn total(&self) -> Option<u64> {
        self.0
            .iter()
            .try_fold(0_u64, |total, (_, count)| total.checked_add(*count))
    }

    /// Runs of buckets and the differences of their counts. Gaps of up to two buckets are filled.
    fn layout(&self) -> Option<(Vec<BucketSpan>, Vec<i64>)> {
        let (mut spans, mut deltas): (Vec<BucketSpan>, Vec<i64>) = (Vec::new(), Vec::new());
        let mut next = 0_i64;
        let mut before = 0_i64;
        for (index, count) in &self.0 {
            let index = index.checked_add(1)?;
            let gap = index.checked_sub(next)?;
            match spans.last_mut() {
                Some(span) if gap <= 2 => {
                    for _ in 0..gap {
                        deltas.push(-before);
                        before = 0;
                        span.length += 1;
                    }
                    span.length += 1;
                }
                _ => spans.push(BucketSpan {
                    offset: i32::try_from(gap).ok()?,
                    length: 1,
                }),
            }
            let count = i64::try_from(*count).ok()?;
            deltas.push(count - before);
            before = count;
            next = index.checked_add(1)?;
        }
        Some((spans, deltas))
    }
}

fn each_count(field: Value<'_>, each: impl FnMut(u64)) -> Result<(), Malformed> {
    // `uint64`, but some encoders write `fixed64`.
    match field {
        Value::Fixed64(_) => field.each_fixed64(each),
        _ => field.each_uint64(each),
    }
}

impl Exponential {
    fn check(&mut self) -> Result<(), Refusal> {
        let refused = |message: String| Err(Refusal::new(Code::HistogramInvalid, message));
        if self.scale < COARSEST {
            return refused(format!(
                "the histogram's scale is {}; native histograms have {COARSEST} to {FINEST}, and a finer one is merged",
                self.scale
            ));
        }
        if self.zero_threshold.is_nan() || self.zero_threshold < 0.0 {
            return refused(format!("zero_threshold is {}", self.zero_threshold));
        }
        let sides = [self.positive.total(), self.negative.total()];
        let counted = sides
            .iter()
            .try_fold(self.zero_count, |total, side| total.checked_add((*side)?));
        // NaN observations are in no bucket.
        let has_nan = self.sum.is_some_and(f64::is_nan);
        match counted {
            Some(counted) if counted == self.count || (has_nan && counted < self.count) => {}
            Some(counted) => {
                return refused(format!(
                    "the buckets have {counted} observations together, but count is {}",
                    self.count
                ));
            }
            None => return refused("the buckets have more than 2^64 observations".to_owned()),
        }
        self.coarsen_to(FINEST);
        Ok(())
    }

    fn coarsen_to(&mut self, scale: i32) {
        if self.scale > scale {
            let steps = self.scale.saturating_sub(scale);
            self.positive.coarsen(steps);
            self.negative.coarsen(steps);
            self.scale = scale;
        }
    }

    /// Adds what came since; false when both have zero buckets of different widths.
    pub(super) fn add(&mut self, delta: &Self) -> bool {
        if self.zero_threshold.to_bits() != delta.zero_threshold.to_bits() {
            return false;
        }
        let mut delta = delta.clone();
        let scale = self.scale.min(delta.scale);
        self.coarsen_to(scale);
        delta.coarsen_to(scale);
        self.positive.add(&delta.positive);
        self.negative.add(&delta.negative);
        while self.positive.0.len().max(self.negative.0.len()) > MAX_SUM_BUCKETS
            && self.scale > COARSEST
        {
            self.coarsen_to(self.scale - 1);
        }
        self.count = self.count.saturating_add(delta.count);
        self.zero_count = self.zero_count.saturating_add(delta.zero_count);
        self.sum = match (self.sum, delta.sum) {
            (Some(sum), Some(more)) => Some(sum + more),
            _ => None,
        };
        true
    }

    fn message(&self, point: Point, start_ms: i64) -> Result<Vec<u8>, Refusal> {
        let layouts = (self.positive.layout(), self.negative.layout());
        let (Some((positive_spans, positive_deltas)), Some((negative_spans, negative_deltas))) =
            layouts
        else {
            let message = "a bucket's index or count is beyond what a native histogram holds";
            return Err(Refusal::new(Code::HistogramInvalid, message));
        };
        let histogram = Histogram {
            count: Some(Count::CountInt(self.count)),
            sum: self.sum.unwrap_or_default(),
            schema: self.scale,
            zero_threshold: if self.zero_threshold > 0.0 {
                self.zero_threshold
            } else {
                ZERO_THRESHOLD
            },
            zero_count: Some(ZeroCount::ZeroCountInt(self.zero_count)),
            negative_spans,
            negative_deltas,
            positive_spans,
            positive_deltas,
            timestamp: point.at_ms(),
            start_timestamp: start_ms,
            ..Histogram::default()
        };
        Ok(histogram.encode_to_vec())
    }
}

impl<'a> Translator<'a, '_> {
    pub(super) fn exponential(
        &mut self,
        metric: &Metric<'a>,
        index: u32,
        message: &'a [u8],
    ) -> Result<(), Bad> {
        let mut point = Point::default();
        let mut histogram = Exponential::default();
        let mut too_many = Ok(());
        let mut reader = Reader(message);
        while let Some((number, field)) = reader.field()? {
            match number {
                1 => self.labels.add(field.bytes()?)?,
                2 => point.start_ns = field.fixed64()?,
                3 => point.at_ns = field.fixed64()?,
                4 => histogram.count = field.fixed64()?,
                5 => histogram.sum = Some(field.double()?),
                6 => histogram.scale = field.sint32()?,
                7 => histogram.zero_count = field.fixed64()?,
                8 | 9 => {
                    let side = match Buckets::read(field.bytes()?)? {
                        Ok(side) => side,
                        Err(refusal) => {
                            too_many = Err(refusal);
                            continue;
                        }
                    };
                    if number == 8 {
                        histogram.positive = side;
                    } else {
                        histogram.negative = side;
                    }
                }
                10 => point.flags = field.uint32()?,
                11 => self.exemplars.push(field.bytes()?),
                14 => histogram.zero_threshold = field.double()?,
                _ => {}
            }
        }
        let name = metric.name()?;
        self.check_point(point)?;
        let is_delta = self.is_delta(metric)?;
        if point.has_no_value() {
            histogram = Exponential {
                sum: Some(f64::from_bits(STALE_BITS)),
                ..Exponential::default()
            };
        } else {
            too_many?;
            histogram.check()?;
        }
        self.count(1)?;
        let mut start_ms = point.start_ms();
        self.finish_labels()?;
        self.take_series(metric, owned(name), 1)?;
        if is_delta {
            self.add_gateway();
            if !point.has_no_value() {
                let amount = Amount::Exponential(histogram);
                let (start, total) = self.total(name, point, amount)?;
                start_ms = start;
                let Amount::Exponential(total) = total else {
                    return Ok(());
                };
                histogram = total;
            }
        }
        let message = histogram.message(point, start_ms)?;
        let series = self.only_series(metric, name.clone());
        let batch = &mut self.decoded.batch;
        batch.push_histogram(index, series, point.at_ms(), message);
        self.push_exemplars(index, point, |_| series)?;
        Ok(())
    }
}
