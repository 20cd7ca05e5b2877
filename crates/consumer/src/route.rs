//! Which lane a series goes to.

use std::hash::{BuildHasher, Hash, Hasher};

use foldhash::quality::RandomState;
use model::{Block, SeriesView};
use store::{Batching, Lane, Lanes, Record};

use crate::lane::Pick;

/// Spreads records over a store's lanes.
#[derive(Debug)]
pub(crate) struct Router {
    lanes: Lanes,
    /// Random per pipeline, so that nobody can choose labels that all meet in one lane.
    hasher: RandomState,
    /// A series of one record never holds more samples than this in one item.
    max_item_samples: u32,
    /// The hashes of a record's symbols, while it is spread.
    symbols: Vec<u64>,
    /// What each lane gets of it.
    spread: Vec<Vec<Pick>>,
}

impl Router {
    pub(crate) fn new(lanes: Lanes, batching: Batching) -> Self {
        let (max_item_samples, count) = match lanes {
            Lanes::BySeries(count) => {
                let max_samples = u32::try_from(batching.max_samples).unwrap_or(u32::MAX);
                (max_samples.max(1), count.get())
            }
            Lanes::ByPartition => (u32::MAX, 0),
        };
        Self {
            lanes,
            hasher: RandomState::default(),
            max_item_samples,
            symbols: Vec::new(),
            spread: vec![Vec::new(); count],
        }
    }

    /// Whether batches hold whole records of one partition.
    pub(crate) fn whole_records(&self) -> bool {
        matches!(self.lanes, Lanes::ByPartition)
    }

    /// Among how many lanes a record may be divided.
    pub(crate) fn lanes(&self) -> usize {
        self.spread.len().max(1)
    }

    /// The items of a record, in its order.
    pub(crate) fn picks(&self, block: &Block) -> Vec<Pick> {
        let mut picks = Vec::with_capacity(block.len());
        for (series, view) in (0..).zip(block.iter()) {
            if view.plain().is_some() {
                picks.push(Pick {
                    series,
                    samples: 0..1,
                });
                continue;
            }
            let samples = view.samples();
            if samples == 0 && view.exemplars().is_empty() {
                continue;
            }
            let samples = u32::try_from(samples).expect("a record is smaller than 4 GiB");
            // Senders give exemplars a series of their own, without a sample: that is an item too.
            let mut start = 0_u32;
            loop {
                let end = samples.min(start.saturating_add(self.max_item_samples));
                picks.push(Pick {
                    series,
                    samples: start..end,
                });
                if end >= samples {
                    break;
                }
                start = end;
            }
        }
        picks
    }

    /// Tells each lane what it gets of a record: the same one for every item of a series.
    pub(crate) fn spread(
        &mut self,
        record: &Record,
        picks: &[Pick],
        mut lane: impl FnMut(Lane, &[Pick]),
    ) {
        if picks.is_empty() {
            return;
        }
        match self.lanes {
            Lanes::ByPartition => lane(Lane::Partition(record.source.partition), picks),
            Lanes::BySeries(count) if count.get() == 1 => lane(Lane::Series(0), picks),
            Lanes::BySeries(_) => {
                self.note_symbols(&record.block);
                for pick in picks {
                    let Some(view) = record.block.series(pick.series as usize) else {
                        continue;
                    };
                    let number = self.lane(view, record.tenant.as_deref());
                    if let Some(lane) = self.spread.get_mut(number) {
                        lane.push(pick.clone());
                    }
                }
                for (number, picks) in self.spread.iter_mut().enumerate() {
                    if !picks.is_empty() {
                        lane(Lane::Series(number), picks);
                        picks.clear();
                    }
                }
            }
        }
    }

    /// Each text is hashed once, however many series have it.
    fn note_symbols(&mut self, block: &Block) {
        let hashes = block.symbols().map(|text| self.hasher.hash_one(text));
        self.symbols.clear();
        self.symbols.extend(hashes);
    }

    fn lane(&self, view: SeriesView<'_>, tenant: Option<&str>) -> usize {
        let hash = |reference: u32| self.symbols.get(reference as usize).copied();
        // The same for any order of the labels: a foreign producer may not sort them.
        let labels = view.label_refs().iter().fold(0_u64, |sum, [name, value]| {
            let (name, value) = (hash(*name), hash(*value));
            sum.wrapping_add(folded(name.unwrap_or(0), value.unwrap_or(0)))
        });
        let mut hasher = self.hasher.build_hasher();
        labels.hash(&mut hasher);
        tenant.hash(&mut hasher);
        // The upper half of a product: a remainder without a division.
        let lanes = u128::try_from(self.spread.len()).unwrap_or(u128::MAX);
        usize::try_from((u128::from(hasher.finish()) * lanes) >> 64).unwrap_or(0)
    }
}

/// One hash of two. Exchanged they give another one: `a="b"` is not `b="a"`.
fn folded(first: u64, second: u64) -> u64 {
    // The fraction of the golden ratio: bits without a pattern.
    let product = u128::from(first ^ 0x9e37_79b9_7f4a_7c15) * u128::from(second);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "both halves are taken, one after the other"
    )]
    let halves = [product as u64, (product >> 64) as u64];
    halves[0] ^ halves[1]
}

#[cfg(test)]
mod tests;
