//! Over how many partitions the series of each metric name are spread, now and since when.
//!
//! The same for all gateways: it depends on the settings, the clock and the series alone. A series is known by a hash of
//! its labels that neither their order nor the process changes.

use std::collections::HashMap;
use std::time::Duration;

use buffer::Moved;
use codec::catalogue::Catalogue;
use model::{Batch, FIRST_KNOWN};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use crate::config::{PartitionBy, PartitioningConfig};

/// Partitions that all names are spread over where each series is by itself; of a topic with fewer, as many as the largest
/// power of two among them.
const ALL: u32 = 256;

/// Of clocks.
const ALLOWANCE: Duration = Duration::from_secs(2);

/// Which names have more than one partition, or had.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    by: PartitionBy,
    names: HashMap<Box<str>, Change>,
    /// How long a record may be under way, in milliseconds.
    under_way_ms: i64,
}

/// How many partitions a name has, and had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Change {
    over: u32,
    was: u32,
    from_ms: i64,
}

impl Change {
    const fn at(self, now_ms: i64) -> u32 {
        if now_ms < self.from_ms {
            self.was
        } else {
            self.over
        }
    }
}

/// The partitions of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lanes {
    pub(crate) count: u32,
    moved: Option<Moved>,
}

impl Lanes {
    /// Where a series with this hash is.
    pub(crate) fn place(self, hash: u64) -> buffer::Spread {
        let lane = u32::try_from(hash % u64::from(self.count.max(1))).unwrap_or_default();
        let moved = self
            .moved
            .filter(|moved| moved.sources(lane).next().is_some());
        buffer::Spread { lane, moved }
    }
}

impl Plan {
    /// The plan of some settings. `request_timeout` is the longest that records are under way.
    pub(crate) fn of(config: &PartitioningConfig, request_timeout: Duration) -> Self {
        let change = |spread: &crate::config::Spread| {
            let (was, from_ms) = spread.change.unwrap_or((spread.over, i64::MIN));
            Change {
                over: spread.over,
                was,
                from_ms,
            }
        };
        let names = config.spread.iter();
        let under_way = (request_timeout + ALLOWANCE).as_millis();
        Self {
            by: config.by,
            names: names
                .map(|(name, spread)| (name.as_str().into(), change(spread)))
                .collect(),
            under_way_ms: i64::try_from(under_way).unwrap_or(i64::MAX),
        }
    }

    /// The plan after this one. What changes without saying when, changes now.
    pub(crate) fn next(&self, config: &PartitioningConfig, now_ms: i64) -> Self {
        let mut next = Self {
            under_way_ms: self.under_way_ms,
            ..Self::of(config, Duration::ZERO)
        };
        for (name, before) in &self.names {
            let was = before.at(now_ms);
            let new = next.names.entry(name.clone()).or_insert(Change {
                over: 1,
                was: 1,
                from_ms: i64::MIN,
            });
            let says_when = new.from_ms != i64::MIN;
            if !says_when && new.over == before.over && before.from_ms <= now_ms {
                // Consumers may still have to know of it.
                *new = *before;
            } else if !says_when && new.over != was {
                new.was = was;
                new.from_ms = now_ms;
            }
        }
        for (name, new) in &mut next.names {
            if !self.names.contains_key(name) && new.from_ms == i64::MIN && new.over != 1 {
                (new.was, new.from_ms) = (1, now_ms);
            }
        }
        next
    }

    /// Whether every name has the one partition of its key.
    pub(crate) fn is_plain(&self) -> bool {
        self.names.is_empty() && self.by == PartitionBy::Name
    }

    /// The partitions of a name; none for the one of its key, where it has always been.
    pub(crate) fn lanes(&self, name: &str, now_ms: i64) -> Option<Lanes> {
        let Some(change) = self.names.get(name) else {
            return (self.by == PartitionBy::Series).then_some(Lanes {
                count: ALL,
                moved: None,
            });
        };
        let count = change.at(now_ms);
        let has_moved = now_ms >= change.from_ms && change.was != change.over;
        let moved = has_moved.then(|| Moved {
            was: change.was,
            over: change.over,
            settled_at_ms: change.from_ms.saturating_add(self.under_way_ms),
        });
        (count > 1 || has_moved).then_some(Lanes { count, moved })
    }
}

/// A series of a batch or of the catalogue as a number: from its labels alone, whatever their order, in any process and
/// version. It decides on partitions, so it never changes.
pub(crate) fn stable_hash(batch: &Batch<'_>, catalogue: &Catalogue, series: u32) -> u64 {
    let of_label = |name: &[u8], value: &[u8]| xxh3_64_with_seed(value, xxh3_64(name));
    let sum = match series.checked_sub(FIRST_KNOWN) {
        Some(known) => catalogue
            .labels(known)
            .map(|(name, value)| of_label(name, value))
            .fold(0, u64::wrapping_add),
        None => batch
            .series(series)
            .into_iter()
            .flat_map(|series| batch.labels(series))
            .map(|label| of_label(label.name.as_bytes(), label.value.as_bytes()))
            .fold(0, u64::wrapping_add),
    };
    // The low bits of a sum of hashes are as good as any; this mixes in the high ones.
    xxh3_64(&sum.to_le_bytes())
}

#[cfg(test)]
pub(crate) mod tests;
