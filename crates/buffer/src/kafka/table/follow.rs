//! The thread that reads a table's topic, from its beginning on and for ever.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Message as _};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use service::log_limit::LogLimit;
use tokio::sync::mpsc;

use crate::kafka::errors::{describe, describe_error, read_error};
use crate::kafka::logs::ClientLog;
use crate::{Change, DrainError};

pub(in crate::kafka) type Consumer = BaseConsumer<Context>;

type Sender = mpsc::Sender<Result<Change, DrainError>>;

/// How long one poll waits: how late it is noticed that nobody follows any more.
const POLL: Duration = Duration::from_millis(100);

const ASK_TIMEOUT: Duration = Duration::from_secs(5);

/// Until the topic was found, it is looked for this often.
const LOOK_PAUSE: Duration = Duration::from_millis(500);

/// Then this often, for partitions that somebody added.
const LOOK_EVERY: Duration = Duration::from_secs(60);

pub(in crate::kafka) struct Context(ClientLog);

pub(in crate::kafka) fn context() -> Context {
    Context(ClientLog::new("reader"))
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.0.line(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.0.error(&error, reason);
    }
}

impl ConsumerContext for Context {}

/// Reads until nobody follows any more, or nothing can be read any more.
pub(super) fn run(consumer: &Consumer, topic: &str, changes: &Sender) {
    let mut partitions = Partitions::default();
    let mut next_look = Instant::now();
    while !changes.is_closed() {
        if Instant::now() >= next_look {
            let pause = match partitions.look(consumer, topic) {
                Err(reason) if partitions.assigned == 0 => {
                    not_found(topic, &reason);
                    LOOK_PAUSE
                }
                // What is read already is read on; what is new can wait.
                Ok(()) | Err(_) => LOOK_EVERY,
            };
            next_look = Instant::now() + pause;
        }
        let told = match consumer.poll(POLL) {
            None => continue,
            Some(Ok(message)) => match change(&message) {
                Some(change) => changes.blocking_send(Ok(change)),
                None => continue,
            },
            Some(Err(KafkaError::PartitionEOF(partition))) => {
                if !partitions.ends(partition) {
                    continue;
                }
                changes.blocking_send(Ok(Change::CaughtUp))
            }
            Some(Err(error)) if is_gone(&error) => {
                partitions.leave(consumer);
                next_look = Instant::now() + LOOK_PAUSE;
                let why = format!("the topic {topic} is gone, what takes its place is read anew");
                changes.blocking_send(Err(DrainError::Unavailable(why)))
            }
            Some(Err(error)) => match trouble(&error) {
                Some(error @ DrainError::Fatal(_)) => {
                    tracing::error!(topic, error = %error, "kafka table is not followed any more");
                    // Whether somebody hears it or not, it is over.
                    changes.blocking_send(Err(error)).unwrap_or_default();
                    return;
                }
                Some(error) => changes.blocking_send(Err(error)),
                None => continue,
            },
        };
        if told.is_err() {
            return;
        }
    }
}

/// What is read, and how much of it was not read to its end yet.
#[derive(Default)]
struct Partitions {
    assigned: i32,
    behind: BTreeSet<i32>,
    is_caught_up: bool,
}

impl Partitions {
    /// Reads the partitions that are not read yet.
    fn look(&mut self, consumer: &Consumer, topic: &str) -> Result<(), String> {
        let count = count(consumer, topic)?;
        if count <= self.assigned {
            return Ok(());
        }
        let mut list = TopicPartitionList::new();
        for partition in self.assigned..count {
            list.add_partition_offset(topic, partition, Offset::Beginning)
                .map_err(|error| describe_error(&error))?;
        }
        consumer
            .incremental_assign(&list)
            .map_err(|error| describe_error(&error))?;
        self.behind.extend(self.assigned..count);
        self.assigned = count;
        Ok(())
    }

    /// Reads nothing any more: a new topic of the same name has other records under the same offsets.
    fn leave(&mut self, consumer: &Consumer) {
        // An error means that nothing is assigned, as intended.
        consumer.unassign().unwrap_or_default();
        self.assigned = 0;
        self.behind.clear();
    }

    /// Whether, with the end of this one, everything was read that was there at the start.
    fn ends(&mut self, partition: i32) -> bool {
        self.behind.remove(&partition);
        let is_first = self.behind.is_empty() && !self.is_caught_up;
        self.is_caught_up |= is_first;
        is_first
    }
}

fn count(consumer: &Consumer, topic: &str) -> Result<i32, String> {
    let metadata = consumer
        .fetch_metadata(Some(topic), ASK_TIMEOUT)
        .map_err(|error| describe_error(&error))?;
    let found = metadata.topics().first();
    let found = found.ok_or_else(|| "kafka says nothing about it".to_owned())?;
    if let Some(error) = found.error() {
        return Err(describe(error.into()));
    }
    match found.partitions().len() {
        0 => Err("it has no partition yet".to_owned()),
        count => Ok(i32::try_from(count).unwrap_or(i32::MAX)),
    }
}

fn change(message: &BorrowedMessage<'_>) -> Option<Change> {
    static LIMIT: LogLimit = LogLimit::new();
    let Some(key) = message.key() else {
        if let Some(suppressed) = LIMIT.pass() {
            tracing::warn!(
                topic = message.topic(),
                partition = message.partition(),
                offset = message.offset(),
                suppressed,
                "a record without a key is no entry of a table; somebody else wrote it"
            );
        }
        return None;
    };
    let key = Bytes::copy_from_slice(key);
    Some(match message.payload() {
        Some(value) => Change::Put {
            key,
            value: Bytes::copy_from_slice(value),
        },
        None => Change::Deleted { key },
    })
}

fn is_gone(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::UnknownTopicOrPartition
                | RDKafkaErrorCode::UnknownTopic
                | RDKafkaErrorCode::UnknownPartition
        )
    )
}

fn trouble(error: &KafkaError) -> Option<DrainError> {
    match error.rdkafka_error_code() {
        // The group is a name that librdkafka wants; nobody needs the right to use it.
        Some(RDKafkaErrorCode::GroupAuthorizationFailed) => None,
        _ => read_error(error),
    }
}

fn not_found(topic: &str, reason: &str) {
    static LIMIT: LogLimit = LogLimit::new();
    if let Some(suppressed) = LIMIT.pass() {
        tracing::warn!(
            topic,
            reason,
            suppressed,
            "kafka table cannot be read yet; trying again"
        );
    }
}
