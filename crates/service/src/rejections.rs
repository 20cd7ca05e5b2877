//! What was refused lately and why, in bounded memory: the answer to "why is my data missing?".
//!
//! Like ones are one entry with a count, so that a sender that repeats its mistake all day takes the room of one. Past
//! the bound the entry that was not added to for longest goes, and the record says how many went. Nothing here waits.

mod query;
mod shown;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::query::Query;
pub use self::shown::{Answer, Shown};
use crate::units::Size;

/// What a message, and the first part of what was refused, may have in bytes.
pub const SHOWN_BYTES: usize = 512;

/// What a name may have here, in bytes.
const NAME_BYTES: usize = 256;

/// What an entry takes beside its texts: itself, its place in both maps, its allocations.
const ENTRY_BYTES: usize = 512;

/// The section `rejections` of the settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Memory for what was refused lately, which `GET /api/v1/rejections` of the admin port shows; `0B` keeps nothing.
    /// Like refusals are one entry, and past the bound the entry goes that was not added to for longest.
    pub max_memory: Size,
    /// How many sources have a label of their own in the metrics by source. Those that come later are counted as
    /// `other`.
    pub metric_sources: u32,
    /// A Kafka topic that gets every refused sample as it was sent, in a record of its own; nothing by default. Created
    /// where it is missing, and kept as long as the samples.
    pub topic: Option<String>,
    /// Bytes of refused samples that may wait for `rejections.topic`, or for Kafka's answer; those that come then are
    /// counted and left out. No answer waits for them.
    pub max_queue: Size,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_memory: Size::mib(4),
            metric_sources: 50,
            topic: None,
            max_queue: Size::mib(8),
        }
    }
}

impl Config {
    /// Checks what one value alone cannot say.
    ///
    /// # Errors
    /// The key, relative to the section, and what is wrong with it.
    pub fn check(&self) -> Result<(), (String, String)> {
        let bytes = self.max_memory.bytes();
        if bytes > 0 && bytes < 64 << 10 {
            let why = "must be at least 64KiB, or 0B to keep nothing";
            return Err(("max_memory".to_owned(), why.to_owned()));
        }
        if self.max_queue < Size::mib(1) {
            let why = "must be at least 1MiB: one sample may be almost as large";
            return Err(("max_queue".to_owned(), why.to_owned()));
        }
        if self.metric_sources > 1000 {
            let why = "must be at most 1000: each is a series for every reason";
            return Err(("metric_sources".to_owned(), why.to_owned()));
        }
        Ok(())
    }
}

/// Who refused.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum By {
    /// A gateway, which told the sender.
    Gateway {
        /// As what it came.
        protocol: &'static str,
    },
    /// A store, after the sender had its 2xx.
    Store {
        /// Its name.
        name: Arc<str>,
    },
}

/// What was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum What {
    /// Samples, by themselves.
    Samples,
    /// Requests as a whole, whose samples nobody counted.
    Requests,
    /// Records of the buffer that cannot be decoded.
    Records,
}

impl What {
    /// The word for so many of them.
    #[must_use]
    pub const fn word(self, count: u64) -> &'static str {
        match (self, count) {
            (Self::Samples, 1) => "sample",
            (Self::Samples, _) => "samples",
            (Self::Requests, 1) => "request",
            (Self::Requests, _) => "requests",
            (Self::Records, 1) => "record",
            (Self::Records, _) => "records",
        }
    }
}

/// What makes refusals alike.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Kind {
    /// Who refused.
    pub by: By,
    /// What.
    pub what: What,
    /// Whose it was.
    pub tenant: Option<Arc<str>>,
    /// Who sent it: one name, or several separated by commas.
    pub source: Option<Arc<str>>,
    /// The metric name, as far as it is known; empty when not.
    pub metric_name: String,
    /// A stable code.
    pub reason: Cow<'static, str>,
}

/// One refusal, or several alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// What makes it like others.
    pub kind: Kind,
    /// When, milliseconds since the Unix epoch.
    pub at_ms: i64,
    /// How many.
    pub count: u64,
    /// Names the field, the limit and what was found; of several the last.
    pub message: String,
    /// The first part of what was refused, as it was sent, where it is known.
    pub sample: String,
}

/// Refusals that are alike.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    count: u64,
    first_ms: i64,
    last_ms: i64,
    message: String,
    sample: String,
    /// When it was added to, among all others.
    turn: u64,
}

/// The refusals that are remembered.
#[derive(Debug)]
pub struct Rejections {
    max_bytes: usize,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    entries: HashMap<Arc<Kind>, Entry>,
    /// The longest untouched first.
    turns: BTreeMap<u64, Arc<Kind>>,
    next_turn: u64,
    bytes: usize,
    /// Entries that went for room, and what they counted.
    forgotten: Forgotten,
}

/// What is not remembered any more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Forgotten {
    entries: u64,
    last_ms: Option<i64>,
}

impl Rejections {
    /// Remembers as much as fits.
    #[must_use]
    pub fn new(max_bytes: usize) -> Self {
        Self {
            max_bytes,
            inner: Mutex::default(),
        }
    }

    /// Whether anything is remembered.
    #[must_use]
    pub const fn is_on(&self) -> bool {
        self.max_bytes > 0
    }

    /// Remembers refusals.
    pub fn note(&self, rejections: impl IntoIterator<Item = Rejection>) {
        if !self.is_on() {
            return;
        }
        let mut inner = self.lock();
        for rejection in rejections {
            inner.note(rejection);
        }
        inner.shrink(self.max_bytes);
    }

    /// Takes what another record has: of what both have, whichever counted more.
    pub fn merge(&self, other: &Self) {
        let other = std::mem::take(&mut *other.lock());
        let mut inner = self.lock();
        for (_, kind) in other.turns {
            let Some(entry) = other.entries.get(&kind) else {
                continue;
            };
            let known = inner.entries.get(&kind).map_or(0, |known| known.count);
            if entry.count > known {
                inner.forget(&kind);
                let kind = Kind::clone(&kind);
                inner.add(kind, entry.clone());
            }
        }
        inner.forgotten.entries += other.forgotten.entries;
        inner.forgotten.last_ms = inner.forgotten.last_ms.max(other.forgotten.last_ms);
        inner.shrink(self.max_bytes);
    }

    /// A copy, to which others of so many bytes can be added.
    #[must_use]
    pub fn copied_with(&self, more_bytes: usize) -> Self {
        let inner = self.lock();
        let copy = Inner {
            entries: inner.entries.clone(),
            turns: inner.turns.clone(),
            next_turn: inner.next_turn,
            bytes: inner.bytes,
            forgotten: inner.forgotten,
        };
        Self {
            max_bytes: self.max_bytes.saturating_add(more_bytes),
            inner: Mutex::new(copy),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn note(&mut self, rejection: Rejection) {
        let Rejection {
            mut kind,
            at_ms,
            count,
            mut message,
            mut sample,
        } = rejection;
        shorten(&mut kind.metric_name, NAME_BYTES);
        shorten(&mut message, SHOWN_BYTES);
        shorten(&mut sample, SHOWN_BYTES);
        if let Some((known, entry)) = self.entries.get_key_value(&kind) {
            let (known, mut entry) = (Arc::clone(known), entry.clone());
            self.forget(&known);
            entry.count = entry.count.saturating_add(count);
            entry.first_ms = entry.first_ms.min(at_ms);
            entry.last_ms = entry.last_ms.max(at_ms);
            entry.message = message;
            if !sample.is_empty() {
                entry.sample = sample;
            }
            self.put(known, entry);
            return;
        }
        let entry = Entry {
            count,
            first_ms: at_ms,
            last_ms: at_ms,
            message,
            sample,
            turn: 0,
        };
        self.add(kind, entry);
    }

    fn add(&mut self, kind: Kind, entry: Entry) {
        self.put(Arc::new(kind), entry);
    }

    fn put(&mut self, kind: Arc<Kind>, mut entry: Entry) {
        entry.turn = self.next_turn;
        self.next_turn += 1;
        self.bytes += bytes(&kind, &entry);
        self.turns.insert(entry.turn, Arc::clone(&kind));
        self.entries.insert(kind, entry);
    }

    fn forget(&mut self, kind: &Kind) -> Option<Entry> {
        let (kind, entry) = self.entries.remove_entry(kind)?;
        self.turns.remove(&entry.turn);
        self.bytes = self.bytes.saturating_sub(bytes(&kind, &entry));
        Some(entry)
    }

    fn shrink(&mut self, max_bytes: usize) {
        while self.bytes > max_bytes {
            let Some((_, kind)) = self.turns.pop_first() else {
                break;
            };
            if let Some(entry) = self.forget(&kind) {
                self.forgotten.entries += 1;
                self.forgotten.last_ms = self.forgotten.last_ms.max(Some(entry.last_ms));
            }
        }
    }
}

fn bytes(kind: &Kind, entry: &Entry) -> usize {
    let name = |name: &Option<Arc<str>>| name.as_ref().map_or(0, |name| name.len());
    ENTRY_BYTES
        + name(&kind.tenant)
        + name(&kind.source)
        + kind.metric_name.len()
        + entry.message.len()
        + entry.sample.len()
}

/// As much of a text as may be kept, cut between characters.
fn shorten(text: &mut String, max_bytes: usize) {
    if text.len() > max_bytes {
        text.truncate(text.floor_char_boundary(max_bytes));
        text.push('…');
        text.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests;
