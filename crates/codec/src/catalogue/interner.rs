//! Byte strings by number, kept once each.

use std::hash::BuildHasher as _;

use hashbrown::HashTable;

/// Strings lie in pieces, so that growing never copies what is there: a small one first, each larger than the one
/// before, up to this.
const CHUNK_BYTES: usize = 128 << 10;

const FIRST_CHUNK_BYTES: usize = 4 << 10;

/// What a string costs beside its bytes: its place, and its slot in the table at a usual load.
const PLACE_BYTES: usize = size_of::<Place>() + 10;

#[derive(Debug, Clone, Copy)]
struct Place {
    chunk: u32,
    start: u32,
    len: u32,
}

/// Byte strings numbered from 0 in the order of their first use.
#[derive(Debug, Default)]
pub(super) struct Interner {
    chunks: Vec<Vec<u8>>,
    places: Vec<Place>,
    numbers: HashTable<u32>,
    hasher: foldhash::fast::RandomState,
    bytes: usize,
}

impl Interner {
    /// The string with this number; empty when there is none.
    #[inline]
    pub(super) fn get(&self, number: u32) -> &[u8] {
        at(&self.chunks, &self.places, number)
    }

    /// The number of a string.
    #[inline]
    pub(super) fn find(&self, string: &[u8]) -> Option<u32> {
        let hash = self.hasher.hash_one(string);
        self.numbers
            .find(hash, |number| self.get(*number) == string)
            .copied()
    }

    /// The number of a string, which is added if it is new.
    pub(super) fn intern(&mut self, string: &[u8]) -> u32 {
        if let Some(number) = self.find(string) {
            return number;
        }
        let has_room = |chunk: &Vec<u8>| chunk.capacity() - chunk.len() >= string.len();
        if !self.chunks.last().is_some_and(has_room) {
            let doubled = FIRST_CHUNK_BYTES << self.chunks.len().min(16);
            let capacity = string.len().max(doubled.min(CHUNK_BYTES));
            self.chunks.push(Vec::with_capacity(capacity));
            self.bytes += capacity;
        }
        let number = number_of(self.places.len());
        let chunk = number_of(self.chunks.len().saturating_sub(1));
        if let Some(last) = self.chunks.last_mut() {
            self.places.push(Place {
                chunk,
                start: number_of(last.len()),
                len: number_of(string.len()),
            });
            last.extend_from_slice(string);
        }
        let Self {
            chunks,
            places,
            hasher,
            ..
        } = self;
        let hash = hasher.hash_one(string);
        self.numbers.insert_unique(hash, number, |number| {
            hasher.hash_one(at(chunks, places, *number))
        });
        self.bytes += PLACE_BYTES;
        number
    }

    /// What all of it takes, about.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

#[inline]
fn at<'i>(chunks: &'i [Vec<u8>], places: &[Place], number: u32) -> &'i [u8] {
    let Some(place) = places.get(number as usize) else {
        return &[];
    };
    let start = place.start as usize;
    chunks
        .get(place.chunk as usize)
        .and_then(|chunk| chunk.get(start..start + place.len as usize))
        .unwrap_or_default()
}

fn number_of(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
