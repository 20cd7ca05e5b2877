//! The stores as this binary opens them: those of the crate `store`, and Kafka, which only the buffer names.

use std::path::Path;

use anyhow::Context;
use buffer::kafka::{self, Producer};
use buffer::{ContentType, Publish, PublishError, Record};
use futures::future::join_all;
use service::health::Health;
use service::units::Size;
use store::mirror::{self, Format, Outgoing};
use store::{Batch, Batching, Lanes, LeftOut, Store, Write, WriteError};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::process::Process;
use crate::settings::Settings;

/// An open store of any kind.
#[derive(Debug)]
pub(crate) enum Opened {
    /// One of the crate `store`.
    Store(Store),
    /// Another topic.
    Mirror(Box<Mirror>),
}

/// Opens a store, as [`store::Config::open`].
pub(crate) fn open(
    config: &store::Config,
    name: &str,
    source: &str,
    data_dir: &Path,
) -> anyhow::Result<Opened> {
    if let store::Config::Kafka(config) = config {
        return Mirror::open(config, name).map(Box::new).map(Opened::Mirror);
    }
    let store = config.clone().open(name, source, data_dir)?;
    Ok(Opened::Store(store))
}

/// Opens a store and keeps what it needs kept for as long as the process runs.
pub(crate) fn open_in(
    process: &Process,
    config: &store::Config,
    name: &str,
    source: &str,
    data_dir: &Path,
) -> anyhow::Result<Opened> {
    let opened = open(config, name, source, data_dir)?;
    if let Opened::Store(store) = &opened {
        process.keep_archive(store);
    }
    Ok(opened)
}

/// Checks what only Kafka knows of the stores' settings.
pub(crate) fn check(settings: &Settings) -> Result<(), (String, String)> {
    for (name, config) in &settings.stores {
        let store::Config::Kafka(config) = config else {
            continue;
        };
        client(config)
            .check()
            .map_err(|(key, why)| (format!("stores.{name}.{key}"), why))?;
        // Every store reads the fallback cluster, too.
        let fallback = settings.emergency.fallback.as_ref();
        let mut ours = [&settings.kafka].into_iter().chain(fallback);
        let is_same = ours.any(|own| {
            let topics = [&own.topic, &settings.consumer.dead_letter_topic];
            let mut topics = topics.into_iter().chain(own.tenant_topics.values());
            have_one_in_common(&config.brokers, &own.brokers)
                && topics.any(|topic| *topic == config.topic)
        });
        if is_same && settings.buffer.kind == crate::settings::BufferKind::Kafka {
            let why = format!(
                "{} is a topic of ours: it would be mirrored to itself",
                config.topic
            );
            return Err((format!("stores.{name}.topic"), why));
        }
    }
    Ok(())
}

/// Whether two lists of brokers name one and the same, as far as the names say.
fn have_one_in_common(one: &str, other: &str) -> bool {
    let brokers = |list: &str| -> Vec<String> {
        let brokers = list.split(',').map(|broker| {
            let broker = broker.trim().to_ascii_lowercase();
            let broker = broker
                .split_once("://")
                .map_or(broker.as_str(), |(_, rest)| rest);
            let (host, port) = broker.rsplit_once(':').unwrap_or((broker, "9092"));
            let is_here = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
            format!("{}:{port}", if is_here { "localhost" } else { host })
        });
        brokers.collect()
    };
    let other = brokers(other);
    brokers(one).iter().any(|broker| other.contains(broker))
}

fn client(config: &mirror::Config) -> kafka::Config {
    let mut client = kafka::Config {
        brokers: config.brokers.clone(),
        topic: config.topic.clone(),
        partitions: config.partitions,
        replication: config.replication,
        delivery_timeout: config.delivery_timeout,
        max_queue: config.max_queue,
        read_ahead: Size::mib(1),
        ..kafka::Config::default()
    };
    for (key, value) in &config.properties {
        client.properties.set(key, value.expose());
    }
    client
}

/// Another topic.
#[derive(Debug)]
pub(crate) struct Mirror {
    store: String,
    config: mirror::Config,
    lanes: std::num::NonZeroUsize,
    producer: Producer,
    /// Checks the topic, and follows its limits; ends with the store.
    _watch: JoinSet<()>,
}

impl Mirror {
    fn open(config: &mirror::Config, name: &str) -> anyhow::Result<Self> {
        let producer = Producer::beside(&client(config), None);
        // Not one of the process: its records wait in the buffer, as those of every store that is away.
        let condition = Health::new().condition("mirror", "opening");
        let (watched, retention) = (producer.clone(), config.retention.0);
        let mut watch = JoinSet::new();
        watch.spawn(watched.keep_ready(retention, condition));
        Ok(Self {
            store: name.to_owned(),
            lanes: std::num::NonZeroUsize::new(config.shards).context("shards")?,
            config: config.clone(),
            producer,
            _watch: watch,
        })
    }

    /// Sends a batch by parts that fit into the queue beside those of the other lanes: what does not would be tried again
    /// from the start, for ever.
    async fn publish(&self, records: Vec<Outgoing>) -> Result<(), WriteError> {
        let most = self.config.max_queue.bytes() / (2 * self.lanes.get());
        let mut refused = Ok(());
        let (mut part, mut bytes) = (Vec::new(), 0);
        for record in records {
            let size = record.key.len() + record.value.len();
            if bytes + size > most && !part.is_empty() {
                let sent = self.publish_part(std::mem::take(&mut part)).await;
                refused = refused.and(passed(sent)?);
                bytes = 0;
            }
            bytes += size;
            part.push(record);
        }
        let sent = self.publish_part(part).await;
        refused.and(passed(sent)?)
    }

    async fn publish_part(&self, records: Vec<Outgoing>) -> Result<(), WriteError> {
        // Each is in its queue before the next one is looked at, so that they keep their order.
        let answers: Vec<_> = records
            .into_iter()
            .map(|record| self.producer.publish(sealed(record)))
            .collect();
        let mut refused = None;
        for answer in join_all(answers).await {
            match answer {
                Ok(_) => {}
                Err(error) if error.is_final() => {
                    refused.get_or_insert(refusal(&error));
                }
                // It comes first: what is passing is no reason to give anything up.
                Err(error) => {
                    return Err(WriteError::Retryable {
                        message: error.to_string(),
                        retry_after: None,
                    });
                }
            }
        }
        refused.map_or(Ok(()), Err)
    }
}

/// What is passing ends a batch; what was refused does not keep the rest from being sent.
fn passed(sent: Result<(), WriteError>) -> Result<Result<(), WriteError>, WriteError> {
    match sent {
        Err(error @ WriteError::Retryable { .. }) => Err(error),
        other => Ok(other),
    }
}

fn refusal(error: &PublishError) -> WriteError {
    WriteError::Refused {
        reason: match error {
            PublishError::TooLarge { .. } => "too_large",
            _ => "store_refused",
        },
        message: error.to_string(),
    }
}

fn sealed(record: Outgoing) -> Record {
    Record {
        key: record.key,
        value: record.value,
        content_type: match record.format {
            Format::Protobuf => ContentType::RemoteWriteV2,
            Format::Json => ContentType::Json,
        },
        tenant: record.tenant,
        source: record.sender,
        received_at_ms: record.received_at_ms,
        spread: buffer::Spread::default(),
    }
}

impl Write for Mirror {
    fn lanes(&self) -> Lanes {
        Lanes::BySeries(self.lanes)
    }

    fn batching(&self) -> Batching {
        self.config.batching()
    }

    /// Nothing to undo: who reads the topic takes a repeat as the same sample.
    async fn resume(&self, _partition: i32, _offset: i64) -> Result<(), WriteError> {
        Ok(())
    }

    async fn write(&self, batch: &Batch) -> Result<(), WriteError> {
        let limit_bytes = self.producer.max_record_bytes();
        let started = Instant::now();
        let records = mirror::records(batch, self.config.format, limit_bytes)?;
        let bytes = records.iter().map(|record| record.value.len()).sum();
        let result = self.publish(records).await;
        mirror::sent(&self.store, &result, bytes, started.elapsed());
        result
    }
}

impl Write for Opened {
    fn lanes(&self) -> Lanes {
        match self {
            Self::Store(store) => store.lanes(),
            Self::Mirror(store) => store.lanes(),
        }
    }

    fn batching(&self) -> Batching {
        match self {
            Self::Store(store) => store.batching(),
            Self::Mirror(store) => store.batching(),
        }
    }

    async fn resume(&self, partition: i32, offset: i64) -> Result<(), WriteError> {
        match self {
            Self::Store(store) => store.resume(partition, offset).await,
            Self::Mirror(store) => store.resume(partition, offset).await,
        }
    }

    async fn write(&self, batch: &Batch) -> Result<(), WriteError> {
        match self {
            Self::Store(store) => store.write(batch).await,
            Self::Mirror(store) => store.write(batch).await,
        }
    }

    fn left_out(&self, batch: &Batch) -> Option<LeftOut> {
        match self {
            Self::Store(store) => store.left_out(batch),
            Self::Mirror(store) => store.left_out(batch),
        }
    }
}
