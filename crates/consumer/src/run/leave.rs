//! Giving partitions up: to another reader, or because the process ends.
//!
//! Up to the answer of a write, work may be dropped: nothing of it is committed, so the next reader
//! gets it again. After it, the offset is committed before the partition is let go.

use std::collections::BTreeSet;

use buffer::{BuryDead, Commit, Handover};
use store::{Lane, Write};
use tokio::time::Instant;

use super::tasks::Slot;
use super::{LAST_STEPS, Running};
use crate::lag::Lag;
use crate::metrics;
use crate::partition::Stage;

/// Partitions that go to another reader as soon as what is in flight has ended.
#[derive(Debug)]
pub(super) struct Leaving {
    /// Partition and assignment.
    tenures: Vec<(i32, u64)>,
    /// Until then writes in flight may end.
    pub(super) until: Instant,
    /// Until then the commit may take.
    end: Instant,
    handover: Handover,
}

/// The end of the process.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shutdown {
    /// Until then writes may end.
    pub(super) writes_until: Instant,
    /// Until then commit and leaving may take.
    pub(super) end: Instant,
}

impl<C: Commit, W: Write, B: BuryDead> Running<C, W, B> {
    pub(super) fn revoked(&mut self, partitions: &[i32], handover: Handover) {
        let mut tenures = Vec::new();
        for number in partitions {
            if let Some(partition) = self.partitions.get_mut(number) {
                partition.stage = Stage::Leaving;
                tenures.push((*number, partition.tenure.id));
            }
        }
        self.drop_waiting(partitions);
        let timeout = self.config.handover_timeout.0;
        let now = Instant::now();
        self.leaving.push(Leaving {
            tenures,
            // The rest is for the commit.
            until: now + timeout.mul_f64(0.75),
            end: now + timeout,
            handover,
        });
    }

    pub(super) fn lost(&mut self, partitions: &[i32]) {
        self.drop_waiting(partitions);
        for number in partitions {
            let tenure = self
                .partitions
                .get(number)
                .map(|partition| partition.tenure.id);
            if let Some(tenure) = tenure {
                self.abort(*number, tenure);
                self.forget(*number, tenure);
            }
        }
    }

    /// Drops what is not in flight, ends the waits of what is, and lets nothing new start.
    fn drop_waiting(&mut self, partitions: &[i32]) {
        let mut dropped = 0;
        for number in partitions {
            if let Some(partition) = self.partitions.get_mut(number) {
                partition.tenure.ended.cancel();
                dropped += partition.drop_held();
            }
        }
        let gone: BTreeSet<i32> = partitions.iter().copied().collect();
        for queue in self.lanes.values_mut() {
            dropped += queue.drop_partitions(|partition| gone.contains(&partition));
        }
        self.graves
            .retain(|letter| !gone.contains(&letter.source.partition));
        self.context.counters.returned(dropped);
        std::mem::take(&mut self.wake).cancel();
    }

    /// Cuts off what is in flight for one partition alone. A write that also has others' samples goes on without
    /// being waited for.
    fn abort(&self, number: i32, tenure: u64) {
        for flight in self.flights.values() {
            let alone = matches!(
                flight.slot,
                Slot::Resume(partition) | Slot::Lane(Lane::Partition(partition)) if partition == number
            );
            if alone && flight.tenures.contains(&(number, tenure)) {
                flight.abort.abort();
            }
        }
    }

    fn forget(&mut self, number: i32, tenure: u64) {
        if self
            .partitions
            .get(&number)
            .is_none_or(|partition| partition.tenure.id != tenure)
        {
            return;
        }
        self.partitions.remove(&number);
        self.commits.forget(number);
        let lane = Lane::Partition(number);
        if self.lanes.get(&lane).is_some_and(|queue| !queue.busy) {
            self.lanes.remove(&lane);
        }
        metrics::lag(&self.context.name, number, &Lag::ELSEWHERE);
        tracing::info!(
            store = self.context.name,
            partition = number,
            "partition is not read here any more"
        );
    }

    /// Lets partitions go of which nothing is in flight any more, or whose time is over.
    pub(super) async fn finish_handovers(&mut self) {
        let now = Instant::now();
        while let Some(at) = self.leaving.iter().position(|leaving| {
            let flying = self.flights.values().any(|flight| {
                let mut tenures = flight.tenures.iter();
                tenures.any(|tenure| leaving.tenures.contains(tenure))
            });
            !flying || leaving.until <= now
        }) {
            let leaving = self.leaving.remove(at);
            if leaving.until <= now {
                tracing::warn!(
                    store = self.context.name,
                    partitions = ?leaving.tenures.iter().map(|(partition, _)| partition).collect::<Vec<_>>(),
                    "handover: a write did not end in time; its records are left to the next reader"
                );
            }
            for (partition, tenure) in &leaving.tenures {
                self.abort(*partition, *tenure);
            }
            self.commit_now(leaving.end).await;
            for (partition, tenure) in leaving.tenures {
                self.forget(partition, tenure);
            }
            leaving.handover.done();
        }
    }

    /// Stops reading and writes what is there.
    pub(super) fn begin_shutdown(&mut self) {
        if self.shutdown.is_some() {
            return;
        }
        let now = Instant::now();
        let timeout = self.config.shutdown_timeout.0;
        self.shutdown = Some(Shutdown {
            writes_until: now + timeout.mul_f64(0.75),
            end: now + timeout,
        });
        let mut dropped = 0;
        for partition in self.partitions.values_mut() {
            dropped += partition.drop_held();
        }
        self.context.counters.returned(dropped);
    }

    /// Whether a shutdown has nothing more to wait for.
    pub(super) fn is_finished(&self) -> bool {
        let Some(shutdown) = self.shutdown else {
            return false;
        };
        let flying = self.flights.values();
        let idle = self.graves.is_empty()
            && self.lanes.values().all(crate::lane::LaneQueue::is_empty)
            && flying
                .filter(|flight| !matches!(flight.slot, Slot::Resume(_)))
                .count()
                == 0;
        idle || Instant::now() >= shutdown.writes_until
    }

    /// Drops what is left, commits what is done, and answers what was too late. After an error everything is.
    pub(super) async fn stop(&mut self, in_order: bool) -> Vec<String> {
        let mut late = Vec::new();
        let mut dropped = 0;
        while let Some(joined) = self.tasks.try_join_next_with_id() {
            // What ended just now counts; a panic has been reported already, or is too late to matter.
            self.joined(joined).unwrap_or_default();
        }
        for flight in self.flights.values() {
            flight.abort.abort();
            dropped += flight.open_samples();
            if !matches!(flight.slot, Slot::Resume(_)) {
                late.push(flight.slot.to_string());
            }
        }
        for (lane, queue) in &self.lanes {
            if !queue.is_empty() {
                dropped += queue.samples();
                late.push(format!("{} samples of {lane:?}", queue.samples()));
            }
        }
        for partition in self.partitions.values_mut() {
            dropped += partition.drop_held();
        }
        if !self.graves.is_empty() {
            late.push(format!("{} dead letters", self.graves.len()));
        }
        self.context.counters.returned(dropped);
        self.tasks.shutdown().await;
        let end = match (self.shutdown, in_order) {
            (Some(shutdown), true) => shutdown.end,
            _ => Instant::now() + LAST_STEPS,
        };
        if !self.commit_now(end).await {
            late.push("the last commit".to_owned());
        }
        for number in std::mem::take(&mut self.partitions).into_keys() {
            metrics::lag(&self.context.name, number, &Lag::ELSEWHERE);
        }
        late
    }
}
