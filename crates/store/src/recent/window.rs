//! The data behind the recent window.

mod names;

use std::collections::VecDeque;
use std::hash::BuildHasher as _;
use std::time::{Duration, Instant};

use foldhash::quality::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry as Slot;
use model::MetricType;

use super::Config;
use super::texts::{NONE, Texts};
use crate::Item;
use crate::select::{Names, Seen, Select, Stopped, Wanted};

pub use names::NameRow;

#[derive(Debug)]
struct Entry {
    /// The numbers of the tenant's and the metric's texts, then of names and values.
    parts: Box<[u32]>,
    kind: MetricType,
    /// The numbers of the unit's and the help's texts.
    words: [u32; 2],
    points: VecDeque<(i64, f64)>,
    received_at_ms: i64,
    /// A later series has a larger one.
    id: u64,
}

/// What is read in one go: whoever writes waits for no more.
const SLICE_SERIES: usize = 256;
const SLICE_TIME: Duration = Duration::from_millis(1);

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
    /// In the order in which they came, so sorted by their ids.
    entries: Vec<Entry>,
    /// Where each of them is.
    places: HashTable<usize>,
    next_id: u64,
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
            entries: Vec::new(),
            places: HashTable::new(),
            next_id: 0,
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
            places,
            next_id,
            hasher,
            wanted,
            ..
        } = self;
        let before = texts.size_bytes();
        texts.number_series(view, item.tenant.as_ref(), wanted);
        let words = texts.number_words(view);
        self.size_bytes += texts.size_bytes() - before;
        let parts_of = |at: &usize| entries.get(*at).map_or(&[][..], |entry| &*entry.parts);
        let slot = places.entry(
            hasher.hash_one(wanted.as_slice()),
            |at| *parts_of(at) == **wanted,
            |at| hasher.hash_one(parts_of(at)),
        );
        let at = match slot {
            Slot::Occupied(slot) => *slot.get(),
            Slot::Vacant(slot) => {
                let entry = Entry {
                    parts: wanted.as_slice().into(),
                    kind: view.kind(),
                    words,
                    points: VecDeque::new(),
                    received_at_ms: i64::MIN,
                    id: *next_id,
                };
                *next_id += 1;
                self.size_bytes += entry.size_bytes();
                slot.insert(entries.len());
                entries.push(entry);
                entries.len() - 1
            }
        };
        let Some(entry) = entries.get_mut(at) else {
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
        for (known, said) in entry.words.iter_mut().zip(words) {
            if said != NONE {
                *known = said;
            }
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
        self.places.clear();
        for (at, entry) in self.entries.iter().enumerate() {
            let (hasher, entries) = (&self.hasher, &self.entries);
            let hash_of = |at: &usize| {
                let parts = entries.get(*at).map_or(&[][..], |entry| &*entry.parts);
                hasher.hash_one(parts)
            };
            let hash = hasher.hash_one(&*entry.parts);
            self.places.insert_unique(hash, at, hash_of);
        }
        let used = self
            .entries
            .iter()
            .flat_map(|entry| entry.parts.iter().chain(&entry.words));
        self.texts.keep(used.copied());
        self.size_bytes = size_bytes + self.texts.size_bytes();
    }

    /// Gives what is wanted, series by series, from this id on. Where a slice ends before the series do, the id that comes next.
    pub(super) fn visit(
        &self,
        from: u64,
        names: &Names,
        (from_ms, to_ms): (i64, i64),
        select: &mut dyn Select,
    ) -> Result<Option<u64>, Stopped> {
        let oldest_ms = self.newest_ms.saturating_sub(self.window_ms);
        let until = Instant::now() + SLICE_TIME;
        let begin = self.entries.partition_point(|entry| entry.id < from);
        for (count, entry) in self.entries.iter().skip(begin).enumerate() {
            if count >= SLICE_SERIES || (count > 0 && Instant::now() >= until) {
                return Ok(Some(entry.id));
            }
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
            let text = |number| (number != NONE).then(|| self.texts.text(number));
            let [unit, help] = entry.words;
            let shown = Shown::new(&self.texts, &entry.parts);
            let seen = Seen {
                metric: shown.metric,
                labels: &shown.labels,
                tenant: text(tenant),
                kind: entry.kind,
                unit: text(unit),
                help: text(help),
            };
            if select.series(&seen)? == Wanted::Samples {
                points.try_for_each(|&(at_ms, value)| select.sample(at_ms, value))?;
            }
        }
        Ok(None)
    }
}

/// A series as its texts.
#[derive(Debug)]
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
}
