//! What goes to the store, and when reading has to wait.

use std::time::Duration;

use buffer::{BuryDead, Commit};
use store::{Lane, Write};
use tokio::time::Instant;

use super::Running;
use super::tasks::Slot;
use crate::metrics;
use crate::partition::Stage;
use crate::work::Work;

/// So many batches of a partition may be written and not committed, for stores whose batches are borders of commits:
/// such a store remembers only some of its last batches in case they come again.
const UNCOMMITTED_BATCHES: usize = 4;

/// For so long a lane may have had more to write than it can, while another one has nothing to do.
const DIVIDED_AFTER: Duration = Duration::from_millis(500);

/// So many records that cannot be decoded are buried by one task.
const GRAVES_AT_ONCE: usize = 256;

impl<C: Commit, W: Write, B: BuryDead> Running<C, W, B> {
    /// Starts everything that can and should be started now.
    pub(super) fn dispatch(&mut self) {
        self.dispatch_resumes();
        if !self.graves.is_empty() && !self.is_flying(Slot::Graves) {
            let rest = self.graves.split_off(self.graves.len().min(GRAVES_AT_ONCE));
            let letters = std::mem::replace(&mut self.graves, rest);
            let tenure = |partition| self.tenure(partition);
            let work = Work::bury(letters, tenure);
            self.start_work(Slot::Graves, work);
        }
        let now = Instant::now();
        self.balance(now);
        let flush = self.shutdown.is_some();
        let due: Vec<Lane> = self
            .lanes
            .iter()
            .filter(|(lane, queue)| {
                let due = queue.due(&self.batching, now);
                !queue.busy
                    && due.is_some_and(|due| flush || due <= now)
                    && !self.waits_for_commit(**lane)
            })
            .map(|(lane, _)| *lane)
            .collect();
        for lane in due {
            self.start_write(lane);
        }
    }

    /// Divides the largest name of a lane that cannot keep up while another one has nothing to do, and has divided names
    /// whole again.
    fn balance(&mut self, now: Instant) {
        if self.context.whole_records || self.router.lanes() == 1 {
            return;
        }
        let mut idle = self.router.lanes().saturating_sub(self.lanes.len());
        let mut is_flying = false;
        for queue in self.lanes.values_mut() {
            queue.note_crowd(&self.batching, now);
            idle += usize::from(!queue.busy && queue.is_empty());
            is_flying |= queue.busy;
        }
        if !is_flying && self.router.unite(now) {
            metrics::divided(&self.context.name, self.router.divided());
            self.route_again(|_| true);
            return;
        }
        if idle == 0 || now < self.balance_not_before {
            return;
        }
        let behind = self.lanes.iter().find(|(_, queue)| {
            // One whose write has just ended: nothing of the name is in flight then.
            !queue.busy && queue.is_behind(DIVIDED_AFTER, now)
        });
        let Some((lane, queue)) = behind else {
            return;
        };
        let lane = *lane;
        // To look for a name takes time, whether there is one or not.
        self.balance_not_before = now + DIVIDED_AFTER;
        let Some(largest) = self.router.divide_largest(queue, now) else {
            return;
        };
        let divided = self.router.divided();
        metrics::divided(&self.context.name, divided);
        if let Some(suppressed) = self.context.logs.divided.pass() {
            tracing::info!(
                store = self.context.name,
                name = largest.name,
                tenant = largest.tenant,
                samples = largest.samples,
                divided,
                suppressed,
                "one shard of the store cannot keep up: the series of its largest name go to all shards"
            );
        }
        self.route_again(|number| number == lane);
    }

    /// Deals out again what waits in some lanes, of which nothing may be in flight.
    fn route_again(&mut self, is_meant: impl Fn(Lane) -> bool) {
        let lanes = self.lanes.iter_mut();
        let taken: Vec<_> = lanes
            .filter(|(lane, _)| is_meant(**lane))
            .flat_map(|(_, queue)| queue.take())
            .collect();
        for (record, picks, since) in taken {
            self.queue(&record, &picks, since);
        }
    }

    fn dispatch_resumes(&mut self) {
        if self.shutdown.is_some() {
            return;
        }
        let arriving: Vec<i32> = self
            .partitions
            .iter()
            .filter(|(_, partition)| partition.stage == Stage::Arriving)
            .map(|(number, _)| *number)
            .collect();
        for number in arriving {
            // What an earlier assignment left in flight ends first.
            let busy = self.is_flying(Slot::Resume(number))
                || self.is_flying(Slot::Lane(Lane::Partition(number)));
            if let Some(partition) = self.partitions.get_mut(&number)
                && !busy
            {
                partition.stage = Stage::Resuming;
                let (offset, tenure) = (partition.frontier.done(), partition.tenure.clone());
                self.start_resume(number, offset, tenure);
            }
        }
    }

    fn tenure(&self, partition: i32) -> Option<crate::work::Tenure> {
        let partition = self.partitions.get(&partition)?;
        Some(partition.tenure.clone())
    }

    /// Whether a lane has as many written batches without a commit as its store can remember.
    fn waits_for_commit(&self, lane: Lane) -> bool {
        let Lane::Partition(partition) = lane else {
            return false;
        };
        self.partitions
            .get(&partition)
            .is_some_and(|partition| partition.uncommitted.len() >= UNCOMMITTED_BATCHES)
    }

    fn start_write(&mut self, lane: Lane) {
        let whole_records = self.context.whole_records;
        let Some(queue) = self.lanes.get_mut(&lane) else {
            return;
        };
        if queue.is_empty() {
            return;
        }
        queue.busy = true;
        let tenure = |partition: i32| Some(self.partitions.get(&partition)?.tenure.clone());
        let cut = queue.cut(&self.batching, whole_records);
        metrics::batch(&self.context.name, cut.samples);
        let work = Work::write(lane, cut, tenure);
        self.start_work(Slot::Lane(lane), work);
    }

    /// Memory held by records that are not done.
    pub(super) fn buffered(&self) -> usize {
        let partitions = self.partitions.values();
        partitions
            .map(|partition| partition.frontier.weight())
            .sum()
    }

    /// Pauses reading above the bound, and goes on below half of it. While paused, lanes that only wait for age are
    /// cut early, so that what waits for memory is never waited for by it.
    pub(super) fn relieve(&mut self) {
        if self.shutdown.is_some() {
            return;
        }
        let limit = self.config.max_buffered.bytes();
        let buffered = self.buffered();
        let paused = buffered > if self.paused { limit / 2 } else { limit };
        if paused != self.paused {
            self.paused = paused;
            metrics::memory(&self.context.name, buffered, limit, paused);
            tracing::debug!(
                store = self.context.name,
                paused,
                buffered,
                "reading pauses or goes on"
            );
        }
        while self.paused {
            let idle = || {
                self.lanes.iter().filter(|(lane, queue)| {
                    !queue.busy && !queue.is_empty() && !self.waits_for_commit(**lane)
                })
            };
            let waiting: usize = idle().map(|(_, queue)| queue.bytes()).sum();
            if waiting <= limit / 4 && !self.flights.is_empty() {
                return;
            }
            let largest = idle().max_by_key(|(_, queue)| queue.bytes());
            let Some(lane) = largest.map(|(lane, _)| *lane) else {
                return;
            };
            self.start_write(lane);
        }
    }

    /// When the loop must look again, if nothing happens before.
    pub(super) fn next_deadline(&self) -> Instant {
        let now = Instant::now();
        let ages = self
            .lanes
            .iter()
            .filter(|(lane, queue)| !queue.busy && !self.waits_for_commit(**lane))
            .filter_map(|(_, queue)| queue.due(&self.batching, now));
        let leaving = self.leaving.iter().map(|leaving| leaving.until);
        let shutdown = self.shutdown.iter().map(|shutdown| shutdown.writes_until);
        ages.chain(leaving)
            .chain(shutdown)
            .chain(self.joined_at)
            // Far away: nothing to wait for.
            .chain([now + Duration::from_secs(3600)])
            .min()
            .unwrap_or(now)
    }
}
