//! What is known of a partition during one assignment.

use std::collections::VecDeque;

use crate::frontier::Frontier;
use crate::lag::Position;
use crate::lane::{Pick, Waiting};
use crate::work::Tenure;

/// Where a partition is on its way through an assignment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The store was not told yet.
    Arriving,
    /// The store is being told; records wait.
    Resuming,
    /// Records flow.
    Active,
    /// It goes to another reader; what is in flight may end.
    Leaving,
}

/// A record whose store does not know its partition yet.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) record: Waiting,
    pub(crate) picks: Vec<Pick>,
}

/// One partition.
#[derive(Debug)]
pub(crate) struct Partition {
    pub(crate) tenure: Tenure,
    pub(crate) stage: Stage,
    pub(crate) frontier: Frontier,
    pub(crate) held: Vec<Held>,
    /// When the last record that was read was received.
    pub(crate) last_received_at_ms: Option<i64>,
    /// Ends of batches that are written and not committed, for stores whose batches are borders of commits.
    pub(crate) uncommitted: VecDeque<i64>,
}

impl Partition {
    pub(crate) fn new(tenure: Tenure, offset: i64) -> Self {
        Self {
            tenure,
            stage: Stage::Arriving,
            frontier: Frontier::new(offset),
            held: Vec::new(),
            last_received_at_ms: None,
            uncommitted: VecDeque::new(),
        }
    }

    /// Drops what waits for the store, and answers how many samples that was.
    pub(crate) fn drop_held(&mut self) -> usize {
        let held = std::mem::take(&mut self.held);
        held.iter()
            .flat_map(|held| &held.picks)
            .map(Pick::len)
            .sum()
    }

    /// What may be committed. Never inside a written batch that is a border of commits: where a record of it is not done
    /// (poison that cannot be buried), a store could not tell that the rest of it comes again.
    pub(crate) fn committable(&self) -> Option<i64> {
        let done = self.frontier.done();
        if self.uncommitted.back().is_none_or(|end| *end <= done) {
            return Some(done);
        }
        let ends = self.uncommitted.iter().copied();
        ends.filter(|end| *end <= done).max()
    }

    pub(crate) fn position(&self, end: Option<i64>) -> Position {
        Position {
            done: self.frontier.done(),
            read: self.frontier.read(),
            end,
            oldest_open_ms: self.frontier.oldest_received_at_ms(),
            last_read_ms: self.last_received_at_ms,
        }
    }
}
