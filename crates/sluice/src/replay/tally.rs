//! What became of a replay's samples, for its last words.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use buffer::{BuryDead, DeadLetter, PublishError};
use store::LeftOut;

/// Reasons that are told apart; more would be somebody's free text.
const MAX_REASONS: usize = 100;

/// Counts.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    written: AtomicU64,
    expired: AtomicU64,
    undecodable: AtomicU64,
    left_out: Mutex<BTreeMap<&'static str, u64>>,
    refused: Mutex<BTreeMap<&'static str, Refused>>,
}

/// What was refused for one reason.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) samples: u64,
    /// The first one's words and place.
    pub(crate) example: String,
}

impl Tally {
    pub(crate) fn wrote(&self, samples: usize) {
        let samples = u64::try_from(samples).unwrap_or(u64::MAX);
        self.written.fetch_add(samples, Ordering::Relaxed);
    }

    pub(crate) fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// Samples that the store has no form for.
    pub(crate) fn left_out(&self, left: Option<LeftOut>) {
        if let Some(left) = left.filter(|left| left.samples > 0) {
            let mut known = self.left_out.lock().unwrap_or_else(PoisonError::into_inner);
            *known.entry(left.reason).or_default() += left.samples as u64;
        }
    }

    pub(crate) fn samples_left_out(&self) -> BTreeMap<&'static str, u64> {
        let known = self.left_out.lock().unwrap_or_else(PoisonError::into_inner);
        known.clone()
    }

    /// Records that went before they were read.
    pub(crate) fn expired(&self, records: u64) {
        self.expired.fetch_add(records, Ordering::Relaxed);
    }

    pub(crate) fn records_expired(&self) -> u64 {
        self.expired.load(Ordering::Relaxed)
    }

    /// A record that might have been meant.
    pub(crate) fn undecodable(&self) {
        self.undecodable.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn records_undecodable(&self) -> u64 {
        self.undecodable.load(Ordering::Relaxed)
    }

    /// Everything that was meant and is not in the store: records and samples.
    pub(crate) fn missed(&self) -> u64 {
        let refused: u64 = self.refused().values().map(|one| one.samples).sum();
        self.records_expired() + self.records_undecodable() + refused
    }

    /// What the store, or the decoder, refused for good.
    pub(crate) fn refused(&self) -> BTreeMap<&'static str, Refused> {
        self.refused
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// What is refused is counted and stays where it is: in the buffer, and in the dead letters of the consumer that read it
/// first.
impl BuryDead for Tally {
    async fn bury(&self, letter: DeadLetter) -> Result<(), PublishError> {
        let decoded = codec::record::decode(letter.content_type.as_deref(), &letter.value);
        let samples = decoded.map_or(1, |block| block.samples() as u64);
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if refused.len() >= MAX_REASONS && !refused.contains_key(letter.reason) {
            return Ok(());
        }
        let entry = refused.entry(letter.reason).or_insert_with(|| Refused {
            samples: 0,
            example: format!(
                "partition {} offset {}: {}",
                letter.source_partition, letter.source_offset, letter.message
            ),
        });
        entry.samples += samples;
        Ok(())
    }
}
