//! A Kafka inside the process for the tests of the producer and the reader.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::{Headers as _, Message as _};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use service::units::Period;

use super::{Config, Producer, Topic};
use crate::{ContentType, Publish as _, PublishError, Record};

pub(super) const TOPIC: &str = "metrics";
pub(super) const DEAD_LETTERS: &str = "metrics-dead-letter";
/// Longer than anything takes here, shorter than a stuck test.
pub(super) const PATIENCE: Duration = Duration::from_secs(40);

/// A cluster of librdkafka's own making. It has no admin requests, so topics are made by hand.
pub(super) struct Mock {
    pub(super) cluster: MockCluster<'static, DefaultProducerContext>,
    pub(super) config: Config,
}

impl Mock {
    pub(super) fn new(partitions: i32) -> Self {
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic(TOPIC, partitions, 1).unwrap();
        cluster.create_topic(DEAD_LETTERS, 4, 1).unwrap();
        let config = Config {
            brokers: cluster.bootstrap_servers(),
            topic: TOPIC.to_owned(),
            partitions,
            delivery_timeout: Period::secs(30),
            ..Config::default()
        };
        Self { cluster, config }
    }

    pub(super) fn producer(&self) -> Producer {
        let producer = Producer::with_dead_letters(&self.config, Some(DEAD_LETTERS));
        producer.open(&topic(self.config.partitions), None).unwrap();
        producer
    }

    /// Publishes values `from..to` with this key and waits for the answers.
    pub(super) async fn publish(
        &self,
        producer: &Producer,
        key: &str,
        numbers: std::ops::Range<i64>,
    ) {
        let answers: Vec<_> = numbers
            .map(|number| producer.publish(record(key, &number.to_string())))
            .collect();
        for answer in answers {
            answer.await.unwrap();
        }
    }

    /// Reads what is in a topic, with a plain client: as many records as are expected.
    pub(super) fn read_back(&self, topic: &str, partitions: i32, count: usize) -> Vec<Stored> {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", &self.config.brokers)
            .set("group.id", "read-back")
            .create()
            .unwrap();
        let mut list = TopicPartitionList::new();
        for partition in 0..partitions {
            list.add_partition_offset(topic, partition, Offset::Beginning)
                .unwrap();
        }
        consumer.assign(&list).unwrap();
        let started = std::time::Instant::now();
        let mut stored = Vec::new();
        while stored.len() < count {
            assert!(started.elapsed() < PATIENCE, "only {} came", stored.len());
            match consumer.poll(Duration::from_millis(100)) {
                None => {}
                Some(message) => stored.push(Stored::of(&message.unwrap())),
            }
        }
        stored
    }
}

/// A record as a foreign client sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) partition: i32,
    pub(super) key: Option<String>,
    pub(super) value: String,
    pub(super) at_ms: Option<i64>,
    pub(super) headers: Vec<String>,
}

impl Stored {
    fn of(message: &rdkafka::message::BorrowedMessage<'_>) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self {
            partition: message.partition(),
            key: message.key().map(text),
            value: message.payload().map(text).unwrap_or_default(),
            at_ms: message.timestamp().to_millis(),
            headers: message
                .headers()
                .into_iter()
                .flat_map(|headers| headers.iter())
                .map(|header| format!("{}: {}", header.key, text(header.value.unwrap())))
                .collect(),
        }
    }
}

pub(super) fn topic(partitions: i32) -> Topic {
    Topic {
        name: TOPIC.to_owned(),
        partitions,
        max_message_bytes: None,
    }
}

pub(super) fn record(key: &str, value: &str) -> Record {
    Record {
        key: Bytes::copy_from_slice(key.as_bytes()),
        value: Bytes::copy_from_slice(value.as_bytes()),
        content_type: ContentType::Json,
        tenant: None,
        source: None,
        received_at_ms: 1_700_000_000_000,
        spread: crate::Spread::default(),
    }
}

pub(super) fn tenant(name: &str) -> Option<Arc<str>> {
    Some(Arc::from(name))
}

/// Whether the answer says that the record may or may not be there.
pub(super) fn unconfirmed<T>(answer: &Result<T, PublishError>) -> bool {
    matches!(answer, Err(PublishError::Unconfirmed(_)))
}
