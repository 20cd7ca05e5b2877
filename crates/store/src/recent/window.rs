//! The data behind the recent window.

mod names;

use std::collections::VecDeque;
use std::hash::BuildHasher as _;

use foldhash::quality::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry as Slot;
use model::MetricType;
use serde::Serialize;

use super::texts::{NONE, Texts};
use super::{Config, Query};
use crate::Item;
use crate::select::{Seen, Select, Stopped, Wanted};

pub use names::NameRow;

type Labels = Vec<(String, String)>;

/// One sample, as the API shows it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SampleRow {
    /// The metric name.
    pub metric_name: String,
    /// Unix milliseconds.
    pub timestamp: i64,
    /// The value; what JSON has no number for is a string (`"NaN"`, `"+Inf"`, `"-Inf"`).
    #[serde(serialize_with = "json_number")]
    pub value: f64,
    /// Labels without the name, sorted.
    #[serde(serialize_with = "json_object")]
    pub labels: Labels,
}

/// One series, as the API shows it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SeriesRow {
    /// The metric name.
    pub metric_name: String,
    /// Labels without the name, sorted.
    #[serde(serialize_with = "json_object")]
    pub labels: Labels,
    /// What the sender said it is, or `unknown`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Unix milliseconds.
    pub last_timestamp: i64,
    /// The value at that time.
    #[serde(serialize_with = "json_number")]
    pub last_value: f64,
}

fn json_number<S: serde::Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        value if value.is_finite() => serializer.serialize_f64(*value),
        value if value.is_nan() => serializer.serialize_str("NaN"),
        value if value.is_sign_positive() => serializer.serialize_str("+Inf"),
        _ => serializer.serialize_str("-Inf"),
    }
}

fn json_object<S: serde::Serializer>(labels: &Labels, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(labels.iter().map(|(name, value)| (name, value)))
}

#[derive(Debug)]
struct Entry {
    /// The numbers of the tenant's and the metric's texts, then of names and values.
    parts: Box<[u32]>,
    kind: MetricType,
    points: VecDeque<(i64, f64)>,
    received_at_ms: i64,
}

/// Bytes that a series costs beside its labels and points: its place in the table, vectors, headers.
const SERIES_OVERHEAD_BYTES: usize = 120;
const POINT_BYTES: usize = size_of::<(i64, f64)>();

impl Entry {
    /// The numbers of its tenant's and its metric's texts.
    fn whose(&self) -> Option<(u32, u32)> {
        match *self.parts {
            [tenant, metric, ..] => Some((tenant, metric)),
            _ => None,
        }
    }

    fn size_bytes(&self) -> usize {
        SERIES_OVERHEAD_BYTES
            + self.parts.len() * size_of::<u32>()
            + self.points.capacity() * POINT_BYTES
    }
}

#[derive(Debug)]
pub(super) struct Window {
    texts: Texts,
    entries: HashTable<Entry>,
    hasher: RandomState,
    /// The series that is looked for.
    wanted: Vec<u32>,
    pub(super) size_bytes: usize,
    max_size_bytes: usize,
    max_points: usize,
    window_ms: i64,
    newest_ms: i64,
}

impl Window {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            texts: Texts::default(),
            entries: HashTable::new(),
            hasher: RandomState::default(),
            wanted: Vec::new(),
            size_bytes: 0,
            max_size_bytes: config.max_size.bytes(),
            max_points: config.max_points.max(1),
            window_ms: i64::try_from(config.window.0.as_millis()).unwrap_or(i64::MAX),
            newest_ms: i64::MIN,
        }
    }

    pub(super) fn insert(&mut self, item: &Item) {
        let parts = item.parts();
        let points = parts.points;
        if points.is_empty() {
            return;
        }
        let view = parts.view;
        self.newest_ms = self.newest_ms.max(item.source.received_at_ms);
        let Self {
            texts,
            entries,
            hasher,
            wanted,
            ..
        } = self;
        let before = texts.size_bytes();
        texts.number_series(view, item.tenant.as_ref(), wanted);
        self.size_bytes += texts.size_bytes() - before;
        let slot = entries.entry(
            hasher.hash_one(wanted.as_slice()),
            |entry| *entry.parts == **wanted,
            |entry| hasher.hash_one(&*entry.parts),
        );
        let entry = match slot {
            Slot::Occupied(slot) => slot.into_mut(),
            Slot::Vacant(slot) => {
                let entry = Entry {
                    parts: wanted.as_slice().into(),
                    kind: view.kind(),
                    points: VecDeque::new(),
                    received_at_ms: i64::MIN,
                };
                self.size_bytes += entry.size_bytes();
                slot.insert(entry).into_mut()
            }
        };
        let before = entry.points.capacity();
        for point in points {
            if entry.points.len() >= self.max_points {
                entry.points.pop_front();
            }
            entry.points.push_back((point.at_ms, point.value));
        }
        self.size_bytes += (entry.points.capacity().saturating_sub(before)) * POINT_BYTES;
        entry.received_at_ms = item.source.received_at_ms;
        if view.kind() != MetricType::Unspecified {
            entry.kind = view.kind();
        }
    }

    /// Brings the window back below its bound, if it is above.
    pub(super) fn shrink(&mut self) {
        if self.size_bytes <= self.max_size_bytes {
            return;
        }
        let oldest_ms = self.newest_ms.saturating_sub(self.window_ms);
        self.retain(|entry| entry.received_at_ms >= oldest_ms);
        while self.size_bytes > self.max_size_bytes && self.max_points > 1 {
            self.max_points = (self.max_points / 2).max(1);
            let keep = self.max_points;
            for entry in &mut self.entries {
                entry
                    .points
                    .drain(..entry.points.len().saturating_sub(keep));
                entry.points.shrink_to(keep);
            }
            self.retain(|_| true);
        }
        if self.size_bytes > self.max_size_bytes {
            let mut received: Vec<i64> = self
                .entries
                .iter()
                .map(|entry| entry.received_at_ms)
                .collect();
            received.sort_unstable();
            // A tenth at once, so that the sorting is paid for by many insertions.
            let cut_ms = received
                .get(received.len() / 10)
                .copied()
                .unwrap_or(i64::MIN);
            let mut left = received.len() / 10 + 1;
            self.retain(|entry| {
                let goes = entry.received_at_ms <= cut_ms && left > 0;
                left -= usize::from(goes);
                !goes
            });
        }
    }

    fn retain(&mut self, mut keep: impl FnMut(&Entry) -> bool) {
        let mut size_bytes = 0;
        self.entries.retain(|entry| {
            let kept = keep(entry);
            size_bytes += if kept { entry.size_bytes() } else { 0 };
            kept
        });
        let used = self.entries.iter().flat_map(|entry| &entry.parts);
        self.texts.keep(used.copied());
        self.size_bytes = size_bytes + self.texts.size_bytes();
    }

    fn matching<'a>(&'a self, query: &'a Query) -> impl Iterator<Item = (&'a Entry, Shown<'a>)> {
        let oldest_ms = self.newest_ms.saturating_sub(self.window_ms);
        self.entries
            .iter()
            .filter(move |entry| entry.received_at_ms >= oldest_ms)
            .map(|entry| (entry, Shown::new(&self.texts, &entry.parts)))
            .filter(|(_, shown)| shown.matches(query))
    }

    /// Gives what is wanted, series by series.
    pub(super) fn visit(&self, select: &mut dyn Select) -> Result<(), Stopped> {
        let (from_ms, to_ms) = select.range();
        let names = select.names();
        let oldest_ms = self.newest_ms.saturating_sub(self.window_ms);
        for entry in &self.entries {
            select.go_on()?;
            let Some((tenant, metric)) = entry.whose() else {
                continue;
            };
            if entry.received_at_ms < oldest_ms || !names.want(self.texts.text(metric)) {
                continue;
            }
            let is_wanted = |point: &&(i64, f64)| (from_ms..=to_ms).contains(&point.0);
            let mut points = entry.points.iter().filter(is_wanted).peekable();
            if points.peek().is_none() {
                continue;
            }
            let shown = Shown::new(&self.texts, &entry.parts);
            let seen = Seen {
                metric: shown.metric,
                labels: &shown.labels,
                tenant: (tenant != NONE).then(|| self.texts.text(tenant)),
                kind: entry.kind,
            };
            if select.series(&seen)? == Wanted::Samples {
                points.try_for_each(|&(at_ms, value)| select.sample(at_ms, value))?;
            }
        }
        Ok(())
    }

    pub(super) fn samples(&self, query: &Query) -> Vec<SampleRow> {
        let series: Vec<(&Entry, Shown<'_>)> = self.matching(query).collect();
        let mut found: Vec<(i64, f64, &Shown<'_>)> = series
            .iter()
            .flat_map(|(entry, shown)| {
                let points = entry.points.iter();
                points.map(move |&(at_ms, value)| (at_ms, value, shown))
            })
            .collect();
        // Stable, so that points of one series with equal times stay in arrival order.
        found.sort_by(|a, b| (a.0, a.2).cmp(&(b.0, b.2)));
        let skip = found.len().saturating_sub(query.limit);
        found
            .into_iter()
            .skip(skip)
            .map(|(timestamp, value, shown)| SampleRow {
                metric_name: shown.metric.to_owned(),
                timestamp,
                value,
                labels: shown.labels(),
            })
            .collect()
    }

    pub(super) fn series(&self, query: &Query) -> Vec<SeriesRow> {
        let mut found: Vec<(&Entry, Shown<'_>)> = self.matching(query).collect();
        found.sort_by(|a, b| a.1.cmp(&b.1));
        found
            .into_iter()
            .take(query.limit)
            .filter_map(|(entry, shown)| {
                let &(last_timestamp, last_value) = entry.points.back()?;
                Some(SeriesRow {
                    metric_name: shown.metric.to_owned(),
                    labels: shown.labels(),
                    kind: entry.kind.as_str(),
                    last_timestamp,
                    last_value,
                })
            })
            .collect()
    }
}

/// A series as its texts.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Shown<'a> {
    metric: &'a str,
    labels: Vec<(&'a str, &'a str)>,
}

impl<'a> Shown<'a> {
    fn new(texts: &'a Texts, parts: &[u32]) -> Self {
        let (metric, labels) = match parts {
            [_, metric, labels @ ..] => (*metric, labels),
            _ => (NONE, parts),
        };
        let (labels, _) = labels.as_chunks::<2>();
        let texts_of = |&[name, value]: &[u32; 2]| (texts.text(name), texts.text(value));
        let mut labels: Vec<(&str, &str)> = labels.iter().map(texts_of).collect();
        // They nearly always are.
        if !labels.is_sorted() {
            labels.sort_unstable();
        }
        Self {
            metric: texts.text(metric),
            labels,
        }
    }

    fn matches(&self, query: &Query) -> bool {
        let name = query.metric_name.as_deref();
        name.is_none_or(|name| name == self.metric)
            && query
                .labels
                .iter()
                .all(|(name, value)| self.labels.contains(&(name.as_str(), value.as_str())))
    }

    fn labels(&self) -> Labels {
        let owned = |text: &str| text.to_owned();
        let labels = self.labels.iter();
        labels
            .map(|(name, value)| (owned(name), owned(value)))
            .collect()
    }
}
