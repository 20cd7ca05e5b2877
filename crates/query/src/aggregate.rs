//! Samples of a series, or of a group of them, taken together step by step.

use std::collections::{BTreeMap, BTreeSet};

use model::NAME_LABEL;

use crate::budget::Budget;
use crate::error::{Error, invalid};
use crate::labels::{Labels, TENANT_LABEL};
use crate::promql::quantile;
use crate::source::Series;

/// One way to take samples together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Aggregate {
    Count,
    Sum,
    Min,
    Max,
    Mean,
    Median,
    StdDev,
    P95,
    P99,
    Rate,
}

impl Aggregate {
    const ALL: [Self; 10] = [
        Self::Count,
        Self::Sum,
        Self::Min,
        Self::Max,
        Self::Mean,
        Self::Median,
        Self::StdDev,
        Self::P95,
        Self::P99,
        Self::Rate,
    ];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Sum => "sum",
            Self::Min => "min",
            Self::Max => "max",
            Self::Mean => "mean",
            Self::Median => "median",
            Self::StdDev => "std_dev",
            Self::P95 => "p95",
            Self::P99 => "p99",
            Self::Rate => "rate",
        }
    }

    pub(crate) fn names() -> String {
        Self::ALL.map(Self::as_str).join(", ")
    }

    /// Those that a list names, each once and in the order of the documentation.
    pub(crate) fn list(text: &str) -> Result<Vec<Self>, Error> {
        let mut list = BTreeSet::new();
        for name in text.split(',') {
            match Self::ALL.into_iter().find(|known| known.as_str() == name) {
                Some(known) => drop(list.insert(known)),
                None => {
                    let name: String = name.chars().take(100).collect();
                    return invalid(format!(
                        "aggregate has {name:?}, known are {}",
                        Self::names()
                    ));
                }
            }
        }
        Ok(list.into_iter().collect())
    }

    /// The quantile that it is.
    const fn share(self) -> Option<f64> {
        match self {
            Self::Median => Some(0.5),
            Self::P95 => Some(0.95),
            Self::P99 => Some(0.99),
            _ => None,
        }
    }
}

/// Samples of one step.
#[derive(Debug, Default)]
struct Bucket {
    count: f64,
    sum: f64,
    mean: f64,
    squares: f64,
    min: f64,
    max: f64,
    /// All values, where a quantile is wanted.
    values: Vec<f64>,
    rate: Option<f64>,
}

impl Bucket {
    fn add(&mut self, value: f64) {
        if self.count == 0.0 {
            (self.min, self.max) = (value, value);
        }
        self.count += 1.0;
        self.sum += value;
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        // Welford's way, which does not lose digits.
        let before = value - self.mean;
        self.mean += before / self.count;
        self.squares += before * (value - self.mean);
    }

    fn get(&self, aggregate: Aggregate) -> Option<f64> {
        let value = match aggregate {
            Aggregate::Count => self.count,
            Aggregate::Sum => self.sum,
            Aggregate::Min => self.min,
            Aggregate::Max => self.max,
            // Numbers that are endless have no middle that can be approached.
            Aggregate::Mean if self.sum.is_infinite() => self.sum,
            Aggregate::Mean => self.mean,
            Aggregate::StdDev => (self.squares / self.count).sqrt(),
            Aggregate::Median | Aggregate::P95 | Aggregate::P99 => {
                quantile(aggregate.share()?, &self.values)
            }
            Aggregate::Rate => return self.rate,
        };
        (self.count > 0.0 || aggregate == Aggregate::Count).then_some(value)
    }
}

/// How samples are taken together.
#[derive(Debug)]
pub(crate) struct Grouping<'a> {
    pub(crate) aggregates: &'a [Aggregate],
    pub(crate) step_ms: Option<i64>,
    /// Labels that a group shares beside the name and the tenant; without it each series is a group.
    pub(crate) by: Option<&'a BTreeSet<String>>,
}

/// A group's rows: when the step began, and a value for each aggregate.
#[derive(Debug, PartialEq)]
pub(crate) struct Group {
    pub(crate) labels: Labels,
    pub(crate) rows: Vec<(i64, Vec<Option<f64>>)>,
}

/// What a step costs beside the values that are kept.
const BUCKET_BYTES: usize = size_of::<Bucket>() + 64;

impl Grouping<'_> {
    /// Takes series together. A sample that is no number is in none of the aggregates.
    pub(crate) fn groups(
        &self,
        series: &[Series],
        from_ms: i64,
        budget: &mut Budget,
    ) -> Result<Vec<Group>, Error> {
        let mut groups: BTreeMap<Labels, BTreeMap<i64, Bucket>> = BTreeMap::new();
        for series in series {
            let labels = match self.by {
                None => series.labels.clone(),
                Some(by) => series
                    .labels
                    .only(|name| name == NAME_LABEL || name == TENANT_LABEL || by.contains(name)),
            };
            budget.take(labels.bytes())?;
            self.add(series, from_ms, groups.entry(labels).or_default(), budget)?;
        }
        let mut done = Vec::with_capacity(groups.len());
        for (labels, buckets) in groups {
            let mut rows = Vec::with_capacity(buckets.len());
            for (at_ms, mut bucket) in buckets {
                budget.steps(1 + bucket.values.len())?;
                budget.take(48 + self.aggregates.len() * size_of::<Option<f64>>())?;
                bucket.values.sort_unstable_by(f64::total_cmp);
                let values = self.aggregates.iter();
                rows.push((
                    at_ms,
                    values.map(|aggregate| bucket.get(*aggregate)).collect(),
                ));
                budget.give_back(bucket.values.capacity() * size_of::<f64>());
            }
            done.push(Group { labels, rows });
        }
        Ok(done)
    }

    /// When the step of a sample began.
    fn step_of(&self, at_ms: i64, from_ms: i64) -> i64 {
        match self.step_ms {
            Some(step_ms) => at_ms - at_ms.rem_euclid(step_ms),
            None => from_ms,
        }
    }

    fn add(
        &self,
        series: &Series,
        from_ms: i64,
        buckets: &mut BTreeMap<i64, Bucket>,
        budget: &mut Budget,
    ) -> Result<(), Error> {
        let keeps_values = self.aggregates.iter().any(|each| each.share().is_some());
        let mut samples = series.samples.iter().filter(|(_, value)| !value.is_nan());
        let mut next = samples.next();
        let mut before: Option<(i64, f64)> = None;
        while let Some(&(first_ms, _)) = next {
            let start_ms = self.step_of(first_ms, from_ms);
            if !buckets.contains_key(&start_ms) {
                budget.take(BUCKET_BYTES)?;
            }
            let bucket = buckets.entry(start_ms).or_default();
            let (mut increase, mut took_ms) = (0.0, 0);
            while let Some(&(at_ms, value)) = next
                && self.step_of(at_ms, from_ms) == start_ms
            {
                budget.step()?;
                bucket.add(value);
                if keeps_values {
                    budget.take(size_of::<f64>())?;
                    bucket.values.push(value);
                }
                if let Some((before_ms, counted)) = before {
                    // A counter that fell began anew from zero.
                    increase += if value >= counted {
                        value - counted
                    } else {
                        value
                    };
                    took_ms += at_ms - before_ms;
                }
                before = Some((at_ms, value));
                next = samples.next();
            }
            if took_ms > 0 {
                let rate = increase / seconds(took_ms);
                bucket.rate = Some(bucket.rate.unwrap_or(0.0) + rate);
            }
        }
        Ok(())
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "milliseconds are far below 2^53"
)]
fn seconds(millis: i64) -> f64 {
    millis as f64 / 1000.0
}

#[cfg(test)]
mod tests;
