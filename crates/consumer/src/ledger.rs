//! What became of the samples: each one consumed is written, dead-lettered, skipped, or in memory.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::metrics;

/// The sums of one pipeline since it started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ledger {
    /// Samples read from the buffer and decoded.
    pub consumed: u64,
    /// Samples that the store has taken.
    pub written: u64,
    /// Samples that the dead-letter topic has taken.
    pub dead_lettered: u64,
    /// Samples given back uncommitted, at a rebalance or shutdown, which are consumed again; and those that the store has
    /// no form for.
    pub skipped: u64,
    /// Records that could not be decoded and that the dead-letter topic has taken. Nobody knows how many samples
    /// they had, so these are in none of the sums above.
    pub records_dead_lettered: u64,
}

impl Ledger {
    /// Samples that are neither written, dead-lettered nor skipped: in memory.
    #[must_use]
    pub fn in_memory(&self) -> u64 {
        self.consumed
            .saturating_sub(self.written)
            .saturating_sub(self.dead_lettered)
            .saturating_sub(self.skipped)
    }
}

/// Counts for the ledger and for the metrics, in one place, so that they cannot disagree.
#[derive(Debug)]
pub(crate) struct Counters {
    store: String,
    consumed: AtomicU64,
    written: AtomicU64,
    dead_lettered: AtomicU64,
    skipped: AtomicU64,
    records_dead_lettered: AtomicU64,
}

fn add(counter: &AtomicU64, samples: usize) {
    counter.fetch_add(
        u64::try_from(samples).unwrap_or(u64::MAX),
        Ordering::Relaxed,
    );
}

impl Counters {
    pub(crate) fn new(store: &str) -> Self {
        Self {
            store: store.to_owned(),
            consumed: AtomicU64::new(0),
            written: AtomicU64::new(0),
            dead_lettered: AtomicU64::new(0),
            skipped: AtomicU64::new(0),
            records_dead_lettered: AtomicU64::new(0),
        }
    }

    pub(crate) fn consumed(&self, samples: usize) {
        add(&self.consumed, samples);
        metrics::samples_consumed(&self.store, samples);
    }

    pub(crate) fn written(&self, samples: usize) {
        add(&self.written, samples);
        metrics::samples_written(&self.store, samples);
    }

    pub(crate) fn dead_lettered(&self, reason: &'static str, samples: usize) {
        add(&self.dead_lettered, samples);
        metrics::samples_dead_lettered(&self.store, reason, samples);
    }

    /// Given back uncommitted; they will be consumed again.
    pub(crate) fn returned(&self, samples: usize) {
        if samples > 0 {
            add(&self.skipped, samples);
            metrics::samples_skipped(&self.store, metrics::RETURNED, samples);
        }
    }

    /// The store has no form for them.
    pub(crate) fn left_out(&self, reason: &'static str, samples: usize) {
        add(&self.skipped, samples);
        metrics::samples_skipped(&self.store, reason, samples);
    }

    pub(crate) fn record_dead_lettered(&self, reason: &'static str) {
        add(&self.records_dead_lettered, 1);
        metrics::record_dead_lettered(&self.store, reason);
    }

    pub(crate) fn snapshot(&self) -> Ledger {
        Ledger {
            consumed: self.consumed.load(Ordering::Relaxed),
            written: self.written.load(Ordering::Relaxed),
            dead_lettered: self.dead_lettered.load(Ordering::Relaxed),
            skipped: self.skipped.load(Ordering::Relaxed),
            records_dead_lettered: self.records_dead_lettered.load(Ordering::Relaxed),
        }
    }
}
