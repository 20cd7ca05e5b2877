//! The settings of a topic that is written to.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service::secret::Secret;
use service::units::{Period, Size};

use crate::Batching;
use crate::endpoint::Batches;

/// What a record holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// All samples of a metric in a batch, as `io.prometheus.write.v2.Request`.
    #[default]
    Protobuf,
    /// One sample, as the JSON object of the push API.
    Json,
}

/// A topic of Kafka.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Some of the brokers as `host:port`, separated by commas. Required.
    pub brokers: String,
    /// The topic. Required. It must not be the one that is read.
    pub topic: String,
    /// Partitions of the topic, if it does not exist yet. An existing topic is never changed.
    pub partitions: i32,
    /// Replicas of each partition, if the topic does not exist yet.
    pub replication: i32,
    /// How long the topic keeps records, if it does not exist yet.
    pub retention: Period,
    /// What a record holds: `protobuf` or `json`.
    pub format: Format,
    /// How long Kafka may take to confirm a record. Then its batch is written again.
    pub delivery_timeout: Period,
    /// Bytes of records that may wait for Kafka's answer.
    pub max_queue: Size,
    /// Writes at once. All of a metric name goes through the same one of them; if that one cannot keep up, its
    /// series go through all of them. The samples of a series stay in order.
    pub shards: usize,
    /// Samples of one write at most.
    pub max_samples: usize,
    /// Memory for the samples of one write at most.
    pub max_size: Size,
    /// A write begins when its first sample has waited so long, full or not.
    pub max_age: Period,
    /// Options of librdkafka, by their own names: TLS, SASL and everything else, as in `kafka.properties`. Their values are
    /// never shown.
    pub properties: BTreeMap<String, Secret>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            brokers: String::new(),
            topic: String::new(),
            partitions: 64,
            replication: 3,
            retention: Period::secs(24 * 3600),
            format: Format::default(),
            delivery_timeout: Period::secs(30),
            max_queue: Size::mib(32),
            shards: 4,
            max_samples: 10_000,
            max_size: Size::mib(4),
            max_age: Period::millis(200),
            properties: BTreeMap::new(),
        }
    }
}

impl Config {
    /// Checks what one field alone cannot say; what is Kafka's to say is checked where Kafka is known.
    ///
    /// # Errors
    /// The first key that cannot be as it is, and why.
    pub fn check(&self) -> Result<(), (String, String)> {
        let refuse = |key: &str, why: &str| Err((key.to_owned(), why.to_owned()));
        if self.brokers.trim().is_empty() {
            return refuse("brokers", "is required, such as localhost:9092");
        }
        if self.topic.is_empty() {
            return refuse("topic", "is required");
        }
        if self.retention.0.is_zero() {
            return refuse("retention", "must be longer than 0s");
        }
        self.batches().check()
    }

    /// When a batch is closed.
    #[must_use]
    pub fn batching(&self) -> Batching {
        self.batches().batching()
    }

    fn batches(&self) -> Batches {
        Batches {
            shards: self.shards,
            max_samples: self.max_samples,
            max_size: self.max_size,
            max_age: self.max_age,
        }
    }
}
