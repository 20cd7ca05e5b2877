//! Which lane a series goes to.
//!
//! A record has one metric name, and goes to one lane as a whole: divided among the lanes, each of their batches would
//! have a few series of many records instead of many of a few, and be dearer to encode by half. A name that is
//! too much for one lane is *divided*: its series go to all lanes, for a while. A series changes its lane only while
//! nothing of its name is in flight, and with all that waits of it, so that its samples stay in order.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::time::Duration;

use foldhash::quality::RandomState;
use model::{Block, SeriesView};
use store::{Batching, Lane, Lanes, Record};
use tokio::time::Instant;

use crate::lane::{LaneQueue, Pick};

/// For so long a name stays divided at least, so that one that is divided again and again is so once a minute.
const DIVIDED_FOR: Duration = Duration::from_mins(1);

/// A name that is divided must be this part of what its lane has, at least.
const DIVIDED_PART: usize = 4;

/// The name of which a lane has most.
#[derive(Debug)]
pub(crate) struct Largest<'q> {
    pub(crate) name: &'q str,
    pub(crate) tenant: Option<&'q str>,
    pub(crate) samples: usize,
}

/// Spreads records over a store's lanes.
#[derive(Debug)]
pub(crate) struct Router {
    lanes: Lanes,
    /// Random per pipeline, so that nobody can choose labels that all meet in one lane.
    hasher: RandomState,
    /// A series of one record never holds more samples than this in one item.
    max_item_samples: u32,
    /// Names whose series go to all lanes, and since when. By a hash of tenant and name: of two that meet there, both are
    /// divided.
    divided: HashMap<u64, Instant, RandomState>,
    /// The hashes of a record's symbols, while it is divided.
    symbols: Vec<u64>,
    /// What each lane gets of it.
    parts: Vec<Vec<Pick>>,
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
            divided: HashMap::default(),
            symbols: Vec::new(),
            parts: vec![Vec::new(); count],
        }
    }

    /// Whether batches hold whole records of one partition.
    pub(crate) fn whole_records(&self) -> bool {
        matches!(self.lanes, Lanes::ByPartition)
    }

    /// Among how many lanes a record may be divided.
    pub(crate) fn lanes(&self) -> usize {
        self.parts.len().max(1)
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
    pub(crate) fn route(
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
            Lanes::BySeries(_) => match self.whole(record) {
                Some(number) => lane(Lane::Series(number), picks),
                None => self.divide(record, picks, lane),
            },
        }
    }

    /// The lane of all of a record; none when it is divided, or has several names, as another producer's may.
    fn whole(&self, record: &Record) -> Option<usize> {
        let mut series = record.block.iter();
        let first = series.next()?;
        let name = first.name_ref();
        if !series.all(|view| view.name_ref() == name) {
            return None;
        }
        let whose = self.whose(record, first);
        (!self.divided.contains_key(&whose)).then(|| self.number(whose))
    }

    /// A hash of tenant and name.
    fn whose(&self, record: &Record, view: SeriesView<'_>) -> u64 {
        folded(self.hasher.hash_one(view.name()), self.tenant(record))
    }

    fn divide(&mut self, record: &Record, picks: &[Pick], mut lane: impl FnMut(Lane, &[Pick])) {
        self.note_symbols(&record.block);
        let tenant = self.tenant(record);
        for pick in picks {
            let Some(view) = record.block.series(pick.series as usize) else {
                continue;
            };
            let whose = folded(self.symbol(view.name_ref()), tenant);
            let number = self.number(match self.divided.contains_key(&whose) {
                true => folded(self.labels(view), tenant),
                false => whose,
            });
            if let Some(part) = self.parts.get_mut(number) {
                part.push(pick.clone());
            }
        }
        for (number, picks) in self.parts.iter_mut().enumerate() {
            if !picks.is_empty() {
                lane(Lane::Series(number), picks);
                picks.clear();
            }
        }
    }

    /// Divides the name of which a lane has most, if that is a good part of all and no part of it is elsewhere, and says
    /// which. What the lane has must be routed again then, and nothing of it may be in flight.
    pub(crate) fn divide_largest<'q>(
        &mut self,
        queue: &'q LaneQueue,
        now: Instant,
    ) -> Option<Largest<'q>> {
        let mut names: HashMap<u64, Largest<'_>> = HashMap::new();
        for (record, picks, samples) in queue.shares() {
            if let Some((whose, name)) = self.whole_among(record, picks) {
                let tenant = record.tenant.as_deref();
                let largest = names.entry(whose).or_insert(Largest {
                    name,
                    tenant,
                    samples: 0,
                });
                largest.samples += samples;
            }
        }
        let (whose, largest) = names.into_iter().max_by_key(|(_, name)| name.samples)?;
        // A lane of many small names has not too much of one, and others have as many.
        if largest.samples * DIVIDED_PART < queue.samples() {
            return None;
        }
        self.divided.insert(whose, now);
        Some(largest)
    }

    /// The first name of some items of a record that is not divided. Of one that is, they are but a part.
    fn whole_among<'r>(
        &self,
        record: &'r Record,
        picks: impl Iterator<Item = &'r Pick>,
    ) -> Option<(u64, &'r str)> {
        let mut before = None;
        for pick in picks {
            let view = record.block.series(pick.series as usize)?;
            // Mostly all have one name.
            if before.replace(view.name_ref()) == Some(view.name_ref()) {
                continue;
            }
            let whose = self.whose(record, view);
            if !self.divided.contains_key(&whose) {
                return Some((whose, view.name()));
            }
        }
        None
    }

    /// How many names are divided.
    pub(crate) fn divided(&self) -> usize {
        self.divided.len()
    }

    /// Has names whole again that were divided for long, and answers whether there were any: then all lanes' items must
    /// be routed again. Nothing may be in flight.
    pub(crate) fn unite(&mut self, now: Instant) -> bool {
        let before = self.divided.len();
        self.divided
            .retain(|_, since| now.duration_since(*since) < DIVIDED_FOR);
        self.divided.len() < before
    }

    /// Each text is hashed once, however many series have it.
    fn note_symbols(&mut self, block: &Block) {
        let hashes = block.symbols().map(|text| self.hasher.hash_one(text));
        self.symbols.clear();
        self.symbols.extend(hashes);
    }

    fn symbol(&self, reference: u32) -> u64 {
        let hash = self.symbols.get(reference as usize);
        hash.copied().unwrap_or(0)
    }

    fn tenant(&self, record: &Record) -> u64 {
        self.hasher.hash_one(record.tenant.as_deref())
    }

    /// The same for any order of the labels: a foreign producer may not sort them.
    fn labels(&self, view: SeriesView<'_>) -> u64 {
        view.label_refs().iter().fold(0, |sum: u64, [name, value]| {
            sum.wrapping_add(folded(self.symbol(*name), self.symbol(*value)))
        })
    }

    /// The lane of what has this hash: the upper half of a product, a remainder without a division.
    fn number(&self, hash: u64) -> usize {
        let lanes = u128::try_from(self.parts.len()).unwrap_or(u128::MAX);
        usize::try_from((u128::from(hash) * lanes) >> 64).unwrap_or(0)
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
