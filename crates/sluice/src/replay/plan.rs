//! Which offsets a replay reads. Pure.

use std::collections::BTreeMap;

use buffer::{Bounds, OffsetRange};
use serde::{Deserialize, Serialize};

/// Offsets `from..to` of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Span {
    pub(crate) partition: i32,
    pub(crate) from: i64,
    pub(crate) to: i64,
}

impl Span {
    pub(crate) fn len(&self) -> u64 {
        u64::try_from(self.to.saturating_sub(self.from)).unwrap_or(0)
    }

    pub(crate) fn range(&self) -> OffsetRange {
        OffsetRange {
            partition: self.partition,
            from: self.from,
            to: Some(self.to),
        }
    }
}

/// What is read, and what was asked for and is not there.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) spans: Vec<Span>,
    pub(crate) missing: Vec<Span>,
}

impl Plan {
    /// Everything between two sets of offsets. A partition without a start is read from its first record (`Some` below)
    /// or not at all; one without an end is read to where it ends now.
    pub(crate) fn between(
        bounds: &[Bounds],
        start: impl Fn(&Bounds) -> Option<i64>,
        end: impl Fn(&Bounds) -> i64,
    ) -> Self {
        let mut plan = Self::default();
        for bounds in bounds {
            if let Some(from) = start(bounds) {
                plan.add(bounds, from, end(bounds));
            }
        }
        plan
    }

    /// Exactly these offsets.
    ///
    /// # Errors
    /// When there is no such partition, or one is named twice.
    pub(crate) fn of(bounds: &[Bounds], wanted: &[Span]) -> Result<Self, String> {
        let known: BTreeMap<i32, &Bounds> = bounds
            .iter()
            .map(|known| (known.partition, known))
            .collect();
        let mut plan = Self::default();
        for span in wanted {
            let partition = span.partition;
            let Some(bounds) = known.get(&partition) else {
                return Err(format!(
                    "--offsets: there is no partition {partition}, there are {}",
                    known.len()
                ));
            };
            let named = wanted.iter().filter(|other| other.partition == partition);
            if named.count() > 1 {
                return Err(format!(
                    "--offsets: partition {partition} is named twice; replay one range after the other"
                ));
            }
            plan.add(bounds, span.from, span.to);
        }
        Ok(plan)
    }

    fn add(&mut self, bounds: &Bounds, from: i64, to: i64) {
        let partition = bounds.partition;
        let span = |from, to| Span {
            partition,
            from,
            to,
        };
        if from < bounds.start && from < to {
            self.missing.push(span(from, to.min(bounds.start)));
        }
        if to > bounds.end && from < to && to != i64::MAX {
            self.missing.push(span(from.max(bounds.end), to));
        }
        let inside = span(from.max(bounds.start), to.min(bounds.end));
        if inside.from < inside.to {
            self.spans.push(inside);
        }
    }

    /// Records, or offsets without one.
    pub(crate) fn records(&self) -> u64 {
        self.spans.iter().map(Span::len).sum()
    }
}

/// Reads `3:1000..2000`, or `3:1000..` for everything from an offset on.
///
/// # Errors
/// What would have been right.
pub(crate) fn parse_span(text: &str) -> Result<Span, String> {
    let wrong = || {
        format!(
            "{text:?} is not PARTITION:FROM..TO, such as 3:1000..2000 (offset 2000 is not read) or 3:1000.."
        )
    };
    let (partition, offsets) = text.split_once(':').ok_or_else(wrong)?;
    let (from, to) = offsets.split_once("..").ok_or_else(wrong)?;
    let to = match to.trim() {
        "" => i64::MAX,
        to => to.parse().map_err(|_| wrong())?,
    };
    let span = Span {
        partition: partition.trim().parse().map_err(|_| wrong())?,
        from: from.trim().parse().map_err(|_| wrong())?,
        to,
    };
    if span.partition < 0 || span.from < 0 || span.to <= span.from {
        return Err(wrong());
    }
    Ok(span)
}

#[cfg(test)]
mod tests;
