//! What runs beside the loop.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use buffer::{BuryDead, Commit};
use store::{Lane, Write};
use tokio::task::{AbortHandle, JoinError};
use tokio::time::Instant;

use super::{Error, Running};
use crate::context::Context;
use crate::metrics;
use crate::partition::Stage;
use crate::settle::settle;
use crate::work::{Tenure, Work};

/// What a task is for. There is one at a time of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    /// The write of a lane.
    Lane(Lane),
    /// Burying records that cannot be decoded.
    Graves,
    /// Telling the store where a partition starts.
    Resume(i32),
}

impl std::fmt::Display for Slot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Lane(Lane::Series(number)) => write!(f, "a write of lane {number}"),
            Self::Lane(Lane::Partition(partition)) => write!(f, "a write of partition {partition}"),
            Self::Graves => f.write_str("a dead letter"),
            Self::Resume(partition) => write!(f, "the resume of partition {partition}"),
        }
    }
}

/// A task that was started.
#[derive(Debug)]
pub(super) struct Flight {
    pub(super) slot: Slot,
    /// The assignments that have something in it.
    pub(super) tenures: Vec<(i32, u64)>,
    /// Samples in it that are not settled.
    open: Arc<AtomicUsize>,
    pub(super) abort: AbortHandle,
}

impl Flight {
    pub(super) fn open_samples(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }
}

/// How a task ended.
#[derive(Debug)]
pub(super) enum Done {
    /// The work is settled, or its wait was ended.
    Work(Box<Work>),
    /// The store knows, or the partition is gone.
    Resumed { partition: i32, tenure: u64 },
}

impl<C: Commit, W: Write, B: BuryDead> Running<C, W, B> {
    pub(super) fn start_work(&mut self, slot: Slot, work: Work) {
        let tenures = work
            .tenures
            .iter()
            .map(|(partition, tenure)| (*partition, tenure.id))
            .collect();
        let open = Arc::clone(&work.open);
        let work = settle(Arc::clone(&self.context), work, self.wake.clone());
        let task = async move { Done::Work(Box::new(work.await)) };
        let abort = self.tasks.spawn(task);
        self.note_flight(slot, tenures, open, abort);
    }

    pub(super) fn start_resume(&mut self, partition: i32, offset: i64, tenure: Tenure) {
        let tenures = vec![(partition, tenure.id)];
        let context = Arc::clone(&self.context);
        let abort = self.tasks.spawn(resume(context, partition, offset, tenure));
        self.note_flight(Slot::Resume(partition), tenures, Arc::default(), abort);
    }

    fn note_flight(
        &mut self,
        slot: Slot,
        tenures: Vec<(i32, u64)>,
        open: Arc<AtomicUsize>,
        abort: AbortHandle,
    ) {
        let flight = Flight {
            slot,
            tenures,
            open,
            abort,
        };
        self.flights.insert(flight.abort.id(), flight);
    }

    pub(super) fn is_flying(&self, slot: Slot) -> bool {
        self.flights.values().any(|flight| flight.slot == slot)
    }

    pub(super) fn joined(
        &mut self,
        joined: Result<(tokio::task::Id, Done), JoinError>,
    ) -> Result<(), Error> {
        let id = match &joined {
            Ok((id, _)) => *id,
            Err(error) => error.id(),
        };
        let Some(flight) = self.flights.remove(&id) else {
            return Ok(());
        };
        match joined {
            Ok((_, Done::Work(work))) => self.worked(flight.slot, *work),
            Ok((_, Done::Resumed { partition, tenure })) => self.resumed(partition, tenure),
            Err(error) => {
                self.context.counters.returned(flight.open_samples());
                self.free(flight.slot);
                if error.is_panic() {
                    return Err(Error::Defect {
                        store: self.context.name.clone(),
                        what: flight.slot.to_string(),
                        why: error.to_string(),
                    });
                }
            }
        }
        Ok(())
    }

    fn worked(&mut self, slot: Slot, mut work: Work) {
        work.drop_ended(&self.context.counters);
        if !work.is_settled() {
            self.start_work(slot, work);
            return;
        }
        let mut ends = None;
        for part in &work.parts {
            let tenure = work.tenures.get(&part.partition).map(|tenure| tenure.id);
            if let Some(partition) = self.partitions.get_mut(&part.partition)
                && Some(partition.tenure.id) == tenure
            {
                partition.frontier.finish(part.offset, part.count);
                ends = Some(part.offset + 1);
            }
        }
        self.free(slot);
        if let Slot::Lane(Lane::Partition(partition)) = slot {
            if let Some(partition) = self.partitions.get_mut(&partition) {
                partition.uncommitted.extend(ends);
            }
            self.start_commit();
        }
    }

    fn resumed(&mut self, number: i32, tenure: u64) {
        let Some(partition) = self.partitions.get_mut(&number) else {
            return;
        };
        if partition.tenure.id != tenure || partition.stage != Stage::Resuming {
            return;
        }
        partition.stage = Stage::Active;
        let now = Instant::now();
        for held in std::mem::take(&mut partition.held) {
            self.queue(&held.record, &held.picks, now);
        }
    }

    /// Nothing is in flight there any more.
    fn free(&mut self, slot: Slot) {
        let Slot::Lane(lane) = slot else {
            return;
        };
        if let Some(queue) = self.lanes.get_mut(&lane) {
            queue.busy = false;
        }
        if let Lane::Partition(partition) = lane
            && !self.partitions.contains_key(&partition)
        {
            self.lanes.remove(&lane);
        }
    }
}

/// Tells the store where a partition starts, until it has understood or the partition is gone.
async fn resume<W: Write, B: BuryDead>(
    context: Arc<Context<W, B>>,
    partition: i32,
    offset: i64,
    tenure: Tenure,
) -> Done {
    let done = Done::Resumed {
        partition,
        tenure: tenure.id,
    };
    let mut attempt = 0;
    while !tenure.ended.is_cancelled() {
        let Err(error) = context.store.resume(partition, offset).await else {
            break;
        };
        attempt += 1;
        metrics::retry(&context.name, "resume");
        let retry_after = match error {
            store::WriteError::Retryable { retry_after, .. } => retry_after,
            store::WriteError::Refused { .. } => None,
        };
        let wait = context.backoff.wait(attempt, retry_after);
        if let Some(suppressed) = context.logs.not_resumed.pass() {
            tracing::warn!(
                store = context.name,
                partition,
                offset,
                error = &error as &dyn std::error::Error,
                attempt,
                wait_ms = wait.as_millis(),
                suppressed,
                "store cannot start with a partition; tried again"
            );
        }
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = tenure.ended.cancelled() => {}
        }
    }
    done
}
