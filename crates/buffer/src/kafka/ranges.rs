//! Chosen offsets of the topic, read by a client that joins no group and commits nothing.

mod read;

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::Consumer as _;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use tokio::sync::mpsc;

use super::config::Config;
use super::errors::{ClientError, describe, describe_error};
use super::table::{Consumer, context};
use crate::ranges::{Bounds, OffsetRange, Piece, ReadRanges};
use crate::{DrainError, kafka::TopicError};

/// How long Kafka may take for one question.
const ASK_TIMEOUT: Duration = Duration::from_secs(10);

/// Pieces that wait for whoever reads; each is about a megabyte at most.
const WAITING: usize = 8;

/// Answers what the topic holds, and reads parts of it.
#[derive(Debug, Clone)]
pub struct Ranges {
    config: Config,
}

/// The parts of the topic that are being read. Dropping it ends its client.
#[derive(Debug)]
pub struct RangeReader {
    pieces: mpsc::Receiver<Result<Piece, DrainError>>,
}

impl Ranges {
    /// Of this topic; nothing is connected to before a question is asked.
    #[must_use]
    pub fn of(config: &Config, topic: &str) -> Self {
        Self {
            config: Config {
                topic: topic.to_owned(),
                ..config.clone()
            },
        }
    }

    /// The topic's name.
    #[must_use]
    pub fn topic(&self) -> &str {
        &self.config.topic
    }

    /// What each partition holds now.
    ///
    /// # Errors
    /// When Kafka does not answer, or has no such topic.
    pub async fn bounds(&self) -> Result<Vec<Bounds>, TopicError> {
        self.ask(self.client(None), |consumer, topic| {
            let mut bounds = Vec::new();
            for partition in partitions(consumer, topic)? {
                let (start, end) = consumer.fetch_watermarks(topic, partition, ASK_TIMEOUT)?;
                bounds.push(Bounds {
                    partition,
                    start,
                    end,
                });
            }
            Ok(bounds)
        })
        .await
    }

    /// By partition, the offset of the first record that was received at `at_ms` or later: all before it are older.
    /// None where there is no such record.
    ///
    /// # Errors
    /// As [`Self::bounds`].
    pub async fn at_time(&self, at_ms: i64) -> Result<BTreeMap<i32, Option<i64>>, TopicError> {
        self.ask(self.client(None), move |consumer, topic| {
            let mut list = TopicPartitionList::new();
            for partition in partitions(consumer, topic)? {
                list.add_partition_offset(topic, partition, Offset::Offset(at_ms.max(0)))?;
            }
            let found = consumer.offsets_for_times(list, ASK_TIMEOUT)?;
            offsets(&found)
        })
        .await
    }

    /// By partition, what a consumer group has committed. None where it has not.
    ///
    /// # Errors
    /// As [`Self::bounds`].
    pub async fn committed(&self, group: &str) -> Result<BTreeMap<i32, Option<i64>>, TopicError> {
        self.ask(self.client(Some(group)), |consumer, topic| {
            let mut list = TopicPartitionList::new();
            for partition in partitions(consumer, topic)? {
                list.add_partition(topic, partition);
            }
            let found = consumer.committed_offsets(list, ASK_TIMEOUT)?;
            offsets(&found)
        })
        .await
    }

    /// Reads these ranges side by side.
    ///
    /// # Errors
    /// When librdkafka refuses the settings, which [`Config::check`] finds earlier.
    ///
    /// # Panics
    /// When the system has no thread left.
    pub fn read(&self, ranges: &[OffsetRange]) -> Result<RangeReader, ClientError> {
        let mut client = self.client(None);
        // A quarter for what librdkafka has fetched, the rest for what waits for the reader.
        let kbytes = (self.config.read_ahead.bytes() / 4 / 1024).max(2048);
        client.set("queued.max.messages.kbytes", kbytes.to_string());
        let consumer = Consumer::from_config_and_context(&client, context())?;
        let (sender, pieces) = mpsc::channel(WAITING);
        let (topic, ranges) = (self.config.topic.clone(), ranges.to_vec());
        std::thread::Builder::new()
            .name("kafka-ranges".to_owned())
            .spawn(move || read::run(&consumer, &topic, &ranges, &sender))
            .expect("the system has a thread left for each reader");
        Ok(RangeReader { pieces })
    }

    fn client(&self, group: Option<&str>) -> ClientConfig {
        let mut client = self.config.follower();
        if let Some(group) = group {
            client.set("group.id", group);
        }
        client
    }

    async fn ask<T: Send + 'static>(
        &self,
        client: ClientConfig,
        question: impl FnOnce(&Consumer, &str) -> Result<T, KafkaError> + Send + 'static,
    ) -> Result<T, TopicError> {
        let topic = self.config.topic.clone();
        let asked = tokio::task::spawn_blocking(move || {
            let consumer = Consumer::from_config_and_context(&client, context())?;
            question(&consumer, &topic)
        });
        let reason = match asked.await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(KafkaError::MetadataFetch(code))) => describe(code),
            Ok(Err(error)) => describe_error(&error),
            Err(error) => error.to_string(),
        };
        Err(TopicError {
            topic: self.config.topic.clone(),
            reason,
        })
    }
}

fn partitions(consumer: &Consumer, topic: &str) -> Result<Vec<i32>, KafkaError> {
    let metadata = consumer.fetch_metadata(Some(topic), ASK_TIMEOUT)?;
    let unknown = KafkaError::MetadataFetch(RDKafkaErrorCode::UnknownTopicOrPartition);
    let found = metadata.topics().first().ok_or_else(|| unknown.clone())?;
    if let Some(error) = found.error() {
        return Err(KafkaError::MetadataFetch(error.into()));
    }
    let mut numbers = Vec::new();
    for partition in found.partitions() {
        numbers.push(partition.id());
    }
    if numbers.is_empty() {
        return Err(unknown);
    }
    Ok(numbers)
}

fn offsets(list: &TopicPartitionList) -> Result<BTreeMap<i32, Option<i64>>, KafkaError> {
    let mut offsets = BTreeMap::new();
    for element in list.elements() {
        element.error()?;
        let offset = match element.offset() {
            Offset::Offset(offset) => Some(offset),
            _ => None,
        };
        offsets.insert(element.partition(), offset);
    }
    Ok(offsets)
}

impl ReadRanges for RangeReader {
    async fn next(&mut self) -> Result<Piece, DrainError> {
        let next = self.pieces.recv().await;
        next.unwrap_or_else(|| Err(DrainError::Fatal("the reader has ended".to_owned())))
    }
}

#[cfg(test)]
mod tests;
