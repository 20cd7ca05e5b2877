//! The labels of a series as version 1.0 writes them, made from those of the series before.
//!
//! Series that follow each other have most of their labels in common, all the more in one record: only those that
//! differ are looked up, written and hashed. No text of them gets a number, which 1.0 has no use for.

use std::ops::Range;

use model::{Block, SeriesView};

use super::current::Current;
use super::with_word;
use crate::protobuf::{Reader, delimited_len, put_bytes, put_head};

const LABEL: u8 = 1;
const NAME: u8 = 1;
const VALUE: u8 = 2;

/// References of no record.
const NOBODYS: [u32; 2] = [u32::MAX; 2];

/// A label that is written.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place {
    pub(super) start: usize,
    pub(super) end: usize,
    value_len: usize,
    /// Of its bytes.
    pub(super) hash: u64,
}

/// The labels of the series that was looked at last.
#[derive(Debug)]
pub(super) struct Labels {
    /// The record that the references are of. None has the number 0.
    block: u64,
    /// Names and values of the labels in the record.
    refs: Vec<[u32; 2]>,
    /// As many.
    places: Vec<Place>,
    current: Current,
    /// A label that does not fit where another one was.
    longer: Vec<u8>,
    /// Random, so that nobody can choose labels that meet in a table.
    seed: u64,
}

impl Labels {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            block: 0,
            refs: Vec::new(),
            places: Vec::new(),
            current: Current::default(),
            longer: Vec::new(),
            seed,
        }
    }

    /// Takes the labels of a series as they are.
    #[inline(always)]
    pub(super) fn change_to(&mut self, view: SeriesView<'_>) {
        let (block, refs) = (view.block(), view.label_refs());
        if self.block != block.id() || self.refs.len() != refs.len() {
            return self.look_at(block, refs);
        }
        self.current.start_changing();
        let mut at = 0;
        while let Some((known, refs)) = self.refs.get(at).zip(refs.get(at)) {
            if known != refs && !self.change(at, block, *refs) {
                return self.look_at(block, view.label_refs());
            }
            at += 1;
        }
    }

    /// Changes the value of a label to one as long; answers whether that was all.
    #[inline(never)]
    fn change(&mut self, at: usize, block: &Block, refs: [u32; 2]) -> bool {
        let (Some(known), Some(place)) = (self.refs.get_mut(at), self.places.get_mut(at)) else {
            return false;
        };
        // Hosts mostly differ by a number: then nothing moves, and no length changes.
        let value = block.symbol_bytes(refs[1]);
        if known[0] != refs[0] || place.value_len != value.len() {
            return false;
        }
        let start = place.end - value.len();
        if let Some(text) = self.current.encoded.get_mut(start..place.end) {
            let differing = replace(text, value);
            self.current
                .has_changed(start + differing.start..start + differing.end);
        }
        let label = self.current.encoded.get(place.start..place.end);
        let hash = hashed(self.seed, label.unwrap_or_default());
        self.current.rehash(&mut place.hash, hash);
        *known = refs;
        true
    }

    #[inline(never)]
    fn look_at(&mut self, block: &Block, refs: &[[u32; 2]]) {
        if self.block != block.id() {
            self.forget_refs();
            self.block = block.id();
        }
        self.write(refs.iter().map(|refs| (*refs, texts(block, *refs))));
    }

    /// Takes labels that are not those of a record.
    pub(super) fn set<'a>(&mut self, labels: impl Iterator<Item = [&'a str; 2]>) {
        self.forget_refs();
        self.write(labels.map(|texts| (NOBODYS, texts.map(str::as_bytes))));
    }

    /// The references are of no record any more.
    fn forget_refs(&mut self) {
        self.block = 0;
        self.refs.fill(NOBODYS);
    }

    fn write<'a>(&mut self, labels: impl Iterator<Item = ([u32; 2], [&'a [u8]; 2])>) {
        self.current.changed = None;
        let (mut count, mut start) = (0, 0);
        for (refs, texts) in labels {
            if count == self.refs.len() {
                self.refs.push(NOBODYS);
                let place = Place {
                    start,
                    end: start,
                    ..Place::default()
                };
                self.places.push(place);
            }
            if let (Some(known), Some(place)) =
                (self.refs.get_mut(count), self.places.get_mut(count))
            {
                // What is before it may have another length now.
                (place.start, place.end) = (start, start + place.end - place.start);
                if *known != refs || refs == NOBODYS {
                    *known = refs;
                    self.replace(count, texts);
                }
            }
            start = self.places.get(count).map_or(start, |place| place.end);
            count += 1;
        }
        self.refs.truncate(count);
        for gone in self.places.drain(count..) {
            self.current.hash = self.current.hash.wrapping_sub(gone.hash);
        }
        self.current.encoded.truncate(start);
    }

    /// Puts a label where another one is.
    fn replace(&mut self, at: usize, texts: [&[u8]; 2]) {
        let Some(place) = self.places.get_mut(at) else {
            return;
        };
        let encoded = &mut self.current.encoded;
        let old = encoded.get(place.start..place.end);
        if old.is_some_and(|old| is_label(old, texts)) {
            return;
        }
        self.longer.clear();
        put_label(&mut self.longer, texts);
        let end = place.start + self.longer.len();
        let rest = encoded.len() - place.end;
        if end > place.end {
            encoded.resize(end + rest, 0);
        }
        encoded.copy_within(place.end..place.end + rest, end);
        encoded.truncate(end + rest);
        if let Some(label) = encoded.get_mut(place.start..end) {
            label.copy_from_slice(&self.longer);
        }
        let hash = hashed(self.seed, &self.longer);
        self.current.rehash(&mut place.hash, hash);
        let [_, value] = texts;
        (place.end, place.value_len) = (end, value.len());
    }

    /// Forgets labels that are longer than so many bytes, and gives their memory back.
    pub(super) fn shrink_to(&mut self, bytes: usize) {
        if self.current.encoded.capacity().max(self.longer.capacity()) > bytes {
            *self = Self::new(self.seed);
        }
    }

    #[inline]
    pub(super) fn current(&self) -> &Current {
        &self.current
    }

    /// Where the labels are.
    #[inline]
    pub(super) fn places(&self) -> &[Place] {
        &self.places
    }
}

#[inline]
fn texts(block: &Block, refs: [u32; 2]) -> [&[u8]; 2] {
    refs.map(|reference| block.symbol_bytes(reference))
}

/// The hash of a label, which has its lengths in it: where the last word begins does not matter.
#[inline(always)]
fn hashed(seed: u64, label: &[u8]) -> u64 {
    let (words, rest) = label.as_chunks::<8>();
    let word = |word: &[u8; 8]| u64::from_le_bytes(*word);
    let hash = words
        .iter()
        .fold(seed, |hash, bytes| with_word(seed, hash, word(bytes)));
    let last = label.last_chunk().map_or_else(
        || {
            rest.iter()
                .fold(0, |last, byte| last << 8 | u64::from(*byte))
        },
        word,
    );
    with_word(seed, hash, last)
}

/// Replaces a text by one as long, and answers from where to where it was another one.
#[inline(always)]
fn replace(text: &mut [u8], new: &[u8]) -> Range<usize> {
    let len = text.len();
    let (Some(last), Some(new_last)) = (text.last_chunk().copied(), new.last_chunk()) else {
        text.copy_from_slice(new);
        return 0..len;
    };
    let (mut start, mut end) = (len, 0);
    let mut compare = |at: usize, word: [u8; 8], new: [u8; 8]| {
        let differing = u64::from_le_bytes(word) ^ u64::from_le_bytes(new);
        if differing != 0 {
            start = start.min(at + differing.trailing_zeros() as usize / 8);
            end = at + 8 - differing.leading_zeros() as usize / 8;
        }
    };
    let (words, _) = text.as_chunks_mut();
    for (at, (word, new)) in words.iter_mut().zip(new.as_chunks().0).enumerate() {
        compare(8 * at, *word, *new);
        *word = *new;
    }
    // What it shares with the words before comes to the same.
    compare(len - 8, last, *new_last);
    if let Some(last) = text.last_chunk_mut() {
        *last = *new_last;
    }
    start..end
}

/// Whether this is the label with these texts; it may say no of long ones.
fn is_label(label: &[u8], [name, value]: [&[u8]; 2]) -> bool {
    const HEAD: usize = 2;
    let name_end = 2 * HEAD + name.len();
    if name.len() + value.len() > 100 || label.len() != name_end + HEAD + value.len() {
        return false;
    }
    let lengths = [3, name_end + 1].map(|at| label.get(at).copied().map(usize::from));
    lengths == [Some(name.len()), Some(value.len())]
        && label.get(2 * HEAD..name_end) == Some(name)
        && label.get(name_end + HEAD..) == Some(value)
}

pub(super) fn put_label(output: &mut Vec<u8>, [name, value]: [&[u8]; 2]) {
    put_head(
        output,
        LABEL,
        delimited_len(name.len()) + delimited_len(value.len()),
    );
    put_bytes(output, NAME, name);
    put_bytes(output, VALUE, value);
}

/// The value of a label among some that are encoded.
pub(super) fn value_of<'a>(labels: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let mut labels = Reader(labels);
    while let Ok(Some((_, label))) = labels.field() {
        let mut texts = Reader(label.bytes().ok()?);
        let mut next = || texts.field().ok()??.1.bytes().ok();
        if next()? == name {
            return next();
        }
    }
    None
}

#[cfg(test)]
mod tests;
