//! Topics that change under those who use them: deleted, made anew, grown, with another retention.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests, helpers among them: a panic is the report"
)]

use std::collections::BTreeSet;
use std::time::Duration;

use buffer::kafka::{Config, Member, Producer, Reader};
use buffer::{Commit as _, ContentType, Drain as _, Event, Publish as _, Record};
use bytes::Bytes;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions};
use rdkafka::client::DefaultClientContext;
use service::units::Period;
use testkit::kafka::unique;
use testkit::{Kafka, eventually};

const DAY: Duration = Duration::from_secs(86_400);
const PATIENCE: Duration = Duration::from_secs(90);

fn config(name: &str, partitions: i32) -> Config {
    Config {
        brokers: Kafka::shared().brokers(),
        topic: unique(name),
        partitions,
        replication: 1,
        delivery_timeout: Period::secs(5),
        ..Config::default()
    }
}

fn admin(config: &Config) -> AdminClient<DefaultClientContext> {
    ClientConfig::new()
        .set("bootstrap.servers", &config.brokers)
        .create()
        .unwrap()
}

fn record(key: impl Into<Bytes>, value: impl Into<Bytes>) -> Record {
    Record {
        key: key.into(),
        value: value.into(),
        content_type: ContentType::Json,
        tenant: None,
        source: None,
        received_at_ms: service::clock::now_ms(),
        spread: buffer::Spread::default(),
    }
}

async fn open(config: &Config) -> Producer {
    let producer = Producer::new(config);
    producer.prepare(DAY).await.unwrap();
    producer
}

async fn publish(producer: &Producer, values: impl Iterator<Item = String>) {
    let answers: Vec<_> = values
        .map(|value| producer.publish(record("cpu", value)))
        .collect();
    for answer in answers {
        answer.await.unwrap();
    }
}

/// Reads until every one of these values was there, and answers what happened beside that.
async fn read_all(reader: &mut Reader, mut missing: BTreeSet<String>) -> Vec<String> {
    let mut seen = Vec::new();
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while !missing.is_empty() {
        let next = tokio::time::timeout_at(deadline, reader.next()).await;
        let event = next.unwrap_or_else(|_| panic!("missing {missing:?} after {seen:?}"));
        match event {
            Ok(Event::Lost { .. } | Event::Revoked { .. }) => seen.push("lost".to_owned()),
            Ok(Event::Assigned { partition, offset }) => {
                seen.push(format!("assigned {partition} at {offset}"));
            }
            Ok(Event::Records(records)) => {
                for record in records {
                    missing.remove(&*String::from_utf8_lossy(&record.value));
                }
            }
            Ok(Event::Expired { from, to, .. }) => seen.push(format!("expired {from}..{to}")),
            // That the topic is gone for a while is a passing error.
            Err(_) => {}
        }
    }
    seen
}

fn values(prefix: &str, count: usize) -> BTreeSet<String> {
    (0..count)
        .map(|number| format!("{prefix}{number}"))
        .collect()
}

async fn delete(config: &Config) {
    // Dropped before its answer came, a client never answers.
    let admin = admin(config);
    let deleted = admin.delete_topics(&[&config.topic], &AdminOptions::new());
    deleted.await.unwrap().remove(0).unwrap();
}

/// Makes the topic anew, at once, with more records than it had: offsets that were read exist again.
async fn make_anew(config: &Config, count: usize) {
    delete(config).await;
    let producer = eventually(PATIENCE, || async {
        let producer = Producer::new(config);
        let prepared = producer.prepare(DAY).await;
        prepared.map_err(|error| error.reason)?;
        producer
            .publish(record("cpu", "new0"))
            .await
            .map_err(|error| error.to_string())?;
        Ok::<_, String>(producer)
    })
    .await;
    publish(&producer, values("new", count).into_iter()).await;
    producer.close().await;
}

#[tokio::test]
async fn a_topic_that_is_made_anew_with_more_records_than_were_read_is_read_from_its_start() {
    let config = config("anew-longer", 1);
    let producer = open(&config).await;
    publish(&producer, values("old", 10).into_iter()).await;
    producer.close().await;
    let mut reader = Reader::new(&config, &Member::of(&config.topic), DAY).unwrap();
    read_all(&mut reader, values("old", 10)).await;
    reader.committer().commit(vec![(0, 10)]).await.unwrap();

    make_anew(&config, 50).await;
    let seen = read_all(&mut reader, values("new", 50)).await;
    assert!(seen.contains(&"assigned 0 at 0".to_owned()), "{seen:?}");
    reader.close().await;
}

#[tokio::test]
async fn a_topic_that_was_made_anew_while_nobody_read_is_read_from_its_start() {
    let config = config("anew-unseen", 1);
    let producer = open(&config).await;
    publish(&producer, values("old", 10).into_iter()).await;
    producer.close().await;
    let member = Member::of(&config.topic);
    let mut reader = Reader::new(&config, &member, DAY).unwrap();
    read_all(&mut reader, values("old", 10)).await;
    reader.committer().commit(vec![(0, 10)]).await.unwrap();
    reader.close().await;

    make_anew(&config, 50).await;
    let mut reader = Reader::new(&config, &member, DAY).unwrap();
    let seen = read_all(&mut reader, values("new", 50)).await;
    assert_eq!(seen, ["assigned 0 at 0"]);
    reader.close().await;
}

#[tokio::test]
async fn partitions_that_are_added_while_reading_are_read_from_their_start() {
    let config = config("grown", 1);
    let producer = open(&config).await;
    publish(&producer, values("old", 10).into_iter()).await;
    let mut reader = Reader::new(&config, &Member::of(&config.topic), DAY).unwrap();
    read_all(&mut reader, values("old", 10)).await;

    let grown = [NewPartitions::new(&config.topic, 4)];
    let options = AdminOptions::new();
    let admin = admin(&config);
    let created = admin.create_partitions(&grown, &options);
    created.await.unwrap().remove(0).unwrap();
    // Until the producer knows of them, all records go to the old one; then they spread by their keys.
    let mut all = BTreeSet::new();
    eventually(PATIENCE, || {
        let number = all.len();
        let keyed = (0..16).map(|key| format!("{number}-{key}"));
        let records: Vec<(String, String)> = keyed
            .map(|value| (format!("name-{value}"), value))
            .collect();
        all.extend(records.iter().map(|(_, value)| value.clone()));
        let producer = producer.clone();
        let committer = reader.committer();
        async move {
            for (key, value) in records {
                producer
                    .publish(record(key, value))
                    .await
                    .map_err(|error| error.to_string())?;
            }
            let known = committer.state().len();
            if known == 4 {
                Ok(())
            } else {
                Err(format!("{known} partitions"))
            }
        }
    })
    .await;
    let last: BTreeSet<String> = (0..16).map(|key| format!("last-{key}")).collect();
    for value in &last {
        let record = record(format!("name-{value}"), value.clone());
        producer.publish(record).await.unwrap();
    }
    all.extend(last);
    let seen = read_all(&mut reader, all).await;
    for partition in 1..4 {
        let start = format!("assigned {partition} at 0");
        assert!(seen.contains(&start), "{seen:?}");
    }
    reader.close().await;
    producer.close().await;
}

#[tokio::test]
async fn a_gateway_whose_clock_is_days_behind_is_told_so_instead_of_losing_what_it_sends() {
    let config = config("clock", 1);
    let producer = open(&config).await;
    let mut old = record("cpu", "old");
    old.received_at_ms -= 25 * 3_600_000;
    let refused = producer.publish(old).await.unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("the clock of this gateway differs"),
        "{refused}"
    );
    publish(&producer, values("new", 1).into_iter()).await;
    producer.close().await;
}
