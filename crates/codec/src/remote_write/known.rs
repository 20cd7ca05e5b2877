//! What the symbols of a record are called in a request.
//!
//! A request is put together from runs of series of the same record, and these share most of their texts: each is
//! hashed once per run, not once per series.

use model::Block;

use crate::symbols::Symbols;

/// Not looked up yet. No request has so many symbols.
const UNKNOWN: u32 = u32::MAX;

/// The numbers in a request of the symbols of one record.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// No record has the number 0.
    block: u64,
    numbers: Vec<u32>,
    /// The last one that was looked up. Records mostly have their texts in the same order, so that the one after it
    /// is looked at first.
    last: u32,
}

impl Known {
    /// From now on it is about this record.
    pub(super) fn look_at(&mut self, block: &Block) {
        if self.block != block.id() {
            self.block = block.id();
            self.numbers.clear();
            self.numbers.resize(block.symbols().len(), UNKNOWN);
        }
    }

    /// The number of a symbol, which is added to the request's if it is new. `block` is the one that is looked at.
    #[inline]
    pub(super) fn number(&mut self, reference: u32, symbols: &mut Symbols, block: &Block) -> u32 {
        match self.numbers.get(reference as usize) {
            Some(&number) if number != UNKNOWN => number,
            _ => self.look_up(reference, symbols, block),
        }
    }

    #[inline(never)]
    fn look_up(&mut self, reference: u32, symbols: &mut Symbols, block: &Block) -> u32 {
        let guess = self.last.wrapping_add(1);
        let number = symbols.intern_like(block.symbol_bytes(reference), Some(guess));
        self.last = number;
        if let Some(known) = self.numbers.get_mut(reference as usize) {
            *known = number;
        }
        number
    }

    /// The request's numbers are void.
    pub(super) fn clear(&mut self) {
        self.block = 0;
        self.last = 0;
    }
}
