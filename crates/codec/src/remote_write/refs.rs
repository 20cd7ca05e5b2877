//! The label references of a series as version 2.0 writes them, made from those of the series before.
//!
//! Series that follow each other have most of their labels in common, all the more in one record: only those that
//! differ are given their numbers in the request, and mostly these are as long.

use model::{Block, SeriesView};

use super::current::Current;
use super::known::Known;
use super::with_pair;
use crate::protobuf::{put_refs, varint_len};
use crate::symbols::Symbols;

const LABELS: u8 = 1;

/// A label that is written.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    /// Where the number of its value starts.
    value: usize,
    end: usize,
    hash: u64,
}

/// The label references of the series that was looked at last.
#[derive(Debug)]
pub(super) struct Refs {
    /// What the symbols of the record are called in the request.
    pub(super) known: Known,
    /// The record that `refs` are of. None has the number 0.
    block: u64,
    /// Names and values of the labels in the record, if they are of one.
    refs: Vec<[u32; 2]>,
    /// The same in the request.
    numbers: Vec<u32>,
    places: Vec<Place>,
    current: Current,
    /// Random, so that nobody can choose labels that meet in a table.
    seed: u64,
}

impl Refs {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            known: Known::default(),
            block: 0,
            refs: Vec::new(),
            numbers: Vec::new(),
            places: Vec::new(),
            current: Current::default(),
            seed,
        }
    }

    /// Takes the labels of a series as they are.
    #[inline(always)]
    pub(super) fn change_to(&mut self, view: SeriesView<'_>, symbols: &mut Symbols) {
        let (block, refs) = (view.block(), view.label_refs());
        if self.block != block.id() || self.refs.len() != refs.len() {
            return self.look_at(block, refs, symbols);
        }
        self.current.start_changing();
        let mut at = 0;
        while let Some((known, refs)) = self.refs.get(at).zip(refs.get(at)) {
            if known != refs && !self.change(at, block, *refs, symbols) {
                return self.look_at(block, view.label_refs(), symbols);
            }
            at += 1;
        }
    }

    /// Changes the value of a label to one whose number is as long; answers whether that was all.
    #[inline(never)]
    fn change(
        &mut self,
        at: usize,
        block: &Block,
        [name, value]: [u32; 2],
        symbols: &mut Symbols,
    ) -> bool {
        let (Some(known), Some(place), Some(numbers)) = (
            self.refs.get_mut(at),
            self.places.get_mut(at),
            self.numbers.get_mut(2 * at..2 * at + 2),
        ) else {
            return false;
        };
        let [name_number, value_number] = numbers else {
            return false;
        };
        if known[0] != name {
            return false;
        }
        self.known.look_at(block);
        let number = self.known.number(value, symbols, block);
        let [low, high, ..] = (number << 1).to_le_bytes();
        let bytes = match self.current.encoded.get_mut(place.value..place.end) {
            Some([only]) if number < 0x80 => {
                *only = low >> 1;
                1
            }
            Some([first, second]) if (0x80..0x4000).contains(&number) => {
                *first = low >> 1 | 0x80;
                // Numbers grow by one, mostly.
                1 + usize::from(std::mem::replace(second, high) != high)
            }
            _ => return false,
        };
        self.current.has_changed(place.value..place.value + bytes);
        let hash = with_pair(self.seed, self.seed, [*name_number, number]);
        self.current.rehash(&mut place.hash, hash);
        *value_number = number;
        *known = [name, value];
        true
    }

    #[inline(never)]
    fn look_at(&mut self, block: &Block, refs: &[[u32; 2]], symbols: &mut Symbols) {
        self.known.look_at(block);
        self.block = block.id();
        self.refs.clear();
        self.refs.extend_from_slice(refs);
        self.numbers.clear();
        for reference in refs.as_flattened() {
            let number = self.known.number(*reference, symbols, block);
            self.numbers.push(number);
        }
        self.write();
    }

    /// Takes labels that are not those of a record, by their numbers in the request.
    pub(super) fn set(&mut self, numbers: impl Iterator<Item = [u32; 2]>) {
        self.forget();
        self.numbers.clear();
        self.numbers.extend(numbers.flatten());
        self.write();
    }

    fn write(&mut self) {
        self.current.changed = None;
        self.current.encoded.clear();
        put_refs(&mut self.current.encoded, LABELS, &self.numbers);
        self.places.clear();
        self.current.hash = 0;
        let (pairs, _) = self.numbers.as_chunks::<2>();
        let lens = |pair: &[u32; 2]| pair.map(|number| varint_len(u64::from(number)));
        let all = pairs.iter().map(|pair| lens(pair).iter().sum::<usize>());
        let mut end = self.current.encoded.len() - all.sum::<usize>();
        for pair in pairs {
            let [name, value] = lens(pair);
            end += name + value;
            let hash = with_pair(self.seed, self.seed, *pair);
            self.current.hash = self.current.hash.wrapping_add(hash);
            self.places.push(Place {
                value: end - value,
                end,
                hash,
            });
        }
    }

    /// The references are of no record any more.
    fn forget(&mut self) {
        self.block = 0;
        self.refs.clear();
    }

    /// The request's numbers are void.
    pub(super) fn clear(&mut self) {
        self.known.clear();
        self.forget();
    }

    #[inline]
    pub(super) fn current(&self) -> &Current {
        &self.current
    }
}

#[cfg(test)]
mod tests;
