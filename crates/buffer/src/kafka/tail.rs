//! The newest records of a topic, read on demand within bounds: for people who look for something.
//!
//! No group, no commit, nothing that stays: a consumer is made for the question and ends with it.

mod scan;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::Consumer as _;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Headers as _, Message as _};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::config::Config;
use super::errors::{describe, describe_error};
use super::table::{Consumer, context};

const POLL: Duration = Duration::from_millis(100);

/// Bounds of one look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// At most so many records.
    pub max_records: usize,
    /// No more once there are so many bytes.
    pub max_bytes: usize,
    /// What came within this time.
    pub patience: Duration,
}

/// A record, with all of its headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TailRecord {
    /// Its partition.
    pub partition: i32,
    /// Its offset there.
    pub offset: i64,
    /// When it was written, milliseconds since the Unix epoch.
    pub at_ms: i64,
    /// Its key, if it has one.
    pub key: Option<Bytes>,
    /// Its value.
    pub value: Bytes,
    headers: Vec<(String, Bytes)>,
}

impl TailRecord {
    /// A header as text; the first of its name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<std::borrow::Cow<'_, str>> {
        let (_, value) = self.headers.iter().find(|(known, _)| known == name)?;
        Some(String::from_utf8_lossy(value))
    }
}

/// What a look found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// In the order of their times.
    pub records: Vec<TailRecord>,
    /// Whether there were older ones than those, or newer ones that did not come in time.
    pub is_cut: bool,
}

/// The end of a topic. Clones look one after another.
#[derive(Debug, Clone)]
pub struct Tail {
    config: Config,
    looking: Arc<Mutex<()>>,
}

impl Tail {
    /// Of this topic.
    #[must_use]
    pub fn of(config: &Config, topic: &str) -> Self {
        Self {
            config: Config {
                topic: topic.to_owned(),
                ..config.clone()
            },
            looking: Arc::default(),
        }
    }

    /// The topic's name.
    #[must_use]
    pub fn topic(&self) -> &str {
        &self.config.topic
    }

    /// The newest records. A topic that is not there has none.
    ///
    /// # Errors
    /// Why Kafka cannot be asked, or did not answer, in words. Also when somebody looks already.
    pub async fn look(&self, look: Look) -> Result<Found, String> {
        let tail = self.clone();
        let looked = tokio::task::spawn_blocking(move || {
            let Ok(_one_at_a_time) = tail.looking.try_lock() else {
                return Err("somebody else is looking; ask again".to_owned());
            };
            tail.look_now(look).map_err(|error| describe_error(&error))
        });
        looked.await.map_err(|error| error.to_string())?
    }

    fn look_now(&self, look: Look) -> Result<Found, KafkaError> {
        let deadline = Instant::now() + look.patience;
        let left = || deadline.saturating_duration_since(Instant::now());
        let topic = &self.config.topic;
        let consumer = Consumer::from_config_and_context(&self.config.follower(), context())?;
        let metadata = consumer.fetch_metadata(Some(topic), left())?;
        let Some(found) = metadata.topics().first() else {
            return Ok(Found::default());
        };
        if let Some(error) = found.error() {
            let code = RDKafkaErrorCode::from(error);
            if code == RDKafkaErrorCode::UnknownTopicOrPartition {
                return Ok(Found::default());
            }
            tracing::debug!(topic, reason = describe(code), "a topic's end is not shown");
            return Err(KafkaError::MetadataFetch(code));
        }
        let partitions = found.partitions().len().max(1);
        let share = i64::try_from(look.max_records.div_ceil(partitions)).unwrap_or(i64::MAX);
        let mut list = TopicPartitionList::new();
        let mut ends = BTreeMap::new();
        let mut is_cut = false;
        for partition in found.partitions() {
            let (low, high) = consumer.fetch_watermarks(topic, partition.id(), left())?;
            let from = low.max(high.saturating_sub(share));
            is_cut |= from > low;
            if from < high {
                list.add_partition_offset(topic, partition.id(), Offset::Offset(from))?;
                ends.insert(partition.id(), high);
            }
        }
        let mut records = Vec::new();
        if !ends.is_empty() {
            consumer.assign(&list)?;
        }
        let mut bytes = 0;
        while !ends.is_empty() && !left().is_zero() && bytes < look.max_bytes {
            let partition = match consumer.poll(POLL.min(left())) {
                None => continue,
                Some(Ok(message)) => {
                    let record = record(&message);
                    bytes += record.value.len();
                    let is_last = ends
                        .get(&record.partition)
                        .is_some_and(|end| record.offset + 1 >= *end);
                    let partition = record.partition;
                    records.push(record);
                    if !is_last {
                        continue;
                    }
                    partition
                }
                Some(Err(KafkaError::PartitionEOF(partition))) => partition,
                Some(Err(error)) => return Err(error),
            };
            ends.remove(&partition);
        }
        is_cut |= !ends.is_empty();
        records.sort_by_key(|record| (record.at_ms, record.partition, record.offset));
        Ok(Found { records, is_cut })
    }
}

fn record(message: &BorrowedMessage<'_>) -> TailRecord {
    // rdkafka panics on a header whose name is not UTF-8; such a record is not one of ours.
    let headers = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let headers = message.headers().into_iter().flat_map(|all| all.iter());
        headers
            .map(|header| {
                let value = header.value.map(Bytes::copy_from_slice);
                (header.key.to_owned(), value.unwrap_or_default())
            })
            .collect()
    }));
    TailRecord {
        partition: message.partition(),
        offset: message.offset(),
        at_ms: message.timestamp().to_millis().unwrap_or(0),
        key: message.key().map(Bytes::copy_from_slice),
        value: message
            .payload()
            .map(Bytes::copy_from_slice)
            .unwrap_or_default(),
        headers: headers.unwrap_or_default(),
    }
}
