//! The thread that reads ranges until nobody listens any more.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::consumer::Consumer as _;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message as _;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use tokio::sync::mpsc;

use super::{ASK_TIMEOUT, Consumer};
use crate::kafka::errors::{describe, describe_error, read_error};
use crate::kafka::reader::record::consumed;
use crate::ranges::{OffsetRange, Piece};
use crate::{Consumed, DrainError};

type Sender = mpsc::Sender<Result<Piece, DrainError>>;

/// How late it is noticed that nobody listens any more.
const POLL: Duration = Duration::from_millis(100);

/// A piece has no more than this, so that memory is bounded by pieces.
const PIECE_BYTES: usize = 1 << 20;
const PIECE_RECORDS: usize = 4096;

/// Where a range stands.
#[derive(Debug)]
struct Progress {
    next: i64,
    to: Option<i64>,
    has_ended: bool,
}

pub(super) fn run(consumer: &Consumer, topic: &str, ranges: &[OffsetRange], pieces: &Sender) {
    let told = start(consumer, topic, ranges);
    if let Err(error) = told {
        let why = format!("topic {topic}: {}", describe_error(&error));
        // Nobody may listen any more, which is the same end.
        pieces
            .blocking_send(Err(DrainError::Fatal(why)))
            .unwrap_or_default();
        return;
    }
    let mut reading = Reading {
        consumer,
        topic,
        ranges: BTreeMap::new(),
    };
    for range in ranges {
        let has_ended = range.to.is_some_and(|to| to <= range.from);
        let progress = Progress {
            next: range.from,
            to: range.to,
            has_ended,
        };
        reading.ranges.insert(range.partition, progress);
        let partition = range.partition;
        if has_ended
            && pieces
                .blocking_send(Ok(Piece::Ended { partition }))
                .is_err()
        {
            return;
        }
    }
    while !pieces.is_closed() {
        for piece in reading.poll() {
            if pieces.blocking_send(piece).is_err() {
                return;
            }
        }
    }
}

fn start(consumer: &Consumer, topic: &str, ranges: &[OffsetRange]) -> Result<(), KafkaError> {
    let mut list = TopicPartitionList::new();
    for range in ranges {
        if range.to.is_none_or(|to| to > range.from) {
            let offset = Offset::Offset(range.from);
            list.add_partition_offset(topic, range.partition, offset)?;
        }
    }
    if list.count() == 0 {
        return Ok(());
    }
    consumer.assign(&list)
}

struct Reading<'a> {
    consumer: &'a Consumer,
    topic: &'a str,
    ranges: BTreeMap<i32, Progress>,
}

impl Reading<'_> {
    /// What came within a moment.
    fn poll(&mut self) -> Vec<Result<Piece, DrainError>> {
        let (mut pieces, mut records, mut bytes) = (Vec::new(), Vec::new(), 0);
        let mut wait = POLL;
        while bytes < PIECE_BYTES && records.len() < PIECE_RECORDS {
            let polled = self.consumer.poll(wait);
            wait = Duration::ZERO;
            match polled {
                None => break,
                Some(Ok(message)) => {
                    let (partition, offset) = (message.partition(), message.offset());
                    if let Some((from, to)) = self.gap(partition, offset) {
                        flush(&mut records, &mut pieces);
                        pieces.push(Ok(Piece::Expired {
                            partition,
                            from,
                            to,
                        }));
                    }
                    let Some(range) = self.ranges.get_mut(&partition) else {
                        continue;
                    };
                    if range.has_ended {
                        continue;
                    }
                    range.next = offset.saturating_add(1);
                    if range.to.is_none_or(|to| offset < to) {
                        let record = consumed(&message);
                        bytes += record.value.len();
                        records.push(record);
                    }
                    if range.to.is_some_and(|to| range.next >= to) {
                        self.end(partition, &mut records, &mut pieces);
                    }
                }
                // Everything that was there at the start was read: offsets without a record may be at the end.
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    let range = self.ranges.get(&partition);
                    if range.is_some_and(|range| range.to.is_some() && !range.has_ended) {
                        self.end(partition, &mut records, &mut pieces);
                    }
                }
                Some(Err(error)) => {
                    flush(&mut records, &mut pieces);
                    pieces.extend(trouble(&error).map(Err));
                    break;
                }
            }
        }
        flush(&mut records, &mut pieces);
        pieces
    }

    fn end(
        &mut self,
        partition: i32,
        records: &mut Vec<Consumed>,
        pieces: &mut Vec<Result<Piece, DrainError>>,
    ) {
        if let Some(range) = self.ranges.get_mut(&partition) {
            range.has_ended = true;
        }
        flush(records, pieces);
        pieces.push(Ok(Piece::Ended { partition }));
        let mut list = TopicPartitionList::new();
        list.add_partition(self.topic, partition);
        // An error means that more is fetched than anybody wants, and dropped above.
        self.consumer.pause(&list).unwrap_or_default();
    }

    /// Offsets before this one that were to be read and do not exist any more. Most gaps are none: transactions and
    /// compaction leave offsets without a record.
    fn gap(&self, partition: i32, offset: i64) -> Option<(i64, i64)> {
        let range = self.ranges.get(&partition)?;
        if offset <= range.next || range.has_ended {
            return None;
        }
        let (start, _) = self
            .consumer
            .fetch_watermarks(self.topic, partition, ASK_TIMEOUT)
            .ok()?;
        let to = start.min(offset).min(range.to.unwrap_or(i64::MAX));
        (to > range.next).then_some((range.next, to))
    }
}

fn flush(records: &mut Vec<Consumed>, pieces: &mut Vec<Result<Piece, DrainError>>) {
    if !records.is_empty() {
        pieces.push(Ok(Piece::Records(std::mem::take(records))));
    }
}

fn trouble(error: &KafkaError) -> Option<DrainError> {
    match error.rdkafka_error_code() {
        // The group is a name that librdkafka wants; nobody needs the right to use it.
        Some(RDKafkaErrorCode::GroupAuthorizationFailed) => None,
        Some(
            code @ (RDKafkaErrorCode::UnknownTopicOrPartition
            | RDKafkaErrorCode::UnknownTopic
            | RDKafkaErrorCode::UnknownPartition
            | RDKafkaErrorCode::TopicAuthorizationFailed),
        ) => Some(DrainError::Fatal(describe(code))),
        _ => read_error(error),
    }
}
