//! Topics: created when they are missing, looked at when they exist, never changed.
//!
//! A topic that keeps records for less long than asked, or that would throw some away, is said
//! loudly and shown as a metric: what to do about it is the operator's decision.

mod describe;
mod found;
mod trouble;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::types::RDKafkaRespErr;

pub use self::describe::{Description, Difference, PartitionLayout, Purpose, describe_topic};
use self::found::{Found, report};
use super::config::Config;
use super::errors::{describe, describe_error};
use super::logs::ClientLog;

const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a topic that was just made may take to be known everywhere.
const PROPAGATION_TRIES: u32 = 20;
const PROPAGATION_PAUSE: Duration = Duration::from_millis(100);

/// Kafka's default for `max.message.bytes`.
const KAFKA_MAX_MESSAGE_BYTES: usize = 1_048_588;

/// What a dead letter may have on top of the record that it came from: its headers.
const DEAD_LETTER_EXTRA_BYTES: usize = 64 * 1024;

/// Dead letters are few and read by people, and so are refused samples.
const DEAD_LETTER_PARTITIONS: i32 = 4;

/// A topic that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    /// Its name.
    pub name: String,
    /// How many partitions it has.
    pub partitions: i32,
    /// The largest batch of records that it takes, in bytes, if Kafka tells.
    pub max_message_bytes: Option<usize>,
}

/// The topic is not there, or Kafka does not tell. Passing, or waiting for a person: try again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("kafka topic {topic:?}: {reason}")]
pub struct TopicError {
    /// Its name.
    pub topic: String,
    /// What Kafka said.
    pub reason: String,
}

/// Makes sure that the topic of the samples is there.
///
/// # Errors
/// When Kafka does not answer or does not let us create it.
pub async fn ensure_topic(config: &Config, retention: Duration) -> Result<Topic, TopicError> {
    let wanted = Wanted {
        name: &config.topic,
        partitions: config.partitions,
        replication: config.replication,
        keep: Keep::For(retention),
        max_message_bytes: None,
    };
    ensure(config, &wanted).await
}

/// Makes sure that the topic of the dead letters is there, and takes whatever `samples` takes: a record that
/// fits into none of them would stop its partition.
///
/// # Errors
/// When Kafka does not answer or does not let us create it.
pub async fn ensure_dead_letter_topic(
    config: &Config,
    name: &str,
    retention: Duration,
    samples: &Topic,
) -> Result<Topic, TopicError> {
    let largest_bytes = samples.max_message_bytes.unwrap_or(0);
    let largest_bytes = largest_bytes.max(KAFKA_MAX_MESSAGE_BYTES);
    let wanted = Wanted {
        name,
        partitions: config.partitions.min(DEAD_LETTER_PARTITIONS),
        replication: config.replication,
        keep: Keep::For(retention),
        max_message_bytes: Some(largest_bytes + DEAD_LETTER_EXTRA_BYTES),
    };
    ensure(config, &wanted).await
}

/// Makes sure that the topic of refused samples, which is the one of `config`, is there.
///
/// # Errors
/// When Kafka does not answer or does not let us create it.
pub async fn ensure_rejections_topic(
    config: &Config,
    retention: Duration,
) -> Result<Topic, TopicError> {
    let wanted = Wanted {
        name: &config.topic,
        partitions: config.partitions.min(DEAD_LETTER_PARTITIONS),
        replication: config.replication,
        keep: Keep::For(retention),
        max_message_bytes: None,
    };
    ensure(config, &wanted).await
}

/// Makes sure that the topic of a table is there: compacted, so that it keeps the last record of each key.
///
/// # Errors
/// When Kafka does not answer or does not let us create it.
pub async fn ensure_table_topic(config: &Config, name: &str) -> Result<Topic, TopicError> {
    let wanted = Wanted {
        name,
        // One order for all keys; a table is small.
        partitions: 1,
        replication: config.replication,
        keep: Keep::LastOfEachKey,
        max_message_bytes: None,
    };
    ensure(config, &wanted).await
}

/// What a topic keeps.
#[derive(Debug, Clone, Copy)]
enum Keep {
    /// Everything, for so long.
    For(Duration),
    LastOfEachKey,
}

impl Keep {
    const fn policy(self) -> &'static str {
        match self {
            Self::For(_) => "delete",
            Self::LastOfEachKey => "compact",
        }
    }

    fn settings(self) -> Vec<(&'static str, String)> {
        let mut settings = vec![("cleanup.policy", self.policy().to_owned())];
        match self {
            Self::For(retention) => {
                let retention_ms = millis(retention).to_string();
                // A record of a gateway whose clock is far behind would be confirmed and deleted: Kafka refuses it instead.
                settings.push(("message.timestamp.before.max.ms", retention_ms.clone()));
                settings.push(("retention.ms", retention_ms));
            }
            // A segment is compacted once it is closed, and every start reads what is not compacted yet.
            Self::LastOfEachKey => settings.extend([
                ("segment.bytes", (16 << 20).to_string()),
                ("segment.ms", millis(Duration::from_hours(1)).to_string()),
                ("min.cleanable.dirty.ratio", "0.1".to_owned()),
                (
                    "max.compaction.lag.ms",
                    millis(Duration::from_hours(24)).to_string(),
                ),
            ]),
        }
        settings
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

struct Wanted<'a> {
    name: &'a str,
    partitions: i32,
    replication: i32,
    keep: Keep,
    max_message_bytes: Option<usize>,
}

impl Wanted<'_> {
    fn error(&self, reason: impl Into<String>) -> TopicError {
        TopicError {
            topic: self.name.to_owned(),
            reason: reason.into(),
        }
    }
}

struct Context(ClientLog);

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.0.line(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.0.error(&error, reason);
    }
}

type Admin = AdminClient<Context>;

async fn ensure(config: &Config, wanted: &Wanted<'_>) -> Result<Topic, TopicError> {
    let context = Context(ClientLog::new("admin"));
    let admin = Admin::from_config_and_context(&config.admin(), context)
        .map_err(|error| wanted.error(describe_error(&error)))?;
    let admin = Arc::new(admin);
    let result = ensure_with(&admin, wanted).await;
    let config = result.is_err().then(|| config.clone());
    // Waits for librdkafka's threads.
    let trouble = tokio::task::spawn_blocking(move || {
        drop(admin);
        config.and_then(|config| trouble::find(&config))
    });
    let trouble = trouble.await.unwrap_or_default();
    result.map_err(|mut error| {
        if let Some(trouble) = trouble {
            error.reason = format!("{}; {trouble}", error.reason);
        }
        error
    })
}

/// Creates first and looks then: asking for a topic that is not there lets some brokers create it
/// with one partition, and whoever else creates it at the same time is welcome.
async fn ensure_with(admin: &Arc<Admin>, wanted: &Wanted<'_>) -> Result<Topic, TopicError> {
    let created = create(admin, wanted).await?;
    if created {
        tracing::info!(
            topic = wanted.name,
            partitions = wanted.partitions,
            replication = wanted.replication,
            keeps = ?wanted.keep,
            "kafka topic was created"
        );
    }
    let (partitions, replicas) = layout(admin, wanted).await?;
    let settings = describe_settings(admin, wanted.name).await;
    let found = Found {
        partitions,
        replicas,
        settings: settings.unwrap_or_default(),
    };
    report(wanted, &found.mismatches(wanted));
    Ok(Topic {
        name: wanted.name.to_owned(),
        partitions,
        max_message_bytes: found
            .settings
            .get("max.message.bytes")
            .and_then(|bytes| bytes.parse().ok()),
    })
}

/// Whether the topic is new.
async fn create(admin: &Admin, wanted: &Wanted<'_>) -> Result<bool, TopicError> {
    let settings = wanted.keep.settings();
    let max_message_bytes = wanted.max_message_bytes.map(|bytes| bytes.to_string());
    let mut topic = NewTopic::new(
        wanted.name,
        wanted.partitions,
        TopicReplication::Fixed(wanted.replication),
    );
    for (name, value) in &settings {
        topic = topic.set(name, value);
    }
    if wanted.replication >= 3 {
        topic = topic.set("min.insync.replicas", "2");
    }
    if let Some(bytes) = &max_message_bytes {
        topic = topic.set("max.message.bytes", bytes);
    }
    let answer = admin.create_topics([&topic], &options()).await;
    let result = answer
        .map_err(|error| wanted.error(admin_reason(&error)))?
        .into_iter()
        .next();
    match result {
        Some(Ok(_)) => Ok(true),
        Some(Err((_, RDKafkaErrorCode::TopicAlreadyExists))) => Ok(false),
        // Whether it exists is seen in a moment.
        Some(Err((
            _,
            RDKafkaErrorCode::TopicAuthorizationFailed
            | RDKafkaErrorCode::ClusterAuthorizationFailed,
        ))) => Ok(false),
        Some(Err((_, RDKafkaErrorCode::InvalidReplicationFactor))) => Err(wanted.error(format!(
            "there are fewer brokers than the {} replicas of `kafka.replication`",
            wanted.replication
        ))),
        Some(Err((_, code))) => Err(wanted.error(describe(code))),
        None => Err(wanted.error("kafka answered nothing")),
    }
}

/// The topic's settings, or nothing if we may not see them.
async fn describe_settings(admin: &Admin, name: &str) -> Option<HashMap<String, String>> {
    let mut tries = 0;
    let reason = loop {
        let answer = admin
            .describe_configs([&ResourceSpecifier::Topic(name)], &options())
            .await;
        match answer.map(|resources| resources.into_iter().next()) {
            Ok(Some(Ok(resource))) => {
                let entries = resource.entries.into_iter();
                return Some(
                    entries
                        .filter_map(|entry| Some((entry.name, entry.value?)))
                        .collect(),
                );
            }
            Ok(Some(Err(RDKafkaErrorCode::UnknownTopicOrPartition)))
                if tries < PROPAGATION_TRIES => {}
            Ok(Some(Err(code))) => break describe(code),
            Ok(None) => break "kafka answered nothing".to_owned(),
            Err(error) => break admin_reason(&error),
        }
        tries += 1;
        tokio::time::sleep(PROPAGATION_PAUSE).await;
    };
    tracing::warn!(
        topic = name,
        reason,
        "settings of the kafka topic are not shown"
    );
    None
}

/// How many partitions, and how many replicas the partition with the fewest has. A topic that somebody
/// else has just made is known to the controller first: that is waited for.
async fn layout(admin: &Arc<Admin>, wanted: &Wanted<'_>) -> Result<(i32, usize), TopicError> {
    let mut tries = 0;
    loop {
        let (blocking, name) = (Arc::clone(admin), wanted.name.to_owned());
        let metadata = tokio::task::spawn_blocking(move || {
            blocking
                .inner()
                .fetch_metadata(Some(&name), REQUEST_TIMEOUT)
        })
        .await
        .map_err(|error| wanted.error(error.to_string()))?
        .map_err(|error| wanted.error(describe_error(&error)))?;
        let topic = metadata
            .topics()
            .first()
            .ok_or_else(|| wanted.error("kafka says nothing about it"))?;
        match topic.error() {
            None => {
                let replicas = topic.partitions().iter().map(|p| p.replicas().len()).min();
                let partitions = i32::try_from(topic.partitions().len()).unwrap_or(i32::MAX);
                return Ok((partitions, replicas.unwrap_or(0)));
            }
            Some(RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
                if tries < PROPAGATION_TRIES => {}
            Some(error) => return Err(wanted.error(describe(error.into()))),
        }
        tries += 1;
        tokio::time::sleep(PROPAGATION_PAUSE).await;
    }
}

fn options() -> AdminOptions {
    AdminOptions::new()
        .request_timeout(Some(REQUEST_TIMEOUT))
        .operation_timeout(Some(REQUEST_TIMEOUT))
}

/// An admin error keeps its code to itself elsewhere.
fn admin_reason(error: &KafkaError) -> String {
    match error {
        KafkaError::AdminOp(code) => describe(*code),
        other => describe_error(other),
    }
}

#[cfg(test)]
mod tests;
