//! The samples of one request, as every protocol's decoder hands them on.
//!
//! Strings are borrowed from the request's body wherever the format allows it, and all labels
//! share one vector, so that decoding costs no allocation per sample. Order is arrival order.

use std::borrow::Cow;
use std::cmp::Ordering;
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

/// What a series was at a time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    /// A number; a NaN keeps its bits, because a stale marker is one.
    Float(f64),
    /// A native histogram: its number for [`Batch::histogram`].
    Histogram(u32),
    /// An example observation: its number for [`Batch::exemplar`]. It travels as a sample does, but is
    /// none: ledgers do not count it.
    Exemplar(u32),
}

/// An example observation behind a series' samples.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchExemplar {
    /// The observed value.
    pub value: f64,
    labels: Range<usize>,
}

/// What is known of a metric family without a sample of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Family<'a> {
    /// The family's name: a classic histogram's without `_bucket`, `_sum`, `_count`.
    pub name: Cow<'a, str>,
    /// Its type.
    pub kind: MetricType,
    /// Its unit, or empty.
    pub unit: Cow<'a, str>,
    /// Its help text, or empty.
    pub help: Cow<'a, str>,
}

/// How many of each kind there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Float samples.
    pub floats: u64,
    /// Native histograms.
    pub histograms: u64,
    /// Exemplars, which are no samples.
    pub exemplars: u64,
}

impl Counts {
    /// Samples: floats and histograms.
    #[must_use]
    pub fn samples(self) -> u64 {
        self.floats + self.histograms
    }
}

/// Series numbers from here on are not a batch's but those of a catalogue, which knows the series from
/// earlier bodies: see [`Sample::known`].
pub const FIRST_KNOWN: u32 = 1 << 31;

/// One value of one series at one time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// Position in the request, from 0, as the sender counts. Several samples share it when the
    /// sender's one object becomes several series (a histogram's buckets).
    pub index: u32,
    /// Which series of the batch; or, from [`FIRST_KNOWN`] on, of a catalogue.
    pub series: u32,
    /// Milliseconds since the Unix epoch.
    pub at_ms: i64,
    /// When the counter behind it started, milliseconds since the Unix epoch; 0 when unknown. A native
    /// histogram has it in its message.
    pub start_ms: i64,
    /// The value.
    pub value: Value,
}

impl Sample {
    /// The number of its series in a catalogue, if it is not one of the batch.
    #[inline]
    #[must_use]
    pub const fn known(&self) -> Option<u32> {
        self.series.checked_sub(FIRST_KNOWN)
    }
}

/// Decoded samples of one request.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Batch<'a> {
    labels: Vec<Label<'a>>,
    series: Vec<Series<'a>>,
    samples: Vec<Sample>,
    histograms: Vec<Cow<'a, [u8]>>,
    exemplars: Vec<BatchExemplar>,
}

impl<'a> Batch<'a> {
    /// An empty batch with room for `samples` samples of `labels` labels each.
    #[must_use]
    pub fn with_capacity(samples: usize, labels: usize) -> Self {
        Self {
            labels: Vec::with_capacity(samples.saturating_mul(labels)),
            series: Vec::with_capacity(samples),
            samples: Vec::with_capacity(samples),
            ..Self::default()
        }
    }

    /// An empty batch with room for so many samples of series that a catalogue knows.
    #[must_use]
    pub fn with_samples(samples: usize) -> Self {
        Self {
            samples: Vec::with_capacity(samples),
            ..Self::default()
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

    /// Adds a number without a start time.
    pub fn push_float(&mut self, index: u32, series: u32, at_ms: i64, value: f64) {
        self.push(Sample {
            index,
            series,
            at_ms,
            start_ms: 0,
            value: Value::Float(value),
        });
    }

    /// Adds a native histogram: the `Histogram` message of remote write, which 1.0 and 2.0 share, with
    /// `at_ms` in its field `timestamp`. Whoever adds it has checked it.
    ///
    /// # Panics
    /// With more than 2^32 histograms, which no body limit lets in.
    pub fn push_histogram(
        &mut self,
        index: u32,
        series: u32,
        at_ms: i64,
        message: impl Into<Cow<'a, [u8]>>,
    ) {
        let number = u32::try_from(self.histograms.len()).expect("a body has less than 2^32");
        self.histograms.push(message.into());
        self.push(Sample {
            index,
            series,
            at_ms,
            start_ms: 0,
            value: Value::Histogram(number),
        });
    }

    /// Adds an exemplar whose labels are those pushed since `from`.
    ///
    /// # Panics
    /// With more than 2^32 exemplars, which no body limit lets in.
    pub fn push_exemplar(&mut self, index: u32, series: u32, at_ms: i64, value: f64, from: usize) {
        let number = u32::try_from(self.exemplars.len()).expect("a body has less than 2^32");
        self.exemplars.push(BatchExemplar {
            value,
            labels: from..self.labels.len(),
        });
        self.push(Sample {
            index,
            series,
            at_ms,
            start_ms: 0,
            value: Value::Exemplar(number),
        });
    }

    /// The message of a native histogram.
    #[must_use]
    pub fn histogram(&self, number: u32) -> &[u8] {
        self.histograms
            .get(number as usize)
            .map_or(&[], AsRef::as_ref)
    }

    /// An exemplar with its labels, in the sender's order.
    #[must_use]
    pub fn exemplar(&self, number: u32) -> Option<(&BatchExemplar, &[Label<'a>])> {
        let exemplar = self.exemplars.get(number as usize)?;
        let labels = self.labels.get(exemplar.labels.clone())?;
        Some((exemplar, labels))
    }

    /// Whether there may be an exemplar among the samples.
    #[must_use]
    pub fn has_exemplars(&self) -> bool {
        !self.exemplars.is_empty()
    }

    /// How many samples and exemplars there are.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        if self.histograms.is_empty() && self.exemplars.is_empty() {
            counts.floats = self.samples.len() as u64;
            return counts;
        }
        for sample in &self.samples {
            *match sample.value {
                Value::Float(_) => &mut counts.floats,
                Value::Histogram(_) => &mut counts.histograms,
                Value::Exemplar(_) => &mut counts.exemplars,
            } += 1;
        }
        counts
    }

    /// Roughly what this takes in memory beside what it borrows, in bytes: many times its body where that was made for it.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        self.labels.capacity() * size_of::<Label<'_>>()
            + self.series.capacity() * size_of::<Series<'_>>()
            + self.samples.capacity() * size_of::<Sample>()
            + self.histograms.capacity() * size_of::<Cow<'_, [u8]>>()
            + self.exemplars.capacity() * size_of::<BatchExemplar>()
    }

    /// The samples, and exemplars among them, in arrival order.
    #[must_use]
    pub fn samples(&self) -> &[Sample] {
        &self.samples
    }

    /// The samples, for what a body says of them only after them.
    pub fn samples_mut(&mut self) -> &mut [Sample] {
        &mut self.samples
    }

    /// All series, in the order of their numbers.
    #[must_use]
    pub fn all_series(&self) -> &[Series<'a>] {
        &self.series
    }

    /// The series with this number, if it is one of the batch.
    #[inline]
    #[must_use]
    pub fn series(&self, number: u32) -> Option<&Series<'a>> {
        self.series.get(number as usize)
    }

    /// The labels of a series, in the sender's order.
    #[must_use]
    pub fn labels(&self, series: &Series<'a>) -> &[Label<'a>] {
        self.labels.get(series.labels.clone()).unwrap_or_default()
    }

    /// Gives every series these labels, in place of its own of the same names.
    pub fn set_labels(&mut self, set: &[Label<'a>]) {
        let own = std::mem::take(&mut self.labels);
        self.labels
            .reserve(own.len() + set.len() * self.series.len());
        for series in &mut self.series {
            let from = self.labels.len();
            let kept = own.get(series.labels.clone()).unwrap_or_default();
            let is_kept = |label: &&Label<'a>| set.iter().all(|it| it.name != label.name);
            self.labels.extend(kept.iter().filter(is_kept).cloned());
            self.labels.extend_from_slice(set);
            series.labels = from..self.labels.len();
        }
        for exemplar in &mut self.exemplars {
            let from = self.labels.len();
            let kept = own.get(exemplar.labels.clone()).unwrap_or_default();
            self.labels.extend_from_slice(kept);
            exemplar.labels = from..self.labels.len();
        }
    }

    /// Sorts each series' labels by name and drops empty values, which mean "no such label".
    ///
    /// Duplicates stay beside each other, so that a check needs only neighbours.
    pub fn sort_labels(&mut self) {
        // Series that were closed with the same labels have them once: sorting them again would take a time for each.
        let mut sorted: Option<(Range<usize>, Range<usize>)> = None;
        for series in &mut self.series {
            let before = series.labels.clone();
            if let Some((known, after)) = &sorted
                && *known == before
            {
                series.labels = after.clone();
                continue;
            }
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
            } else if !labels.is_sorted_by(|a, b| by_name(&a.name, &b.name).is_le()) {
                labels.sort_by(|a, b| by_name(&a.name, &b.name));
            }
            sorted = Some((before, series.labels.clone()));
        }
    }

    /// Keeps only the samples that `keep` says yes to.
    pub fn retain(&mut self, keep: impl FnMut(&Sample) -> bool) {
        self.samples.retain(keep);
    }
}

/// The order of two names, which their first bytes mostly tell.
#[inline]
fn by_name(a: &str, b: &str) -> Ordering {
    match (a.as_bytes(), b.as_bytes()) {
        ([a, ..], [b, ..]) if a != b => a.cmp(b),
        _ => a.cmp(b),
    }
}

#[cfg(test)]
mod tests;
