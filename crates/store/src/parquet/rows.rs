//! A batch as rows: split by day, sorted by metric, labels and time.
//!
//! A batch holds a series many times and most texts in every record, so a text is looked at once per
//! record and has a number from then on. Series are found, told apart and sorted by numbers; rows are
//! then put where their series is, which needs no sorting at all.

use std::collections::BTreeMap;
use std::ops::Range;

use super::layout::Day;
use super::series::SeriesTable;
use crate::Item;

/// One row: what is sorted and written.
#[derive(Debug, Clone, Copy, Default)]
struct Row {
    at_ms: i64,
    value: f64,
    item: u32,
    /// Which histogram of the item it is.
    histogram: Option<u32>,
}

/// What a row holds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value<'a> {
    /// A float.
    Float(f64),
    /// A native histogram's message.
    Histogram(&'a [u8]),
}

/// The rows of a batch.
#[derive(Debug)]
pub(super) struct Rows<'a> {
    items: &'a [Item],
    table: SeriesTable<'a>,
    /// By series, and in each by time.
    rows: Vec<Row>,
    /// Which of a day's rows are of which series, in the order of the file.
    days: BTreeMap<Day, Vec<(u32, Range<usize>)>>,
}

/// The rows of a series on a day.
#[derive(Debug)]
pub(super) struct SeriesRows<'r> {
    of: &'r Rows<'r>,
    series: u32,
    rows: &'r [Row],
}

impl<'a> Rows<'a> {
    /// Sorts the samples of `items`.
    pub(super) fn new(items: &'a [Item]) -> Self {
        let mut table = SeriesTable::default();
        let numbers: Vec<u32> = items.iter().map(|item| table.number(item)).collect();
        // Where the rows of each series begin, and then where its next one goes.
        let mut places = vec![0_usize; table.len()];
        for (number, item) in numbers.iter().zip(items) {
            if let Some(place) = places.get_mut(*number as usize) {
                *place += item.len();
            }
        }
        let order = table.in_order();
        let mut all = 0;
        for number in &order {
            if let Some(place) = places.get_mut(*number as usize) {
                all += std::mem::replace(place, all);
            }
        }
        let starts = places.clone();
        let mut rows = vec![Row::default(); all];
        for ((number, item), at) in numbers.iter().zip(items).zip(0..) {
            let Some(place) = places.get_mut(*number as usize) else {
                continue;
            };
            for row in rows_of(item, at) {
                if let Some(slot) = rows.get_mut(*place) {
                    *slot = row;
                }
                *place += 1;
            }
        }
        let mut days: BTreeMap<Day, Vec<(u32, Range<usize>)>> = BTreeMap::new();
        for number in order {
            let bound = |places: &[usize]| places.get(number as usize).copied().unwrap_or(all);
            let (mut start, end) = (bound(&starts), bound(&places));
            let same_series = rows.get_mut(start..end).unwrap_or_default();
            if !same_series.is_sorted_by_key(|row| row.at_ms) {
                // Stable: samples of one time stay in the order in which they came.
                same_series.sort_by_key(|row| row.at_ms);
            }
            for same_day in same_series.chunk_by(|a, b| Day::of(a.at_ms) == Day::of(b.at_ms)) {
                if let Some(row) = same_day.first() {
                    let range = start..start + same_day.len();
                    start = range.end;
                    days.entry(Day::of(row.at_ms))
                        .or_default()
                        .push((number, range));
                }
            }
        }
        Self {
            items,
            table,
            rows,
            days,
        }
    }

    /// The days that have samples.
    pub(super) fn days(&self) -> impl Iterator<Item = Day> {
        self.days.keys().copied()
    }

    /// The series of a day in the order of its file.
    pub(super) fn of_day(&self, day: Day) -> impl Iterator<Item = SeriesRows<'_>> {
        let series = self.days.get(&day).into_iter().flatten();
        series.map(|(series, range)| SeriesRows {
            of: self,
            series: *series,
            rows: self.rows.get(range.clone()).unwrap_or_default(),
        })
    }
}

/// The samples of an item: points first, then histograms.
fn rows_of(item: &Item, at: u32) -> impl Iterator<Item = Row> {
    let floats = item.points().iter().map(move |point| Row {
        at_ms: point.at_ms,
        value: point.value,
        item: at,
        histogram: None,
    });
    let histograms = item
        .histograms()
        .iter()
        .zip(0..)
        .map(move |(histogram, number)| Row {
            at_ms: histogram.at_ms,
            value: 0.0,
            item: at,
            histogram: Some(number),
        });
    floats.chain(histograms)
}

impl<'r> SeriesRows<'r> {
    /// The metric name.
    pub(super) fn metric(&self) -> &'r str {
        let labels = self.of.table.labels(self.series);
        labels.map(|(_, metric)| metric).next().unwrap_or_default()
    }

    /// The other labels, sorted by name.
    pub(super) fn labels(&self) -> impl Iterator<Item = (&'r str, &'r str)> + use<'r> {
        self.of.table.labels(self.series).skip(1)
    }

    /// Time, value and tenant of each.
    pub(super) fn rows(&self) -> impl Iterator<Item = (i64, Value<'r>, Option<&'r str>)> + use<'r> {
        let items = self.of.items;
        self.rows.iter().filter_map(move |row| {
            let item = items.get(row.item as usize)?;
            let value = match row.histogram {
                None => Value::Float(row.value),
                Some(number) => Value::Histogram(&item.histograms().get(number as usize)?.message),
            };
            Some((row.at_ms, value, item.tenant.as_deref()))
        })
    }
}
