//! What one sender sent, and what it was told about it.

use std::collections::BTreeMap;
use std::time::Duration;

use super::connection::Answer;

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// A 2xx that refused nothing.
    Acknowledged,
    /// Given up: it may be stored, or not.
    Unknown,
}

/// The account of one sender.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub sender: u64,
    /// Samples of a batch.
    pub series: u64,
    pub turns: Vec<Turn>,
    /// Status codes; `none` without an answer, `hung` past the timeout.
    pub answers: BTreeMap<String, u64>,
    /// Acknowledgements by what they say of the samples' durability.
    pub durability: BTreeMap<String, u64>,
    /// The longest that a batch waited from its first try until it was acknowledged.
    pub longest: Duration,
    /// Body of the first 500.
    pub first_500: Option<String>,
}

impl Sent {
    pub(crate) fn new(sender: u64, series: u64) -> Self {
        Self {
            sender,
            series,
            turns: Vec::new(),
            answers: BTreeMap::new(),
            durability: BTreeMap::new(),
            longest: Duration::ZERO,
            first_500: None,
        }
    }

    pub(super) fn note(&mut self, answer: &str) {
        *self.answers.entry(answer.to_owned()).or_insert(0) += 1;
    }

    pub(super) fn acknowledged_after(&mut self, waited: Duration, answer: &Answer) {
        self.outage(waited);
        if let Some(durability) = &answer.durability {
            *self.durability.entry(durability.clone()).or_insert(0) += 1;
        }
    }

    pub(super) fn outage(&mut self, waited: Duration) {
        self.longest = self.longest.max(waited);
    }

    /// Samples of batches that were acknowledged.
    pub(crate) fn acknowledged(&self) -> u64 {
        let turns = self.turns.iter();
        turns.filter(|turn| **turn == Turn::Acknowledged).count() as u64 * self.series
    }

    /// Samples of all batches.
    pub(crate) fn samples(&self) -> u64 {
        self.turns.len() as u64 * self.series
    }
}
