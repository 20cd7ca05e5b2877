//! Series that were seen before: what a sender repeats is compared, not read again.
//!
//! A sender pushes the same series again and again; only times and values change. The bytes around these are kept
//! here, in up to four *parts*, with what decoding, checking and encoding them came to. A later sample whose parts
//! are the same **bytes** is of that series, without reading its labels: nothing depends on a hash alone.
//!
//! Most senders also repeat the order of their series. Each entry notes which one followed it last, so that a
//! decoder compares with that one first and mostly neither searches nor hashes. Where a sender's last body ended, its next
//! one goes on, if whoever decodes them remembers it: see [`Trail`].
//!
//! A catalogue is bounded in bytes: when it is full, it starts anew. It is a cache and nothing else: a body means the
//! same with any catalogue, which property tests of the decoders hold them to.

mod interner;
mod learn;
mod walk;

use std::hash::BuildHasher;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use bytes::Bytes;
use foldhash::quality::RandomState;
use hashbrown::{HashMap, HashTable};
use model::MetricType;

use interner::Interner;
pub use walk::Trail;
pub(crate) use walk::Walk;

/// What an entry costs beside its parts and texts, with its slot in the table.
const ENTRY_BYTES: usize = size_of::<Entry>() + 10;

/// What a name costs beside its text: its counts and the owner of its bytes, with its slot in the table.
const NAME_BYTES: usize = size_of::<Name>() + 10 * size_of::<u64>();

/// So many samples come for each entry of a catalogue that was full and hardly of use, before the next one is filled.
const REST: u64 = 16;

/// What a series' parts, and its texts, may have together. Longer ones are rare, a few of them would push out all
/// others, and no buffer's limit for records is so low that what was found good may be too large later.
const MOST_SERIES_BYTES: usize = 16 << 10;

/// The number of the empty text, as in records.
pub(crate) const EMPTY_TEXT: u32 = 0;

/// Which entries follow is not known.
const NOBODY: u32 = u32::MAX;

/// What the bytes of a part are of. The same bytes in two forms are two parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// An object of the JSON API with the timestamp before the value: what is before, between and behind them.
    JsonTimeFirst,
    /// One with the value before the timestamp.
    JsonValueFirst,
    /// A `TimeSeries` of remote write 1.0: its first label, and its others.
    RemoteWrite1,
    /// A `TimeSeries` of remote write 2.0: the numbers of its texts in the catalogue.
    RemoteWrite2,
    /// A field of a line of InfluxDB's protocol: what is before its fields, its name, and the value of the label that the
    /// request adds.
    Influx,
    /// A data point of an OTLP gauge: its resource, its scope, its metric, and its attributes.
    OtlpGauge,
    /// One of a cumulative sum that may fall.
    OtlpSum,
    /// One of a cumulative sum that only grows.
    OtlpCounter,
}

/// The bytes that make a series, in parts that other series may share; unused ones are empty.
pub type Parts<'p> = [&'p [u8]; PARTS];

/// So many parts a series may have.
pub const PARTS: usize = 4;

/// A series that a decoder has read and did not find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unknown<'a> {
    /// Its number in the batch.
    pub series: u32,
    /// What its parts are of.
    pub form: Form,
    /// Its bytes.
    pub parts: Parts<'a>,
}

/// The series of a catalogue that were seen before.
#[derive(Debug)]
pub struct Catalogue {
    limit_bytes: usize,
    /// Changes when numbers get another meaning.
    generation: u32,
    parts: Interner,
    texts: Interner,
    names: Vec<Name>,
    /// Of all names.
    key_bytes: usize,
    name_of_text: HashMap<u32, u32, foldhash::fast::RandomState>,
    entries: Vec<Entry>,
    numbers: HashTable<u32>,
    refs: Vec<u32>,
    hasher: RandomState,
    found: AtomicU64,
    /// Samples that may still come before learning begins again.
    rest: AtomicU64,
}

#[derive(Debug)]
struct Name {
    text: Arc<str>,
    /// The same bytes, shared by every record of the name.
    key: Bytes,
    hash: u64,
}

impl Name {
    fn new(text: &str, hash: u64) -> Self {
        let text: Arc<str> = text.into();
        let key = Bytes::from_owner(Key(Arc::clone(&text)));
        Self { text, key, hash }
    }
}

/// Bytes of a text that was checked to be one: to find that out again would be a good part of a sample's cost.
struct Key(Arc<str>);

impl AsRef<[u8]> for Key {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

#[derive(Debug)]
struct Entry {
    form: Form,
    parts: [u32; PARTS],
    name: u32,
    /// Where the numbers of its label's texts start, and how many labels there are.
    refs: u32,
    labels: u16,
    /// How many of its labels are before `__name__` when all are sorted.
    before_name: u16,
    kind: MetricType,
    unit: u32,
    help: u32,
    next: AtomicU32,
    /// What a reader noted of it: see [`Catalogue::note`].
    note: AtomicU32,
}

/// What a record needs of a series.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Texts<'c> {
    /// Numbers of label names and values, sorted by name, without `__name__`.
    pub(crate) refs: &'c [u32],
    /// How many numbers are before those of `__name__`.
    pub(crate) before_name: usize,
    pub(crate) kind: MetricType,
    pub(crate) unit: u32,
    pub(crate) help: u32,
}

impl Catalogue {
    /// An empty catalogue of at most so many bytes, about. With none, nothing is ever learned.
    #[must_use]
    pub fn new(limit_bytes: usize, hasher: RandomState) -> Self {
        let mut texts = Interner::default();
        let empty = texts.intern(b"");
        debug_assert_eq!(empty, EMPTY_TEXT, "it is the first");
        Self {
            limit_bytes,
            generation: 0,
            parts: Interner::default(),
            texts,
            names: Vec::new(),
            key_bytes: 0,
            name_of_text: HashMap::default(),
            entries: Vec::new(),
            numbers: HashTable::new(),
            refs: Vec::new(),
            hasher,
            found: AtomicU64::new(0),
            rest: AtomicU64::new(0),
        }
    }

    /// How many series are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What all of it takes, in bytes, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.parts.bytes()
            + self.texts.bytes()
            + self.entries.len() * ENTRY_BYTES
            + self.refs.len() * size_of::<u32>()
            + self.names.len() * NAME_BYTES
            + self.key_bytes
    }

    /// Whether it is worth a decoder's time to look for series, and to tell which were not found.
    #[must_use]
    pub fn is_useful(&self) -> bool {
        self.limit_bytes > 0 && (!self.entries.is_empty() || self.may_learn())
    }

    fn may_learn(&self) -> bool {
        self.rest.load(Ordering::Relaxed) == 0
    }

    /// Takes note of how many samples of a body were found, and how many were not.
    pub fn count(&self, found: u64, others: u64) {
        self.found.fetch_add(found, Ordering::Relaxed);
        let rest = self.rest.load(Ordering::Relaxed);
        if rest > 0 {
            let rest = rest.saturating_sub(found + others);
            self.rest.store(rest, Ordering::Relaxed);
        }
    }

    /// The number of a part.
    #[inline]
    #[must_use]
    pub fn part(&self, bytes: &[u8]) -> Option<u32> {
        self.parts.find(bytes)
    }

    /// The series of these parts.
    #[inline]
    #[must_use]
    pub fn find(&self, form: Form, parts: Parts<'_>) -> Option<u32> {
        let [a, b, c, d] = parts;
        let parts = [
            self.parts.find(a)?,
            self.parts.find(b)?,
            self.parts.find(c)?,
            self.parts.find(d)?,
        ];
        self.find_parts(form, parts)
    }

    /// The series of the parts with these numbers.
    #[inline]
    #[must_use]
    pub fn find_parts(&self, form: Form, parts: [u32; PARTS]) -> Option<u32> {
        let is_it = |number: &u32| {
            self.entries
                .get(*number as usize)
                .is_some_and(|entry| entry.form == form && entry.parts == parts)
        };
        self.numbers
            .find(hash_of(&self.hasher, form, parts), is_it)
            .copied()
    }

    /// The series that came behind this one last, with the numbers of its parts: a guess.
    #[inline]
    #[must_use]
    pub fn after(&self, series: u32) -> Option<(u32, Form, [u32; PARTS])> {
        let entry = self.entries.get(series as usize)?;
        let next = entry.next.load(Ordering::Relaxed);
        let entry = self.entries.get(next as usize)?;
        Some((next, entry.form, entry.parts))
    }

    /// The bytes of the part with this number.
    #[inline]
    #[must_use]
    pub fn part_bytes(&self, part: u32) -> &[u8] {
        self.parts.get(part)
    }

    /// Notes that `next` came behind `series`.
    #[inline]
    pub fn follow(&self, series: u32, next: u32) {
        if let Some(entry) = self.entries.get(series as usize)
            && entry.next.load(Ordering::Relaxed) != next
        {
            entry.next.store(next, Ordering::Relaxed);
        }
    }

    /// What was noted of a series last; 0 before anything was.
    #[inline]
    #[must_use]
    pub fn note(&self, series: u32) -> u32 {
        let entry = self.entries.get(series as usize);
        entry.map_or(0, |entry| entry.note.load(Ordering::Relaxed))
    }

    /// Notes something of a series, for who asks for it later. It is forgotten with the series.
    #[inline]
    pub fn set_note(&self, series: u32, note: u32) {
        if let Some(entry) = self.entries.get(series as usize) {
            entry.note.store(note, Ordering::Relaxed);
        }
    }

    /// The names and values of a series' labels, sorted by name, without `__name__`.
    pub fn labels(&self, series: u32) -> impl Iterator<Item = (&[u8], &[u8])> + Clone {
        let refs = self.texts(series).map_or(&[][..], |texts| texts.refs);
        let (pairs, _) = refs.as_chunks::<2>();
        pairs
            .iter()
            .map(|[name, value]| (self.texts.get(*name), self.texts.get(*value)))
    }

    /// The number of a text that some series has.
    #[inline]
    #[must_use]
    pub fn text_number(&self, text: &str) -> Option<u32> {
        self.texts.find(text.as_bytes())
    }

    /// The text with this number.
    #[inline]
    pub(crate) fn text(&self, number: u32) -> &[u8] {
        self.texts.get(number)
    }

    pub(crate) fn generation(&self) -> u32 {
        self.generation
    }

    /// The number of a series' metric name, for [`Self::name`].
    #[inline]
    #[must_use]
    pub fn name_of(&self, series: u32) -> Option<u32> {
        Some(self.entries.get(series as usize)?.name)
    }

    /// A metric name.
    #[inline]
    #[must_use]
    pub fn name(&self, number: u32) -> Option<&str> {
        Some(&self.names.get(number as usize)?.text)
    }

    /// The same, for a record to keep.
    #[must_use]
    pub fn key(&self, number: u32) -> Option<Bytes> {
        Some(self.names.get(number as usize)?.key.clone())
    }

    /// How many metric names there are: the numbers below are theirs.
    #[must_use]
    pub fn names(&self) -> usize {
        self.names.len()
    }

    /// The hash of a metric name by the catalogue's hasher.
    #[inline]
    #[must_use]
    pub fn name_hash(&self, number: u32) -> Option<u64> {
        Some(self.names.get(number as usize)?.hash)
    }

    /// Whether a sender said nothing about a series but its labels.
    #[must_use]
    pub fn is_bare(&self, series: u32) -> bool {
        self.entries.get(series as usize).is_some_and(|entry| {
            entry.kind == MetricType::Unspecified
                && entry.unit == EMPTY_TEXT
                && entry.help == EMPTY_TEXT
        })
    }

    /// What a record needs of a series.
    #[inline]
    pub(crate) fn texts(&self, series: u32) -> Option<Texts<'_>> {
        let entry = self.entries.get(series as usize)?;
        let start = entry.refs as usize;
        Some(Texts {
            refs: self
                .refs
                .get(start..start + 2 * usize::from(entry.labels))?,
            before_name: 2 * usize::from(entry.before_name),
            kind: entry.kind,
            unit: entry.unit,
            help: entry.help,
        })
    }
}

fn hash_of(hasher: &RandomState, form: Form, parts: [u32; PARTS]) -> u64 {
    hasher.hash_one((form as u8, parts))
}

#[cfg(test)]
pub(crate) mod tests;
