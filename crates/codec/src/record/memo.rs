//! Which number of a catalogue's text is which symbol of a record.

use crate::catalogue::EMPTY_TEXT;

/// Slots of a small record: most have a few dozens of texts.
const FEWEST_SLOTS: usize = 64;

/// No text has this number.
const NO_TEXT: u32 = u32::MAX;

/// Where a slot has the round that it was taken in, above the symbol.
const ROUND: u32 = 24;
const LAST_ROUND: u32 = u32::MAX >> ROUND;

/// Symbols from this one on are not remembered: a record with as many has 16 million texts.
const MOST_SYMBOLS: u32 = 1 << ROUND;

/// What a record knows of a catalogue's texts, all of them since it was cleared: a text that is not here has not come.
#[derive(Debug)]
pub(super) struct Memo {
    table: Table,
    generation: u32,
    /// The texts of the series before, and their symbols: the next one mostly has the same ones at most places.
    last: Vec<Known>,
    /// The texts of unit and help of the series before, which mostly are this one's, too.
    described: [Known; 2],
    /// Whether what the record has open is of that series.
    is_open: bool,
}

#[derive(Debug)]
struct Table {
    /// A power of two of them, at most half of them taken: a text, and its symbol with the round.
    slots: Vec<Known>,
    /// Slots of other rounds are free, so that forgetting everything costs nothing. None is of round 0.
    round: u32,
    /// An odd number that senders cannot know, so that they cannot choose texts which get into each other's way.
    scatter: u32,
    taken: usize,
}

/// A text and its symbol.
pub(super) type Known = (u32, u32);

/// Texts that are neighbours by number, as those of one body are, have neighbouring slots within so many bits.
const NEIGHBOURS: u32 = 8;

impl Memo {
    /// An empty one.
    pub(super) fn new(seed: u64) -> Self {
        Self {
            table: Table {
                slots: Vec::new(),
                round: 1,
                scatter: (seed >> 32) as u32 | 1,
                taken: 0,
            },
            generation: 0,
            last: Vec::new(),
            described: [(NO_TEXT, 0); 2],
            is_open: false,
        }
    }

    /// Whether it speaks of this generation of the catalogue. If not, it forgets everything.
    #[inline]
    pub(super) fn follow(&mut self, generation: u32) -> bool {
        if self.generation == generation {
            return true;
        }
        self.clear();
        self.generation = generation;
        false
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.table.clear();
        self.last.clear();
        self.described = [(NO_TEXT, 0); 2];
        self.is_open = false;
    }

    /// Finds the symbols of a series' texts; `add` makes the symbol of one that is new. Whether these are other
    /// texts than those that were read last.
    #[inline]
    pub(super) fn read(&mut self, texts: &[u32], mut add: impl FnMut(u32) -> u32) -> bool {
        let Self { table, last, .. } = self;
        let mut are_others = last.len() != texts.len();
        if are_others {
            last.resize(texts.len(), (NO_TEXT, 0));
        }
        for (text, known) in texts.iter().zip(last) {
            if known.0 != *text {
                *known = (*text, table.symbol_of(*text, &mut add));
                are_others = true;
            }
        }
        are_others
    }

    /// The symbol at this place of the series that was read last.
    #[inline]
    pub(super) fn symbol_at(&self, place: usize) -> Option<u32> {
        self.last.get(place).map(|(_, symbol)| *symbol)
    }

    /// Notes the symbol at this place of a series that no catalogue knows, from the first on. Whether it is another one than
    /// that of the series before.
    #[inline]
    pub(super) fn set_symbol(&mut self, place: usize, symbol: u32) -> bool {
        match self.last.get_mut(place) {
            // Its text, too, is the one that has a number, if it has one.
            Some(known) if known.1 == symbol => return false,
            Some(known) => *known = (NO_TEXT, symbol),
            None => self.last.push((NO_TEXT, symbol)),
        }
        true
    }

    /// Notes that a series that no catalogue knows has so many texts. Whether the one before had more.
    #[inline]
    pub(super) fn end_symbols(&mut self, texts: usize) -> bool {
        let had_more = self.last.len() > texts;
        self.last.truncate(texts);
        had_more
    }

    /// Notes whether what the record has open is of the series that was read last. When the next one has other texts,
    /// it is another series, without a look at bytes that were written a moment ago: a processor waits for these.
    #[inline]
    pub(super) fn set_open(&mut self, is_open: bool) {
        self.is_open = is_open;
    }

    /// Whether what is open is of the series that was read before the last one.
    #[inline]
    pub(super) fn was_open(&self) -> bool {
        self.is_open
    }

    /// The texts and symbols of the series that was read last: so many before, and those behind.
    #[inline]
    pub(super) fn last(&self, before: usize) -> (&[Known], &[Known]) {
        let split = self.last.split_at_checked(before);
        split.unwrap_or((&self.last, &[]))
    }

    /// The symbols of the texts of unit and help; `add` makes one that is new. Empty, it says nothing.
    #[inline]
    pub(super) fn described(
        &mut self,
        texts: [u32; 2],
        mut add: impl FnMut(u32) -> u32,
    ) -> [u32; 2] {
        let Self {
            table, described, ..
        } = self;
        for (text, known) in texts.into_iter().zip(&mut *described) {
            if known.0 != text {
                let symbol = match text {
                    EMPTY_TEXT => 0,
                    text => table.symbol_of(text, &mut add),
                };
                *known = (text, symbol);
            }
        }
        described.map(|(_, symbol)| symbol)
    }

    /// The memory that it keeps, in bytes.
    pub(super) fn capacity(&self) -> usize {
        (self.table.slots.capacity() + self.last.capacity()) * size_of::<Known>()
    }
}

impl Table {
    /// The symbol of a text; `add` makes it if it is new.
    #[inline]
    fn symbol_of(&mut self, text: u32, add: impl FnOnce(u32) -> u32) -> u32 {
        if 2 * (self.taken + 1) > self.slots.len() {
            self.grow();
        }
        let mask = self.slots.len().wrapping_sub(1);
        let mut at = (text ^ (text >> NEIGHBOURS).wrapping_mul(self.scatter)) as usize;
        while let Some(slot) = self.slots.get_mut(at & mask) {
            let is_taken = slot.1 >> ROUND == self.round;
            if is_taken && slot.0 == text {
                return slot.1 % MOST_SYMBOLS;
            }
            if !is_taken {
                let symbol = add(text);
                if symbol < MOST_SYMBOLS {
                    *slot = (text, self.round << ROUND | symbol);
                    self.taken += 1;
                }
                return symbol;
            }
            at += 1;
        }
        // Never: there is always a free slot.
        add(text)
    }

    /// Frees all slots. The next record mostly has as many texts: their number halves only when few of them were taken.
    fn clear(&mut self) {
        if self.taken == 0 {
            return;
        }
        let half = self.slots.len() / 2;
        if half >= FEWEST_SLOTS && self.taken <= half / 4 {
            self.slots.truncate(half);
        }
        self.taken = 0;
        self.round += 1;
        if self.round > LAST_ROUND {
            self.slots.fill((NO_TEXT, 0));
            self.round = 1;
        }
    }

    #[cold]
    fn grow(&mut self) {
        let wanted = (2 * self.slots.len()).max(FEWEST_SLOTS);
        let known = std::mem::take(&mut self.slots);
        self.slots.resize(wanted, (NO_TEXT, 0));
        self.taken = 0;
        let round = self.round;
        for (text, symbol) in known {
            if symbol >> ROUND == round {
                self.symbol_of(text, |_| symbol % MOST_SYMBOLS);
            }
        }
    }
}

#[cfg(test)]
mod tests;
