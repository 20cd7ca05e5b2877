//! Histograms with explicit bounds: the classic series `_bucket`, `_sum` and `_count`.

use std::borrow::Cow;

use model::{Code, MetricType, Refusal, Sample, Value};

use super::STALE_BITS;
use super::delta::Amount;
use super::metric::Metric;
use super::translate::{Bad, Point, Translator};
use crate::protobuf::Reader;

/// What a data point says.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Explicit {
    pub(super) count: u64,
    pub(super) sum: Option<f64>,
    pub(super) counts: Vec<u64>,
    pub(super) bounds: Vec<f64>,
}

impl Explicit {
    fn check(&self) -> Result<(), Refusal> {
        let refused = |message: String| Err(Refusal::new(Code::HistogramInvalid, message));
        let (counts, bounds) = (self.counts.len(), self.bounds.len());
        let is_without_buckets = counts == 0 && bounds == 0;
        if !is_without_buckets && counts != bounds + 1 {
            return refused(format!(
                "bucket_counts has {counts} elements and explicit_bounds {bounds}; it has one more than those, or both have none"
            ));
        }
        let is_rising = self
            .bounds
            .is_sorted_by(|a, b| matches!(a.partial_cmp(b), Some(std::cmp::Ordering::Less)));
        if !is_rising || self.bounds.iter().any(|bound| bound.is_nan()) {
            return refused("explicit_bounds do not rise".to_owned());
        }
        let counted = self
            .counts
            .iter()
            .try_fold(0_u64, |total, count| total.checked_add(*count));
        match counted {
            Some(counted) if counted <= self.count => Ok(()),
            _ => refused(format!(
                "bucket_counts together are more than count, which is {}",
                self.count
            )),
        }
    }

    /// Adds what came since; false when the buckets have other bounds.
    pub(super) fn add(&mut self, delta: &Self) -> bool {
        if self.bounds != delta.bounds || self.counts.len() != delta.counts.len() {
            return false;
        }
        for (count, more) in self.counts.iter_mut().zip(&delta.counts) {
            *count = count.saturating_add(*more);
        }
        self.count = self.count.saturating_add(delta.count);
        self.sum = match (self.sum, delta.sum) {
            (Some(sum), Some(more)) => Some(sum + more),
            _ => None,
        };
        true
    }
}

impl<'a> Translator<'a, '_> {
    pub(super) fn histogram(
        &mut self,
        metric: &Metric<'a>,
        index: u32,
        message: &'a [u8],
    ) -> Result<(), Bad> {
        let mut point = Point::default();
        let mut explicit = Explicit::default();
        let mut reader = Reader(message);
        while let Some((number, field)) = reader.field()? {
            match number {
                2 => point.start_ns = field.fixed64()?,
                3 => point.at_ns = field.fixed64()?,
                4 => explicit.count = field.fixed64()?,
                5 => explicit.sum = Some(field.double()?),
                6 => field.each_fixed64(|count| explicit.counts.push(count))?,
                7 => field.each_fixed64(|bits| explicit.bounds.push(f64::from_bits(bits)))?,
                8 => self.exemplars.push(field.bytes()?),
                9 => self.labels.add(field.bytes()?)?,
                10 => point.flags = field.uint32()?,
                _ => {}
            }
        }
        let name = metric.name()?;
        self.check_point(point)?;
        let is_delta = self.is_delta(metric)?;
        if !point.has_no_value() {
            explicit.check()?;
        }
        let series = explicit.bounds.len() + 2 + usize::from(explicit.sum.is_some());
        self.count(series)?;
        let mut start_ms = point.start_ms();
        self.finish_labels()?;
        self.take_series(metric, name.len(), series)?;
        if is_delta {
            self.add_gateway();
            if !point.has_no_value() {
                let amount = Amount::Explicit(explicit.clone());
                let (start, total) = self.total(name, point, amount)?;
                start_ms = start;
                if let Amount::Explicit(total) = total {
                    explicit = total;
                }
            }
        }
        let buckets = self.histogram_series(metric, index, point, start_ms, &explicit)?;
        self.push_exemplars(index, point, |value| {
            let bucket = buckets.iter().find(|(bound, _)| value <= *bound);
            bucket.or(buckets.last()).map_or(0, |(_, series)| *series)
        })?;
        Ok(())
    }

    /// Adds the series and answers those of the buckets by their bounds.
    fn histogram_series(
        &mut self,
        metric: &Metric<'a>,
        index: u32,
        point: Point,
        start_ms: i64,
        explicit: &Explicit,
    ) -> Result<Vec<(f64, u32)>, Refusal> {
        let kind = MetricType::Histogram;
        let bucket_name = metric.name_with("_bucket")?;
        let mut buckets = Vec::with_capacity(explicit.bounds.len() + 1);
        let mut cumulative = 0_u64;
        let bounds = explicit.bounds.iter().zip(&explicit.counts);
        for (bound, count) in bounds {
            cumulative = cumulative.saturating_add(*count);
            // The last bucket is made of the count.
            if *bound < f64::INFINITY {
                let le = Cow::Owned(bound.to_string());
                let series = self.series(metric, bucket_name.clone(), Some(("le", le)), kind);
                self.push_number(index, series, point, start_ms, whole(cumulative));
                buckets.push((*bound, series));
            }
        }
        let le = Cow::Borrowed("+Inf");
        let series = self.series(metric, bucket_name, Some(("le", le)), kind);
        self.push_number(index, series, point, start_ms, whole(explicit.count));
        buckets.push((f64::INFINITY, series));
        if let Some(sum) = explicit.sum {
            let series = self.series(metric, metric.name_with("_sum")?, None, kind);
            self.push_number(index, series, point, start_ms, sum);
        }
        let series = self.series(metric, metric.name_with("_count")?, None, kind);
        self.push_number(index, series, point, start_ms, whole(explicit.count));
        Ok(buckets)
    }

    /// Adds one value of a data point that becomes several series.
    pub(super) fn push_number(
        &mut self,
        index: u32,
        series: u32,
        point: Point,
        start_ms: i64,
        value: f64,
    ) {
        let value = if point.has_no_value() {
            f64::from_bits(STALE_BITS)
        } else {
            value
        };
        self.decoded.batch.push(Sample {
            index,
            series,
            at_ms: point.at_ms(),
            start_ms,
            value: Value::Float(value),
        });
    }
}

/// A count as a sample; beyond 2^53 the nearest float.
#[expect(
    clippy::cast_precision_loss,
    reason = "samples are floats, whatever they were"
)]
pub(super) fn whole(count: u64) -> f64 {
    count as f64
}
