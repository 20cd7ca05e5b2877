//! The things that have most, among any number of things: a bounded table of sketches.
//!
//! When it is full, a newcomer takes the place of the one that has least of some: what has many is very unlikely to be
//! the least of them, and what has few is nobody's worry.

use std::sync::Arc;

use hashbrown::HashTable;

use super::sketch::Sketch;

/// So many are compared for one to go.
const COMPARED: usize = 8;

/// Who brought most of something: the vote of Boyer and Moore, which finds who has more than half.
#[derive(Debug, Default)]
pub(super) struct Majority {
    who: Option<Arc<str>>,
    lead: u64,
}

impl Majority {
    #[inline]
    pub(super) fn vote(&mut self, who: Option<&Arc<str>>) {
        if self.who.as_ref() == who {
            self.lead += 1;
        } else if self.lead == 0 {
            self.who = who.map(Arc::clone);
            self.lead = 1;
        } else {
            self.lead -= 1;
        }
    }

    pub(super) fn who(&self) -> Option<&str> {
        self.who.as_deref()
    }
}

/// Something that is counted.
#[derive(Debug)]
pub(super) struct Entry<K> {
    pub(super) key: K,
    hash: u64,
    pub(super) sketch: Sketch,
    pub(super) source: Majority,
    /// How often something was added; not how many different ones there are, but near enough to compare.
    added: u64,
}

/// Where something may be in a table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Near(usize);

impl Near {
    /// Nowhere yet.
    pub(super) const NOWHERE: Self = Self(usize::MAX);
}

#[derive(Debug)]
pub(super) struct Table<K> {
    /// By the hashes of the entries, which nobody outside can foresee.
    slots: HashTable<usize>,
    entries: Vec<Entry<K>>,
    most: usize,
    precision: u8,
    next: usize,
}

impl<K> Table<K> {
    pub(super) fn new(most: usize, precision: u8) -> Self {
        Self {
            slots: HashTable::new(),
            entries: Vec::new(),
            most: most.max(1),
            precision,
            next: 0,
        }
    }

    /// Adds a thing to what the key with this hash has. `near` is where it was last, or where another one was; afterwards
    /// it is where it is.
    #[inline]
    pub(super) fn add(
        &mut self,
        near: &mut Near,
        hash: u64,
        key: impl FnOnce() -> K,
        (thing, source): (u64, Option<&Arc<str>>),
        half: u64,
    ) {
        let is_there = |entry: &Entry<K>| entry.hash == hash;
        if !self.entries.get(near.0).is_some_and(is_there) {
            *near = Near(match self.find(hash) {
                Some(slot) => slot,
                None => self.make(hash, key, half),
            });
        }
        if let Some(entry) = self.entries.get_mut(near.0) {
            entry.sketch.add(thing, half);
            entry.source.vote(source);
            entry.added += 1;
        }
    }

    fn find(&self, hash: u64) -> Option<usize> {
        let is_it = |slot: &usize| hash_at(&self.entries, *slot) == Some(hash);
        self.slots.find(hash, is_it).copied()
    }

    fn make(&mut self, hash: u64, key: impl FnOnce() -> K, half: u64) -> usize {
        let entry = Entry {
            key: key(),
            hash,
            sketch: Sketch::new(self.precision, half),
            source: Majority::default(),
            added: 0,
        };
        if self.entries.len() < self.most {
            self.entries.push(entry);
            let slot = self.entries.len() - 1;
            self.insert(hash, slot);
            return slot;
        }
        let candidates = (0..COMPARED).map(|step| (self.next + step) % self.most);
        let added = |slot: &usize| self.entries.get(*slot).map_or(0, |entry| entry.added);
        let slot = candidates.min_by_key(added).unwrap_or_default();
        self.next = (self.next + COMPARED) % self.most;
        if let Some(place) = self.entries.get_mut(slot) {
            let gone = std::mem::replace(place, entry);
            if let Ok(taken) = self.slots.find_entry(gone.hash, |other| *other == slot) {
                taken.remove();
            }
        }
        self.insert(hash, slot);
        slot
    }

    fn insert(&mut self, hash: u64, slot: usize) {
        let Self { slots, entries, .. } = self;
        let hash_of = |slot: &usize| hash_at(entries, *slot).unwrap_or_default();
        slots.insert_unique(hash, slot, hash_of);
    }

    /// Those with most, and how many each has. What has nothing any more goes.
    pub(super) fn top(&mut self, most: usize, half: u64) -> Vec<(usize, &Entry<K>)> {
        self.forget_silent(half);
        let mut ranked: Vec<(usize, usize)> = (0..)
            .zip(&mut self.entries)
            .map(|(slot, entry)| (entry.sketch.at_least(half), slot))
            .collect();
        ranked.sort_unstable_by(|a, b| b.cmp(a));
        // Both halves together may change the order of those that are near each other.
        ranked.truncate(most.saturating_mul(2));
        for (count, slot) in &mut ranked {
            if let Some(entry) = self.entries.get_mut(*slot) {
                *count = entry.sketch.count(half);
            }
        }
        ranked.sort_unstable_by(|a, b| b.cmp(a));
        ranked.truncate(most);
        let entry = |(count, slot): (usize, usize)| Some((count, self.entries.get(slot)?));
        ranked.into_iter().filter_map(entry).collect()
    }

    /// How many keys there are.
    pub(super) const fn len(&self) -> usize {
        self.entries.len()
    }

    /// Those that are wanted, and how many each has.
    pub(super) fn matching(
        &mut self,
        is_wanted: impl Fn(&K) -> bool,
        half: u64,
    ) -> Vec<(usize, &Entry<K>)> {
        self.forget_silent(half);
        let wanted = self
            .entries
            .iter_mut()
            .filter(|entry| is_wanted(&entry.key));
        wanted
            .map(|entry| (entry.sketch.count(half), &*entry))
            .collect()
    }

    fn forget_silent(&mut self, half: u64) {
        let before = self.entries.len();
        self.entries
            .retain_mut(|entry| entry.sketch.at_least(half) > 0);
        if self.entries.len() < before {
            self.slots.clear();
            for slot in 0..self.entries.len() {
                let hash = hash_at(&self.entries, slot).unwrap_or_default();
                self.insert(hash, slot);
            }
        }
    }
}

fn hash_at<K>(entries: &[Entry<K>], slot: usize) -> Option<u64> {
    Some(entries.get(slot)?.hash)
}

#[cfg(test)]
mod tests;
