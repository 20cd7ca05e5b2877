//! What was found of the samples that were sent: none, once, several times, in which order.

use std::collections::BTreeMap;

use crate::load::{Number, Sent, Turn};

/// Found samples, a count for each.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    senders: BTreeMap<u64, Sender>,
    /// Values that are no sample of a load, or under labels that are not theirs.
    wrong: u64,
    first_wrong: Option<String>,
    /// Found after a later one of its series, when it was found for the first time.
    reordered: u64,
    arrivals: Option<Arrivals>,
}

#[derive(Debug, Default)]
struct Sender {
    /// By turn and slot.
    counts: BTreeMap<u64, Vec<u8>>,
    /// By turn: dense, in blocks.
    latest: Vec<Option<u64>>,
}

/// How old samples were when they arrived, by when they were sent.
#[derive(Debug)]
struct Arrivals {
    start_ms: i64,
    windows: Vec<Vec<u32>>,
}

/// Length of a window in which the freshness of samples is told.
pub(crate) const WINDOW_MS: i64 = 10_000;

/// Turns of a block of counts.
const BLOCK: u64 = 1024;

/// The account of a place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// Of the acknowledged ones.
    pub found: u64,
    /// Acknowledged and not found.
    pub lost: u64,
    /// Found again, each time counted.
    pub doubled: u64,
    /// Found without an acknowledgement, which is allowed.
    pub unacknowledged: u64,
    pub reordered: u64,
    pub wrong: u64,
    /// Some that are lost or wrong, in words.
    pub examples: Vec<String>,
}

/// Examples that are told.
const TOLD: usize = 5;

impl Tally {
    /// With the age of each sample when it arrives, from this time on.
    pub(crate) fn with_arrivals(start_ms: i64) -> Self {
        Self {
            arrivals: Some(Arrivals {
                start_ms,
                windows: Vec::new(),
            }),
            ..Self::default()
        }
    }

    /// Takes a value that was found without its labels, in an order that says nothing.
    pub(crate) fn see_value(&mut self, value: f64) {
        match Number::of(value) {
            Some(number) => {
                let reordered = self.reordered;
                self.count(number);
                self.reordered = reordered;
            }
            None => self.is_wrong(&format!("{value} is no sample")),
        }
    }

    /// Takes a sample with its labels.
    pub(crate) fn see<'a>(
        &mut self,
        labels: impl Iterator<Item = (&'a str, &'a str)>,
        at_ms: i64,
        value: f64,
    ) {
        let Some(number) = Number::of(value) else {
            self.is_wrong(&format!("{value} is no sample"));
            return;
        };
        let (name, sender, slot) = (number.name(), number.sender, number.slot);
        let mut right = 0;
        for (label, text) in labels {
            let is_right = match label {
                "__name__" => text == name,
                "sender" => text.parse() == Ok(sender),
                "slot" => text.parse() == Ok(slot),
                _ => false,
            };
            right += if is_right { 1 } else { 100 };
        }
        if right == 3 {
            self.arrived(at_ms);
            self.count(number);
        } else {
            self.is_wrong(&format!("{number:?} is under labels of another series"));
        }
    }

    fn arrived(&mut self, at_ms: i64) {
        let Some(arrivals) = &mut self.arrivals else {
            return;
        };
        let window = (at_ms - arrivals.start_ms).div_euclid(WINDOW_MS);
        let Ok(window) = usize::try_from(window) else {
            return;
        };
        if arrivals.windows.len() <= window {
            arrivals.windows.resize_with(window + 1, Vec::new);
        }
        let age = u32::try_from(service::clock::now_ms() - at_ms).unwrap_or(0);
        if let Some(window) = arrivals.windows.get_mut(window) {
            window.push(age);
        }
    }

    fn count(&mut self, number: Number) {
        let sender = self.senders.entry(number.sender).or_default();
        let block = sender.counts.entry(number.turn / BLOCK).or_default();
        let (Ok(turn), Ok(slot)) = (
            usize::try_from(number.turn % BLOCK),
            usize::try_from(number.slot),
        ) else {
            return;
        };
        // A column for each series, so that blocks are as wide as the load.
        let at = slot * usize::try_from(BLOCK).unwrap_or(0) + turn;
        if block.len() <= at {
            block.resize(at + 1, 0);
        }
        if sender.latest.len() <= slot {
            sender.latest.resize(slot + 1, None);
        }
        let (Some(count), Some(latest)) = (block.get_mut(at), sender.latest.get_mut(slot)) else {
            return;
        };
        if *count == 0 && latest.is_some_and(|latest| number.turn < latest) {
            self.reordered += 1;
        }
        *count = count.saturating_add(1);
        *latest = (*latest).max(Some(number.turn));
    }

    fn is_wrong(&mut self, why: &str) {
        self.wrong += 1;
        self.first_wrong.get_or_insert_with(|| why.to_owned());
    }

    fn times(&self, number: Number) -> u64 {
        let block = self.senders.get(&number.sender);
        let block = block.and_then(|sender| sender.counts.get(&(number.turn / BLOCK)));
        let at = usize::try_from(number.slot * BLOCK + number.turn % BLOCK);
        let count = block.and_then(|block| block.get(at.ok()?));
        u64::from(count.copied().unwrap_or(0))
    }

    /// Whether a sample was found.
    pub(crate) fn has(&self, number: Number) -> bool {
        self.times(number) > 0
    }

    /// Compares with what was sent.
    pub(crate) fn verdict(&self, sent: &[Sent]) -> Verdict {
        let mut verdict = Verdict {
            reordered: self.reordered,
            wrong: self.wrong,
            examples: self.first_wrong.iter().cloned().collect(),
            ..Verdict::default()
        };
        for account in sent {
            for (turn, state) in (0..).zip(&account.turns) {
                for slot in 0..account.series {
                    let number = Number {
                        sender: account.sender,
                        turn,
                        slot,
                    };
                    let times = self.times(number);
                    verdict.doubled += times.saturating_sub(1);
                    match (state, times) {
                        (Turn::Acknowledged, 0) => {
                            verdict.lost += 1;
                            if verdict.examples.len() < TOLD {
                                verdict.examples.push(format!("{number:?} is lost"));
                            }
                        }
                        (Turn::Acknowledged, _) => verdict.found += 1,
                        (Turn::Unknown, 0) => {}
                        (Turn::Unknown, _) => verdict.unacknowledged += 1,
                    }
                }
            }
        }
        verdict
    }

    /// The age that 99 of 100 samples did not exceed when they arrived, by windows of when they were sent.
    pub(crate) fn ages_p99_ms(&mut self) -> Vec<Option<u32>> {
        let windows = self.arrivals.iter_mut().flat_map(|a| a.windows.iter_mut());
        windows
            .map(|ages| {
                ages.sort_unstable();
                let at = (ages.len() * 99).div_ceil(100).checked_sub(1)?;
                ages.get(at).copied()
            })
            .collect()
    }
}

#[cfg(test)]
mod tests;
