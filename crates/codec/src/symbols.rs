//! The table of texts that a request's labels refer to by number.
//!
//! Texts are kept as the wire wants them: field 4 of a remote-write 2.0 request, one after the
//! other, so that writing the table is one copy.

use std::hash::BuildHasher;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry as Slot;

use crate::protobuf::{delimited_len, put_bytes};

const SYMBOLS_FIELD: u8 = 4;

#[derive(Debug, Clone, Copy)]
struct Entry {
    /// Where the field starts.
    start: usize,
    /// Where the text starts; it ends with the field.
    text: usize,
    end: usize,
}

/// Texts numbered in the order of their first use.
#[derive(Debug, Default)]
pub(crate) struct Symbols {
    encoded: Vec<u8>,
    entries: Vec<Entry>,
    numbers: HashTable<u32>,
    /// How many of the texts are in `numbers`. The others get there when somebody looks for a text: who knows that
    /// a text is new does not pay for those who do not.
    indexed: usize,
    hasher: foldhash::fast::RandomState,
}

impl Symbols {
    /// The number of a text, which is added if it is new. `guess` is looked at first: a series
    /// mostly has the texts of the one before it, and comparing is cheaper than hashing.
    #[inline]
    pub(crate) fn intern_like(&mut self, text: impl AsRef<[u8]>, guess: Option<u32>) -> u32 {
        let text = text.as_ref();
        if let Some(number) = guess
            && let Some(entry) = self.entries.get(number as usize)
            && self
                .encoded
                .get(entry.text..entry.end)
                .is_some_and(|known| is_same(known, text))
        {
            return number;
        }
        self.intern_bytes(text)
    }

    /// The number of a text, which is added if it is new.
    pub(crate) fn intern(&mut self, text: &str) -> u32 {
        self.intern_bytes(text.as_bytes())
    }

    /// The number of a text given as its bytes, which is added if it is new.
    pub(crate) fn intern_bytes(&mut self, text: &[u8]) -> u32 {
        self.index();
        let Self {
            encoded,
            entries,
            numbers,
            indexed,
            hasher,
        } = self;
        let same = |number: &u32| text_of(encoded, entries, *number) == text;
        let rehash = |number: &u32| hasher.hash_one(text_of(encoded, entries, *number));
        match numbers.entry(hasher.hash_one(text), same, rehash) {
            Slot::Occupied(slot) => *slot.get(),
            Slot::Vacant(slot) => {
                let number = append(encoded, entries, text);
                slot.insert(number);
                *indexed += 1;
                number
            }
        }
    }

    /// Adds a text that is not there, and answers its number.
    #[inline]
    pub(crate) fn append(&mut self, text: &[u8]) -> u32 {
        append(&mut self.encoded, &mut self.entries, text)
    }

    /// Whether somebody has looked for a text since the table was cleared: then there may be texts that nobody but
    /// [`Self::intern`] knows of.
    pub(crate) const fn is_indexed(&self) -> bool {
        self.indexed > 0
    }

    /// Makes every text one that can be looked for.
    #[inline]
    pub(crate) fn index(&mut self) {
        if self.indexed < self.entries.len() {
            self.index_rest();
        }
    }

    #[cold]
    fn index_rest(&mut self) {
        let Self {
            encoded,
            entries,
            numbers,
            indexed,
            hasher,
        } = self;
        let hash = |number: &u32| hasher.hash_one(text_of(encoded, entries, *number));
        for number in *indexed..entries.len() {
            let number = u32::try_from(number).unwrap_or(u32::MAX);
            numbers.insert_unique(hash(&number), number, hash);
        }
        *indexed = entries.len();
    }

    /// A number that nobody outside can know.
    pub(crate) fn seed(&self) -> u64 {
        self.hasher.hash_one(0)
    }

    /// A text by its number.
    #[inline]
    pub(crate) fn text(&self, number: u32) -> &[u8] {
        text_of(&self.encoded, &self.entries, number)
    }

    /// How many texts there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The memory that it keeps, in bytes, about.
    pub(crate) fn capacity(&self) -> usize {
        self.encoded.capacity() + self.entries.capacity() * (size_of::<Entry>() + size_of::<u64>())
    }

    /// The table as field 4 of a request.
    pub(crate) fn encoded(&self) -> &[u8] {
        &self.encoded
    }

    /// Forgets the texts from this number on.
    pub(crate) fn truncate(&mut self, len: usize) {
        let Some(first) = self.entries.get(len).copied() else {
            return;
        };
        for number in len..self.indexed {
            let number = u32::try_from(number).unwrap_or(u32::MAX);
            let hash = self.hasher.hash_one(self.text(number));
            if let Ok(slot) = self.numbers.find_entry(hash, |other| *other == number) {
                slot.remove();
            }
        }
        self.encoded.truncate(first.start);
        self.entries.truncate(len);
        self.indexed = self.indexed.min(len);
    }

    /// Forgets all texts and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.encoded.clear();
        self.entries.clear();
        self.numbers.clear();
        self.indexed = 0;
    }
}

fn append(encoded: &mut Vec<u8>, entries: &mut Vec<Entry>, text: &[u8]) -> u32 {
    let number = u32::try_from(entries.len()).unwrap_or(u32::MAX);
    let start = encoded.len();
    put_bytes(encoded, SYMBOLS_FIELD, text);
    entries.push(Entry {
        start,
        text: start + delimited_len(text.len()) - text.len(),
        end: encoded.len(),
    });
    number
}

/// Whether two texts are the same. Units and help texts are mostly empty: `memcmp` of nothing at an empty
/// slice's address, which is none, costs some processors a hundred nanoseconds.
#[inline]
fn is_same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && (a.is_empty() || a == b)
}

#[inline]
fn text_of<'a>(encoded: &'a [u8], entries: &[Entry], number: u32) -> &'a [u8] {
    entries
        .get(number as usize)
        .and_then(|entry| encoded.get(entry.text..entry.end))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
