//! The keys that most comes for, among any number of keys, in bounded memory.
//!
//! Misra and Gries' summary: when the table is full, the median of what keys have is taken from all, and those that have
//! nothing left go. What is counted of a key is never more than what came, and less by a small part of all at most.

use bytes::Bytes;
use foldhash::quality::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use std::hash::BuildHasher as _;

/// What came for a key, or to a partition.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Load {
    pub(crate) bytes: u64,
    pub(crate) samples: u64,
}

impl Load {
    pub(super) fn add(&mut self, other: Self) {
        self.bytes += other.bytes;
        self.samples += other.samples;
    }
}

#[derive(Debug)]
struct Counted {
    hash: u64,
    key: Bytes,
    load: Load,
}

/// Bounded by a number of keys.
#[derive(Debug)]
pub(super) struct Frequent {
    slots: HashTable<u32>,
    counted: Vec<Counted>,
    most: usize,
    hasher: RandomState,
}

impl Frequent {
    pub(super) fn new(most: usize) -> Self {
        Self {
            slots: HashTable::new(),
            counted: Vec::new(),
            most: most.max(2),
            hasher: RandomState::default(),
        }
    }

    pub(super) fn add(&mut self, key: &Bytes, load: Load) {
        let hash = self.hasher.hash_one(key.as_ref());
        if self.counted.len() >= self.most && !self.has(hash, key) {
            self.make_room();
        }
        let Self { slots, counted, .. } = self;
        let entry = slots.entry(
            hash,
            |slot| is_it(counted, *slot, hash, key),
            |slot| counted.get(*slot as usize).map_or(0, |found| found.hash),
        );
        match entry {
            Entry::Occupied(slot) => {
                if let Some(found) = counted.get_mut(*slot.get() as usize) {
                    found.load.add(load);
                }
            }
            Entry::Vacant(slot) => {
                // There are fewer than 2^32.
                slot.insert(u32::try_from(counted.len()).unwrap_or(u32::MAX));
                counted.push(Counted {
                    hash,
                    key: key.clone(),
                    load,
                });
            }
        }
    }

    fn has(&self, hash: u64, key: &Bytes) -> bool {
        let is_it = |slot: &u32| is_it(&self.counted, *slot, hash, key);
        self.slots.find(hash, is_it).is_some()
    }

    fn make_room(&mut self) {
        let mut bytes: Vec<u64> = self.counted.iter().map(|found| found.load.bytes).collect();
        let middle = bytes.len() / 2;
        let (_, median, _) = bytes.select_nth_unstable(middle);
        let median = (*median).max(1);
        self.counted.retain_mut(|found| {
            let load = &mut found.load;
            let left = load.bytes.saturating_sub(median);
            // As many samples for a byte as before.
            let samples = u128::from(load.samples) * u128::from(left);
            let samples = samples / u128::from(load.bytes.max(1));
            *load = Load {
                bytes: left,
                samples: u64::try_from(samples).unwrap_or(u64::MAX),
            };
            left > 0
        });
        self.slots.clear();
        let Self { slots, counted, .. } = self;
        for (number, found) in (0..).zip(counted.iter()) {
            slots.insert_unique(found.hash, number, |slot| {
                counted.get(*slot as usize).map_or(0, |found| found.hash)
            });
        }
    }

    /// Those with most, most first; counting begins anew.
    pub(super) fn take(&mut self, most: usize) -> Vec<(Bytes, Load)> {
        self.slots.clear();
        let mut counted = std::mem::take(&mut self.counted);
        counted.sort_unstable_by(|a, b| b.load.bytes.cmp(&a.load.bytes).then(a.key.cmp(&b.key)));
        counted.truncate(most);
        counted
            .into_iter()
            .map(|found| (found.key, found.load))
            .collect()
    }
}

fn is_it(counted: &[Counted], slot: u32, hash: u64, key: &Bytes) -> bool {
    let found = counted.get(slot as usize);
    found.is_some_and(|found| found.hash == hash && found.key == *key)
}

#[cfg(test)]
mod tests;
