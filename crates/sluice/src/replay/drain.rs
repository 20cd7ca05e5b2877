//! A part of the buffer as a pipeline reads it: every partition is ours, and commits are progress.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use buffer::{Commit, Consumed, Drain, DrainError, Event, PartitionState, Piece, ReadRanges as _};

use super::positions::Positions;
use super::tally::Tally;
use crate::tools::filter::Filter;
use crate::tools::source::Pieces;

/// Which records are handed on.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    /// Received in this time, milliseconds since the Unix epoch; the end is not in it.
    pub(crate) received_ms: (i64, i64),
    pub(crate) filter: Filter,
}

/// What a record is to a replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Wanted,
    NotWanted,
    /// Nobody can tell what it holds.
    Undecodable,
}

impl Wanted {
    /// Looks into a record only where series are chosen; the others are decoded once, by the pipeline.
    pub(crate) fn judge(&self, record: &Consumed) -> Verdict {
        let (from, until) = self.received_ms;
        if !(from..until).contains(&record.received_at_ms)
            || !self.filter.has_tenant(record.tenant.as_deref())
        {
            return Verdict::NotWanted;
        }
        if self.filter.has_every_series() {
            return Verdict::Wanted;
        }
        match codec::record::decode(record.content_type.as_deref(), &record.value) {
            Err(_) => Verdict::Undecodable,
            Ok(block) if block.iter().any(|view| self.filter.has_series(view)) => Verdict::Wanted,
            Ok(_) => Verdict::NotWanted,
        }
    }
}

/// The reader of a replay.
#[derive(Debug)]
pub(crate) struct Replaying {
    pub(crate) pieces: Pieces,
    /// Partition and first offset, until the pipeline knows of them.
    pub(crate) assigned: VecDeque<(i32, i64)>,
    pub(crate) wanted: Wanted,
    pub(crate) positions: Arc<Positions>,
    pub(crate) tally: Arc<Tally>,
    pub(crate) source: String,
    pub(crate) retention: Duration,
    pub(crate) is_paused: bool,
}

impl Replaying {
    /// What the pipeline gets of a piece, if anything.
    fn event(&self, piece: Piece) -> Option<Event> {
        match piece {
            Piece::Records(records) => {
                let records: Vec<Consumed> = records
                    .into_iter()
                    .filter(|record| self.hands_on(record))
                    .collect();
                (!records.is_empty()).then_some(Event::Records(records))
            }
            Piece::Ended { partition } => {
                self.positions.ended(partition);
                None
            }
            Piece::Expired {
                partition,
                from,
                to,
            } => {
                let lost = u64::try_from(to.saturating_sub(from)).unwrap_or(0);
                self.tally.expired(lost);
                self.positions.handed_on(partition, to.saturating_sub(1));
                Some(Event::Expired {
                    partition,
                    from,
                    to,
                })
            }
        }
    }

    fn hands_on(&self, record: &Consumed) -> bool {
        let verdict = self.wanted.judge(record);
        if verdict == Verdict::Undecodable {
            self.tally.undecodable();
        }
        if verdict == Verdict::Wanted {
            self.positions.handed_on(record.partition, record.offset);
        } else {
            self.positions.skipped(record.partition, record.offset);
        }
        verdict == Verdict::Wanted
    }
}

impl Drain for Replaying {
    type Committer = Progress;

    async fn next(&mut self) -> Result<Event, DrainError> {
        if let Some((partition, offset)) = self.assigned.pop_front() {
            return Ok(Event::Assigned { partition, offset });
        }
        if self.is_paused {
            return std::future::pending().await;
        }
        loop {
            let piece = self.pieces.next().await?;
            if let Some(event) = self.event(piece) {
                return Ok(event);
            }
        }
    }

    fn committer(&self) -> Progress {
        Progress(Arc::clone(&self.positions))
    }

    fn pause(&mut self, paused: bool) {
        self.is_paused = paused;
    }

    fn source(&self) -> &str {
        &self.source
    }

    fn retention(&self) -> Duration {
        self.retention
    }

    async fn close(self) {}
}

/// Commits by noting how far the store is.
#[derive(Debug, Clone)]
pub(crate) struct Progress(Arc<Positions>);

impl Commit for Progress {
    async fn commit(&self, offsets: Vec<(i32, i64)>) -> Result<(), DrainError> {
        for (partition, offset) in offsets {
            self.0.committed(partition, offset);
        }
        Ok(())
    }

    /// Nothing: a replay has no lag and nothing of it expires unread but by its own slowness, which is told.
    fn state(&self) -> Vec<PartitionState> {
        Vec::new()
    }
}
