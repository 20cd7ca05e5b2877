//! How many samples each sender sends, and of each tenant: who sends too much is a question for the metrics, also where
//! there is no quota.
//!
//! One look into a table per request. Those that come after the first ones are counted together.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use ::metrics::Counter;
use foldhash::quality::RandomState;

use super::OTHER;

/// Counters of those that have one of their own: senders, or tenants.
pub(super) struct Senders {
    max: usize,
    counter: fn(String) -> Counter,
    /// The label of what is nobody's.
    nobody: &'static str,
    known: RwLock<HashMap<Arc<str>, Counter, RandomState>>,
    others: OnceLock<Counter>,
    nobodys: OnceLock<Counter>,
}

impl Senders {
    /// With counters of their own for so many, and one for what is nobody's.
    pub(super) fn new(max: u32, counter: fn(String) -> Counter, nobody: &'static str) -> Self {
        Self {
            max: usize::try_from(max).unwrap_or(usize::MAX),
            counter,
            nobody,
            known: RwLock::default(),
            others: OnceLock::new(),
            nobodys: OnceLock::new(),
        }
    }

    /// Counts samples of one.
    pub(super) fn count(&self, who: Option<&Arc<str>>, samples: u64) {
        if samples == 0 {
            return;
        }
        let Some(who) = who else {
            let counter = self
                .nobodys
                .get_or_init(|| (self.counter)(self.nobody.to_owned()));
            return counter.increment(samples);
        };
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(counter) = known.get(who) {
            return counter.increment(samples);
        }
        let is_full = known.len() >= self.max;
        drop(known);
        if !is_full {
            let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
            if known.len() < self.max || known.contains_key(who) {
                let counter = known
                    .entry(Arc::clone(who))
                    .or_insert_with(|| (self.counter)(who.as_ref().to_owned()));
                return counter.increment(samples);
            }
        }
        self.others
            .get_or_init(|| (self.counter)(OTHER.to_owned()))
            .increment(samples);
    }
}

#[cfg(test)]
mod tests;
