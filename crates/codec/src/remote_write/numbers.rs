//! Finds the number of a series by the hash of its labels.
//!
//! A request has some thousand series, each of which is looked for once or twice: a slot is a number and nothing else,
//! and forgetting all of them is counting one further.

/// Slots of the first request.
const FEWEST_SLOTS: usize = 1024;

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    /// Taken, if it is that of the table.
    generation: u32,
    number: u32,
}

/// The numbers of things that somebody else keeps, hashes and compares.
#[derive(Debug)]
pub(super) struct Numbers {
    /// A power of two of them, at most half of them taken.
    slots: Vec<Slot>,
    generation: u32,
    taken: usize,
}

/// Where a thing would be that is not there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Vacant(usize);

impl Numbers {
    pub(super) fn new() -> Self {
        Self {
            slots: vec![Slot::default(); FEWEST_SLOTS],
            generation: 1,
            taken: 0,
        }
    }

    /// The number of a thing with this hash that `is_same` says yes to.
    #[inline(always)]
    pub(super) fn find(&self, hash: u64, is_same: impl Fn(u32) -> bool) -> Result<u32, Vacant> {
        let mut at = start(hash);
        loop {
            at &= self.slots.len().wrapping_sub(1);
            match self.slots.get(at) {
                Some(slot) if slot.generation == self.generation => {
                    if is_same(slot.number) {
                        return Ok(slot.number);
                    }
                }
                _ => return Err(Vacant(at)),
            }
            at += 1;
        }
    }

    /// Adds a thing that was not found. `hash_of` answers the hash of each that is there.
    #[inline(always)]
    pub(super) fn insert(&mut self, place: Vacant, number: u32, hash_of: impl Fn(u32) -> u64) {
        if let Some(slot) = self.slots.get_mut(place.0) {
            let generation = self.generation;
            *slot = Slot { generation, number };
            self.taken += 1;
        }
        if 2 * self.taken > self.slots.len() {
            self.grow(hash_of);
        }
    }

    #[cold]
    fn grow(&mut self, hash_of: impl Fn(u32) -> u64) {
        let slots = vec![Slot::default(); 2 * self.slots.len()];
        let generation = self.generation;
        for slot in std::mem::replace(&mut self.slots, slots) {
            if slot.generation == generation
                && let Err(Vacant(at)) = self.find(hash_of(slot.number), |_| false)
                && let Some(place) = self.slots.get_mut(at)
            {
                *place = slot;
            }
        }
    }

    /// Forgets everything and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.taken = 0;
        self.generation = self.generation.wrapping_add(1);
        if self.generation == 0 {
            self.slots.fill(Slot::default());
            self.generation = 1;
        }
    }
}

/// The upper half has what a product mixes best.
#[inline(always)]
fn start(hash: u64) -> usize {
    usize::try_from((hash >> 32) ^ (hash & 0xffff_ffff)).unwrap_or_default()
}

#[cfg(test)]
mod tests;
