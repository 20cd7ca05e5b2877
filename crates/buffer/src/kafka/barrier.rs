//! What has to be read before a record, as its header says it: `spread-after: <milliseconds> <partition>,…`.

use std::fmt;

/// The header's name. Readers that do not know it lose nothing but the order around a change.
pub(super) const HEADER: &str = "spread-after";

/// More partitions than a header may name.
const MOST: usize = 1024;

/// How far behind its own record's time a barrier's may be. Ours is behind it by as long as a request may take.
const MOST_AHEAD_MS: i64 = 5 * 60 * 1000;

/// Everything that these partitions had at that time comes first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Barrier {
    /// Milliseconds since the Unix epoch.
    pub(super) settled_at_ms: i64,
    /// Of the same topic, without the record's own.
    pub(super) partitions: Vec<i32>,
}

impl fmt::Display for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.settled_at_ms)?;
        for (index, partition) in self.partitions.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{partition}")?;
        }
        Ok(())
    }
}

impl Barrier {
    /// None if it is not one: anybody may write to a topic.
    pub(super) fn parse(header: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(header).ok()?;
        let (time, partitions) = text.split_once(' ')?;
        let partitions: Option<Vec<i32>> = partitions
            .split(',')
            .map(|number| number.parse().ok().filter(|number| *number >= 0))
            .take(MOST + 1)
            .collect();
        Some(Self {
            settled_at_ms: time.parse().ok().filter(|time| *time >= 0)?,
            partitions: partitions.filter(|partitions| partitions.len() <= MOST)?,
        })
    }

    /// What a record has to wait for; none if that would end with the reader's patience only. Anybody may write to a
    /// topic: a record cannot wait for its own partition, which stands still meanwhile, nor for a time to come.
    pub(super) fn before(mut self, partition: i32, at_ms: i64) -> Option<Self> {
        if self.settled_at_ms > at_ms.saturating_add(MOST_AHEAD_MS) {
            return None;
        }
        self.partitions.retain(|other| *other != partition);
        self.partitions.sort_unstable();
        self.partitions.dedup();
        (!self.partitions.is_empty()).then_some(self)
    }
}

#[cfg(test)]
mod tests;
