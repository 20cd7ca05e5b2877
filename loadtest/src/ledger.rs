//! Which samples were acknowledged, in few bytes: ranges of the sequence of values.

use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::ops::Range;

use anyhow::Context;

/// The first line of a file.
const HEADER: &str = "# sluice loadtest ledger 1: places in the sequence of values, first and last";

/// Places in ranges that do not touch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Ranges(BTreeMap<u64, u64>);

impl Ranges {
    /// Adds places that are not there yet.
    pub(crate) fn add(&mut self, places: Range<u64>) {
        if places.is_empty() {
            return;
        }
        let (mut start, mut end) = (places.start, places.end);
        if let Some((before, until)) = self.0.range(..start).next_back()
            && *until == start
        {
            start = *before;
        }
        if let Some(until) = self.0.remove(&end) {
            end = until;
        }
        self.0.insert(start, end);
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Range<u64>> {
        self.0.iter().map(|(start, end)| *start..*end)
    }

    /// How many places there are.
    pub(crate) fn count(&self) -> u64 {
        self.iter().map(|range| range.end - range.start).sum()
    }

    /// From the first place to the last.
    pub(crate) fn span(&self) -> Range<u64> {
        let start = self.0.keys().next().copied().unwrap_or(0);
        start..self.0.values().next_back().copied().unwrap_or(start)
    }
}

/// What a run sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Ledger {
    /// Answered with a 2xx that refused nothing.
    pub acknowledged: Ranges,
    /// Sent, and answered otherwise or not at all: they may be stored, or not.
    pub unknown: Ranges,
    /// Metric names of the run, for stores that are asked name by name.
    pub names: u64,
}

impl Ledger {
    /// Adds what another run of other values sent.
    pub(crate) fn add(&mut self, other: &Self) {
        for range in other.acknowledged.iter() {
            self.acknowledged.add(range);
        }
        for range in other.unknown.iter() {
            self.unknown.add(range);
        }
    }

    pub(crate) fn write(&self, into: &mut impl Write) -> anyhow::Result<()> {
        writeln!(into, "{HEADER}\nnames {}", self.names)?;
        for (word, ranges) in [("ack", &self.acknowledged), ("unknown", &self.unknown)] {
            for range in ranges.iter() {
                writeln!(into, "{word} {} {}", range.start, range.end - 1)?;
            }
        }
        Ok(())
    }

    pub(crate) fn read(from: impl BufRead) -> anyhow::Result<Self> {
        let mut lines = from.lines();
        let header = lines.next().transpose()?.unwrap_or_default();
        anyhow::ensure!(header == HEADER, "not a ledger of this version: {header:?}");
        let mut ledger = Self::default();
        for (number, line) in (2..).zip(lines) {
            let line = line?;
            ledger
                .line(&line)
                .with_context(|| format!("line {number} of the ledger: {line:?}"))?;
        }
        Ok(ledger)
    }

    fn line(&mut self, line: &str) -> anyhow::Result<()> {
        let (word, numbers) = line.split_once(' ').context("no number")?;
        let ranges = match word {
            "names" => {
                self.names = numbers.parse()?;
                return Ok(());
            }
            "ack" => &mut self.acknowledged,
            "unknown" => &mut self.unknown,
            other => anyhow::bail!("{other:?} is not known"),
        };
        let (first, last) = numbers.split_once(' ').context("one number")?;
        ranges.add(first.parse()?..last.parse::<u64>()? + 1);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Ledger, Ranges};

    #[test]
    fn ranges_that_touch_become_one() {
        let mut ranges = Ranges::default();
        for start in [30, 0, 20, 10, 50] {
            ranges.add(start..start + 10);
        }
        assert_eq!(ranges.iter().collect::<Vec<_>>(), [0..40, 50..60]);
        assert_eq!((ranges.count(), ranges.span()), (50, 0..60));
        ranges.add(40..50);
        ranges.add(7..7);
        assert_eq!(ranges.iter().next(), Some(0..60));
        assert_eq!(ranges.count(), 60);
    }

    #[test]
    fn a_ledger_is_read_as_it_was_written() {
        let mut ledger = Ledger {
            names: 50,
            ..Ledger::default()
        };
        ledger.acknowledged.add(1000..3000);
        ledger.acknowledged.add(5000..5001);
        ledger.unknown.add(3000..4000);
        let mut file = Vec::new();
        ledger.write(&mut file).unwrap();
        assert_eq!(Ledger::read(file.as_slice()).unwrap(), ledger);
        assert!(Ledger::read(&b"# something else"[..]).is_err());
        file.extend_from_slice(b"ack 1\n");
        assert!(Ledger::read(file.as_slice()).is_err());
    }
}
