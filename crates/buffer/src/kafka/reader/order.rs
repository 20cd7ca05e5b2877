//! Records that wait until what came before them in other partitions is committed.
//!
//! When a metric name gets more or fewer partitions, some of its series move. The records of their new partition say
//! which ones they were in, and until when. They are handed on once the group has committed everything that those
//! partitions had by then, whoever reads them, so that a store gets each series in order. Meanwhile their partition
//! stands still. Nothing waits for ever: past `patience` the order is given up, which is said and counted.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::consumer::Consumer as _;
use rdkafka::error::KafkaResult;
use rdkafka::topic_partition_list::Offset;
use service::clock::now_ms;
use service::log_limit::LogLimit;

use super::positions::{self, TIMEOUT, ends, list};
use super::{Consumer, Shared};
use crate::kafka::barrier::Barrier;
use crate::kafka::errors::describe_error;
use crate::{Consumed, metrics};

/// A record, and what has to be committed before it.
pub(super) type Ordered = (Consumed, Option<Barrier>);

/// The partitions of a reader that wait.
pub(super) struct Order {
    inner: Mutex<Inner>,
    is_any: AtomicBool,
    patience: Duration,
}

#[derive(Default)]
struct Inner {
    waiting: BTreeMap<i32, Waiting>,
    /// Until when everything of a partition is known to be committed, milliseconds since the Unix epoch.
    settled: HashMap<i32, i64>,
    /// No longer waiting, and not yet fetched from again.
    over: Vec<i32>,
}

/// A partition that stands still.
struct Waiting {
    barrier: Barrier,
    since: Instant,
    /// What has to be committed, once that is known.
    bounds: Option<Vec<(i32, i64)>>,
    /// Why it need not wait any more.
    outcome: Option<&'static str>,
    /// What was read of it, in order.
    records: VecDeque<Ordered>,
}

impl Inner {
    fn is_settled(&self, barrier: &Barrier) -> bool {
        barrier.partitions.iter().all(|partition| {
            let settled = self.settled.get(partition);
            settled.is_some_and(|settled| *settled >= barrier.settled_at_ms)
        })
    }

    fn settle(&mut self, barrier: &Barrier) {
        for partition in &barrier.partitions {
            let settled = self.settled.entry(*partition).or_insert(i64::MIN);
            *settled = barrier.settled_at_ms.max(*settled);
        }
    }
}

impl Order {
    pub(super) fn new(patience: Duration) -> Self {
        Self {
            inner: Mutex::default(),
            is_any: AtomicBool::new(false),
            patience,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether some partition waits, or is to be fetched from again.
    pub(super) fn is_any(&self) -> bool {
        self.is_any.load(Ordering::Acquire)
    }

    /// Those that wait.
    pub(super) fn partitions(&self) -> Vec<i32> {
        self.lock().waiting.keys().copied().collect()
    }

    /// The record, if nothing has to come before it. Otherwise it is kept; the partition should stand still then.
    pub(super) fn pass(&self, (record, barrier): Ordered) -> Option<Consumed> {
        // Nearly every record.
        if barrier.is_none() && !self.is_any() {
            return Some(record);
        }
        let mut inner = self.lock();
        let partition = record.partition;
        if let Some(waiting) = inner.waiting.get_mut(&partition) {
            waiting.records.push_back((record, barrier));
            return None;
        }
        let Some(barrier) = barrier.filter(|barrier| !inner.is_settled(barrier)) else {
            return Some(record);
        };
        tracing::info!(
            partition,
            offset = record.offset,
            before = ?barrier.partitions,
            "series have moved to this partition: it waits for those that they were in"
        );
        let waiting = Waiting {
            barrier,
            since: Instant::now(),
            bounds: None,
            outcome: None,
            records: VecDeque::from([(record, None)]),
        };
        inner.waiting.insert(partition, waiting);
        self.is_any.store(true, Ordering::Release);
        None
    }

    /// What has been waited for, and the partitions to fetch from again.
    pub(super) fn over(&self) -> (Vec<Ordered>, Vec<i32>) {
        if !self.is_any() {
            return (Vec::new(), Vec::new());
        }
        let mut inner = self.lock();
        let over = inner
            .waiting
            .extract_if(.., |_, waiting| waiting.outcome.is_some());
        let over: Vec<_> = over.collect();
        let mut partitions = std::mem::take(&mut inner.over);
        let mut records = Vec::new();
        for (partition, waiting) in over {
            tracing::info!(
                partition,
                outcome = waiting.outcome,
                elapsed_ms = waiting.since.elapsed().as_millis(),
                "the partition goes on"
            );
            partitions.push(partition);
            records.extend(waiting.records);
        }
        self.is_any
            .store(!inner.waiting.is_empty(), Ordering::Release);
        (records, partitions)
    }

    /// These are not ours any more, or begin anew.
    pub(super) fn forget(&self, partitions: &HashSet<i32>) {
        let mut inner = self.lock();
        let before = inner.waiting.len();
        inner
            .waiting
            .retain(|partition, _| !partitions.contains(partition));
        if inner.waiting.len() < before {
            inner.over.extend(partitions);
        }
    }

    /// Takes note of what is committed, of the partitions that others wait for.
    fn note(&self, partition: i32, seen: KafkaResult<Seen>) {
        let mut inner = self.lock();
        let Some(waiting) = inner.waiting.get_mut(&partition) else {
            return;
        };
        let is_late = waiting.since.elapsed() >= self.patience;
        match seen {
            Ok(Seen::Committed) => waiting.outcome = Some("passed"),
            Ok(Seen::Until(bounds)) => waiting.bounds = Some(bounds),
            Ok(Seen::TooEarly) => {}
            Err(error) => {
                static LIMIT: LogLimit = LogLimit::new();
                if let Some(suppressed) = LIMIT.pass() {
                    let reason = describe_error(&error);
                    tracing::warn!(
                        partition,
                        reason,
                        suppressed,
                        "what it waits for is not known"
                    );
                }
            }
        }
        if waiting.outcome.is_none() && is_late {
            waiting.outcome = Some("given_up");
            tracing::warn!(
                partition,
                before = ?waiting.barrier.partitions,
                waited_s = waiting.since.elapsed().as_secs(),
                "the partitions that series have moved from are not read as far (consumer.order_patience); a store may \
                 get samples out of order"
            );
        }
        if let Some(outcome) = waiting.outcome {
            metrics::kafka_order_waited(outcome);
            // Given up: not waited for again by the next record.
            let barrier = waiting.barrier.clone();
            inner.settle(&barrier);
        }
    }
}

/// How far the partitions are that one waits for.
enum Seen {
    /// Records may still be on their way.
    TooEarly,
    /// Not committed so far.
    Until(Vec<(i32, i64)>),
    Committed,
}

/// Looks whether partitions need not wait any more. Blocks while Kafka is asked.
pub(super) fn look(consumer: &Consumer, shared: &Shared) {
    let order = &shared.order;
    let waiting: Vec<_> = order
        .lock()
        .waiting
        .iter()
        .map(|(partition, waiting)| (*partition, waiting.barrier.clone(), waiting.bounds.clone()))
        .collect();
    metrics::kafka_partitions_waiting(&shared.group, waiting.len());
    for (partition, barrier, bounds) in waiting {
        if shared.is_closing() {
            return;
        }
        order.note(partition, see(consumer, &shared.topic, &barrier, bounds));
    }
}

fn see(
    consumer: &Consumer,
    topic: &str,
    barrier: &Barrier,
    bounds: Option<Vec<(i32, i64)>>,
) -> KafkaResult<Seen> {
    if now_ms() < barrier.settled_at_ms {
        return Ok(Seen::TooEarly);
    }
    let starts = ends(consumer, topic, &barrier.partitions)?;
    let bounds = match bounds {
        Some(bounds) => bounds,
        None => {
            let at = Offset::Offset(barrier.settled_at_ms);
            let at = list(topic, &barrier.partitions, at)?;
            // Where nothing came since, all that there is came before.
            let later = consumer.offsets_for_times(at, TIMEOUT)?;
            let later: BTreeMap<i32, i64> = positions::offsets(&later)?.into_iter().collect();
            let end = |partition: &i32| starts.get(partition).and_then(|known| known.end);
            let bound = |partition: &i32| {
                let later = later.get(partition).copied().filter(|offset| *offset >= 0);
                Some((*partition, later.or_else(|| end(partition))?))
            };
            barrier.partitions.iter().filter_map(bound).collect()
        }
    };
    let committed = list(topic, &barrier.partitions, Offset::Invalid)?;
    let committed = consumer.committed_offsets(committed, TIMEOUT)?;
    let committed: BTreeMap<i32, i64> = positions::offsets(&committed)?.into_iter().collect();
    let is_past = |(partition, bound): &(i32, i64)| {
        // What has expired is not waited for.
        let start = starts.get(partition).and_then(|known| known.start);
        committed.get(partition).copied().max(start) >= Some(*bound)
    };
    if bounds.len() == barrier.partitions.len() && bounds.iter().all(is_past) {
        return Ok(Seen::Committed);
    }
    Ok(Seen::Until(bounds))
}

#[cfg(test)]
mod tests;
