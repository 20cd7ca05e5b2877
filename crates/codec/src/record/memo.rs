//! Which number of a catalogue's text is which symbol of a record, as far as it is remembered.

use crate::catalogue::Catalogue;
use crate::symbols::Symbols;

/// Slots of a small record: most have a few dozens of texts.
const FEWEST_SLOTS: usize = 64;

/// Slots of the largest.
const MOST_SLOTS: usize = 1 << 16;

/// No text has this number.
const NO_TEXT: u32 = u32::MAX;

/// A table with a place for each remainder of a text's number: neighbours never get into each other's way, and what
/// is pushed out is looked up by its bytes again.
#[derive(Debug, Default)]
pub(super) struct Memo {
    /// Text and symbol.
    slots: Vec<(u32, u32)>,
    generation: u32,
    /// The texts of the series before, and their symbols: the next one mostly has the same ones at most places.
    last: Vec<(u32, u32)>,
}

impl Memo {
    /// Forgets what another catalogue, or an earlier generation of it, numbered; grows with the record.
    #[inline]
    pub(super) fn follow(&mut self, generation: u32, symbols: usize) {
        let is_small = self.slots.len() < (2 * symbols).min(MOST_SLOTS);
        if self.generation != generation || is_small || self.slots.is_empty() {
            self.renew(generation, symbols);
        }
    }

    #[cold]
    fn renew(&mut self, generation: u32, symbols: usize) {
        let slots = (4 * symbols).next_power_of_two();
        self.clear();
        self.generation = generation;
        self.slots
            .resize(slots.clamp(FEWEST_SLOTS, MOST_SLOTS), (NO_TEXT, 0));
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.slots.clear();
        self.last.clear();
    }

    /// The symbols of a series' texts, in their order.
    #[inline]
    pub(super) fn numbers(
        &mut self,
        texts: &[u32],
        symbols: &mut Symbols,
        catalogue: &Catalogue,
    ) -> impl Iterator<Item = u32> + '_ {
        let mut last = std::mem::take(&mut self.last);
        last.resize(texts.len(), (NO_TEXT, 0));
        for (text, known) in texts.iter().zip(&mut last) {
            if known.0 != *text {
                *known = (*text, self.number(*text, symbols, catalogue));
            }
        }
        self.last = last;
        self.last.iter().map(|(_, number)| *number)
    }

    /// The memory that it keeps, in bytes.
    pub(super) fn capacity(&self) -> usize {
        self.slots.capacity() * size_of::<(u32, u32)>()
    }

    /// The symbol of a text, which is added if it is new.
    #[inline]
    pub(super) fn number(
        &mut self,
        text: u32,
        symbols: &mut Symbols,
        catalogue: &Catalogue,
    ) -> u32 {
        let mask = self.slots.len().wrapping_sub(1);
        let Some(slot) = self.slots.get_mut(text as usize & mask) else {
            return symbols.intern_bytes(catalogue.text(text));
        };
        if slot.0 != text {
            *slot = (text, symbols.intern_bytes(catalogue.text(text)));
        }
        slot.1
    }
}
