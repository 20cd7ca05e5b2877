//! What happens when partitions come and go: called by librdkafka inside of the poll.

use std::collections::HashSet;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext, RebalanceProtocol};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaRespErr;
use tokio::sync::oneshot;

use super::partitions::Partition;
use super::positions::{self, Beginning, Position};
use super::{Consumer, Shared};
use crate::kafka::logs::ClientLog;
use crate::{DrainError, Event, Handover, metrics};

/// librdkafka's way to us.
pub(super) struct Hooks {
    log: ClientLog,
    shared: Arc<Shared>,
}

impl Hooks {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self {
            log: ClientLog::new("reader"),
            shared,
        }
    }

    fn assign(&self, consumer: &Consumer, partitions: &[i32]) -> KafkaResult<()> {
        let shared = &self.shared;
        let known = if partitions.is_empty() {
            Default::default()
        } else {
            positions::at_assignment(consumer, shared, partitions)
        };
        let mut list = TopicPartitionList::with_capacity(partitions.len());
        let mut news = Vec::new();
        for partition in partitions.iter().copied() {
            let position = known.get(&partition).copied().unwrap_or_default();
            let (start, events) = start(shared, partition, position);
            let offset = start.map_or(Offset::Stored, Offset::Offset);
            list.add_partition_offset(&shared.topic, partition, offset)?;
            // What nothing is known to be wrong with.
            let witness = position.witness.filter(|witness| {
                !position.is_of_another_log && start.is_some_and(|start| witness.offset < start)
            });
            shared.partitions.insert(
                partition,
                Partition {
                    next: start,
                    start: position.start,
                    end: position.end,
                    committed: position.committed,
                    witness,
                    vouched: witness,
                    since: Some(Instant::now()),
                    ..Partition::default()
                },
            );
            news.extend(events);
        }
        match consumer.rebalance_protocol() {
            RebalanceProtocol::Cooperative => consumer.incremental_assign(&list)?,
            RebalanceProtocol::Eager | RebalanceProtocol::None => consumer.assign(&list)?,
        }
        for event in news {
            shared.queue.push_news(event);
        }
        // Like the others, whatever is wanted by now: the polling thread switches all of them together.
        if shared.paused.load(Ordering::Relaxed) && !partitions.is_empty() {
            consumer.pause(&list)?;
        }
        if !partitions.is_empty() {
            metrics::kafka_rebalance(&shared.group, "assigned");
            let group = &shared.group;
            tracing::info!(group, ?partitions, "kafka partitions are ours");
        }
        Ok(())
    }

    fn revoke(&self, consumer: &Consumer, list: &TopicPartitionList) -> KafkaResult<()> {
        let partitions = numbers(list);
        if !partitions.is_empty() {
            self.give_up(consumer.assignment_lost(), partitions);
        }
        match consumer.rebalance_protocol() {
            RebalanceProtocol::Cooperative => consumer.incremental_unassign(list),
            RebalanceProtocol::Eager | RebalanceProtocol::None => consumer.unassign(),
        }
    }

    /// Tells whoever reads, and waits for the end of the handover.
    fn give_up(&self, lost: bool, mut partitions: Vec<i32>) {
        let shared = &self.shared;
        let group = &shared.group;
        let going: HashSet<i32> = partitions.iter().copied().collect();
        shared.queue.purge(&going);
        shared.order.forget(&going);
        // One whose start was never known, and told, has nothing in flight.
        partitions.retain(|number| {
            let known = shared.partitions.get(*number);
            known.is_some_and(|partition| partition.next.is_some())
        });
        if shared.is_closing() {
            shared.partitions.remove(&going);
            return;
        }
        if lost {
            metrics::kafka_rebalance(group, "lost");
            tracing::warn!(group, ?partitions, "kafka partitions were lost");
            shared.partitions.remove(&going);
            if !partitions.is_empty() {
                shared.queue.push_news(Event::Lost { partitions });
            }
            return;
        }
        metrics::kafka_rebalance(group, "revoked");
        tracing::info!(
            group,
            ?partitions,
            "kafka partitions go to another consumer"
        );
        if !partitions.is_empty() {
            let (handover, end) = Handover::new();
            shared.queue.push_news(Event::Revoked {
                partitions,
                handover,
            });
            if !wait_for(end, shared.handover_timeout) {
                metrics::kafka_rebalance(group, "handover_timed_out");
                let timeout_ms = u64::try_from(shared.handover_timeout.as_millis());
                tracing::warn!(
                    group,
                    timeout_ms = timeout_ms.unwrap_or(u64::MAX),
                    "kafka partitions were given up before everything was written; it will be written twice"
                );
            }
        }
        // From here on their commits are not sent, so that they cannot move the new owner back.
        shared.partitions.remove(&going);
    }
}

/// The first offset to read, and what to tell about it. Without an offset the first record tells.
fn start(shared: &Shared, partition: i32, position: Position) -> (Option<i64>, Vec<Event>) {
    let assigned = |offset| Event::Assigned { partition, offset };
    match position.beginning() {
        Beginning::Unknown => (None, Vec::new()),
        Beginning::At(at) => (Some(at), vec![assigned(at)]),
        Beginning::AfterExpired { from, at } => {
            report_expired(shared, partition, from, at);
            let expired = Event::Expired {
                partition,
                from,
                to: at,
            };
            (Some(at), vec![assigned(at), expired])
        }
        Beginning::AfterTruncation { committed, at } => {
            report_truncated(shared, partition, committed, at);
            (Some(at), vec![assigned(at)])
        }
    }
}

/// Says and counts that records are gone which nobody has read.
pub(super) fn report_expired(shared: &Shared, partition: i32, from: i64, to: i64) {
    let offsets = u64::try_from(to.saturating_sub(from)).unwrap_or(0);
    metrics::kafka_expired(&shared.group, partition, offsets);
    tracing::error!(
        group = shared.group,
        topic = shared.topic,
        partition,
        from,
        to,
        "RECORDS EXPIRED BEFORE THEY WERE READ; reading goes on at the earliest"
    );
}

/// Says that a partition ends before what was read or committed.
pub(super) fn report_truncated(shared: &Shared, partition: i32, position: i64, at: i64) {
    tracing::error!(
        group = shared.group,
        topic = shared.topic,
        partition,
        position,
        at,
        "kafka's log is shorter than what was read of it: a new topic, or lost records; \
         reading starts again at the earliest"
    );
}

fn numbers(list: &TopicPartitionList) -> Vec<i32> {
    list.elements()
        .iter()
        .map(rdkafka::topic_partition_list::TopicPartitionListElem::partition)
        .collect()
}

impl ClientContext for Hooks {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.log.line(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.log.error(&error, reason);
    }
}

impl ConsumerContext for Hooks {
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        event: RDKafkaRespErr,
        list: &mut TopicPartitionList,
    ) {
        let result = match event {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => {
                self.assign(consumer, &numbers(list))
            }
            _ => self.revoke(consumer, list),
        };
        if let Err(error) = result {
            tracing::error!(
                group = self.shared.group,
                reason = error.to_string(),
                "kafka rebalance failed"
            );
            let error = DrainError::Unavailable(format!("a rebalance failed: {error}"));
            self.shared.queue.push_error(error);
        }
    }
}

/// Wakes the thread that waits.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Whether the end came in time.
fn wait_for(end: oneshot::Receiver<()>, patience: Duration) -> bool {
    let deadline = Instant::now() + patience;
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut end = pin!(end);
    loop {
        // Closed without a value is an end, too.
        if end
            .as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_ready()
        {
            return true;
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return false;
        }
        std::thread::park_timeout(left);
    }
}

#[cfg(test)]
mod tests;
