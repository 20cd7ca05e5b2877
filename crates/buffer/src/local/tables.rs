//! What the tables hold, and what their followers have not been told yet.
//!
//! A table is a compacted log of changes in memory: each key's last change, in order. A deletion
//! stays until every follower was told of it, so that nothing grows beside the entries themselves.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use bytes::Bytes;

use super::failure::Failure;
use super::store::Store;
use crate::Change;

/// One thing that is to happen to a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Put {
    pub(super) table: Arc<str>,
    pub(super) key: Bytes,
    /// None deletes.
    pub(super) value: Option<Bytes>,
}

/// All tables of a log. What is in here is durable.
#[derive(Debug, Default)]
pub(super) struct Tables(BTreeMap<Arc<str>, Contents>);

#[derive(Debug, Default)]
struct Contents {
    /// The number of the last change.
    last: u64,
    /// The last change of each key in `changes`.
    numbers: HashMap<Bytes, u64>,
    changes: BTreeMap<u64, (Bytes, Option<Bytes>)>,
    /// Those of `changes` that delete.
    deletions: BTreeSet<u64>,
    /// The last change that each follower was told, by the follower's id.
    told: BTreeMap<u64, u64>,
}

/// Where a follower is. Its id is given back with [`Tables::leave`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    id: u64,
    /// The last change that was there when it came.
    start: u64,
    is_caught_up: bool,
}

impl Tables {
    /// Makes the tables what is stored; what is different is told to the followers.
    pub(super) fn load(&mut self, store: &Store) -> Result<(), Failure> {
        let mut stored: BTreeMap<Arc<str>, HashMap<Bytes, Bytes>> = BTreeMap::new();
        for found in store.table_entries() {
            let (table, key, value) = found?;
            stored.entry(table).or_default().insert(key, value);
        }
        for table in stored.keys() {
            self.0.entry(Arc::clone(table)).or_default();
        }
        for (table, contents) in &mut self.0 {
            contents.become_equal(stored.remove(table).unwrap_or_default());
        }
        Ok(())
    }

    /// Does what has become durable.
    pub(super) fn apply(&mut self, puts: Vec<Put>) {
        for Put { table, key, value } in puts {
            self.0.entry(table).or_default().change(key, value);
        }
    }

    /// A new follower.
    pub(super) fn join(&mut self, table: &Arc<str>) -> Place {
        let contents = self.0.entry(Arc::clone(table)).or_default();
        let id = contents.told.keys().next_back().map_or(0, |last| last + 1);
        contents.told.insert(id, 0);
        Place {
            id,
            start: contents.last,
            is_caught_up: false,
        }
    }

    /// A follower goes: nothing is kept for it.
    pub(super) fn leave(&mut self, table: &str, place: Place) {
        if let Some(contents) = self.0.get_mut(table) {
            contents.told.remove(&place.id);
            contents.drop_told();
        }
    }

    /// What a follower is to be told next, if there is anything.
    pub(super) fn next(&mut self, table: &str, place: &mut Place) -> Option<Change> {
        let contents = self.0.get_mut(table)?;
        let told = contents.told.get(&place.id).copied()?;
        let next = contents.changes.range(told + 1..).next();
        if !place.is_caught_up && next.is_none_or(|(number, _)| *number > place.start) {
            place.is_caught_up = true;
            return Some(Change::CaughtUp);
        }
        let (number, (key, value)) = next?;
        let (number, key) = (*number, key.clone());
        let change = match value.clone() {
            Some(value) => Change::Put { key, value },
            None => Change::Deleted { key },
        };
        contents.told.insert(place.id, number);
        contents.drop_told();
        Some(change)
    }
}

impl Contents {
    fn change(&mut self, key: Bytes, value: Option<Bytes>) {
        self.last += 1;
        if let Some(earlier) = self.numbers.insert(key.clone(), self.last) {
            self.changes.remove(&earlier);
            self.deletions.remove(&earlier);
        }
        if value.is_none() {
            self.deletions.insert(self.last);
        }
        self.changes.insert(self.last, (key, value));
        self.drop_told();
    }

    /// Forgets deletions that nobody waits for.
    fn drop_told(&mut self) {
        let told_to_all = self.told.values().copied().min().unwrap_or(self.last);
        while let Some(number) = self.deletions.first().copied()
            && number <= told_to_all
        {
            self.deletions.remove(&number);
            if let Some((key, _)) = self.changes.remove(&number) {
                self.numbers.remove(&key);
            }
        }
    }

    fn become_equal(&mut self, mut stored: HashMap<Bytes, Bytes>) {
        let mut gone = Vec::new();
        for (key, value) in self.changes.values() {
            match stored.remove(key) {
                Some(found) if Some(&found) == value.as_ref() => {}
                Some(found) => gone.push((key.clone(), Some(found))),
                None if value.is_some() => gone.push((key.clone(), None)),
                None => {}
            }
        }
        let new = stored.into_iter().map(|(key, value)| (key, Some(value)));
        for (key, value) in gone.into_iter().chain(new) {
            self.change(key, value);
        }
    }
}

#[cfg(test)]
mod tests;
