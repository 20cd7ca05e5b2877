//! Finding the samples that a store refuses by halving what it refused. Pure.
//!
//! `k` refused samples among `n` cost about `k · log n` writes. A store that refuses everything would cost
//! two writes per sample; [`Run`] bounds that.

use store::Item;

/// A refused piece, smaller.
#[derive(Debug)]
pub(crate) enum Halved {
    /// Two pieces, in order.
    Halves(Vec<Item>, Vec<Item>),
    /// It cannot be split: one sample, or one record of a store that takes only whole ones.
    Whole(Vec<Item>),
}

/// Halves a refused piece: between items, then between an item's samples; only between records if they must stay whole.
pub(crate) fn halve(mut items: Vec<Item>, whole_records: bool) -> Halved {
    let middle = items.len() / 2;
    if whole_records {
        let borders = (1..items.len()).filter(|&at| {
            let (before, after) = (items.get(at - 1), items.get(at));
            before.map(|item| item.source) != after.map(|item| item.source)
        });
        return match borders.min_by_key(|at| at.abs_diff(middle)) {
            None => Halved::Whole(items),
            Some(at) => {
                let second = items.split_off(at);
                Halved::Halves(items, second)
            }
        };
    }
    if items.len() > 1 {
        let second = items.split_off(middle);
        return Halved::Halves(items, second);
    }
    match items.first() {
        Some(item) if item.len() > 1 => {
            let middle = item.samples.start.midpoint(item.samples.end);
            let (mut first, mut second) = (item.clone(), item.clone());
            first.samples.end = middle;
            second.samples.start = middle;
            Halved::Halves(vec![first], vec![second])
        }
        _ => Halved::Whole(items),
    }
}

/// So many samples (see [`size`]) must have been refused one after the other before a piece may go to the dead letters unsplit.
const LONG_RUN: usize = 64;

/// A piece may be so much smaller than the run before it. The waste is bounded by it: good samples that happen to be
/// in the first such piece are at most a quarter of the really refused ones.
const RUN_PER_PIECE: usize = 4;

/// The code of a refusal for size, which says nothing about the samples.
pub(crate) const TOO_LARGE: &str = "too_large";

/// The size of a piece, for [`Run`]: its samples, and one for an item that has none. Otherwise any number of
/// exemplars could be given up as nothing.
pub(crate) fn size(items: &[Item]) -> usize {
    items.iter().map(|item| item.len().max(1)).sum()
}

/// Refusals in a row, for the same reason, with no write in between that succeeded.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Run {
    reason: &'static str,
    samples: usize,
}

impl Run {
    /// Whether a piece of so many samples that was refused as a whole may be given up as a whole.
    pub(crate) fn gives_up_on(&self, reason: &'static str, samples: usize) -> bool {
        reason != TOO_LARGE
            && reason == self.reason
            && self.samples >= LONG_RUN
            && samples.saturating_mul(RUN_PER_PIECE) <= self.samples
    }

    /// So many samples were given up.
    pub(crate) fn refused(&mut self, reason: &'static str, samples: usize) {
        if self.reason == reason {
            self.samples += samples;
        } else {
            *self = Self { reason, samples };
        }
    }

    /// A write succeeded.
    pub(crate) fn broken(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests;
