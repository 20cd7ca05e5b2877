//! A topic as it is, and as the settings want it: asked, never changed, never created.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::config::FromClientConfigAndContext as _;
use rdkafka::types::RDKafkaRespErr;

use super::found::Found;
use super::{
    Admin, Context, DEAD_LETTER_EXTRA_BYTES, DEAD_LETTER_PARTITIONS, KAFKA_MAX_MESSAGE_BYTES, Keep,
    REQUEST_TIMEOUT, TopicError, Wanted, describe_settings, trouble,
};
use crate::kafka::config::Config;
use crate::kafka::errors::{describe, describe_error};
use crate::kafka::logs::ClientLog;

/// What a topic is for, which says how it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Samples, for a retention.
    Samples,
    /// Dead letters of samples, for as long.
    DeadLetters,
    /// Refused samples, for as long.
    Rejections,
    /// A table.
    Table,
}

/// A partition as the controller knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionLayout {
    /// Its number.
    pub partition: i32,
    /// The broker that leads it, or -1.
    pub leader: i32,
    /// The brokers that have it.
    pub replicas: Vec<i32>,
    /// Those of them that are up to date.
    pub in_sync: Vec<i32>,
}

/// One thing that is not as the settings want it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What.
    pub setting: &'static str,
    /// How it is.
    pub found: String,
    /// How it should be.
    pub wanted: String,
    /// What comes of it.
    pub why: &'static str,
}

/// A topic that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// Its partitions, in order.
    pub partitions: Vec<PartitionLayout>,
    /// Its settings as they apply; empty when we may not see them.
    pub settings: BTreeMap<String, String>,
    /// What is not as wanted.
    pub differences: Vec<Difference>,
}

/// Looks at a topic; none when it is not there.
///
/// # Errors
/// When Kafka does not answer or does not let us look.
pub async fn describe_topic(
    config: &Config,
    name: &str,
    purpose: Purpose,
    retention: Duration,
) -> Result<Option<Description>, TopicError> {
    let few = config.partitions.min(DEAD_LETTER_PARTITIONS);
    let wanted = Wanted {
        name,
        partitions: match purpose {
            Purpose::Samples => config.partitions,
            Purpose::DeadLetters | Purpose::Rejections => few,
            Purpose::Table => 1,
        },
        replication: config.replication,
        keep: match purpose {
            Purpose::Table => Keep::LastOfEachKey,
            Purpose::Samples | Purpose::DeadLetters | Purpose::Rejections => Keep::For(retention),
        },
        max_message_bytes: (purpose == Purpose::DeadLetters)
            .then_some(KAFKA_MAX_MESSAGE_BYTES + DEAD_LETTER_EXTRA_BYTES),
    };
    let context = Context(ClientLog::new("admin"));
    let admin = Admin::from_config_and_context(&config.admin(), context)
        .map_err(|error| wanted.error(describe_error(&error)))?;
    let admin = Arc::new(admin);
    let described = describe_with(&admin, &wanted).await;
    let config = described.is_err().then(|| config.clone());
    // Waits for librdkafka's threads.
    let trouble = tokio::task::spawn_blocking(move || {
        drop(admin);
        config.and_then(|config| trouble::find(&config))
    });
    let trouble = trouble.await.unwrap_or_default();
    described.map_err(|mut error| {
        if let Some(trouble) = trouble {
            error.reason = format!("{}; {trouble}", error.reason);
        }
        error
    })
}

async fn describe_with(
    admin: &Arc<Admin>,
    wanted: &Wanted<'_>,
) -> Result<Option<Description>, TopicError> {
    let Some(partitions) = partitions(admin, wanted).await? else {
        return Ok(None);
    };
    let settings = describe_settings(admin, wanted.name).await;
    let replicas = partitions.iter().map(|found| found.replicas.len()).min();
    let found = Found {
        partitions: i32::try_from(partitions.len()).unwrap_or(i32::MAX),
        replicas: replicas.unwrap_or(0),
        settings: settings.unwrap_or_default(),
    };
    let differences = found.mismatches(wanted);
    Ok(Some(Description {
        partitions,
        differences: differences.into_iter().map(Into::into).collect(),
        settings: found.settings.into_iter().collect(),
    }))
}

async fn partitions(
    admin: &Arc<Admin>,
    wanted: &Wanted<'_>,
) -> Result<Option<Vec<PartitionLayout>>, TopicError> {
    let (blocking, name) = (Arc::clone(admin), wanted.name.to_owned());
    let metadata = tokio::task::spawn_blocking(move || {
        let client = blocking.inner();
        client.fetch_metadata(Some(&name), REQUEST_TIMEOUT)
    })
    .await
    .map_err(|error| wanted.error(error.to_string()))?
    .map_err(|error| wanted.error(describe_error(&error)))?;
    let Some(topic) = metadata.topics().first() else {
        return Ok(None);
    };
    match topic.error() {
        Some(RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) => return Ok(None),
        Some(error) => return Err(wanted.error(describe(error.into()))),
        None => {}
    }
    let partitions = topic.partitions().iter();
    let mut partitions: Vec<PartitionLayout> = partitions
        .map(|found| PartitionLayout {
            partition: found.id(),
            leader: found.leader(),
            replicas: found.replicas().to_vec(),
            in_sync: found.isr().to_vec(),
        })
        .collect();
    partitions.sort_by_key(|found| found.partition);
    Ok(Some(partitions))
}
