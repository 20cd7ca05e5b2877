//! The open records of some of the metric names.
//!
//! Samples are added under the shard's lock, for as long as encoding them takes; nothing is awaited
//! under it. Records are only taken out as a whole window, by the shard's own task.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use buffer::{ContentType, PublishError, Record, Spread};
use bytes::Bytes;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use model::{Batch, Sample, Value};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::groups::{Group, Name, ShardGroups};
use super::open::{Open, Pushed, Sealed, Spare, fail_too_large};
use super::parties::{Claims, Parties};
use super::ticket::Ticket;
use super::{Knowledge, is_bare, item, json, json_histogram, point, said};
use crate::config::RecordFormat;
use crate::ingest::Origin;
use crate::spread::{Lanes, Plan, stable_hash};

/// What records look like.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub format: RecordFormat,
    /// Key and value together.
    pub max_record_bytes: usize,
}

/// The shape as of now: the buffer learns its own limit late, and an operator may change it.
#[derive(Debug)]
pub(super) struct Shapes {
    format: RecordFormat,
    wanted_bytes: usize,
    max_record_bytes: AtomicUsize,
}

impl Shapes {
    pub(super) fn new(format: RecordFormat, wanted_bytes: usize, buffer_bytes: usize) -> Self {
        Self {
            format,
            wanted_bytes,
            max_record_bytes: AtomicUsize::new(wanted_bytes.min(buffer_bytes)),
        }
    }

    /// Takes note of what the buffer takes.
    pub(super) fn follow(&self, buffer_bytes: usize) {
        let bytes = self.wanted_bytes.min(buffer_bytes);
        self.max_record_bytes.store(bytes, Ordering::Relaxed);
    }

    pub(super) fn now(&self) -> Shape {
        Shape {
            format: self.format,
            max_record_bytes: self.max_record_bytes.load(Ordering::Relaxed),
        }
    }
}

/// What is the same for all groups of a request.
#[derive(Debug)]
pub(super) struct Addition<'a> {
    pub batch: &'a Batch<'a>,
    pub knowledge: Knowledge<'a>,
    pub origin: &'a Origin,
    pub received_at_ms: i64,
    pub ticket: &'a Arc<Ticket>,
    /// Which names have several partitions, if some have.
    pub plan: Option<&'a Plan>,
}

impl<'a> Addition<'a> {
    /// The partitions of a name that has, or had, several.
    fn lanes(&self, name: &str) -> Option<Lanes> {
        self.plan?.lanes(name, self.received_at_ms)
    }

    fn place(&self, lanes: Lanes, series: u32) -> Spread {
        lanes.place(stable_hash(self.batch, self.knowledge.catalogue, series))
    }
}

/// A builder that has grown beyond this is not used again: few records are so large.
const SPARE_BYTES: usize = 64 << 10;

/// A window has room for at most so many times the records that the one before it had, but for some.
const MOST_ROOM: usize = 8;

/// Room for so many records is kept when they are gone.
pub(super) const MOST_SEALED: usize = 4096;

/// What came since the last flush.
#[derive(Debug, Default)]
pub(super) struct Window {
    table: HashTable<u32>,
    open: Vec<Open>,
    sealed: Vec<Sealed>,
    parties: Parties,
    sealed_bytes: usize,
    open_bytes: usize,
    opened_at: Option<Instant>,
    is_closed: bool,
    /// Builders of the window before, not more than it had: their memory is used again.
    spare: Spare,
}

/// What was taken of shards, one after the other.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// An empty one: its memory is that of the next window.
    window: Window,
    pub(super) sealed: Vec<Sealed>,
}

impl Taken {
    /// Who waits for what was taken of a shard, once. The next ones use the memory of `spare`, which is empty.
    pub(super) fn parties(&mut self, spare: Parties) -> Parties {
        std::mem::replace(&mut self.window.parties, spare)
    }
}

#[derive(Debug)]
pub(super) struct Shard {
    shapes: Arc<Shapes>,
    window: Mutex<Window>,
    /// Wakes the flusher when the window opens, and when it is full.
    changed: Arc<Notify>,
}

impl Shard {
    pub(super) fn new(shapes: Arc<Shapes>, changed: Arc<Notify>) -> Self {
        Self {
            shapes,
            window: Mutex::default(),
            changed,
        }
    }

    /// The window. One that a panic left half changed is given up: its requests get a failure.
    fn window(&self) -> MutexGuard<'_, Window> {
        self.window.lock().unwrap_or_else(|poisoned| {
            let mut window = poisoned.into_inner();
            *window = Window {
                is_closed: window.is_closed,
                ..Window::default()
            };
            self.window.clear_poison();
            window
        })
    }

    /// Adds a request's samples of this shard.
    pub(super) fn add(&self, addition: &Addition<'_>, groups: ShardGroups<'_>) {
        let shape = self.shapes.now();
        let mut window = self.window();
        let (was_open, was_full) = (window.opened_at.is_some(), window.is_full(shape));
        for (group, positions) in groups.iter() {
            if window.is_closed {
                let samples = positions.len() as u64;
                addition.ticket.fail(samples, &PublishError::Closed);
                continue;
            }
            match shape.format {
                RecordFormat::Protobuf => window.add(shape, addition, group, positions),
                RecordFormat::Json => window.add_json(shape, addition, group, positions),
            }
        }
        if !was_open && !window.is_closed {
            window.opened_at = Some(Instant::now());
        }
        let is_full = window.is_full(shape);
        drop(window);
        if !was_open || (is_full && !was_full) {
            self.changed.notify_one();
        }
    }

    /// Since when the window is open, and whether it is full.
    pub(super) fn state(&self) -> (Option<Instant>, bool) {
        let window = self.window();
        (window.opened_at, window.is_full(self.shapes.now()))
    }

    /// Takes note of what the buffer takes.
    pub(super) fn follow(&self, buffer_bytes: usize) {
        self.shapes.follow(buffer_bytes);
    }

    /// Takes what came, and answers since when.
    pub(super) fn take(&self, taken: &mut Taken) -> Option<Instant> {
        let Taken { window, sealed } = taken;
        if sealed.is_empty() && sealed.capacity() > MOST_SEALED {
            *sealed = Vec::new();
        }
        {
            let mut current = self.window();
            if current.opened_at.is_none() {
                // Nothing came, and maybe nothing will: what a crowd has left here is given up, behind the lock.
                let left = current.give_up();
                drop(current);
                drop(left);
                return None;
            }
            window.is_closed = current.is_closed;
            std::mem::swap(&mut *current, window);
        }
        let opened_at = window.opened_at.take();
        window.seal_into(sealed);
        if !window.spare.is_empty() {
            std::mem::swap(&mut self.window().spare, &mut window.spare);
            window.spare.clear();
        }
        opened_at
    }

    /// Takes what came; from now on, nothing is added.
    pub(super) fn close(&self, taken: &mut Taken) -> Option<Instant> {
        self.window().is_closed = true;
        self.take(taken)
    }
}

/// Records of other lanes are other records.
const fn hash_in_lane(hash: u64, spread: Spread) -> u64 {
    hash.wrapping_add((spread.lane as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

impl Window {
    fn is_full(&self, shape: Shape) -> bool {
        self.sealed_bytes + self.open_bytes >= shape.max_record_bytes
    }

    fn add(&mut self, shape: Shape, addition: &Addition<'_>, group: Group, positions: &[u32]) {
        let batch = addition.batch;
        let Some(name) = group.name.find(batch, addition.knowledge.catalogue) else {
            return;
        };
        match addition.lanes(name.text) {
            None => {
                let place = (group.hash, Spread::default());
                self.add_to(shape, addition, place, name, positions);
            }
            Some(lanes) => self.add_spread(shape, addition, (group.hash, lanes), name, positions),
        }
    }

    /// Adds the samples of a name that has several partitions: each to a record of its own.
    fn add_spread(
        &mut self,
        shape: Shape,
        addition: &Addition<'_>,
        (hash, lanes): (u64, Lanes),
        name: Name<'_>,
        positions: &[u32],
    ) {
        let samples = addition.batch.samples();
        let mut last = None;
        let place = |position: &u32| {
            let series = samples.get(*position as usize).map(|sample| sample.series);
            let series = series.unwrap_or_default();
            let spread = match last {
                Some((known, spread)) if known == series => spread,
                _ => addition.place(lanes, series),
            };
            last = Some((series, spread));
            (spread, *position)
        };
        let mut placed: Vec<(Spread, u32)> = positions.iter().map(place).collect();
        // Stable: the samples of a series keep their order.
        placed.sort_by_key(|(spread, _)| spread.lane);
        for run in placed.chunk_by(|a, b| a.0 == b.0) {
            let Some((spread, _)) = run.first() else {
                continue;
            };
            let positions: Vec<u32> = run.iter().map(|(_, position)| *position).collect();
            let place = (hash_in_lane(hash, *spread), *spread);
            self.add_to(shape, addition, place, name, &positions);
        }
    }

    fn add_to(
        &mut self,
        shape: Shape,
        addition: &Addition<'_>,
        place: (u64, Spread),
        name: Name<'_>,
        positions: &[u32],
    ) {
        let batch = addition.batch;
        let Some(slot) = self.open_record(addition, place, name) else {
            return;
        };
        let Some(open) = self.open.get_mut(slot) else {
            return;
        };
        let described = addition.knowledge.describe(addition.origin, name.text);
        let limit_bytes = shape.max_record_bytes.saturating_sub(open.key.len());
        let before = open.builder.encoded_len();
        let sample_at = |position: &u32| batch.samples().get(*position as usize);
        // A push holds floats or histograms of one series.
        let class_of = |position: &u32| {
            let class = |sample: &Sample| (sample.series, std::mem::discriminant(&sample.value));
            sample_at(position).map(class)
        };
        // What the open record has of this request.
        let (mut before_samples, mut has_pushed) = (open.builder.samples(), false);
        let mut others = positions;
        while let Some((position, behind)) = others.split_first() {
            let Some(first) = sample_at(position) else {
                others = behind;
                continue;
            };
            let pushed = Pushed {
                addition,
                series: first.series,
                described,
                limit_bytes,
            };
            let next = behind.first().and_then(sample_at);
            // As nearly all are.
            if next.is_none_or(|next| next.series != first.series)
                && let Value::Float(value) = first.value
                && open.push_one(pushed, first.known(), point(first, value))
            {
                has_pushed = true;
                others = behind;
                continue;
            }
            let is_other = |other: &u32| class_of(other) != class_of(position);
            let len = others.iter().position(is_other).unwrap_or(others.len());
            let run;
            (run, others) = others.split_at(len);
            let mut rest = run;
            while !rest.is_empty() {
                let items = rest
                    .iter()
                    .filter_map(sample_at)
                    .map(|sample| item(batch, sample));
                let taken = open.push(pushed, items, rest.len());
                if taken > 0 {
                    has_pushed = true;
                    rest = rest.get(taken..).unwrap_or_default();
                    continue;
                }
                if has_pushed {
                    open.claim(&mut self.parties, addition, before_samples);
                }
                if let Some(sealed) = open.seal() {
                    (before_samples, has_pushed) = (0, false);
                    open.received_at_ms = addition.received_at_ms;
                    self.sealed_bytes += sealed.record.value.len();
                    self.sealed.push(sealed);
                } else {
                    // The check before adding makes this impossible; without an answer the sender would wait.
                    fail_too_large(addition, rest.len(), limit_bytes);
                    break;
                }
            }
        }
        if has_pushed {
            open.claim(&mut self.parties, addition, before_samples);
        }
        let after = open.builder.encoded_len();
        self.open_bytes = (self.open_bytes + after).saturating_sub(before);
    }

    /// The open record of a name, made if there is none.
    fn open_record(
        &mut self,
        addition: &Addition<'_>,
        (hash, spread): (u64, Spread),
        name: Name<'_>,
    ) -> Option<usize> {
        let Self { open, spare, .. } = self;
        let entry = self.table.entry(
            hash,
            |slot| {
                open.get(*slot as usize).is_some_and(|open| {
                    open.hash == hash
                        && open.key == name.text.as_bytes()
                        && open.tenant == addition.origin.tenant
                        && open.spread == spread
                })
            },
            |slot| open.get(*slot as usize).map_or(0, |open| open.hash),
        );
        match entry {
            Entry::Occupied(entry) => Some(*entry.get() as usize),
            Entry::Vacant(vacant) => {
                let slot = open.len();
                vacant.insert(u32::try_from(slot).ok()?);
                open.push(Open::new(addition, (hash, spread), name, spare.pop()));
                Some(slot)
            }
        }
    }

    fn add_json(&mut self, shape: Shape, addition: &Addition<'_>, group: Group, positions: &[u32]) {
        let batch = addition.batch;
        let knowledge = addition.knowledge;
        let name = group.name.find(batch, knowledge.catalogue);
        let described = name.and_then(|name| knowledge.describe(addition.origin, name.text));
        let lanes = name.and_then(|name| addition.lanes(name.text));
        let mut key = None;
        for position in positions {
            let Some(sample) = batch.samples().get(*position as usize) else {
                continue;
            };
            let Some(series) = batch.series(sample.series) else {
                continue;
            };
            let labels = batch.labels(series);
            let written = |said| match sample.value {
                Value::Float(value) => Some((json(series, labels, said, sample.at_ms, value), 1)),
                Value::Histogram(number) => {
                    let message = batch.histogram(number);
                    json_histogram(series, labels, said, sample.at_ms, message)
                }
                // Validation lets none through in this format.
                Value::Exemplar(_) => None,
            };
            let is_fit = |(value, _): &(Bytes, u32)| {
                series.name.len() + value.len() <= shape.max_record_bytes
            };
            let described = described.filter(|_| is_bare(series));
            let described = described.and_then(written).filter(is_fit);
            // What others said must not keep out what fits without it.
            let Some((value, samples)) = described.or_else(|| written(said(series))) else {
                continue;
            };
            // All samples of a group share their name.
            let key = key.get_or_insert_with(|| Bytes::copy_from_slice(series.name.as_bytes()));
            let mut claims = Claims::default();
            self.parties.claim(&mut claims, addition.ticket, samples);
            self.sealed_bytes += value.len();
            self.sealed.push(Sealed {
                record: Record {
                    key: key.clone(),
                    value,
                    content_type: ContentType::Json,
                    tenant: addition.origin.tenant.clone(),
                    source: addition.origin.source.clone(),
                    received_at_ms: addition.received_at_ms,
                    spread: lanes.map_or_else(Spread::default, |lanes| {
                        addition.place(lanes, sample.series)
                    }),
                },
                claims,
                samples,
            });
        }
    }

    /// Moves every record out, those of one key in the order of their samples. What is left is an empty window with
    /// the memory of this one, and its builders.
    fn seal_into(&mut self, sealed: &mut Vec<Sealed>) {
        let records = self.open.len().max(self.sealed.len());
        sealed.append(&mut self.sealed);
        sealed.extend(self.open.iter_mut().filter_map(Open::seal));
        self.spare.clear();
        let builders = self.open.drain(..).map(|open| open.builder);
        let kept = builders.filter(|builder| builder.capacity() <= SPARE_BYTES);
        self.spare.extend(kept);
        self.table.clear();
        // What one large window needed is not kept for small ones, which would have to clear it each time.
        if self.room() > MOST_ROOM * records.max(1) {
            let slots = |_: &u32| 0;
            self.table.shrink_to(records, slots);
            self.open.shrink_to(records);
            self.sealed.shrink_to(records);
            self.spare.shrink_to(records);
        }
        (self.sealed_bytes, self.open_bytes) = (0, 0);
    }

    /// How many records there is room for in one place or another: windows change places, and their parts, too.
    fn room(&self) -> usize {
        let lists = self.open.capacity().max(self.sealed.capacity());
        lists.max(self.table.capacity()).max(self.spare.capacity())
    }

    /// What an empty window keeps, if that is more than a few records need.
    fn give_up(&mut self) -> Option<Self> {
        let fresh = Self {
            is_closed: self.is_closed,
            ..Self::default()
        };
        (self.room() > MOST_ROOM).then(|| std::mem::replace(self, fresh))
    }
}

#[cfg(test)]
mod tests;
