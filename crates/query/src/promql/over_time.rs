//! Functions of the samples of a range: rates, and what is called `…_over_time`.

use super::evaluation::Evaluation;
use super::selector::Ranges;
use super::value::{Row, absent, joined};
use crate::error::Error;

/// The samples of a series behind one step; at least one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window<'s> {
    pub(super) samples: &'s [(i64, f64)],
    /// Where it begins and ends, in milliseconds.
    pub(super) start_ms: i64,
    pub(super) end_ms: i64,
    pub(super) step: usize,
}

/// Whether series keep the metric's name: what is a sample of it still is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    Kept,
    Dropped,
}

impl Evaluation<'_> {
    /// Applies a function to each range of each series.
    pub(super) fn over(
        &mut self,
        ranges: Ranges,
        name: Name,
        function: impl Fn(Window<'_>) -> Option<f64>,
    ) -> Result<Vec<Row>, Error> {
        let mut rows = Vec::with_capacity(ranges.series.len());
        for series in ranges.series {
            let samples = &series.samples;
            let mut values = Vec::with_capacity(ranges.ends.len());
            let (mut from, mut to) = (0, 0);
            for (step, &end_ms) in ranges.ends.iter().enumerate() {
                let start_ms = end_ms.saturating_sub(ranges.range_ms);
                while samples.get(to).is_some_and(|(at_ms, _)| *at_ms <= end_ms) {
                    to += 1;
                }
                while from < to
                    && samples
                        .get(from)
                        .is_some_and(|(at_ms, _)| *at_ms <= start_ms)
                {
                    from += 1;
                }
                let samples = samples.get(from..to).unwrap_or_default();
                self.budget.steps(1 + samples.len())?;
                let window = Window {
                    samples,
                    start_ms,
                    end_ms,
                    step,
                };
                let value = (!samples.is_empty()).then(|| function(window)).flatten();
                values.push(value.unwrap_or(absent()));
            }
            self.budget
                .give_back(series.samples.capacity() * size_of::<(i64, f64)>());
            let labels = match name {
                Name::Kept => series.labels,
                Name::Dropped => series.labels.without_name(),
            };
            rows.push(self.take(Row { labels, values })?);
        }
        joined(rows)
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "milliseconds are far below 2^53"
)]
pub(super) fn seconds(millis: i64) -> f64 {
    millis as f64 / 1000.0
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
pub(super) fn number(count: usize) -> f64 {
    count as f64
}

/// What a rate is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Growth {
    /// Per second, of a counter.
    Rate,
    /// In all, of a counter.
    Increase,
    /// In all, of a gauge.
    Delta,
}

/// The growth over a range, extrapolated to its ends as Prometheus does: by no more than what lies between two samples, and
/// for a counter by no more than back to zero.
pub(super) fn growth(window: Window<'_>, of: Growth) -> Option<f64> {
    let (first, rest) = window.samples.split_first()?;
    let last = rest.last()?;
    let mut grown = last.1 - first.1;
    if of != Growth::Delta {
        let mut before = first.1;
        for &(_, value) in rest {
            if value < before {
                grown += before;
            }
            before = value;
        }
    }
    let sampled = seconds(last.0 - first.0);
    let between = sampled / number(rest.len());
    let threshold = between * 1.1;
    let mut to_start = seconds(first.0 - window.start_ms);
    if to_start >= threshold {
        to_start = between / 2.0;
    }
    if of != Growth::Delta && grown > 0.0 && first.1 >= 0.0 {
        to_start = to_start.min(sampled * (first.1 / grown));
    }
    let mut to_end = seconds(window.end_ms - last.0);
    if to_end >= threshold {
        to_end = between / 2.0;
    }
    let all = grown * ((sampled + to_start + to_end) / sampled);
    Some(match of {
        Growth::Rate => all / seconds(window.end_ms - window.start_ms),
        Growth::Increase | Growth::Delta => all,
    })
}

/// The last two samples.
fn last_two(window: Window<'_>) -> Option<[(i64, f64); 2]> {
    window.samples.last_chunk().copied()
}

/// Per second between the last two samples of a counter.
pub(super) fn instant_rate(window: Window<'_>) -> Option<f64> {
    let [before, last] = last_two(window)?;
    let grown = if last.1 < before.1 {
        last.1
    } else {
        last.1 - before.1
    };
    let took = seconds(last.0 - before.0);
    (took > 0.0).then_some(grown / took)
}

/// Between the last two samples of a gauge.
pub(super) fn instant_delta(window: Window<'_>) -> Option<f64> {
    let [before, last] = last_two(window)?;
    Some(last.1 - before.1)
}

/// How often one value is followed by another for which this is true.
pub(super) fn times(window: Window<'_>, is_one: impl Fn(f64, f64) -> bool) -> f64 {
    let pairs = window.samples.array_windows::<2>();
    number(
        pairs
            .filter(|[before, after]| is_one(before.1, after.1))
            .count(),
    )
}

fn values<'s>(window: Window<'s>) -> impl Iterator<Item = f64> + use<'s> {
    window.samples.iter().map(|(_, value)| *value)
}

/// The sum.
pub(super) fn sum(window: Window<'_>) -> f64 {
    values(window).sum()
}

/// The mean.
pub(super) fn mean(window: Window<'_>) -> f64 {
    sum(window) / number(window.samples.len())
}

/// The smallest, or another by this order; what is no number only when there is nothing else.
pub(super) fn best(window: Window<'_>, is_better: impl Fn(f64, f64) -> bool) -> Option<f64> {
    values(window).reduce(|best, value| {
        if is_better(value, best) || best.is_nan() {
            value
        } else {
            best
        }
    })
}

/// The mean distance from the mean, squared.
pub(super) fn variance(values: impl Iterator<Item = f64>) -> f64 {
    let (mut count, mut mean, mut squares) = (0.0, 0.0, 0.0);
    for value in values {
        count += 1.0;
        let before = value - mean;
        mean += before / count;
        squares += before * (value - mean);
    }
    squares / count
}

/// The same of a range.
pub(super) fn variance_of(window: Window<'_>) -> f64 {
    variance(values(window))
}

/// A quantile of a range.
pub(super) fn quantile_of(share: f64, window: Window<'_>) -> f64 {
    let mut sorted: Vec<f64> = values(window).collect();
    sorted.sort_unstable_by(ascending);
    quantile(share, &sorted)
}

/// The order that quantiles are taken in: what is no number is less than all that are.
pub(super) fn ascending(a: &f64, b: &f64) -> std::cmp::Ordering {
    b.is_nan().cmp(&a.is_nan()).then(a.total_cmp(b))
}

/// A quantile of sorted values, between two of them where it falls there.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rank is between zero and the number of values"
)]
pub(crate) fn quantile(share: f64, sorted: &[f64]) -> f64 {
    if sorted.is_empty() || share.is_nan() {
        return f64::NAN;
    }
    if share < 0.0 {
        return f64::NEG_INFINITY;
    }
    if share > 1.0 {
        return f64::INFINITY;
    }
    let rank = share * number(sorted.len() - 1);
    let (low, weight) = (rank.floor(), rank - rank.floor());
    let at = |rank: f64| sorted.get(rank as usize).copied();
    let low_value = at(low).unwrap_or(f64::NAN);
    let high_value = at(low + 1.0).unwrap_or(low_value);
    low_value * (1.0 - weight) + high_value * weight
}

/// A line through the samples: its value at a time, and what it rises per second.
pub(super) fn line(window: Window<'_>, at_ms: i64) -> Option<(f64, f64)> {
    let (first, rest) = window.samples.split_first()?;
    rest.first()?;
    let is_level = rest
        .iter()
        .all(|(_, value)| value.to_bits() == first.1.to_bits());
    if is_level {
        let level = if first.1.is_infinite() {
            f64::NAN
        } else {
            first.1
        };
        return Some((level, if level.is_nan() { level } else { 0.0 }));
    }
    let count = number(window.samples.len());
    let (mut x, mut y, mut xy, mut xx) = (0.0, 0.0, 0.0, 0.0);
    for &(sample_ms, value) in window.samples {
        let after = seconds(sample_ms - at_ms);
        x += after;
        y += value;
        xy += after * value;
        xx += after * after;
    }
    let slope = (xy - x * y / count) / (xx - x * x / count);
    Some(((y - slope * x) / count, slope))
}
