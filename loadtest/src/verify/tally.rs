//! What was found, beside what was acknowledged.

use std::fmt;
use std::ops::Range;

use crate::bodies::number;
use crate::ledger::Ledger;

/// Missing ranges that are told.
const TOLD: usize = 5;
const WORD: u64 = u64::BITS as u64;

/// Found values, two bits for each place of the sequence.
#[derive(Debug)]
pub(super) struct Tally {
    start: u64,
    end: u64,
    once: Vec<u64>,
    doubled: u64,
    /// Other samples: of other runs, or nobody's.
    others: u64,
}

/// The account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub acknowledged: u64,
    /// Of those.
    pub found: u64,
    /// Of those.
    pub missing: u64,
    /// The first of them.
    pub missing_ranges: Vec<Range<u64>>,
    /// Found again, each time counted: the buffer promises at least once.
    pub doubled: u64,
    /// Found without having been acknowledged, which is allowed.
    pub unacknowledged: u64,
    pub others: u64,
}

impl Tally {
    pub(super) fn new(ledger: &Ledger) -> Self {
        let spans = [ledger.acknowledged.span(), ledger.unknown.span()];
        let spans = || spans.iter().filter(|span| !span.is_empty());
        let start = spans().map(|span| span.start).min().unwrap_or(0);
        let end = spans().map(|span| span.end).max().unwrap_or(start);
        let words = usize::try_from((end - start).div_ceil(WORD)).unwrap_or(usize::MAX);
        Self {
            start,
            end,
            once: vec![0; words],
            doubled: 0,
            others: 0,
        }
    }

    /// Takes a sample's value.
    pub(super) fn see(&mut self, value: f64) {
        match number::place(value) {
            Some(place) if (self.start..self.end).contains(&place) => {
                let (word, bit) = self.at(place);
                if let Some(word) = self.once.get_mut(word) {
                    self.doubled += u64::from(*word & bit != 0);
                    *word |= bit;
                }
            }
            Some(_) | None => self.others += 1,
        }
    }

    fn at(&self, place: u64) -> (usize, u64) {
        let at = place - self.start;
        let word = usize::try_from(at / WORD).unwrap_or(usize::MAX);
        (word, 1 << (at % WORD))
    }

    fn has(&self, place: u64) -> bool {
        let (word, bit) = self.at(place);
        self.once.get(word).is_some_and(|word| word & bit != 0)
    }

    pub(super) fn verdict(&self, ledger: &Ledger) -> Verdict {
        let mut verdict = Verdict {
            acknowledged: ledger.acknowledged.count(),
            doubled: self.doubled,
            others: self.others,
            ..Verdict::default()
        };
        for place in ledger.acknowledged.iter().flatten() {
            if self.has(place) {
                verdict.found += 1;
                continue;
            }
            verdict.missing += 1;
            let told = verdict.missing_ranges.len();
            match verdict.missing_ranges.last_mut() {
                Some(last) if last.end == place => last.end += 1,
                Some(_) | None if told < TOLD => {
                    verdict.missing_ranges.push(place..place + 1);
                }
                Some(_) | None => {}
            }
        }
        let places: u64 = self
            .once
            .iter()
            .map(|word| u64::from(word.count_ones()))
            .sum();
        verdict.unacknowledged = places - verdict.found;
        verdict
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "acknowledged {}, found {}, missing {}, doubled {}, found without an acknowledgement {}, others {}",
            self.acknowledged,
            self.found,
            self.missing,
            self.doubled,
            self.unacknowledged,
            self.others
        )?;
        for range in &self.missing_ranges {
            write!(
                f,
                "\nmissing: {} samples, values from {:.0}",
                range.end - range.start,
                number::value(range.start) as f64
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger() -> Ledger {
        let mut ledger = Ledger::default();
        ledger.acknowledged.add(5_000_000..5_000_100);
        ledger.acknowledged.add(5_000_200..5_000_300);
        ledger.unknown.add(5_000_100..5_000_200);
        ledger
    }

    fn tally(places: impl IntoIterator<Item = u64>) -> Verdict {
        let ledger = ledger();
        let mut tally = Tally::new(&ledger);
        for place in places {
            tally.see(number::value(place) as f64);
        }
        tally.verdict(&ledger)
    }

    #[test]
    fn everything_that_was_acknowledged_is_found_in_any_order() {
        let verdict = tally((5_000_200..5_000_300).chain(5_000_000..5_000_100));
        assert_eq!((verdict.acknowledged, verdict.found), (200, 200));
        assert_eq!((verdict.missing, verdict.doubled), (0, 0));
    }

    #[test]
    fn a_missing_sample_is_found_to_be_missing() {
        let verdict = tally((5_000_000..5_000_300).filter(|place| *place != 5_000_250));
        assert_eq!((verdict.found, verdict.missing), (199, 1));
        assert_eq!(
            verdict.missing_ranges.first(),
            Some(&(5_000_250..5_000_251))
        );
        assert_eq!(verdict.unacknowledged, 100);
        let told = verdict.to_string();
        assert!(told.contains("missing 1, doubled 0"), "{told}");
    }

    #[test]
    fn a_doubled_sample_is_told_and_does_not_make_up_for_a_missing_one() {
        let places = (5_000_000..5_000_300).filter(|place| *place != 5_000_010);
        let verdict = tally(places.chain([5_000_011, 5_000_011]));
        assert_eq!((verdict.missing, verdict.doubled), (1, 2));
    }

    #[test]
    fn other_samples_are_counted_apart() {
        let ledger = ledger();
        let mut tally = Tally::new(&ledger);
        for value in [42.5, f64::NAN, number::value(4_999_999) as f64] {
            tally.see(value);
        }
        let verdict = tally.verdict(&ledger);
        assert_eq!((verdict.others, verdict.missing), (3, 200));
    }
}
