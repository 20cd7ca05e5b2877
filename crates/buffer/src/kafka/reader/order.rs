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
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::metadata::MetadataPartition;
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
        let barrier =
            barrier.and_then(|barrier| barrier.before(record.partition, record.received_at_ms));
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
    fn note(&self, partition: i32, barrier: &Barrier, seen: KafkaResult<Seen>) {
        let mut inner = self.lock();
        let waiting = inner.waiting.get_mut(&partition);
        // While Kafka was asked, the partition may have begun anew, and wait for something else.
        let Some(waiting) = waiting.filter(|waiting| waiting.barrier == *barrier) else {
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
            inner.settle(barrier);
        }
    }
}

/// How far the partitions are that one waits for.
enum Seen {
    /// Records may still be on their way, or Kafka said too little.
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
        let seen = see(consumer, &shared.topic, &barrier, bounds);
        order.note(partition, &barrier, seen);
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
    let partitions: Vec<i32> = match &bounds {
        Some(bounds) => bounds.iter().map(|(partition, _)| *partition).collect(),
        None => existing(consumer, topic, &barrier.partitions)?,
    };
    if partitions.is_empty() {
        return Ok(Seen::Committed);
    }
    let starts = ends(consumer, topic, &partitions)?;
    let bounds = match bounds {
        Some(bounds) => bounds,
        None => {
            let at = Offset::Offset(barrier.settled_at_ms);
            let at = list(topic, &partitions, at)?;
            // Where nothing came since, all that there is came before.
            let later = consumer.offsets_for_times(at, TIMEOUT)?;
            let later: BTreeMap<i32, i64> = positions::offsets(&later)?.into_iter().collect();
            let end = |partition: &i32| starts.get(partition).and_then(|known| known.end);
            let bound = |partition: &i32| {
                let later = later.get(partition).copied().filter(|offset| *offset >= 0);
                Some((*partition, later.or_else(|| end(partition))?))
            };
            partitions.iter().filter_map(bound).collect()
        }
    };
    if bounds.len() < partitions.len() {
        // Kafka left one out: to be asked again, for all of them.
        return Ok(Seen::TooEarly);
    }
    let committed = list(topic, &partitions, Offset::Invalid)?;
    let committed = consumer.committed_offsets(committed, TIMEOUT)?;
    let committed: BTreeMap<i32, i64> = positions::offsets(&committed)?.into_iter().collect();
    let is_past = |(partition, bound): &(i32, i64)| {
        // What has expired is not waited for.
        let start = starts.get(partition).and_then(|known| known.start);
        committed.get(partition).copied().max(start) >= Some(*bound)
    };
    if bounds.iter().all(is_past) {
        return Ok(Seen::Committed);
    }
    Ok(Seen::Until(bounds))
}

/// Those of the partitions that the topic has. Nothing can come before a record in one that it does not have, which a
/// header of somebody else may name.
fn existing(consumer: &Consumer, topic: &str, partitions: &[i32]) -> KafkaResult<Vec<i32>> {
    let metadata = consumer.fetch_metadata(Some(topic), TIMEOUT)?;
    let mut known = HashSet::new();
    for found in metadata.topics() {
        if let Some(error) = found.error() {
            return Err(KafkaError::MetadataFetch(error.into()));
        }
        known.extend(found.partitions().iter().map(MetadataPartition::id));
    }
    if known.is_empty() {
        let unknown = RDKafkaErrorCode::UnknownTopicOrPartition;
        return Err(KafkaError::MetadataFetch(unknown));
    }
    let is_known = |partition: &i32| known.contains(partition);
    Ok(partitions.iter().copied().filter(is_known).collect())
}

#[cfg(test)]
mod tests;
