//! A batch as rows: split by day, sorted by metric, labels and time.
//!
//! Rows are references into the batch's items, 8 bytes each; nothing of a sample is copied before
//! its row group is encoded. A batch holds a series many times, so series are found by hash and only
//! they are sorted by their texts.

use std::collections::BTreeMap;
use std::hash::BuildHasher;

use foldhash::quality::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use model::NAME_LABEL;

use super::layout::Day;
use crate::Item;

/// What a series is sorted by.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key<T> {
    /// The metric name.
    pub(super) metric: T,
    /// The other labels, sorted by name, each name once: a map with a key twice is unreadable for some readers.
    pub(super) labels: Vec<(T, T)>,
}

/// The series of a batch.
#[derive(Debug, Default)]
struct SeriesTable<'a> {
    keys: Vec<Key<&'a str>>,
    numbers: HashTable<u32>,
    hasher: RandomState,
    /// The labels that are looked for.
    labels: Vec<(&'a str, &'a str)>,
}

impl<'a> SeriesTable<'a> {
    /// The number of an item's series, which is added if it is new.
    fn number(&mut self, item: &'a Item) -> u32 {
        let Self {
            keys,
            numbers,
            hasher,
            labels,
        } = self;
        let mut metric = "";
        labels.clear();
        for (name, value) in item.view().labels() {
            if name != NAME_LABEL {
                labels.push((name, value));
            } else if metric.is_empty() {
                metric = value;
            }
        }
        if !labels.is_sorted_by(|(a, _), (b, _)| a < b) {
            labels.sort_by_key(|(name, _)| *name);
            labels.dedup_by_key(|(name, _)| *name);
        }
        let hash = |metric: &str, labels: &[(&str, &str)]| hasher.hash_one((metric, labels));
        let key_of = |number: &u32| keys.get(*number as usize);
        let entry = numbers.entry(
            hash(metric, labels),
            |number| {
                key_of(number).is_some_and(|key| key.metric == metric && key.labels == *labels)
            },
            |number| key_of(number).map_or(0, |key| hash(key.metric, &key.labels)),
        );
        match entry {
            Entry::Occupied(entry) => *entry.get(),
            Entry::Vacant(slot) => {
                let number = u32::try_from(keys.len()).unwrap_or(u32::MAX);
                slot.insert(number);
                keys.push(Key {
                    metric,
                    labels: labels.clone(),
                });
                number
            }
        }
    }
}

/// A sample of an item: points first, then histograms.
#[derive(Debug, Clone, Copy)]
struct Row {
    item: u32,
    sample: u32,
}

/// What a row holds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value<'a> {
    /// A float.
    Float(f64),
    /// A native histogram's message.
    Histogram(&'a [u8]),
}

/// One row of a file.
#[derive(Debug)]
pub(super) struct Sample<'r, T> {
    /// Its series.
    pub(super) key: &'r Key<T>,
    /// Milliseconds since the Unix epoch.
    pub(super) at_ms: i64,
    /// Its value.
    pub(super) value: Value<'r>,
    /// Whose it is.
    pub(super) tenant: Option<&'r str>,
}

/// The rows of a batch.
#[derive(Debug)]
pub(super) struct Rows<'a> {
    items: &'a [Item],
    keys: Vec<Key<&'a str>>,
    /// Which of `keys` each item has.
    series: Vec<u32>,
    days: BTreeMap<Day, Vec<Row>>,
}

impl<'a> Rows<'a> {
    /// Sorts the samples of `items`.
    pub(super) fn new(items: &'a [Item]) -> Self {
        let mut table = SeriesTable::default();
        let series: Vec<u32> = items.iter().map(|item| table.number(item)).collect();
        let keys = table.keys;
        let mut days: BTreeMap<Day, Vec<Row>> = BTreeMap::new();
        let mut rows: Vec<(i64, Row)> = Vec::new();
        for same_series in in_order(&keys, &series).chunk_by(|(a, _), (b, _)| a == b) {
            rows.clear();
            for &(_, number) in same_series {
                let Some(item) = items.get(number as usize) else {
                    continue;
                };
                let floats = item.points().iter().map(|point| point.at_ms);
                let histograms = item.histograms().iter().map(|histogram| histogram.at_ms);
                rows.extend(
                    floats
                        .chain(histograms)
                        .zip(0_u32..)
                        .map(|(at_ms, sample)| {
                            let row = Row {
                                item: number,
                                sample,
                            };
                            (at_ms, row)
                        }),
                );
            }
            // Stable: samples of one time stay in the order in which they came.
            rows.sort_by_key(|(at_ms, _)| *at_ms);
            for same_day in rows.chunk_by(|(a, _), (b, _)| Day::of(*a) == Day::of(*b)) {
                if let Some((at_ms, _)) = same_day.first() {
                    days.entry(Day::of(*at_ms))
                        .or_default()
                        .extend(same_day.iter().map(|(_, row)| *row));
                }
            }
        }
        Self {
            items,
            keys,
            series,
            days,
        }
    }

    /// The days that have samples.
    pub(super) fn days(&self) -> impl Iterator<Item = Day> {
        self.days.keys().copied()
    }

    /// The samples of a day in the order of its file.
    pub(super) fn of_day(&self, day: Day) -> impl Iterator<Item = Sample<'_, &'a str>> {
        self.days
            .get(&day)
            .into_iter()
            .flatten()
            .filter_map(|row| self.sample(*row))
    }

    fn sample(&self, row: Row) -> Option<Sample<'_, &'a str>> {
        let item = self.items.get(row.item as usize)?;
        let sample = row.sample as usize;
        let points = item.points();
        let (at_ms, value) = match points.get(sample) {
            Some(point) => (point.at_ms, Value::Float(point.value)),
            None => {
                let histogram = item.histograms().get(sample - points.len())?;
                (histogram.at_ms, Value::Histogram(&histogram.message))
            }
        };
        Some(Sample {
            key: self
                .series
                .get(row.item as usize)
                .and_then(|series| self.keys.get(*series as usize))?,
            at_ms,
            value,
            tenant: item.tenant.as_deref(),
        })
    }
}

/// The place of each item's series among all series, and the item's number; sorted by both.
fn in_order(keys: &[Key<&str>], series: &[u32]) -> Vec<(u32, u32)> {
    let mut by_key: Vec<(&Key<&str>, u32)> = keys.iter().zip(0..).collect();
    by_key.sort_unstable_by_key(|(key, _)| *key);
    let mut places = vec![0_u32; keys.len()];
    for (place, (_, series)) in (0..).zip(by_key) {
        if let Some(slot) = places.get_mut(series as usize) {
            *slot = place;
        }
    }
    let place_of = |series: &u32| places.get(*series as usize).copied().unwrap_or_default();
    let mut items: Vec<(u32, u32)> = series.iter().map(place_of).zip(0..).collect();
    items.sort_unstable();
    items
}
