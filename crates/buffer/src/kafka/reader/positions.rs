//! Where partitions begin, end, and were committed: asked for at their assignment, and every few
//! seconds for lag and headroom, paused or not.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rdkafka::consumer::Consumer as _;
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use service::log_limit::LogLimit;

use super::partitions::Mark;
use super::{Consumer, Shared, identity, order};
use crate::kafka::errors::describe_error;

/// How often the ends are asked for.
const INTERVAL: Duration = Duration::from_secs(5);
/// How often it is looked whether partitions wait for others.
const LOOK: Duration = Duration::from_millis(500);
pub(super) const TIMEOUT: Duration = Duration::from_secs(5);

/// How long an assignment waits for answers, before reading starts without them.
const ASSIGNMENT_PATIENCE: Duration = Duration::from_secs(30);
const RETRY_AFTER: Duration = Duration::from_millis(200);

/// What Kafka said about one partition.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Position {
    /// The first offset that exists.
    pub(super) start: Option<i64>,
    /// The offset of the next record to be written.
    pub(super) end: Option<i64>,
    /// What the group committed, if it did.
    pub(super) committed: Option<i64>,
    /// A record that was read before the commit, if it tells one.
    pub(super) witness: Option<Mark>,
    /// Whether that record is not there, but another one is.
    pub(super) is_of_another_log: bool,
}

/// Where reading starts, and what was lost before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beginning {
    /// Here.
    At(i64),
    /// Here, because what was committed is older than anything that still exists.
    AfterExpired { from: i64, at: i64 },
    /// At the earliest record, because what was committed was never written (the topic is a new one of
    /// the same name, or its log was cut).
    AfterTruncation { committed: i64, at: i64 },
    /// Wherever the group's committed offset is; Kafka did not tell.
    Unknown,
}

impl Position {
    pub(super) fn beginning(self) -> Beginning {
        match (self.committed, self.start) {
            (Some(from), Some(at)) if from < at => Beginning::AfterExpired { from, at },
            (Some(committed), Some(at))
                if self.is_of_another_log || self.end.is_some_and(|end| committed > end) =>
            {
                Beginning::AfterTruncation { committed, at }
            }
            (Some(at), _) => Beginning::At(at),
            (None, Some(at)) => Beginning::At(at),
            (None, None) => Beginning::Unknown,
        }
    }
}

/// Asks for the positions of partitions that were just assigned. Blocks, within bounds: a reader that
/// gave up here would start without noticing what expired.
pub(super) fn at_assignment(
    consumer: &Consumer,
    shared: &Shared,
    partitions: &[i32],
) -> BTreeMap<i32, Position> {
    let deadline = Instant::now() + ASSIGNMENT_PATIENCE;
    loop {
        match ask(consumer, shared, partitions) {
            Ok(positions) => return positions,
            Err(error) if shared.is_closing() || Instant::now() >= deadline => {
                let reason = describe_error(&error);
                let group = &shared.group;
                tracing::warn!(reason, group, "committed offsets are not known yet");
                return BTreeMap::new();
            }
            Err(_) => std::thread::park_timeout(RETRY_AFTER),
        }
    }
}

fn ask(
    consumer: &Consumer,
    shared: &Shared,
    partitions: &[i32],
) -> KafkaResult<BTreeMap<i32, Position>> {
    let mut positions = ends(consumer, &shared.topic, partitions)?;
    let list = list(&shared.topic, partitions, Offset::Invalid)?;
    let committed = consumer.committed_offsets(list, TIMEOUT)?;
    for element in committed.elements() {
        element.error()?;
        if let Offset::Offset(offset) = element.offset() {
            let position = positions.entry(element.partition()).or_default();
            position.committed = Some(offset);
            position.witness = Mark::from_metadata(element.metadata());
        }
    }
    identity::compare(consumer, shared, &mut positions)?;
    Ok(positions)
}

/// The first and the next offset of each partition, in two requests per broker: as timestamps, Kafka
/// takes -2 for the earliest and -1 for the latest record, which are librdkafka's logical offsets.
pub(super) fn ends(
    consumer: &Consumer,
    topic: &str,
    partitions: &[i32],
) -> KafkaResult<BTreeMap<i32, Position>> {
    let mut positions = BTreeMap::new();
    let starts = list(topic, partitions, Offset::Beginning)?;
    for (partition, offset) in offsets(&consumer.offsets_for_times(starts, TIMEOUT)?)? {
        let position: &mut Position = positions.entry(partition).or_default();
        position.start = Some(offset);
    }
    let ends = list(topic, partitions, Offset::End)?;
    for (partition, offset) in offsets(&consumer.offsets_for_times(ends, TIMEOUT)?)? {
        positions.entry(partition).or_default().end = Some(offset);
    }
    Ok(positions)
}

/// The first and the next offset of one partition.
pub(super) fn of_one(consumer: &Consumer, topic: &str, partition: i32) -> Option<Position> {
    ends(consumer, topic, &[partition]).ok()?.remove(&partition)
}

/// The same, asked for again until Kafka answers. Blocks, within the bounds of an assignment.
pub(super) fn of_one_at_last(
    consumer: &Consumer,
    shared: &Shared,
    partition: i32,
) -> Option<Position> {
    let deadline = Instant::now() + ASSIGNMENT_PATIENCE;
    loop {
        let position = of_one(consumer, &shared.topic, partition);
        if position.is_some() || shared.is_closing() || Instant::now() >= deadline {
            return position;
        }
        std::thread::park_timeout(RETRY_AFTER);
    }
}

pub(super) fn list(
    topic: &str,
    partitions: &[i32],
    offset: Offset,
) -> KafkaResult<TopicPartitionList> {
    let mut list = TopicPartitionList::with_capacity(partitions.len());
    for partition in partitions {
        list.add_partition_offset(topic, *partition, offset)?;
    }
    Ok(list)
}

pub(super) fn offsets(list: &TopicPartitionList) -> Result<Vec<(i32, i64)>, KafkaError> {
    let mut offsets = Vec::with_capacity(list.count());
    for element in list.elements() {
        element.error()?;
        if let Offset::Offset(offset) = element.offset() {
            offsets.push((element.partition(), offset));
        }
    }
    Ok(offsets)
}

/// Keeps starts and ends known, on a thread of its own, until the reader is closed.
pub(super) fn keep_known(shared: &Shared) {
    static LIMIT: LogLimit = LogLimit::new();
    let mut next = Instant::now() + INTERVAL;
    let mut was_any = false;
    while !shared.is_closing() {
        std::thread::park_timeout(LOOK);
        let Some(consumer) = shared.consumer().filter(|_| !shared.is_closing()) else {
            return;
        };
        let is_any = shared.order.is_any();
        if is_any || was_any {
            order::look(&consumer, shared);
        }
        was_any = is_any;
        if Instant::now() < next {
            continue;
        }
        next = Instant::now() + INTERVAL;
        let partitions = shared.partitions.numbers();
        if partitions.is_empty() {
            continue;
        }
        match ends(&consumer, &shared.topic, &partitions) {
            Ok(positions) => {
                identity::doubt(&consumer, shared, &positions);
                for (partition, position) in positions {
                    shared.partitions.update(partition, |known| {
                        known.start = position.start.or(known.start);
                        known.end = position.end.or(known.end);
                    });
                }
            }
            Err(error) => {
                if let Some(suppressed) = LIMIT.pass() {
                    let reason = describe_error(&error);
                    let group = &shared.group;
                    tracing::warn!(reason, group, suppressed, "lag is not up to date");
                }
            }
        }
    }
}
