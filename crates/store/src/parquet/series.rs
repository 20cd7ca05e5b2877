//! The series of a batch, numbered.

use std::hash::BuildHasher as _;
use std::ops::Range;

use foldhash::quality::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use model::{Block, NAME_LABEL};

use crate::Item;

/// Texts, numbered in the order in which they are first seen.
#[derive(Debug)]
struct Texts<'a> {
    texts: Vec<&'a str>,
    numbers: HashTable<u32>,
    hasher: RandomState,
    /// The record that was looked at last.
    block: Option<u64>,
    /// The number of each of its symbols that was asked for.
    known: Vec<Option<u32>>,
}

/// The numbers of the first two texts.
const EMPTY: u32 = 0;
const NAME: u32 = 1;

/// The series of a batch.
#[derive(Debug)]
pub(super) struct SeriesTable<'a> {
    texts: Texts<'a>,
    /// The numbers of each series' texts: the empty one and the metric, then names and values of labels.
    parts: Vec<u32>,
    series: Vec<Range<usize>>,
    numbers: HashTable<u32>,
    hasher: RandomState,
    /// Of the series that is looked for.
    wanted: Vec<u32>,
    unsorted: Vec<(&'a str, &'a str)>,
}

impl Default for Texts<'_> {
    fn default() -> Self {
        Self {
            texts: Vec::new(),
            numbers: HashTable::new(),
            hasher: RandomState::default(),
            block: None,
            known: Vec::new(),
        }
    }
}

impl<'a> Texts<'a> {
    /// Goes on with the symbols of this record.
    fn look_at(&mut self, block: &Block) {
        if self.block != Some(block.id()) {
            self.block = Some(block.id());
            self.known.clear();
            self.known.resize(block.symbols().len(), None);
        }
    }

    /// The number of a symbol of the record.
    fn number(&mut self, block: &'a Block, symbol: u32) -> u32 {
        match self.known.get(symbol as usize) {
            Some(Some(number)) => *number,
            _ => {
                let number = self.find(block.symbol(symbol));
                if let Some(known) = self.known.get_mut(symbol as usize) {
                    *known = Some(number);
                }
                number
            }
        }
    }

    fn find(&mut self, text: &'a str) -> u32 {
        let Self {
            texts,
            numbers,
            hasher,
            ..
        } = self;
        let text_of = |number: &u32| texts.get(*number as usize).copied().unwrap_or_default();
        let entry = numbers.entry(
            hasher.hash_one(text),
            |number| text_of(number) == text,
            |number| hasher.hash_one(text_of(number)),
        );
        match entry {
            Entry::Occupied(entry) => *entry.get(),
            Entry::Vacant(slot) => {
                let number = u32::try_from(texts.len()).unwrap_or(u32::MAX);
                slot.insert(number);
                texts.push(text);
                number
            }
        }
    }

    /// Where each text is when all are sorted.
    fn ranks(&self) -> Vec<u32> {
        let mut sorted: Vec<(&str, u32)> = self.texts.iter().copied().zip(0..).collect();
        sorted.sort_unstable();
        let mut ranks = vec![0; sorted.len()];
        for ((_, number), rank) in sorted.into_iter().zip(0..) {
            if let Some(slot) = ranks.get_mut(number as usize) {
                *slot = rank;
            }
        }
        ranks
    }
}

impl Default for SeriesTable<'_> {
    fn default() -> Self {
        let mut texts = Texts::default();
        texts.find("");
        texts.find(NAME_LABEL);
        Self {
            texts,
            parts: Vec::new(),
            series: Vec::new(),
            numbers: HashTable::new(),
            hasher: RandomState::default(),
            wanted: Vec::new(),
            unsorted: Vec::new(),
        }
    }
}

impl<'a> SeriesTable<'a> {
    /// The number of an item's series, which is added if it is new.
    pub(super) fn number(&mut self, item: &'a Item) -> u32 {
        self.want(item);
        let Self {
            parts,
            series,
            numbers,
            hasher,
            wanted,
            ..
        } = self;
        let parts_of = |number: &u32| {
            let range = series.get(*number as usize).cloned().unwrap_or_default();
            parts.get(range).unwrap_or_default()
        };
        let entry = numbers.entry(
            hasher.hash_one(wanted.as_slice()),
            |number| parts_of(number) == wanted.as_slice(),
            |number| hasher.hash_one(parts_of(number)),
        );
        match entry {
            Entry::Occupied(entry) => *entry.get(),
            Entry::Vacant(slot) => {
                let number = u32::try_from(series.len()).unwrap_or(u32::MAX);
                slot.insert(number);
                let start = parts.len();
                parts.extend_from_slice(wanted);
                series.push(start..parts.len());
                number
            }
        }
    }

    /// Looks an item's texts up.
    fn want(&mut self, item: &'a Item) {
        let Self {
            texts,
            wanted,
            unsorted,
            ..
        } = self;
        let view = item.view();
        let block = view.block();
        texts.look_at(block);
        wanted.clear();
        wanted.extend([EMPTY, EMPTY]);
        let mut before = EMPTY;
        let mut is_twice = false;
        for &[name, value] in view.label_refs() {
            let (name, value) = (texts.number(block, name), texts.number(block, value));
            is_twice |= name == before;
            before = name;
            if name != NAME {
                wanted.extend([name, value]);
            } else if let Some(metric) = wanted.get_mut(1)
                && *metric == EMPTY
            {
                *metric = value;
            }
        }
        if view.is_tidy() && !is_twice {
            return;
        }
        // A map with a key twice is unreadable for some readers: the first one counts.
        unsorted.clear();
        unsorted.extend(view.labels().filter(|(name, _)| *name != NAME_LABEL));
        unsorted.sort_by_key(|(name, _)| *name);
        unsorted.dedup_by_key(|(name, _)| *name);
        wanted.truncate(2);
        for (name, value) in unsorted.drain(..) {
            wanted.extend([texts.find(name), texts.find(value)]);
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.series.len()
    }

    /// Their numbers, sorted by metric and labels.
    pub(super) fn in_order(&self) -> Vec<u32> {
        let ranks = self.texts.ranks();
        let rank = |part: &u32| ranks.get(*part as usize).copied().unwrap_or_default();
        let parts: Vec<u32> = self.parts.iter().map(rank).collect();
        let mut order: Vec<(&[u32], u32)> = self
            .series
            .iter()
            .map(|range| parts.get(range.clone()).unwrap_or_default())
            .zip(0..)
            .collect();
        order.sort_unstable();
        order.into_iter().map(|(_, number)| number).collect()
    }

    /// The metric beside an empty name, then the labels sorted by name.
    pub(super) fn labels(&self, number: u32) -> impl Iterator<Item = (&str, &str)> {
        let range = self.series.get(number as usize).cloned();
        let parts = self.parts.get(range.unwrap_or_default());
        let (pairs, _) = parts.unwrap_or_default().as_chunks::<2>();
        let text = |part: u32| self.texts.texts.get(part as usize).copied();
        pairs.iter().map(move |&[name, value]| {
            let (name, value) = (text(name), text(value));
            (name.unwrap_or_default(), value.unwrap_or_default())
        })
    }
}
