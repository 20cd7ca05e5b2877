//! How many samples each sender sends: who sends too much is a question for the metrics, also where there is no quota.
//!
//! One look into a table per request. Senders that come after the first ones are counted together.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use ::metrics::Counter;

use super::{OTHER, UNKNOWN};
use crate::ingest::Origin;
use crate::metrics;

/// Counters of the senders that have one of their own.
pub(super) struct Senders {
    max: usize,
    known: RwLock<HashMap<Arc<str>, Counter>>,
    others: OnceLock<Counter>,
    unknown: OnceLock<Counter>,
}

impl Senders {
    /// With counters of their own for so many.
    pub(super) fn new(max: u32) -> Self {
        Self {
            max: usize::try_from(max).unwrap_or(usize::MAX),
            known: RwLock::default(),
            others: OnceLock::new(),
            unknown: OnceLock::new(),
        }
    }

    /// Counts samples of a sender.
    pub(super) fn count(&self, origin: &Origin, samples: u64) {
        if samples == 0 {
            return;
        }
        let Some(source) = &origin.source else {
            let counter = self
                .unknown
                .get_or_init(|| metrics::sent_by_source(UNKNOWN.to_owned()));
            return counter.increment(samples);
        };
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(counter) = known.get(source) {
            return counter.increment(samples);
        }
        let is_full = known.len() >= self.max;
        drop(known);
        if !is_full {
            let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
            if known.len() < self.max || known.contains_key(source) {
                let counter = known
                    .entry(Arc::clone(source))
                    .or_insert_with(|| metrics::sent_by_source(source.as_ref().to_owned()));
                return counter.increment(samples);
            }
        }
        self.others
            .get_or_init(|| metrics::sent_by_source(OTHER.to_owned()))
            .increment(samples);
    }
}

#[cfg(test)]
mod tests;
