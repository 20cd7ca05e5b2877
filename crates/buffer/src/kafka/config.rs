//! The settings of section `kafka`, and the client configurations that follow from them.
//!
//! What Sluice promises (acknowledged by all replicas, no duplicates from retries, offsets committed
//! only after the store's write, no reset to the latest record) cannot be switched off by `properties`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::BaseConsumer;
use rdkafka::error::KafkaError;
use rdkafka::producer::BaseProducer;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service::units::{Period, Size};

use super::properties::{self, Properties};

/// How batches are compressed on their way to Kafka and in its log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// The smallest; at its lowest level, unless `properties` has `compression.level`. The default.
    #[default]
    Zstd,
    /// A third larger, for somewhat less CPU time where records are small.
    Lz4,
    /// For old consumers.
    Gzip,
    /// For old consumers.
    Snappy,
    /// Not at all.
    None,
}

impl Compression {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
            Self::Gzip => "gzip",
            Self::Snappy => "snappy",
            Self::None => "none",
        }
    }
}

/// Where Kafka is and how it is used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Some of the brokers as `host:port`, separated by commas; the others are learnt from them.
    pub brokers: String,
    /// The topic that holds the samples.
    pub topic: String,
    /// Topics of their own for tenants, by tenant: their records go there instead of `topic`, and are kept as long. All
    /// topics are created where they are missing. A consumer reads one topic: for such a tenant's, one whose `topic` it
    /// is.
    pub tenant_topics: BTreeMap<String, String>,
    /// Partitions of the topic, if it does not exist yet. An existing topic is never changed.
    pub partitions: i32,
    /// Replicas of each partition, if the topic does not exist yet. With 3 or more, two must have a record
    /// before it counts as written (`min.insync.replicas`).
    pub replication: i32,
    /// How records are compressed: `zstd`, `lz4`, `gzip`, `snappy` or `none`.
    pub compression: Compression,
    /// How long Kafka may take to confirm a record. Past that, the request is answered with 503. Must be
    /// shorter than `http.request_timeout`.
    pub delivery_timeout: Period,
    /// Bytes of records that may wait for Kafka's answer; past that, requests are answered with 503.
    pub max_queue: Size,
    /// Bytes that one consumer reads ahead of its store, per consumer group.
    pub read_ahead: Size,
    /// Options of librdkafka, by their own names: TLS, SASL and everything else. TLS and SASL need a binary that was
    /// built with `kafka-security`, such as the container image's.
    pub properties: Properties,
}

/// One member of a consumer group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The group: all its members share the topic's partitions.
    pub group: String,
    /// A name that outlives restarts (static membership): a restart within the session timeout moves no partitions.
    pub instance_id: Option<String>,
    /// After this long without a heartbeat the member's partitions go to the others.
    pub session_timeout: Duration,
    /// How long the group's rebalance waits for this member to hand over what it has in flight. Past that the
    /// partitions go without it, and the next one reads the rest again.
    pub handover_timeout: Duration,
    /// How long records of series that have moved to a partition wait for those that they were in.
    pub order_patience: Duration,
}

impl Member {
    /// A member of this group without a name of its own.
    #[must_use]
    pub fn of(group: impl Into<String>) -> Self {
        Self {
            group: group.into(),
            instance_id: None,
            session_timeout: Duration::from_secs(10),
            handover_timeout: Duration::from_secs(30),
            order_patience: Duration::from_secs(3600),
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            brokers: "localhost:9092".to_owned(),
            topic: "metrics".to_owned(),
            tenant_topics: BTreeMap::new(),
            partitions: 64,
            replication: 3,
            compression: Compression::default(),
            delivery_timeout: Period::secs(8),
            max_queue: Size::mib(64),
            read_ahead: Size::mib(32),
            properties: Properties::default(),
        }
    }
}

/// Options that belong to Sluice, and what to do instead.
const OWN: &[(&str, &str)] = &[
    ("acks", FIXED),
    ("request.required.acks", FIXED),
    ("enable.idempotence", FIXED),
    ("enable.auto.commit", FIXED),
    ("enable.auto.offset.store", FIXED),
    ("auto.offset.reset", FIXED),
    ("partitioner", FIXED),
    ("transactional.id", FIXED),
    ("group.protocol", FIXED),
    ("partition.assignment.strategy", FIXED),
    ("allow.auto.create.topics", FIXED),
    ("bootstrap.servers", "set `kafka.brokers`"),
    ("metadata.broker.list", "set `kafka.brokers`"),
    ("group.id", "set `consumer.group_prefix`"),
    ("group.instance.id", "set `consumer.instance_id`"),
    ("message.timeout.ms", "set `kafka.delivery_timeout`"),
    ("delivery.timeout.ms", "set `kafka.delivery_timeout`"),
    ("session.timeout.ms", "set `consumer.session_timeout`"),
    ("compression.codec", "set `kafka.compression`"),
    ("compression.type", "set `kafka.compression`"),
    ("queue.buffering.max.kbytes", "set `kafka.max_queue`"),
    ("queue.buffering.max.messages", "set `kafka.max_queue`"),
    ("queued.max.messages.kbytes", "set `kafka.read_ahead`"),
    (
        "message.max.bytes",
        "it follows the topic's own `max.message.bytes`",
    ),
];

/// Other names of options that we have defaults for: set under both names, either value could win.
const ALIASES: &[(&str, &str)] = &[
    ("queue.buffering.max.ms", "linger.ms"),
    ("max.in.flight.requests.per.connection", "max.in.flight"),
    ("max.partition.fetch.bytes", "fetch.message.max.bytes"),
];

/// How librdkafka names what it was built without.
const UNBUILT: &[&str] = &["OpenSSL", "libcurl", "recompile librdkafka"];

const BUILD_IT: &str = "; this binary was built without TLS and SASL for Kafka: build it with `--features kafka-security`, \
                        or use the container image, which has both";

/// Whether a client measures itself for brokers that ask (KIP-714): 150 KiB of histograms for each broker, which clients
/// that live for a moment or follow a small table have no use for.
const PUSH_METRICS: &str = "enable.metrics.push";

const FIXED: &str = "Sluice's promises depend on it, so it cannot be changed";

impl Config {
    /// Finds settings that contradict each other and options that librdkafka does not take.
    ///
    /// # Errors
    /// The key, relative to the section, and what is wrong with it.
    pub fn check(&self) -> Result<(), (String, String)> {
        let wrong = |key: &str, why: &str| Err((key.to_owned(), why.to_owned()));
        if self.brokers.trim().is_empty() {
            return wrong("brokers", "must name a broker, such as localhost:9092");
        }
        check_topic_name(&self.topic).map_err(|why| ("topic".to_owned(), why))?;
        for (tenant, topic) in &self.tenant_topics {
            let key = format!("tenant_topics.{tenant}");
            check_topic_name(topic).map_err(|why| (key.clone(), why))?;
            if *topic == self.topic {
                return wrong(&key, "is kafka.topic, where a tenant's records go anyway");
            }
        }
        if self.partitions < 1 {
            return wrong("partitions", "must be at least 1");
        }
        if !(1..=i32::from(i16::MAX)).contains(&self.replication) {
            return wrong("replication", "must be at least 1");
        }
        if self.delivery_timeout.0 < Duration::from_millis(100) {
            return wrong("delivery_timeout", "must be at least 100ms");
        }
        if self.max_queue < Size::mib(1) {
            return wrong("max_queue", "must be at least 1MiB");
        }
        if self.read_ahead < Size::mib(1) {
            return wrong("read_ahead", "must be at least 1MiB");
        }
        for (key, value) in self.properties.iter() {
            if let Some((_, why)) = OWN.iter().find(|(own, _)| *own == key) {
                return wrong(&format!("properties.{key}"), why);
            }
            // OpenSSL's own words do not say that there is no such file.
            if key.ends_with(".location")
                && value != "probe"
                && let Err(error) = std::fs::metadata(value)
            {
                return wrong(&format!("properties.{key}"), &format!("{value}: {error}"));
            }
        }
        self.check_with_librdkafka()
    }

    /// Where the records of a tenant go.
    pub(super) fn topic_of(&self, tenant: Option<&str>) -> &str {
        let own = tenant.and_then(|tenant| self.tenant_topics.get(tenant));
        own.unwrap_or(&self.topic)
    }

    /// The topics of tenants that have their own, each once.
    pub(super) fn own_topics(&self) -> BTreeSet<&str> {
        self.tenant_topics.values().map(String::as_str).collect()
    }

    /// Builds clients that know no broker, so that nothing is connected to.
    fn check_with_librdkafka(&self) -> Result<(), (String, String)> {
        let mut producer = self.producer(DEFAULT_MESSAGE_MAX_BYTES, DEFAULT_MESSAGE_MAX_BYTES);
        let mut reader = self.reader(&Member::of("check"));
        for client in [&mut producer, &mut reader] {
            client.remove("bootstrap.servers");
            if client.get(PUSH_METRICS).is_none() {
                client.set(PUSH_METRICS, "false");
            }
            client.set_log_level(RDKafkaLogLevel::Emerg);
        }
        producer
            .create::<BaseProducer>()
            .map(drop)
            .and_then(|()| reader.create::<BaseConsumer>().map(drop))
            .map_err(|error| self.key_and_reason(error))
    }

    fn key_and_reason(&self, error: KafkaError) -> (String, String) {
        let (key, why) = match error {
            KafkaError::ClientConfig(_, why, key, _) => (key, why),
            KafkaError::ClientCreation(why) => {
                // librdkafka names the option in its sentence, if it is about one.
                let key = self
                    .properties
                    .iter()
                    .map(|(key, _)| key)
                    .filter(|key| why.contains(*key))
                    .max_by_key(|key| key.len());
                (key.unwrap_or_default().to_owned(), why)
            }
            other => (String::new(), other.to_string()),
        };
        let mut why = self
            .properties
            .iter()
            .filter(|(key, value)| properties::is_secret(key) && !value.is_empty())
            .fold(why, |why, (_, value)| why.replace(value, "***"));
        if !cfg!(feature = "kafka-security") && UNBUILT.iter().any(|part| why.contains(part)) {
            why.push_str(BUILD_IT);
        }
        if key.is_empty() {
            ("properties".to_owned(), why)
        } else {
            (format!("properties.{key}"), why)
        }
    }

    /// What all clients share: our defaults below the user's options.
    fn client(&self, defaults: &[(&str, &str)]) -> ClientConfig {
        let mut client = ClientConfig::new();
        client
            .set("client.id", "sluice")
            .set("socket.keepalive.enable", "true")
            .set("reconnect.backoff.max.ms", "2000")
            // How long a topic that is new, or made anew, stays unnoticed; five minutes otherwise.
            .set("topic.metadata.refresh.interval.ms", "10000");
        for (key, value) in defaults {
            client.set(*key, *value);
        }
        for (key, value) in self.properties.iter() {
            let ours = ALIASES.iter().find(|(alias, _)| *alias == key);
            client.set(ours.map_or(key, |(_, ours)| *ours), value);
        }
        client
            .set("bootstrap.servers", &self.brokers)
            .set("allow.auto.create.topics", "false")
            .set_log_level(super::logs::level());
        client
    }

    /// For topics: created, described.
    pub(super) fn admin(&self) -> ClientConfig {
        self.client(&[("socket.timeout.ms", "10000"), (PUSH_METRICS, "false")])
    }

    /// For records of at most `message_max_bytes`, keys and headers included, in batches of at most
    /// `batch_bytes` when there is more than one: a batch as a whole must fit into its topic's limit.
    pub(super) fn producer(&self, message_max_bytes: usize, batch_bytes: usize) -> ClientConfig {
        let delivery_timeout_ms = self.delivery_timeout.0.as_millis().to_string();
        // Requests are coalesced above, so a batch has nothing to wait for: what comes while Kafka answers is the
        // next one.
        //
        // One request at a time per broker: a broker that does not know a producer takes any first sequence number. Where
        // the first batch for a partition fails (its leader is only just being made) and the second, already on its way, is
        // taken, the retry of the first is answered as a duplicate, which librdkafka counts as delivered: it would be lost.
        let mut client = self.client(&[
            ("linger.ms", "0"),
            ("max.in.flight", "1"),
            ("statistics.interval.ms", "5000"),
            ("request.timeout.ms", &delivery_timeout_ms),
        ]);
        let queue_bytes = self.max_queue.bytes();
        // The limit in bytes does not see what a record costs beside its key and value (about 700 bytes).
        let queue_records = (queue_bytes / 512).clamp(1_000, 10_000_000);
        client
            .set("acks", "all")
            .set("enable.idempotence", "true")
            .set("partitioner", "murmur2_random")
            .set("compression.type", self.compression.as_str())
            .set("message.timeout.ms", &delivery_timeout_ms)
            .set("message.max.bytes", message_max_bytes.to_string())
            .set(
                "queue.buffering.max.kbytes",
                (queue_bytes / 1024).to_string(),
            )
            .set("queue.buffering.max.messages", queue_records.to_string());
        if self.compression == Compression::Zstd && client.get("compression.level").is_none() {
            // Higher ones win little on records that are mostly numbers.
            client.set("compression.level", "1");
        }
        if client.get("batch.size").is_none() {
            client.set("batch.size", batch_bytes.to_string());
        }
        client
    }

    /// For a follower of a table: partitions that it assigns itself, from their beginning on.
    pub(super) fn follower(&self) -> ClientConfig {
        let mut client = self.client(&[
            ("fetch.message.max.bytes", "1048576"),
            ("fetch.queue.backoff.ms", "50"),
            ("socket.timeout.ms", "15000"),
            (PUSH_METRICS, "false"),
        ]);
        // A replica nearby may not know yet what its leader has acknowledged: the end would come too early.
        client.remove("client.rack");
        client
            // librdkafka assigns nothing without the name of a group. It is never joined.
            .set("group.id", format!("sluice-{}", self.topic))
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("enable.partition.eof", "true")
            // A topic that was there and is not any more is gone, and not on its way.
            .set("topic.metadata.propagation.max.ms", "0")
            .set("auto.offset.reset", "earliest")
            .set("queued.max.messages.kbytes", "2048");
        client
    }

    /// For one member of a consumer group.
    pub(super) fn reader(&self, member: &Member) -> ClientConfig {
        // A quarter for what librdkafka has fetched, the rest for what waits in our own queue.
        let fetched_kbytes = (self.read_ahead.bytes() / 4 / 1024).max(256);
        // Compressed: it is several times as much in memory, beyond the bound above.
        let fetch_bytes = (fetched_kbytes * 1024 / 4).clamp(1 << 20, 50 << 20);
        let mut client = self.client(&[
            ("fetch.message.max.bytes", "1048576"),
            ("fetch.max.bytes", &fetch_bytes.to_string()),
            // What librdkafka may hold lasts for some fifty milliseconds where stores are fast.
            ("fetch.queue.backoff.ms", "10"),
            // How long a commit to a silent broker may hang.
            ("socket.timeout.ms", "15000"),
        ]);
        client
            .set("group.id", &member.group)
            .set(
                "session.timeout.ms",
                member.session_timeout.as_millis().to_string(),
            )
            // The others learn of a rebalance by their next heartbeat, and a handover takes two rebalances.
            .set(
                "heartbeat.interval.ms",
                (member.session_timeout.as_millis() / 10)
                    .clamp(100, 3_000)
                    .to_string(),
            )
            .set("partition.assignment.strategy", "cooperative-sticky")
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("auto.offset.reset", "earliest")
            .set("queued.max.messages.kbytes", fetched_kbytes.to_string());
        if let Some(instance_id) = &member.instance_id {
            client.set("group.instance.id", instance_id);
        }
        client
    }
}

/// librdkafka's default for `message.max.bytes`, just below Kafka's own.
pub(super) const DEFAULT_MESSAGE_MAX_BYTES: usize = 1_000_000;

/// Kafka's own rule for topic names.
///
/// # Errors
/// What is wrong with the name.
pub fn check_topic_name(name: &str) -> Result<(), String> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    if name.is_empty() || name.len() > 249 || name == "." || name == ".." {
        return Err(format!(
            "{name:?} is not a topic name: it must have 1 to 249 characters"
        ));
    }
    match name
        .chars()
        .find(|c| !c.is_ascii() || !name_byte(*c, legal))
    {
        Some(found) => Err(format!(
            "{name:?} is not a topic name: it has {found:?}, allowed are letters, digits, '.', '_' and '-'"
        )),
        None => Ok(()),
    }
}

fn name_byte(character: char, legal: impl Fn(u8) -> bool) -> bool {
    u8::try_from(character).is_ok_and(legal)
}

#[cfg(test)]
mod tests;
