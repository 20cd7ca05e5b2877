//! Adds lines up, bounded in memory, until a flush is confirmed.
//!
//! Counters and distributions are cumulative and gauges keep their value, so a flush that fails loses nothing: the next
//! one says it again. What can be said only once (a set's members, a quantile's observations, samples with the sender's
//! own time) is kept until its flush is confirmed.

use std::hash::BuildHasher as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use codec::exponential::Exponential;
use codec::statsd::{Kind, Reading, Sample};
use foldhash::quality::RandomState;
use hashbrown::hash_table::Entry as Slot;
use hashbrown::{HashSet, HashTable};
use model::{Batch, Code, Refusal, check_series};

use super::rules::{GATEWAY, Rules};
use super::series::{Entry, Form, Identity, Refused, State};
use crate::metrics;

/// Few enough to flush one after the other, enough that receivers rarely meet. All series of a name share one, so
/// that they share records, too.
const SHARDS: usize = 16;

/// How often a sender may repeat each tag of as many as a series may have. Far more would be much work for each of
/// the many samples that a line may have.
const MOST_REPEATS: usize = 4;

#[derive(Debug)]
pub(super) struct Aggregator {
    pub rules: Rules,
    shards: Vec<Mutex<HashTable<Entry>>>,
    hasher: RandomState,
    used_bytes: AtomicUsize,
    limit_bytes: usize,
    series: AtomicUsize,
}

/// What one receiver needs to read lines without an allocation for each.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    labels: Vec<(&'static str, &'static str)>,
}

/// An empty vector with another one's memory: the standard library collects in place.
fn emptied<'b>(mut labels: Vec<(&str, &str)>) -> Vec<(&'b str, &'b str)> {
    labels.clear();
    labels.into_iter().map(|_| ("", "")).collect()
}

/// What a flush says of a series.
#[derive(Debug)]
pub(super) struct Item {
    pub identity: Arc<Identity>,
    pub unit: &'static str,
    pub start_ms: i64,
    pub form: Form,
    pub value: Output,
    version: u64,
}

/// What a series came to.
#[derive(Debug, PartialEq)]
pub(super) enum Output {
    /// The sum, and whether this may be the first time that anyone hears of it.
    Counter(f64, bool),
    Gauge(f64),
    /// At the sender's own time.
    Timed(f64),
    Native(Exponential),
    Classic(Vec<f64>, f64),
    Quantiles(Vec<f64>, f64, f64),
    /// The series ends.
    Ended,
}

impl Aggregator {
    pub(super) fn new(rules: Rules, limit_bytes: usize) -> Self {
        metrics::statsd_memory_limit(limit_bytes);
        Self {
            rules,
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            hasher: RandomState::default(),
            used_bytes: AtomicUsize::new(0),
            limit_bytes,
            series: AtomicUsize::new(0),
        }
    }

    /// Adds a line, and answers what it is of.
    pub(super) fn add(
        &self,
        sample: &Sample<'_>,
        scratch: &mut Scratch,
        now_ms: i64,
    ) -> Result<Arc<Identity>, Refused> {
        let mut labels = emptied(std::mem::take(&mut scratch.labels));
        let most = self.rules.limits.max_labels.saturating_mul(MOST_REPEATS);
        let tags = sample.tags.iter().take(most.saturating_add(1));
        labels.extend(tags.map(|(name, value)| (self.rules.label(name), value)));
        if labels.len() > most {
            scratch.labels = emptied(labels);
            return Err(Refused::Rule(Code::TooManyLabels));
        }
        if !labels.is_sorted_by(|a, b| a.0 < b.0) {
            labels.sort_by_key(|(name, _)| *name);
            // Of a repeated tag the last holds.
            labels.dedup_by(|later, kept| {
                let is_same = later.0 == kept.0;
                if is_same {
                    *kept = *later;
                }
                is_same
            });
        }
        let outcome = self.add_to_series(sample, &labels, now_ms);
        scratch.labels = emptied(labels);
        outcome
    }

    fn add_to_series(
        &self,
        sample: &Sample<'_>,
        labels: &[(&str, &str)],
        now_ms: i64,
    ) -> Result<Arc<Identity>, Refused> {
        let (name, at_s) = (sample.name.as_ref(), sample.at_s.unwrap_or(0));
        let name_hash = self.hasher.hash_one(name);
        let hash = self.hasher.hash_one((name_hash, at_s, labels));
        let part = usize::try_from(name_hash % SHARDS as u64).unwrap_or_default();
        let reading = &sample.reading;
        let mut shard = self.lock(part);
        let is_it = |entry: &Entry| entry.identity.is(name, labels, at_s);
        match shard.entry(hash, is_it, |entry| entry.identity.hash) {
            Slot::Occupied(mut found) => {
                let entry = found.get_mut();
                self.add_to(entry, reading, now_ms)?;
                Ok(Arc::clone(&entry.identity))
            }
            Slot::Vacant(room) => {
                if self.is_full() {
                    return Err(Refused::MemoryFull);
                }
                self.check(sample, labels)?;
                let mut state = State::new(reading.kind, at_s != 0, &self.rules);
                state.add(reading, self.member(reading), &self.rules, false)?;
                let owned = |(name, value): &(&str, &str)| (Box::from(*name), Box::from(*value));
                let identity = Arc::new(Identity {
                    hash,
                    part,
                    name: name.into(),
                    labels: labels.iter().map(owned).collect(),
                    at_s,
                });
                let mut entry = Entry {
                    identity: Arc::clone(&identity),
                    state,
                    unit: self.rules.unit(reading.kind),
                    start_ms: now_ms,
                    touched_ms: now_ms,
                    version: 1,
                    stored_version: 0,
                    bytes: 0,
                };
                self.recharge(&mut entry);
                room.insert(entry);
                self.series.fetch_add(1, Ordering::Relaxed);
                Ok(identity)
            }
        }
    }

    /// Adds to a series that [`Self::add`] has answered; none when it is not held any more.
    pub(super) fn add_again(
        &self,
        identity: &Arc<Identity>,
        reading: &Reading<'_>,
        now_ms: i64,
    ) -> Option<Result<(), Refused>> {
        let mut shard = self.lock(identity.part);
        let is_it = |entry: &Entry| Arc::ptr_eq(&entry.identity, identity);
        let entry = shard.find_mut(identity.hash, is_it)?;
        Some(self.add_to(entry, reading, now_ms))
    }

    fn add_to(&self, entry: &mut Entry, reading: &Reading<'_>, now_ms: i64) -> Result<(), Refused> {
        let member = self.member(reading);
        entry
            .state
            .add(reading, member, &self.rules, self.is_full())?;
        entry.version += 1;
        entry.touched_ms = now_ms;
        if entry.state.grows() {
            self.recharge(entry);
        }
        Ok(())
    }

    /// What a set counts.
    fn member(&self, reading: &Reading<'_>) -> u64 {
        match reading.kind {
            Kind::Set => self.hasher.hash_one(reading.text),
            _ => 0,
        }
    }

    fn is_full(&self) -> bool {
        self.used_bytes.load(Ordering::Relaxed) >= self.limit_bytes
    }

    /// What no flush could store is refused with its line. Ours are added to the sender's labels.
    fn check(&self, sample: &Sample<'_>, labels: &[(&str, &str)]) -> Result<(), Refused> {
        let mut batch = Batch::default();
        for (name, value) in labels {
            batch.push_label(*name, *value);
        }
        if sample.at_s.is_none() {
            batch.push_label(GATEWAY, self.rules.gateway.as_str());
        }
        let series = batch.close_series(sample.name.as_ref(), 0);
        batch.sort_labels();
        let Some(series) = batch.series(series) else {
            return Ok(());
        };
        check_series(series, batch.labels(series), &self.rules.limits)
            .map_err(|Refusal { code, .. }| Refused::Rule(code))
    }

    fn lock(&self, part: usize) -> MutexGuard<'_, HashTable<Entry>> {
        let shard = self.shards.get(part);
        let shard = shard.expect("a part is below their number");
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn recharge(&self, entry: &mut Entry) {
        let size = entry.size();
        let (more, less) = (
            size.saturating_sub(entry.bytes),
            entry.bytes.saturating_sub(size),
        );
        self.used_bytes.fetch_add(more, Ordering::Relaxed);
        self.used_bytes.fetch_sub(less, Ordering::Relaxed);
        entry.bytes = size;
    }

    /// How many parts [`Self::snapshot`] has.
    pub(super) fn parts(&self) -> usize {
        self.shards.len()
    }

    /// What there is to say of one part's series.
    pub(super) fn snapshot(&self, part: usize, now_ms: i64) -> Vec<Item> {
        let mut shard = self.lock(part);
        let mut items = Vec::with_capacity(shard.len());
        for entry in shard.iter_mut() {
            let idle_ms = now_ms.saturating_sub(entry.touched_ms);
            let is_timed = entry.identity.at_s != 0;
            // Nothing ends before all of it was stored.
            let is_over = !is_timed && entry.stored_version == entry.version;
            let value = if is_over && idle_ms > self.rules.expire_after_ms {
                Output::Ended
            } else {
                // Until it is confirmed, nobody need have heard of it.
                output(&mut entry.state, &self.rules, entry.stored_version == 0)
            };
            if entry.state.grows() {
                self.recharge(entry);
            }
            items.push(Item {
                identity: Arc::clone(&entry.identity),
                unit: entry.unit,
                start_ms: entry.start_ms,
                form: entry.state.form(),
                value,
                version: entry.version,
            });
        }
        items
    }

    /// These items of a part are durable: what can be said only once has been said.
    pub(super) fn confirm(&self, part: usize, items: &[Item]) {
        let mut shard = self.lock(part);
        for item in items {
            let is_it = |entry: &Entry| Arc::ptr_eq(&entry.identity, &item.identity);
            let Ok(mut found) = shard.find_entry(item.identity.hash, is_it) else {
                continue;
            };
            let is_over = matches!(item.value, Output::Ended | Output::Timed(_));
            if is_over && found.get().version == item.version {
                let (entry, _) = found.remove();
                self.used_bytes.fetch_sub(entry.bytes, Ordering::Relaxed);
                self.series.fetch_sub(1, Ordering::Relaxed);
                continue;
            }
            let entry = found.get_mut();
            entry.stored_version = item.version;
            match &mut entry.state {
                State::Set(once) => once.held = HashSet::new(),
                State::Quantiles(quantiles) => quantiles.recent.held = Exponential::fine(),
                _ => continue,
            }
            self.recharge(entry);
        }
    }

    /// Shows how much is held.
    pub(super) fn show(&self) {
        metrics::statsd_held(
            self.series.load(Ordering::Relaxed),
            self.used_bytes.load(Ordering::Relaxed),
        );
    }

    #[cfg(test)]
    pub(super) fn used_bytes(&self) -> usize {
        self.used_bytes.load(Ordering::Relaxed)
    }
}

fn output(state: &mut State, rules: &Rules, is_new: bool) -> Output {
    match state {
        State::Counter(total) => Output::Counter(*total, is_new),
        State::Gauge(value) => Output::Gauge(*value),
        State::TimedCount(value) | State::TimedGauge(value) => Output::Timed(*value),
        State::Native(histogram) => Output::Native((**histogram).clone()),
        State::Classic(classic) => Output::Classic(classic.counts.clone(), classic.sum),
        State::Quantiles(quantiles) => {
            let recent = &mut quantiles.recent;
            let open = std::mem::replace(&mut recent.open, Exponential::fine());
            recent.held.merge(open);
            let shares = rules.quantiles.iter();
            let values = shares.map(|(share, _)| recent.held.quantile(*share));
            Output::Quantiles(values.collect(), quantiles.sum, quantiles.count)
        }
        State::Set(once) => {
            once.held.extend(once.open.drain());
            let members = u32::try_from(once.held.len()).unwrap_or(u32::MAX);
            Output::Gauge(f64::from(members))
        }
    }
}

#[cfg(test)]
mod tests;
