//! The data behind the recent window.

use std::collections::VecDeque;
use std::hash::{BuildHasher, Hash, Hasher};

use foldhash::quality::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry as Slot;
use model::{MetricType, NAME_LABEL, SeriesView};
use serde::Serialize;

use super::{Config, Query};
use crate::Item;

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
    metric: Box<str>,
    labels: Labels,
    kind: MetricType,
    points: VecDeque<(i64, f64)>,
    received_at_ms: i64,
}

/// Bytes that a series costs beside its text and points: its place in the table, vectors, headers.
const SERIES_OVERHEAD_BYTES: usize = 200;
const POINT_BYTES: usize = size_of::<(i64, f64)>();

impl Entry {
    fn size_bytes(&self) -> usize {
        let text: usize = self
            .labels
            .iter()
            .map(|(name, value)| name.len() + value.len() + 48)
            .sum();
        SERIES_OVERHEAD_BYTES + self.metric.len() + text + self.points.capacity() * POINT_BYTES
    }

    fn key(&self) -> (&str, &Labels) {
        (&self.metric, &self.labels)
    }

    fn matches(&self, query: &Query) -> bool {
        let name = query.metric_name.as_deref();
        name.is_none_or(|name| *name == *self.metric)
            && query
                .labels
                .iter()
                .all(|wanted| self.labels.contains(wanted))
    }

    fn is_of(&self, view: SeriesView<'_>) -> bool {
        *self.metric == *view.name()
            && labels_of(view).eq(self
                .labels
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str())))
    }
}

/// Labels without the name.
fn labels_of<'a>(view: SeriesView<'a>) -> impl Iterator<Item = (&'a str, &'a str)> {
    view.labels().filter(|(name, _)| *name != NAME_LABEL)
}

fn hash<'x>(
    hasher: &RandomState,
    metric: &str,
    labels: impl Iterator<Item = (&'x str, &'x str)>,
) -> u64 {
    let mut state = hasher.build_hasher();
    metric.hash(&mut state);
    labels.for_each(|label| label.hash(&mut state));
    state.finish()
}

#[derive(Debug)]
pub(super) struct Window {
    entries: HashTable<Entry>,
    hasher: RandomState,
    pub(super) size_bytes: usize,
    max_size_bytes: usize,
    max_points: usize,
    window_ms: i64,
    newest_ms: i64,
}

impl Window {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            entries: HashTable::new(),
            hasher: RandomState::default(),
            size_bytes: 0,
            max_size_bytes: config.max_size.bytes(),
            max_points: config.max_points.max(1),
            window_ms: i64::try_from(config.window.0.as_millis()).unwrap_or(i64::MAX),
            newest_ms: i64::MIN,
        }
    }

    pub(super) fn insert(&mut self, item: &Item) {
        let points = item.points();
        if points.is_empty() {
            return;
        }
        let view = item.view();
        self.newest_ms = self.newest_ms.max(item.source.received_at_ms);
        let Self {
            entries, hasher, ..
        } = self;
        let slot = entries.entry(
            hash(hasher, view.name(), labels_of(view)),
            |entry| entry.is_of(view),
            |entry| {
                let labels = entry.labels.iter();
                let labels = labels.map(|(name, value)| (name.as_str(), value.as_str()));
                hash(hasher, &entry.metric, labels)
            },
        );
        let entry = match slot {
            Slot::Occupied(slot) => slot.into_mut(),
            Slot::Vacant(slot) => {
                let entry = Entry {
                    metric: view.name().into(),
                    labels: labels_of(view)
                        .map(|(name, value)| (name.to_owned(), value.to_owned()))
                        .collect(),
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
        self.size_bytes = size_bytes;
    }

    fn matching<'a>(&'a self, query: &'a Query) -> impl Iterator<Item = &'a Entry> {
        let oldest_ms = self.newest_ms.saturating_sub(self.window_ms);
        self.entries
            .iter()
            .filter(move |entry| entry.received_at_ms >= oldest_ms && entry.matches(query))
    }

    pub(super) fn samples(&self, query: &Query) -> Vec<SampleRow> {
        let mut found: Vec<(i64, f64, &Entry)> = self
            .matching(query)
            .flat_map(|entry| {
                let points = entry.points.iter();
                points.map(move |&(at_ms, value)| (at_ms, value, entry))
            })
            .collect();
        // Stable, so that points of one series with equal times stay in arrival order.
        found.sort_by(|a, b| (a.0, a.2.key()).cmp(&(b.0, b.2.key())));
        let skip = found.len().saturating_sub(query.limit);
        found
            .into_iter()
            .skip(skip)
            .map(|(timestamp, value, entry)| SampleRow {
                metric_name: entry.metric.as_ref().to_owned(),
                timestamp,
                value,
                labels: entry.labels.clone(),
            })
            .collect()
    }

    pub(super) fn series(&self, query: &Query) -> Vec<SeriesRow> {
        let mut found: Vec<&Entry> = self.matching(query).collect();
        found.sort_by(|a, b| a.key().cmp(&b.key()));
        found
            .into_iter()
            .take(query.limit)
            .filter_map(|entry| {
                let &(last_timestamp, last_value) = entry.points.back()?;
                Some(SeriesRow {
                    metric_name: entry.metric.as_ref().to_owned(),
                    labels: entry.labels.clone(),
                    kind: entry.kind.as_str(),
                    last_timestamp,
                    last_value,
                })
            })
            .collect()
    }
}
