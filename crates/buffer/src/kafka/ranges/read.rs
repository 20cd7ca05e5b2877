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
#[derive(Debug, Default)]
struct Progress {
    next: i64,
    to: Option<i64>,
    has_ended: bool,
    /// Reading came to the partition's end, and what that means was not found out yet.
    is_at_end: bool,
    /// The partition reached to the range's end already when the rest of it was fetched.
    is_complete: bool,
}

/// What follows from having come to a partition's end.
#[derive(Debug, PartialEq, Eq)]
enum AtEnd {
    Ended,
    /// The range is to go on with what is written next.
    Later,
    /// The rest is there by now, or has no records. It may have come since, so that it is fetched once more.
    Again,
}

impl Progress {
    /// Whether there is something to read before `to`, if it has one.
    fn left(&self) -> Option<i64> {
        self.to.filter(|to| !self.has_ended && self.next < *to)
    }

    /// Steps over what is gone of a partition that has `low..`, up to `offset`, and answers it.
    fn expire(&mut self, low: i64, offset: i64) -> Option<(i64, i64)> {
        let (from, to) = (self.next, low.min(offset).min(self.to.unwrap_or(i64::MAX)));
        self.next = from.max(to);
        (to > from).then_some((from, to))
    }

    /// What to do at the end of a partition that ends at `high` now.
    fn at_end(&self, high: i64) -> AtEnd {
        match self.left() {
            Some(to) if high < to => AtEnd::Later,
            Some(_) if !self.is_complete => AtEnd::Again,
            _ => AtEnd::Ended,
        }
    }
}

/// What came within a moment.
#[derive(Default)]
struct Batch {
    pieces: Vec<Result<Piece, DrainError>>,
    records: Vec<Consumed>,
    bytes: usize,
}

impl Batch {
    /// Behind the records so far.
    fn push(&mut self, piece: Result<Piece, DrainError>) {
        if !self.records.is_empty() {
            let records = std::mem::take(&mut self.records);
            self.pieces.push(Ok(Piece::Records(records)));
        }
        self.pieces.push(piece);
    }

    fn is_full(&self) -> bool {
        self.bytes >= PIECE_BYTES || self.records.len() >= PIECE_RECORDS
    }

    fn into_pieces(mut self) -> Vec<Result<Piece, DrainError>> {
        if !self.records.is_empty() {
            self.pieces.push(Ok(Piece::Records(self.records)));
        }
        self.pieces
    }
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
        held: None,
    };
    for range in ranges {
        let has_ended = range.to.is_some_and(|to| to <= range.from);
        let progress = Progress {
            next: range.from,
            to: range.to,
            has_ended,
            ..Progress::default()
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
    /// Came behind a gap of which Kafka has not said yet what it is.
    held: Option<Consumed>,
}

impl Reading<'_> {
    /// What came within a moment.
    fn poll(&mut self) -> Vec<Result<Piece, DrainError>> {
        let mut batch = Batch::default();
        if let Err(error) = self.fill(&mut batch) {
            if matches!(error, DrainError::Unavailable(_)) {
                // Asked again by the next poll, which need not be at once.
                std::thread::park_timeout(POLL);
            }
            batch.push(Err(error));
        }
        batch.into_pieces()
    }

    fn fill(&mut self, batch: &mut Batch) -> Result<(), DrainError> {
        if let Some(record) = self.held.take() {
            self.take(record, batch)?;
        }
        let at_end = self.ranges.iter().filter(|(_, range)| range.is_at_end);
        let at_end: Vec<i32> = at_end.map(|(partition, _)| *partition).collect();
        for partition in at_end {
            self.at_end(partition, batch)?;
        }
        let consumer = self.consumer;
        let mut wait = POLL;
        while !batch.is_full() {
            let polled = consumer.poll(wait);
            wait = Duration::ZERO;
            match polled {
                None => break,
                Some(Ok(message)) => {
                    let range = self.ranges.get(&message.partition());
                    if range.is_some_and(|range| !range.has_ended) {
                        self.take(consumed(&message), batch)?;
                    }
                }
                Some(Err(KafkaError::PartitionEOF(partition))) => self.at_end(partition, batch)?,
                Some(Err(error)) => match trouble(&error) {
                    Some(error) => return Err(error),
                    None => break,
                },
            }
        }
        Ok(())
    }

    fn take(&mut self, record: Consumed, batch: &mut Batch) -> Result<(), DrainError> {
        let (partition, offset) = (record.partition, record.offset);
        match self.gap(partition, offset) {
            Ok(Some((from, to))) => batch.push(Ok(Piece::Expired {
                partition,
                from,
                to,
            })),
            Ok(None) => {}
            Err(error) => {
                self.held = Some(record);
                return Err(error);
            }
        }
        let Some(range) = self.ranges.get_mut(&partition) else {
            return Ok(());
        };
        range.next = offset.saturating_add(1);
        if range.to.is_none_or(|to| offset < to) {
            batch.bytes += record.value.len();
            batch.records.push(record);
        }
        if range.to.is_some_and(|to| range.next >= to) {
            self.end(partition, batch);
        }
        Ok(())
    }

    /// Everything that is there was read. Offsets without a record may be at the end of a range; so may be records that
    /// have expired, or that are still to come.
    fn at_end(&mut self, partition: i32, batch: &mut Batch) -> Result<(), DrainError> {
        let (consumer, topic) = (self.consumer, self.topic);
        let Some(range) = self.ranges.get_mut(&partition) else {
            return Ok(());
        };
        if range.left().is_none() {
            range.is_at_end = false;
            return Ok(());
        }
        range.is_at_end = true;
        let (low, high) = watermarks(consumer, topic, partition)?;
        if let Some((from, to)) = range.expire(low, i64::MAX) {
            batch.push(Ok(Piece::Expired {
                partition,
                from,
                to,
            }));
        }
        let then = range.at_end(high);
        if then == AtEnd::Again {
            consumer
                .seek(topic, partition, Offset::Offset(range.next), ASK_TIMEOUT)
                .map_err(|error| unanswered(&error))?;
            range.is_complete = true;
        }
        range.is_at_end = false;
        if then == AtEnd::Ended {
            self.end(partition, batch);
        }
        Ok(())
    }

    fn end(&mut self, partition: i32, batch: &mut Batch) {
        if let Some(range) = self.ranges.get_mut(&partition) {
            range.has_ended = true;
        }
        batch.push(Ok(Piece::Ended { partition }));
        let mut list = TopicPartitionList::new();
        list.add_partition(self.topic, partition);
        // An error means that more is fetched than anybody wants, and dropped above.
        self.consumer.pause(&list).unwrap_or_default();
    }

    /// Offsets before this one that were to be read and do not exist any more. Most gaps are none: transactions and
    /// compaction leave offsets without a record.
    fn gap(&mut self, partition: i32, offset: i64) -> Result<Option<(i64, i64)>, DrainError> {
        let Some(range) = self.ranges.get_mut(&partition) else {
            return Ok(None);
        };
        if offset <= range.next || range.has_ended {
            return Ok(None);
        }
        let (low, _) = watermarks(self.consumer, self.topic, partition)?;
        Ok(range.expire(low, offset))
    }
}

/// The first offset that exists, and the next one to be written.
fn watermarks(consumer: &Consumer, topic: &str, partition: i32) -> Result<(i64, i64), DrainError> {
    let found = consumer.fetch_watermarks(topic, partition, ASK_TIMEOUT);
    found.map_err(|error| unanswered(&error))
}

/// Whatever is wrong with a question, it is asked again, unless nobody will ever answer it.
fn unanswered(error: &KafkaError) -> DrainError {
    trouble(error).unwrap_or_else(|| DrainError::Unavailable(describe_error(error)))
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

#[cfg(test)]
mod tests;
