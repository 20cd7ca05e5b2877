//! The thread that polls librdkafka.

use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::consumer::Consumer as _;
use rdkafka::error::KafkaResult;
use rdkafka::topic_partition_list::Offset;
use service::log_limit::LogLimit;

use super::identity::{self, Doubts};
use super::order::Ordered;
use super::partitions::{Mark, Partition};
use super::rebalance::{report_expired, report_truncated};
use super::{Consumer, Shared, positions, record};
use crate::kafka::errors::{describe_error, read_error};
use crate::{DrainError, Event};

/// How long one poll waits; news of the group interrupt it.
const POLL: Duration = Duration::from_millis(100);
/// The same while fetching stands still: how late it may go on.
const POLL_PAUSED: Duration = Duration::from_millis(10);
/// How long nothing is polled before fetching is paused. News of the group wait as long.
const HOLD: Duration = Duration::from_millis(500);
/// How often it is looked for room meanwhile.
const HOLD_STEP: Duration = Duration::from_millis(2);
/// How long leaving waits for commits and questions that are on their way.
const LEAVE_PATIENCE: Duration = Duration::from_secs(15);

/// Ends the queue however the thread ends, so that no reader waits for a dead one.
struct End<'a>(&'a Shared);

impl Drop for End<'_> {
    fn drop(&mut self) {
        let error = DrainError::Fatal("the reader has ended".to_owned());
        self.0.queue.end(error);
    }
}

pub(super) fn run(consumer: Arc<Consumer>, shared: &Shared) {
    let _end = End(shared);
    let mut doubts = Doubts::default();
    let mut hold = Hold::default();
    while !shared.is_closing() {
        let pause = shared.queue.wants_pause();
        let mut paused = shared.paused.load(Ordering::Relaxed);
        if !pause || paused {
            hold.end();
        } else if hold.is_on(Instant::now()) {
            std::thread::park_timeout(HOLD_STEP);
            continue;
        }
        if pause != paused && set_paused(&consumer, shared, pause) {
            paused = pause;
            shared.paused.store(pause, Ordering::Relaxed);
        }
        doubts.settle(&consumer, shared);
        go_on(&consumer, shared);
        match consumer.poll(if paused { POLL_PAUSED } else { POLL }) {
            None => shared.queue.show(),
            Some(Ok(message)) => receive(&consumer, shared, record::ordered(&message)),
            Some(Err(error)) => {
                if let Some(error) = read_error(&error) {
                    if matches!(error, DrainError::Fatal(_)) {
                        tracing::error!(
                            group = shared.group,
                            reason = error.to_string(),
                            "kafka reader ends"
                        );
                        shared.queue.end(error);
                        break;
                    }
                    shared.queue.push_error(error);
                }
            }
        }
    }
    leave(consumer, shared);
}

/// Nothing is polled for a while, instead of a pause.
///
/// A pause is dear: librdkafka throws away what it has fetched, and when fetching goes on, its broker threads may sleep
/// for a second before they notice. A store that is only slower than reading makes room sooner. What is not polled
/// waits in librdkafka, which fetches no more once that is beyond its own bound.
#[derive(Debug, Default)]
struct Hold {
    since: Option<Instant>,
}

impl Hold {
    /// There is room.
    fn end(&mut self) {
        self.since = None;
    }

    /// There is no room: whether to wait for it, and not to pause yet.
    fn is_on(&mut self, now: Instant) -> bool {
        now.saturating_duration_since(*self.since.get_or_insert(now)) < HOLD
    }
}

/// Whether it is so now.
fn set_paused(consumer: &Consumer, shared: &Shared, pause: bool) -> bool {
    static LIMIT: LogLimit = LogLimit::new();
    let result = consumer.assignment().and_then(|assignment| {
        if assignment.count() == 0 {
            Ok(())
        } else if pause {
            consumer.pause(&assignment)
        } else {
            consumer.resume(&assignment)?;
            stand_still(consumer, shared, &shared.order.partitions())
        }
    });
    if let Err(error) = &result
        && let Some(suppressed) = LIMIT.pass()
    {
        let reason = describe_error(error);
        let group = &shared.group;
        tracing::warn!(
            reason,
            group,
            suppressed,
            pause,
            "kafka fetching was not switched"
        );
    }
    result.is_ok()
}

/// Fetches from some partitions no more, or again.
fn stand_still(consumer: &Consumer, shared: &Shared, partitions: &[i32]) -> KafkaResult<()> {
    if partitions.is_empty() {
        return Ok(());
    }
    consumer.pause(&positions::list(
        &shared.topic,
        partitions,
        Offset::Invalid,
    )?)
}

/// Hands on what has waited for other partitions.
fn go_on(consumer: &Consumer, shared: &Shared) {
    let (records, partitions) = shared.order.over();
    for (record, barrier) in records {
        hand_on(consumer, shared, (record, barrier));
    }
    // Unless it waits for something else now.
    let waiting = shared.order.partitions();
    let partitions: Vec<i32> = partitions
        .into_iter()
        .filter(|partition| !waiting.contains(partition))
        .collect();
    if partitions.is_empty() || shared.paused.load(Ordering::Relaxed) {
        return;
    }
    let resumed = positions::list(&shared.topic, &partitions, Offset::Invalid)
        .and_then(|list| consumer.resume(&list));
    if let Err(error) = resumed {
        // Somebody else's by now.
        let reason = describe_error(&error);
        tracing::debug!(reason, ?partitions, "kafka partitions were not resumed");
    }
}

/// Hands a record to whoever reads, unless others come before it.
fn hand_on(consumer: &Consumer, shared: &Shared, ordered: Ordered) {
    let (partition, is_first) = (ordered.0.partition, ordered.1.is_some());
    match shared.order.pass(ordered) {
        Some(record) => shared.queue.push_record(record),
        None if is_first => {
            if let Err(error) = stand_still(consumer, shared, &[partition]) {
                // It is read ahead without a bound for as long as it waits, which is said and does not break it.
                let reason = describe_error(&error);
                tracing::warn!(partition, reason, "kafka fetching was not switched");
            }
        }
        None => {}
    }
}

/// Checks that a record is the next one of its partition, and hands it on.
fn receive(consumer: &Consumer, shared: &Shared, ordered: Ordered) {
    let record = &ordered.0;
    let (partition, offset) = (record.partition, record.offset);
    // Given up in the meantime: the new owner reads it.
    let Some(known) = shared.partitions.get(partition) else {
        return;
    };
    match known.next {
        Some(next) if offset == next => {}
        Some(next) if offset > next => gap(consumer, shared, partition, next, offset),
        Some(next) => {
            if !starts_again(consumer, shared, partition, next, offset) {
                return;
            }
        }
        None => shared
            .queue
            .push_news(Event::Assigned { partition, offset }),
    }
    shared.partitions.update(partition, |known| {
        known.next = Some(offset + 1);
        known.skipping = None;
        known.last = Some(Mark {
            offset,
            at_ms: record.received_at_ms,
        });
    });
    hand_on(consumer, shared, ordered);
}

/// Offsets were left out. Transactions and compaction do that; so does the retention.
fn gap(consumer: &Consumer, shared: &Shared, partition: i32, next: i64, offset: i64) {
    let start = positions::of_one(consumer, &shared.topic, partition)
        .and_then(|position| position.start)
        // Our own records have no gaps: in doubt it is a loss, and is said.
        .unwrap_or(offset);
    if start > next {
        let to = start.min(offset);
        report_expired(shared, partition, next, to);
        shared.queue.push_expired(partition, next, to);
    }
}

/// A record that was read before: again by a hiccup, which is skipped, or because the log was cut or the
/// topic is a new one, which starts the partition anew. A new one may have grown past what was read by now, so its
/// end does not tell.
fn starts_again(
    consumer: &Consumer,
    shared: &Shared,
    partition: i32,
    next: i64,
    offset: i64,
) -> bool {
    let known = shared.partitions.get(partition).unwrap_or_default();
    let skip = || {
        shared
            .partitions
            .update(partition, |known| known.skipping = Some(offset + 1));
        false
    };
    // What follows a record that was skipped is of the same log.
    if known.skipping == Some(offset) {
        return skip();
    }
    let end = match identity::is_same(consumer, shared, partition, known) {
        Some((true, _)) => return skip(),
        Some((false, end)) => end,
        None if shared.is_closing() => return false,
        // Read twice at worst; to skip it would be to drop what may be new.
        None => known.end,
    };
    report_truncated(shared, partition, next, offset);
    begin_anew(shared, partition, offset, end);
    true
}

/// Whatever was read of a partition is of a log that is gone.
pub(super) fn begin_anew(shared: &Shared, partition: i32, offset: i64, end: Option<i64>) {
    shared.partitions.update(partition, |known| {
        *known = Partition {
            next: Some(offset),
            start: Some(offset),
            end,
            since: Some(Instant::now()),
            ..Partition::default()
        };
    });
    shared.queue.purge(&HashSet::from([partition]));
    shared.order.forget(&HashSet::from([partition]));
    shared.queue.push_news(Event::Lost {
        partitions: vec![partition],
    });
    shared
        .queue
        .push_news(Event::Assigned { partition, offset });
}

/// Leaves the group, after commits that are on their way.
fn leave(consumer: Arc<Consumer>, shared: &Shared) {
    shared.closing.store(true, Ordering::Release);
    drop(
        shared
            .consumer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take(),
    );
    let deadline = Instant::now() + LEAVE_PATIENCE;
    while Arc::strong_count(&consumer) > 1 && Instant::now() < deadline {
        std::thread::park_timeout(Duration::from_millis(5));
    }
    // The last one dropped closes: librdkafka revokes, and leaves.
    drop(consumer);
}

#[cfg(test)]
mod tests;
