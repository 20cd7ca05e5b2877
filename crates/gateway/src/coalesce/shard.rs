//! The open records of some of the metric names.
//!
//! Samples are added under the shard's lock, for as long as encoding them takes; nothing is awaited
//! under it. Records are only taken out as a whole window, by the shard's own task.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use buffer::{ContentType, PublishError, Record};
use bytes::Bytes;
use codec::record::{Item, RecordBuilder};
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use model::{Batch, FIRST_KNOWN, Sample, Value};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::groups::{Group, ShardGroups};
use super::sources::Sources;
use super::ticket::{Claims, Ticket};
use super::{Description, Knowledge, is_bare, item, json, json_histogram, pairs, said};
use crate::config::RecordFormat;
use crate::ingest::Origin;

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
}

/// What is the same for all items of a push.
#[derive(Clone, Copy)]
struct Pushed<'a> {
    addition: &'a Addition<'a>,
    series: u32,
    /// What others said about the metric.
    described: Option<Description<'a>>,
    limit_bytes: usize,
}

/// A record that gets no more samples.
#[derive(Debug)]
pub(super) struct Sealed {
    pub record: Record,
    pub claims: Claims,
    pub samples: u32,
}

#[derive(Debug)]
struct Open {
    hash: u64,
    key: Bytes,
    tenant: Option<Arc<str>>,
    sources: Sources,
    builder: RecordBuilder,
    claims: Claims,
    received_at_ms: i64,
}

/// What came since the last flush.
#[derive(Debug, Default)]
pub(super) struct Window {
    table: HashTable<u32>,
    open: Vec<Open>,
    sealed: Vec<Sealed>,
    sealed_bytes: usize,
    open_bytes: usize,
    opened_at: Option<Instant>,
    is_closed: bool,
}

#[derive(Debug)]
pub(super) struct Shard {
    shapes: Arc<Shapes>,
    window: Mutex<Window>,
    /// Wakes the flusher when the window opens, and when it is full.
    changed: Notify,
}

impl Shard {
    pub(super) fn new(shapes: Arc<Shapes>) -> Self {
        Self {
            shapes,
            window: Mutex::default(),
            changed: Notify::new(),
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
                let mut claims = Claims::default();
                claims.add(addition.ticket, positions.len() as u64);
                claims.settle(&Err(PublishError::Closed));
                continue;
            }
            match shape.format {
                RecordFormat::Protobuf => window.add(shape, addition, group, positions),
                RecordFormat::Json => window.add_json(addition, group, positions),
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

    /// Ends when the window should be flushed: `wait` after it opened, or when it is full.
    pub(super) async fn due(&self, wait: Duration) {
        loop {
            let (opened_at, is_full) = {
                let window = self.window();
                (window.opened_at, window.is_full(self.shapes.now()))
            };
            match opened_at {
                Some(_) if is_full => return,
                Some(opened_at) => {
                    let changed = self.changed.notified();
                    if tokio::time::timeout_at(opened_at + wait, changed)
                        .await
                        .is_err()
                    {
                        return;
                    }
                }
                None => self.changed.notified().await,
            }
        }
    }

    /// Takes note of what the buffer takes.
    pub(super) fn follow(&self, buffer_bytes: usize) {
        self.shapes.follow(buffer_bytes);
    }

    /// Takes what came, and since when.
    pub(super) fn take(&self) -> (Vec<Sealed>, Option<Instant>) {
        let taken = {
            let mut window = self.window();
            let is_closed = window.is_closed;
            std::mem::replace(
                &mut *window,
                Window {
                    is_closed,
                    ..Window::default()
                },
            )
        };
        taken.seal_all()
    }

    /// Takes what came; from now on, nothing is added.
    pub(super) fn close(&self) -> (Vec<Sealed>, Option<Instant>) {
        self.window().is_closed = true;
        self.take()
    }
}

impl Window {
    fn is_full(&self, shape: Shape) -> bool {
        self.sealed_bytes + self.open_bytes >= shape.max_record_bytes
    }

    fn add(&mut self, shape: Shape, addition: &Addition<'_>, group: Group, positions: &[u32]) {
        let batch = addition.batch;
        let Some(name) = group.name.text(batch, addition.knowledge.catalogue) else {
            return;
        };
        let Some(slot) = self.open_record(addition, group.hash, name) else {
            return;
        };
        let Some(open) = self.open.get_mut(slot) else {
            return;
        };
        let described = addition.knowledge.describe(addition.origin, name);
        let limit_bytes = shape.max_record_bytes.saturating_sub(open.key.len());
        let before = open.builder.encoded_len();
        let sample_at = |position: &u32| batch.samples().get(*position as usize);
        // A push holds floats or histograms of one series.
        let class_of = |position: &u32| {
            let class = |sample: &Sample| (sample.series, std::mem::discriminant(&sample.value));
            sample_at(position).map(class)
        };
        let same_series = |a: &u32, b: &u32| class_of(a) == class_of(b);
        for run in positions.chunk_by(same_series) {
            let Some(series) = run.first().and_then(sample_at).map(|sample| sample.series) else {
                continue;
            };
            let pushed = Pushed {
                addition,
                series,
                described,
                limit_bytes,
            };
            let mut rest = run;
            while !rest.is_empty() {
                let items = rest
                    .iter()
                    .filter_map(sample_at)
                    .map(|sample| item(batch, sample));
                let samples = open.builder.samples();
                let taken = open.push(pushed, items, rest.len());
                if taken > 0 {
                    open.sources.add(addition.origin.source.as_ref());
                    let samples = open.builder.samples().saturating_sub(samples);
                    open.claims.add(addition.ticket, u64::from(samples));
                    rest = rest.get(taken..).unwrap_or_default();
                } else if let Some(sealed) = open.seal() {
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
        let after = open.builder.encoded_len();
        self.open_bytes = (self.open_bytes + after).saturating_sub(before);
    }

    /// The open record of a name, made if there is none.
    fn open_record(&mut self, addition: &Addition<'_>, hash: u64, name: &str) -> Option<usize> {
        let open = &mut self.open;
        let entry = self.table.entry(
            hash,
            |slot| {
                open.get(*slot as usize).is_some_and(|open| {
                    open.hash == hash
                        && open.key == name.as_bytes()
                        && open.tenant == addition.origin.tenant
                })
            },
            |slot| open.get(*slot as usize).map_or(0, |open| open.hash),
        );
        match entry {
            Entry::Occupied(entry) => Some(*entry.get() as usize),
            Entry::Vacant(vacant) => {
                let slot = open.len();
                vacant.insert(u32::try_from(slot).ok()?);
                open.push(Open {
                    hash,
                    key: Bytes::copy_from_slice(name.as_bytes()),
                    tenant: addition.origin.tenant.clone(),
                    sources: Sources::default(),
                    builder: RecordBuilder::new(name),
                    claims: Claims::default(),
                    received_at_ms: addition.received_at_ms,
                });
                Some(slot)
            }
        }
    }

    fn add_json(&mut self, addition: &Addition<'_>, group: Group, positions: &[u32]) {
        let batch = addition.batch;
        let knowledge = addition.knowledge;
        let name = group.name.text(batch, knowledge.catalogue);
        let described = name.and_then(|name| knowledge.describe(addition.origin, name));
        let mut key = None;
        for position in positions {
            let Some(sample) = batch.samples().get(*position as usize) else {
                continue;
            };
            let Some(series) = batch.series(sample.series) else {
                continue;
            };
            let labels = batch.labels(series);
            let said = described
                .filter(|_| is_bare(series))
                .unwrap_or_else(|| said(series));
            let written = match sample.value {
                Value::Float(value) => Some((json(series, labels, said, sample.at_ms, value), 1)),
                Value::Histogram(number) => {
                    let message = batch.histogram(number);
                    json_histogram(series, labels, said, sample.at_ms, message)
                }
                // Validation lets none through in this format.
                Value::Exemplar(_) => None,
            };
            let Some((value, samples)) = written else {
                continue;
            };
            // All samples of a group share their name.
            let key = key.get_or_insert_with(|| Bytes::copy_from_slice(series.name.as_bytes()));
            let mut claims = Claims::default();
            claims.add(addition.ticket, u64::from(samples));
            self.sealed_bytes += value.len();
            self.sealed.push(Sealed {
                record: Record {
                    key: key.clone(),
                    value,
                    content_type: ContentType::Json,
                    tenant: addition.origin.tenant.clone(),
                    source: addition.origin.source.clone(),
                    received_at_ms: addition.received_at_ms,
                },
                claims,
                samples,
            });
        }
    }

    /// Every record, those of one key in the order of their samples.
    fn seal_all(mut self) -> (Vec<Sealed>, Option<Instant>) {
        let mut sealed = self.sealed;
        sealed.extend(self.open.iter_mut().filter_map(Open::seal));
        (sealed, self.opened_at)
    }
}

impl Open {
    /// Adds items of a series: all, or a half of a half of them if all do not fit. Answers how many.
    fn push<'x>(
        &mut self,
        pushed: Pushed<'_>,
        items: impl Iterator<Item = Item<'x>> + Clone,
        count: usize,
    ) -> usize {
        let mut taken = count;
        while taken > 0 {
            let items = items.clone().take(taken);
            let is_pushed = self.push_all(pushed, pushed.described, items.clone())
                // What others said must not keep out what fits without it.
                || (pushed.described.is_some()
                    && self.builder.is_empty()
                    && self.push_all(pushed, None, items));
            if is_pushed {
                break;
            }
            taken /= 2;
        }
        taken
    }

    fn push_all<'x>(
        &mut self,
        pushed: Pushed<'_>,
        described: Option<Description<'_>>,
        items: impl Iterator<Item = Item<'x>>,
    ) -> bool {
        let Addition {
            batch, knowledge, ..
        } = pushed.addition;
        let limit_bytes = pushed.limit_bytes;
        if let Some(known) = pushed.series.checked_sub(FIRST_KNOWN) {
            let catalogue = knowledge.catalogue;
            let described = described.filter(|_| catalogue.is_bare(known));
            return self
                .builder
                .push_known(limit_bytes, catalogue, known, described, items);
        }
        let Some(series) = batch.series(pushed.series) else {
            return false;
        };
        let (kind, unit, help) = described
            .filter(|_| is_bare(series))
            .unwrap_or_else(|| said(series));
        let labels = pairs(batch.labels(series));
        self.builder
            .push_within(limit_bytes, labels, kind, unit, help, items)
    }

    /// The record, if it has samples. The next one of that name starts empty.
    fn seal(&mut self) -> Option<Sealed> {
        if self.builder.is_empty() {
            return None;
        }
        let samples = self.builder.samples();
        Some(Sealed {
            record: Record {
                key: self.key.clone(),
                value: self.builder.finish(),
                content_type: ContentType::RemoteWriteV2,
                tenant: self.tenant.clone(),
                source: std::mem::take(&mut self.sources).joined(),
                received_at_ms: self.received_at_ms,
            },
            claims: std::mem::take(&mut self.claims),
            samples,
        })
    }
}

fn fail_too_large(addition: &Addition<'_>, samples: usize, limit_bytes: usize) {
    let mut claims = Claims::default();
    claims.add(addition.ticket, samples as u64);
    claims.settle(&Err(PublishError::TooLarge {
        size_bytes: limit_bytes.saturating_add(1),
        limit_bytes,
    }));
}
