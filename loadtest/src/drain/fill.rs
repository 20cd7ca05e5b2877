//! Fills a topic with records as the gateway makes them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, ensure};
use buffer::kafka::{Config, Producer, ensure_topic};
use buffer::{ContentType, Durability, Publish, PublishError, Record};
use bytes::Bytes;
use codec::record::RecordBuilder;
use model::{MetricType, Point};
use tokio::task::JoinSet;

/// Time between two samples of a series.
const INTERVAL_MS: i64 = 10_000;

/// What the topic holds.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    pub(super) samples: u64,
    pub(super) names: u32,
    pub(super) hosts: u32,
    /// Samples of one record.
    pub(super) record: u32,
}

/// What it got.
#[derive(Debug, Default)]
pub(super) struct Filled {
    pub(super) samples: u64,
    pub(super) records: u64,
    /// Before compression.
    pub(super) bytes: u64,
}

pub(super) async fn fill(
    brokers: &str,
    topic: &str,
    partitions: u32,
    shape: &Shape,
) -> anyhow::Result<Filled> {
    ensure!(
        shape.names > 0 && shape.hosts > 0 && shape.record > 0,
        "there must be a name, a host and a sample per record"
    );
    let config = Config {
        brokers: brokers.to_owned(),
        topic: topic.to_owned(),
        partitions: i32::try_from(partitions)?,
        replication: 1,
        ..Config::default()
    };
    let topic = ensure_topic(&config, Duration::from_secs(86_400)).await?;
    let producer = Producer::new(&config);
    producer.open(&topic, None)?;
    let mut filled = Filled::default();
    let mut answers = JoinSet::new();
    let mut builders: Vec<RecordBuilder> = (0..shape.names)
        .map(|name| RecordBuilder::new(&format!("service_metric_{name:04}_percent")))
        .collect();
    let now_ms = unix_ms()?;
    let first_ms = now_ms - 3_600_000;
    for round in 0.. {
        for first_host in (0..shape.hosts).step_by(shape.record as usize) {
            let hosts = first_host..shape.hosts.min(first_host + shape.record);
            for (name, builder) in (0_u32..).zip(&mut builders) {
                if filled.samples >= shape.samples {
                    flush(&producer, &mut answers).await?;
                    return Ok(filled);
                }
                for host in hosts.clone() {
                    push(builder, name, host, first_ms, round);
                }
                filled.samples += u64::from(builder.samples());
                filled.records += 1;
                let record = Record {
                    key: Bytes::copy_from_slice(builder.name().as_bytes()),
                    value: builder.finish(),
                    content_type: ContentType::RemoteWriteV2,
                    tenant: None,
                    source: None,
                    received_at_ms: now_ms,
                    spread: buffer::Spread::default(),
                };
                filled.bytes += record.value.len() as u64;
                publish(&producer, &mut answers, &record).await?;
            }
        }
    }
    Ok(filled)
}

/// A sample of the shape that agents in the field send, with a value that nobody can guess.
fn push(builder: &mut RecordBuilder, name: u32, host: u32, first_ms: i64, round: i64) {
    let host_name = format!("web-server-{host:05}");
    let labels = [
        ("environment", "production"),
        ("host", host_name.as_str()),
        ("region", "us-east-1"),
    ];
    let seed = u64::from(name) << 40 ^ u64::from(host) << 16 ^ round.cast_unsigned();
    let random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    let point = Point {
        // A host sends all its metrics at once, hosts at times of their own.
        at_ms: first_ms + round * INTERVAL_MS + i64::from(host * 7919 % 10_000),
        value: (random % 100_000) as f64 / 1000.0,
        start_ms: 0,
    };
    builder.push(labels, MetricType::Unspecified, "", "", [point]);
}

/// Publishes, and waits while the queue is full.
async fn publish(
    producer: &Producer,
    answers: &mut JoinSet<Result<Durability, PublishError>>,
    record: &Record,
) -> anyhow::Result<()> {
    /// Enough for Kafka to be busy all the time.
    const OPEN: usize = 5000;
    while answers.len() >= OPEN {
        answers.join_next().await.context("no answer")???;
    }
    answers.spawn(producer.publish(record.clone()));
    Ok(())
}

async fn flush(
    producer: &Producer,
    answers: &mut JoinSet<Result<Durability, PublishError>>,
) -> anyhow::Result<()> {
    while let Some(answer) = answers.join_next().await {
        answer??;
    }
    let open = producer.flush(Duration::from_secs(60)).await;
    ensure!(open == 0, "{open} records were not confirmed");
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "the samples are of now")]
fn unix_ms() -> anyhow::Result<i64> {
    Ok(i64::try_from(
        SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis(),
    )?)
}
