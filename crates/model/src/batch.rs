//! The samples of one request, as every protocol's decoder hands them on.
//!
//! Strings are borrowed from the request's body wherever the format allows it, and all labels
//! share one vector, so that decoding costs no allocation per sample. Order is arrival order.

use std::borrow::Cow;
use std::ops::Range;

use crate::MetricType;

/// A label: never `__name__`, which is a field of its own in [`Series`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label<'a> {
    /// The label's name.
    pub name: Cow<'a, str>,
    /// The label's value.
    pub value: Cow<'a, str>,
}

/// What the samples of one series have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series<'a> {
    /// The metric name, which is also the record's key.
    pub name: Cow<'a, str>,
    /// The type that the sender stated.
    pub kind: MetricType,
    /// The unit that the sender stated, or empty.
    pub unit: Cow<'a, str>,
    /// The help text that the sender stated, or empty.
    pub help: Cow<'a, str>,
    labels: Range<usize>,
}

/// One value of one series at one time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// Position in the request, from 0, as the sender counts. Several samples share it when the
    /// sender's one object becomes several series (a histogram's buckets).
    pub index: u32,
    /// Which series of the batch.
    pub series: u32,
    /// Milliseconds since the Unix epoch.
    pub at_ms: i64,
    /// The value; a NaN keeps its bits, because a stale marker is one.
    pub value: f64,
}

/// Decoded samples of one request.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Batch<'a> {
    labels: Vec<Label<'a>>,
    series: Vec<Series<'a>>,
    samples: Vec<Sample>,
}

impl<'a> Batch<'a> {
    /// An empty batch with room for `samples` samples of `labels` labels each.
    #[must_use]
    pub fn with_capacity(samples: usize, labels: usize) -> Self {
        Self {
            labels: Vec::with_capacity(samples.saturating_mul(labels)),
            series: Vec::with_capacity(samples),
            samples: Vec::with_capacity(samples),
        }
    }

    /// Adds a label to the series that [`Self::close_series`] will close.
    pub fn push_label(&mut self, name: impl Into<Cow<'a, str>>, value: impl Into<Cow<'a, str>>) {
        self.labels.push(Label {
            name: name.into(),
            value: value.into(),
        });
    }

    /// How many labels have been pushed; the start of the next series' labels.
    #[must_use]
    pub fn open_labels(&self) -> usize {
        self.labels.len()
    }

    /// The labels pushed since `from`, which no series has yet.
    #[must_use]
    pub fn labels_since(&self, from: usize) -> &[Label<'a>] {
        self.labels.get(from..).unwrap_or_default()
    }

    /// Drops the labels pushed since `from`, for a series that turned out to be bad.
    pub fn drop_labels(&mut self, from: usize) {
        self.labels.truncate(from);
    }

    /// Makes a series of the labels since `from` and answers its number.
    ///
    /// # Panics
    /// With more than 2^32 series, which no body limit lets in.
    pub fn close_series(&mut self, name: impl Into<Cow<'a, str>>, from: usize) -> u32 {
        let number = u32::try_from(self.series.len()).expect("a body has less than 2^32 series");
        self.series.push(Series {
            name: name.into(),
            kind: MetricType::Unspecified,
            unit: Cow::Borrowed(""),
            help: Cow::Borrowed(""),
            labels: from..self.labels.len(),
        });
        number
    }

    /// Adds what the sender says about a series.
    pub fn describe(
        &mut self,
        series: u32,
        kind: MetricType,
        unit: impl Into<Cow<'a, str>>,
        help: impl Into<Cow<'a, str>>,
    ) {
        if let Some(series) = self.series.get_mut(series as usize) {
            series.kind = kind;
            series.unit = unit.into();
            series.help = help.into();
        }
    }

    /// Adds a sample.
    pub fn push(&mut self, sample: Sample) {
        self.samples.push(sample);
    }

    /// The samples in arrival order.
    #[must_use]
    pub fn samples(&self) -> &[Sample] {
        &self.samples
    }

    /// All series, in the order of their numbers.
    #[must_use]
    pub fn all_series(&self) -> &[Series<'a>] {
        &self.series
    }

    /// The series with this number.
    #[must_use]
    pub fn series(&self, number: u32) -> Option<&Series<'a>> {
        self.series.get(number as usize)
    }

    /// The labels of a series, in the sender's order.
    #[must_use]
    pub fn labels(&self, series: &Series<'a>) -> &[Label<'a>] {
        self.labels.get(series.labels.clone()).unwrap_or_default()
    }

    /// Sorts each series' labels by name and drops empty values, which mean "no such label".
    ///
    /// Duplicates stay beside each other, so that a check needs only neighbours.
    pub fn sort_labels(&mut self) {
        for series in &mut self.series {
            let Some(labels) = self.labels.get_mut(series.labels.clone()) else {
                continue;
            };
            if labels.iter().any(|label| label.value.is_empty()) {
                // Empty ones to the end, then cut them off.
                labels.sort_by(|a, b| {
                    (a.value.is_empty(), &a.name).cmp(&(b.value.is_empty(), &b.name))
                });
                let kept = labels
                    .iter()
                    .filter(|label| !label.value.is_empty())
                    .count();
                series.labels.end = series.labels.start + kept;
            } else if !labels.is_sorted_by(|a, b| a.name <= b.name) {
                labels.sort_by(|a, b| a.name.cmp(&b.name));
            }
        }
    }

    /// Keeps only the samples that `keep` says yes to.
    pub fn retain(&mut self, keep: impl FnMut(&Sample) -> bool) {
        self.samples.retain(keep);
    }
}
