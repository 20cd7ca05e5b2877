//! A batch as rows: split by day, sorted by metric, labels and time.
//!
//! Rows are references into the batch's items, 8 bytes each; nothing of a sample is copied before
//! its row group is encoded.

use std::cmp::Ordering;
use std::collections::BTreeMap;

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

impl<'a> Key<&'a str> {
    fn of(item: &'a Item) -> Self {
        let view = item.view();
        let mut labels: Vec<_> = view
            .labels()
            .filter(|(name, _)| *name != NAME_LABEL)
            .collect();
        labels.sort_by_key(|(name, _)| *name);
        labels.dedup_by_key(|(name, _)| *name);
        Self {
            metric: view.name(),
            labels,
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
    days: BTreeMap<Day, Vec<Row>>,
}

impl<'a> Rows<'a> {
    /// Sorts the samples of `items`.
    pub(super) fn new(items: &'a [Item]) -> Self {
        let keys: Vec<Key<&'a str>> = items.iter().map(Key::of).collect();
        // An index sort that is stable: samples of one time stay in the order in which they came.
        let mut order: Vec<(&Key<&'a str>, &Item, u32)> = keys
            .iter()
            .zip(items)
            .zip(0_u32..)
            .map(|((key, item), number)| (key, item, number))
            .collect();
        order.sort_by_key(|(key, ..)| *key);
        let mut days: BTreeMap<Day, Vec<Row>> = BTreeMap::new();
        for series in order.chunk_by(|(a, ..), (b, ..)| a.cmp(b) == Ordering::Equal) {
            let mut rows: Vec<(i64, Row)> = Vec::new();
            for &(_, item, number) in series {
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
            rows.sort_by_key(|(at_ms, _)| *at_ms);
            for same_day in rows.chunk_by(|(a, _), (b, _)| Day::of(*a) == Day::of(*b)) {
                if let Some((at_ms, _)) = same_day.first() {
                    days.entry(Day::of(*at_ms))
                        .or_default()
                        .extend(same_day.iter().map(|(_, row)| *row));
                }
            }
        }
        Self { items, keys, days }
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
            key: self.keys.get(row.item as usize)?,
            at_ms,
            value,
            tenant: item.tenant.as_deref(),
        })
    }
}
