//! Commits on time, lag, memory, readiness.

use std::collections::BTreeMap;

use buffer::{BuryDead, Commit};
use store::Write;
use tokio::time::Instant;

use super::Running;
use crate::commits::Answer;
use crate::headroom::{Alarm, Urgency};
use crate::lag::Lag;
use crate::metrics;

impl<C: Commit, W: Write, B: BuryDead> Running<C, W, B> {
    /// Every commit interval.
    pub(super) fn tick(&mut self) {
        self.start_commit();
        let limit = self.config.max_buffered.bytes();
        metrics::memory(&self.context.name, self.buffered(), limit, self.paused);
        let ends: BTreeMap<i32, Option<i64>> = self
            .commits
            .committer()
            .state()
            .into_iter()
            .map(|state| (state.partition, state.end_offset))
            .collect();
        let (now_ms, retention) = (self.clock.now_ms(), self.retention);
        let mut headrooms = Vec::with_capacity(self.partitions.len());
        for (number, partition) in &self.partitions {
            let end = ends.get(number).copied().flatten();
            let lag = Lag::of(&partition.position(end), now_ms, retention);
            metrics::lag(&self.context.name, *number, &lag);
            headrooms.push((*number, lag.headroom_seconds));
        }
        let percent = self.config.headroom_warning;
        let now = Instant::now();
        if let Some(alarm) = self.alarms.due(headrooms, retention, percent, now) {
            self.alarm(alarm);
        }
    }

    fn alarm(&self, alarm: Alarm) {
        const TODO: &str = "mend the store, add consumers (up to one per partition), or raise the topic's retention.ms or \
                            buffer.retention of the embedded log";
        let store = &self.context.name;
        let Alarm {
            urgency,
            partition,
            headroom_seconds,
            partitions,
        } = alarm;
        let headroom_s = headroom_seconds.round();
        let retention_s = self.retention.as_secs();
        match urgency {
            Urgency::Soon => tracing::warn!(
                store,
                partition,
                headroom_s,
                partitions,
                retention_s,
                todo = TODO,
                "records that this store does not have expire soon"
            ),
            Urgency::Now => tracing::error!(
                store,
                partition,
                headroom_s,
                partitions,
                retention_s,
                todo = TODO,
                "RECORDS THAT THIS STORE DOES NOT HAVE EXPIRE IN A MOMENT"
            ),
        }
    }

    /// What may be committed, per partition.
    fn done(&self) -> Vec<(i32, i64)> {
        self.partitions
            .iter()
            .filter_map(|(number, partition)| Some((*number, partition.committable()?)))
            .collect()
    }

    pub(super) fn start_commit(&mut self) {
        let done = self.done();
        self.commits.start(done);
    }

    pub(super) fn committed(&mut self, answer: Answer) {
        match self.commits.note(answer) {
            Err(error) => self.buffer_failed(error),
            Ok(succeeded) => {
                self.forget_committed();
                // What was finished meanwhile; after a failure the next tick is soon enough.
                if succeeded && self.context.whole_records {
                    self.start_commit();
                }
            }
        }
    }

    fn forget_committed(&mut self) {
        for (number, partition) in &mut self.partitions {
            let committed = self.commits.committed(*number).unwrap_or(i64::MIN);
            while partition
                .uncommitted
                .pop_front_if(|end| *end <= committed)
                .is_some()
            {}
        }
    }

    /// Commits what is done and waits for it until `deadline`; answers whether all of it is committed.
    pub(super) async fn commit_now(&mut self, deadline: Instant) -> bool {
        let done = self.done();
        match self.commits.commit_now(&done, deadline).await {
            Ok(all) => {
                self.forget_committed();
                all
            }
            Err(error) => {
                self.buffer_failed(error);
                false
            }
        }
    }

    /// A reader that hears neither of partitions nor of errors is a member of a group that has none for it.
    pub(super) fn notice_silence(&mut self) {
        if self.joined_at.is_some_and(|at| at <= Instant::now()) {
            if self.read_attempt == 0 {
                self.joined_at = None;
                self.ready.ready();
            } else {
                self.joined_at = Some(Instant::now() + self.config.session_timeout.0);
            }
        }
    }
}
