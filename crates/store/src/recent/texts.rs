//! The texts of the window's labels: each once, numbered.
//!
//! A record has a text once for all its series, and records have the same texts again and again. So a
//! text is looked for once per record, a series is a few numbers, and it is found by them.

use std::hash::BuildHasher as _;
use std::sync::Arc;

use foldhash::quality::RandomState;
use hashbrown::HashTable;
use model::{Block, NAME_LABEL, SeriesView};

/// Bytes that a text costs beside itself: its pointer, its places in two tables.
const OVERHEAD_BYTES: usize = 40;

/// Texts that series have.
#[derive(Debug, Default)]
pub(super) struct Texts {
    texts: Vec<Box<str>>,
    numbers: HashTable<u32>,
    /// Numbers that are free again.
    free: Vec<u32>,
    hasher: RandomState,
    size_bytes: usize,
    /// The record that was looked at last.
    block: Option<u64>,
    /// The number of each of its symbols that was asked for.
    known: Vec<Option<u32>>,
    /// The number of the label that is the metric's name.
    name: u32,
    /// The tenant that was looked at last.
    tenant: Option<(Arc<str>, u32)>,
}

/// The number of no text.
pub(super) const NONE: u32 = u32::MAX;

impl Texts {
    /// Memory of all texts.
    pub(super) fn size_bytes(&self) -> usize {
        self.size_bytes
    }

    /// The text with this number.
    pub(super) fn text(&self, number: u32) -> &str {
        self.texts
            .get(number as usize)
            .map_or("", |text| text.as_ref())
    }

    /// The number of a tenant; most series are of the one before.
    fn tenant(&mut self, tenant: Option<&Arc<str>>) -> u32 {
        let Some(tenant) = tenant else {
            return NONE;
        };
        match &self.tenant {
            Some((known, number)) if known == tenant => *number,
            _ => {
                let number = self.find(tenant);
                self.tenant = Some((Arc::clone(tenant), number));
                number
            }
        }
    }

    /// Puts the numbers of the tenant and the metric into `numbers`, and of each other label's name and value.
    pub(super) fn number_series(
        &mut self,
        view: SeriesView<'_>,
        tenant: Option<&Arc<str>>,
        numbers: &mut Vec<u32>,
    ) {
        let block = view.block();
        if self.block != Some(block.id()) {
            self.block = Some(block.id());
            self.known.clear();
            self.known.resize(block.symbols().len(), None);
            self.name = self.find(NAME_LABEL);
        }
        numbers.clear();
        let tenant = self.tenant(tenant);
        numbers.extend([tenant, self.name]);
        for &[name, value] in view.label_refs() {
            let (name, value) = (self.number(block, name), self.number(block, value));
            if name != self.name {
                numbers.extend([name, value]);
            } else if let Some(metric) = numbers.get_mut(1) {
                *metric = value;
            }
        }
    }

    /// The numbers of the unit and the help text that a series came with; [`NONE`] of what was not said.
    pub(super) fn number_words(&mut self, view: SeriesView<'_>) -> [u32; 2] {
        // Symbol 0 is the empty text.
        [view.unit_ref(), view.help_ref()].map(|symbol| match symbol {
            0 => NONE,
            symbol => self.number(view.block(), symbol),
        })
    }

    fn number(&mut self, block: &Block, symbol: u32) -> u32 {
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

    fn find(&mut self, text: &str) -> u32 {
        let Self {
            texts,
            numbers,
            free,
            hasher,
            size_bytes,
            ..
        } = self;
        let text_of = |texts: &[Box<str>], number: &u32| -> u64 {
            hasher.hash_one(texts.get(*number as usize).map_or("", |text| text.as_ref()))
        };
        let hash = hasher.hash_one(text);
        let found = numbers.find(hash, |number| {
            texts
                .get(*number as usize)
                .is_some_and(|known| **known == *text)
        });
        if let Some(number) = found {
            return *number;
        }
        *size_bytes += text.len() + OVERHEAD_BYTES;
        let number = match free.pop() {
            Some(number) => {
                if let Some(place) = texts.get_mut(number as usize) {
                    *place = text.into();
                }
                number
            }
            None => {
                texts.push(text.into());
                u32::try_from(texts.len() - 1).unwrap_or(u32::MAX)
            }
        };
        numbers.insert_unique(hash, number, |number| text_of(texts, number));
        number
    }

    /// Forgets all texts but these.
    pub(super) fn keep(&mut self, used: impl Iterator<Item = u32>) {
        let mut is_used = vec![false; self.texts.len()];
        for number in used {
            if let Some(is_used) = is_used.get_mut(number as usize) {
                *is_used = true;
            }
        }
        let Self {
            texts,
            numbers,
            free,
            size_bytes,
            ..
        } = self;
        numbers.retain(|number| {
            let stays = is_used.get(*number as usize).copied().unwrap_or_default();
            if !stays && let Some(text) = texts.get_mut(*number as usize) {
                *size_bytes -= text.len() + OVERHEAD_BYTES;
                *text = "".into();
                free.push(*number);
            }
            stays
        });
        self.block = None;
        self.tenant = None;
    }
}
