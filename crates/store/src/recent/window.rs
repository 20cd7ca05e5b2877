//! The data behind the recent window.

use std::collections::{HashMap, VecDeque};
use std::fmt::Write as _;

use model::{MetricType, NAME_LABEL};
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
    labels: Labels,
    kind: MetricType,
    points: VecDeque<(i64, f64)>,
    received_at_ms: i64,
}

/// Bytes that a series costs beside its text and points: map entries, vectors, headers.
const SERIES_OVERHEAD_BYTES: usize = 200;
const POINT_BYTES: usize = size_of::<(i64, f64)>();

impl Entry {
    fn size_bytes(&self, key: &str) -> usize {
        let text: usize = self
            .labels
            .iter()
            .map(|(name, value)| name.len() + value.len() + 48)
            .sum();
        SERIES_OVERHEAD_BYTES + key.len() + text + self.points.capacity() * POINT_BYTES
    }

    fn matches(&self, query: &Query) -> bool {
        query
            .labels
            .iter()
            .all(|wanted| self.labels.contains(wanted))
    }
}

#[derive(Debug)]
pub(super) struct Window {
    metrics: HashMap<String, HashMap<String, Entry>>,
    pub(super) size_bytes: usize,
    max_size_bytes: usize,
    max_points: usize,
    window_ms: i64,
    newest_ms: i64,
    key: String,
}

impl Window {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            metrics: HashMap::new(),
            size_bytes: 0,
            max_size_bytes: config.max_size.bytes(),
            max_points: config.max_points.max(1),
            window_ms: i64::try_from(config.window.0.as_millis()).unwrap_or(i64::MAX),
            newest_ms: i64::MIN,
            key: String::new(),
        }
    }

    pub(super) fn insert(&mut self, item: &Item) {
        let points = item.points();
        if points.is_empty() {
            return;
        }
        let view = item.view();
        self.newest_ms = self.newest_ms.max(item.source.received_at_ms);
        self.key.clear();
        for (name, value) in view.labels().filter(|(name, _)| *name != NAME_LABEL) {
            // Lengths keep label sets apart whatever characters they hold.
            write!(self.key, "{}:{name}{}:{value}", name.len(), value.len())
                .expect("text takes everything");
        }
        if !self.metrics.contains_key(view.name()) {
            self.metrics.insert(view.name().to_owned(), HashMap::new());
        }
        let Some(series) = self.metrics.get_mut(view.name()) else {
            return;
        };
        if !series.contains_key(&self.key) {
            let labels = view
                .labels()
                .filter(|(name, _)| *name != NAME_LABEL)
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect();
            let entry = Entry {
                labels,
                kind: view.kind(),
                points: VecDeque::new(),
                received_at_ms: i64::MIN,
            };
            self.size_bytes += entry.size_bytes(&self.key);
            series.insert(self.key.clone(), entry);
        }
        let Some(entry) = series.get_mut(&self.key) else {
            return;
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
            for entry in self.metrics.values_mut().flat_map(HashMap::values_mut) {
                entry
                    .points
                    .drain(..entry.points.len().saturating_sub(keep));
                entry.points.shrink_to(keep);
            }
            self.retain(|_| true);
        }
        if self.size_bytes > self.max_size_bytes {
            let mut received: Vec<i64> = self
                .metrics
                .values()
                .flat_map(HashMap::values)
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
        self.metrics.retain(|_, series| {
            series.retain(|key, entry| {
                let kept = keep(entry);
                size_bytes += if kept { entry.size_bytes(key) } else { 0 };
                kept
            });
            !series.is_empty()
        });
        self.size_bytes = size_bytes;
    }

    fn matching<'a>(&'a self, query: &'a Query) -> impl Iterator<Item = (&'a str, &'a Entry)> {
        let one = query
            .metric_name
            .as_ref()
            .map(|name| self.metrics.get_key_value(name));
        let all = if one.is_none() {
            Some(self.metrics.iter())
        } else {
            None
        };
        let oldest_ms = self.newest_ms.saturating_sub(self.window_ms);
        one.flatten()
            .into_iter()
            .chain(all.into_iter().flatten())
            .flat_map(|(name, series)| series.values().map(move |entry| (name.as_str(), entry)))
            .filter(move |(_, entry)| entry.received_at_ms >= oldest_ms && entry.matches(query))
    }

    pub(super) fn samples(&self, query: &Query) -> Vec<SampleRow> {
        let mut found: Vec<(i64, f64, &str, &Entry)> = self
            .matching(query)
            .flat_map(|(name, entry)| {
                entry
                    .points
                    .iter()
                    .map(move |&(at_ms, value)| (at_ms, value, name, entry))
            })
            .collect();
        // Stable, so that points of one series with equal times stay in arrival order.
        found.sort_by(|a, b| (a.0, a.2, &a.3.labels).cmp(&(b.0, b.2, &b.3.labels)));
        let skip = found.len().saturating_sub(query.limit);
        found
            .into_iter()
            .skip(skip)
            .map(|(timestamp, value, name, entry)| SampleRow {
                metric_name: name.to_owned(),
                timestamp,
                value,
                labels: entry.labels.clone(),
            })
            .collect()
    }

    pub(super) fn series(&self, query: &Query) -> Vec<SeriesRow> {
        let mut found: Vec<(&str, &Entry)> = self.matching(query).collect();
        found.sort_by(|a, b| (a.0, &a.1.labels).cmp(&(b.0, &b.1.labels)));
        found
            .into_iter()
            .take(query.limit)
            .filter_map(|(name, entry)| {
                let &(last_timestamp, last_value) = entry.points.back()?;
                Some(SeriesRow {
                    metric_name: name.to_owned(),
                    labels: entry.labels.clone(),
                    kind: entry.kind.as_str(),
                    last_timestamp,
                    last_value,
                })
            })
            .collect()
    }
}
