//! Which names should be spread, and over how many partitions: said once it is sure, and not again for an hour.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use super::Shown;

/// A name is hot when one of its partitions gets this many times as much as a partition gets on average.
const HOT: f64 = 2.0;

/// One window may be a burst.
const SURE_AFTER: u32 = 3;

/// Said again after so long.
const AGAIN: Duration = Duration::from_secs(3600);

/// As many as a setting takes.
const MOST_LANES: u32 = 256;

/// Names that are remembered at a time, hot ones and those of which it was said.
const MOST_NAMES: usize = 1000;

/// A name that should be spread.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Suggestion {
    pub(super) name: String,
    pub(super) was: u32,
    pub(super) over: u32,
    /// Of all bytes.
    pub(super) share: f64,
}

/// Remembers what was hot, and what was said.
#[derive(Debug, Default)]
pub(super) struct Advisor {
    hot_for: HashMap<String, u32>,
    said: HashMap<String, Instant>,
}

impl Advisor {
    /// What is to be said of a window that is over.
    pub(super) fn look(&mut self, hot: &[Suggestion], now: Instant) -> Vec<Suggestion> {
        self.hot_for
            .retain(|name, _| hot.iter().any(|hot| hot.name == *name));
        self.said.retain(|_, at| now.duration_since(*at) < AGAIN);
        let mut said = Vec::new();
        for hot in hot {
            if self.hot_for.len() >= MOST_NAMES || self.said.len() >= MOST_NAMES {
                break;
            }
            let windows = self.hot_for.entry(hot.name.clone()).or_default();
            *windows += 1;
            if *windows >= SURE_AFTER && !self.said.contains_key(&hot.name) {
                self.said.insert(hot.name.clone(), now);
                said.push(hot.clone());
            }
        }
        said
    }
}

/// The names of a window that one partition is too little for.
#[expect(clippy::cast_precision_loss, reason = "shares of bytes")]
pub(super) fn hot_names(shown: &Shown, above_bytes_per_second: u64) -> Vec<Suggestion> {
    let partitions = shown.partitions.len();
    let most = u32::try_from(partitions).unwrap_or(u32::MAX);
    let most = 1 << most.clamp(1, MOST_LANES).ilog2();
    let suggestion = |name: &super::Name| {
        let rate = name.load.bytes as f64 / shown.seconds;
        let share = name.load.bytes as f64 / (shown.total.bytes.max(1)) as f64;
        // In partitions' even shares.
        let even = share * partitions as f64;
        let is_hot = even > HOT * f64::from(name.lanes);
        let over = lanes_for(even).min(most);
        let is_worth_it = is_hot && over > name.lanes && rate >= above_bytes_per_second as f64;
        is_worth_it.then(|| Suggestion {
            name: name.name.clone(),
            was: name.lanes,
            over,
            share,
        })
    };
    shown.names.iter().filter_map(suggestion).collect()
}

/// So many that each has an even partition's share or less.
fn lanes_for(even: f64) -> u32 {
    let mut lanes = 1;
    while f64::from(lanes) < even && lanes < MOST_LANES {
        lanes *= 2;
    }
    lanes
}

#[cfg(test)]
mod tests;
