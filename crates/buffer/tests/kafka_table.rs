//! A table on a real Kafka: its topic's settings, and what happens to the topic and its broker.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests, which clippy does not take for tests themselves"
)]

use std::collections::BTreeMap;
use std::time::Duration;

use buffer::kafka::{Config, Follower, Table, TopicError};
use buffer::{Change, Follow as _, PublishError, Table as _};
use bytes::Bytes;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions};
use rdkafka::client::DefaultClientContext;
use service::health::Health;
use service::units::Period;
use testkit::kafka::unique;
use testkit::{Kafka, KafkaOptions, eventually};

const PATIENCE: Duration = Duration::from_secs(60);

fn config(kafka: &Kafka) -> Config {
    Config {
        brokers: kafka.brokers(),
        replication: 1,
        delivery_timeout: Period::secs(5),
        ..Config::default()
    }
}

fn admin(kafka: &Kafka) -> AdminClient<DefaultClientContext> {
    ClientConfig::new()
        .set("bootstrap.servers", kafka.brokers())
        .create()
        .unwrap()
}

async fn open(kafka: &Kafka, topic: &str) -> (Table, Follower) {
    let (table, follower) = Table::open(&config(kafka), topic).unwrap();
    table.prepare().await.unwrap();
    (table, follower)
}

async fn try_put(table: &Table, key: &str, value: Option<&str>) -> Result<(), PublishError> {
    let copied = |text: &str| Bytes::copy_from_slice(text.as_bytes());
    table.put(copied(key), value.map(copied)).await
}

async fn put(table: &Table, key: &str, value: Option<&str>) {
    try_put(table, key, value).await.unwrap();
}

async fn next(follower: &mut Follower) -> Change {
    let started = std::time::Instant::now();
    loop {
        match tokio::time::timeout(PATIENCE, follower.next()).await {
            Ok(Ok(change)) => return change,
            // Passing, as it says.
            Ok(Err(buffer::DrainError::Unavailable(_))) if started.elapsed() < PATIENCE => {}
            other => panic!("{other:?}"),
        }
    }
}

async fn catch_up(follower: &mut Follower) -> BTreeMap<Bytes, Bytes> {
    let mut entries = BTreeMap::new();
    loop {
        match next(follower).await {
            Change::Put { key, value } => entries.insert(key, value),
            Change::Deleted { key } => entries.remove(&key),
            Change::CaughtUp => return entries,
        };
    }
}

fn is_put(key: &'static str, value: &'static str) -> Change {
    Change::Put {
        key: Bytes::from_static(key.as_bytes()),
        value: Bytes::from_static(value.as_bytes()),
    }
}

#[tokio::test]
async fn a_missing_topic_is_made_for_compaction_and_told_from_its_beginning() {
    let kafka = Kafka::shared();
    let topic = unique("table");
    let (one, mut first) = open(kafka, &topic).await;
    assert_eq!(next(&mut first).await, Change::CaughtUp);
    for (name, expected) in [
        ("cleanup.policy", "compact"),
        ("partitions", "1"),
        ("segment.bytes", "16777216"),
        ("segment.ms", "3600000"),
    ] {
        assert_eq!(kafka.topic_setting(&topic, name), expected, "{name}");
    }
    put(&one, "a", Some("1")).await;
    put(&one, "b", Some("")).await;
    put(&one, "c", Some("1")).await;
    put(&one, "c", None).await;
    let (two, mut second) = open(kafka, &topic).await;
    let expected = [("a", "1"), ("b", "")].map(|(key, value)| (key.into(), value.into()));
    assert_eq!(catch_up(&mut second).await, expected.into());
    put(&two, "a", Some("2")).await;
    assert_eq!(next(&mut second).await, is_put("a", "2"));
    let mut told = 0;
    while next(&mut first).await != is_put("a", "2") {
        told += 1;
    }
    assert_eq!(told, 4);
    let tombstone = &kafka.read(&topic)[3];
    assert_eq!(
        (tombstone.key.as_deref(), &tombstone.value),
        (Some(&b"c"[..]), &None)
    );
    one.close(PATIENCE).await;
    two.close(PATIENCE).await;
}

#[tokio::test]
async fn an_existing_topic_that_forgets_is_used_as_it_is_and_not_changed() {
    let kafka = Kafka::shared();
    let topic = unique("table");
    kafka.create_topic(&topic, 2, 1, &[("cleanup.policy", "delete")]);
    let (table, mut follower) = open(kafka, &topic).await;
    assert_eq!(catch_up(&mut follower).await.len(), 0);
    put(&table, "a", Some("1")).await;
    assert_eq!(next(&mut follower).await, is_put("a", "1"));
    assert_eq!(kafka.topic_setting(&topic, "cleanup.policy"), "delete");
    table.close(PATIENCE).await;
}

#[tokio::test]
async fn partitions_that_are_added_are_followed_by_whoever_comes_next() {
    let kafka = Kafka::shared();
    let topic = unique("table");
    let (table, mut follower) = open(kafka, &topic).await;
    catch_up(&mut follower).await;
    let more = NewPartitions::new(&topic, 4);
    let grown = admin(kafka);
    let grown = grown.create_partitions([&more], &AdminOptions::new());
    grown.await.unwrap().remove(0).unwrap();
    let (table, mut late) = {
        table.close(PATIENCE).await;
        open(kafka, &topic).await
    };
    for number in 0..20 {
        put(&table, &format!("key {number}"), Some("1")).await;
    }
    let mut keys = catch_up(&mut late).await;
    while keys.len() < 20 {
        if let Change::Put { key, value } = next(&mut late).await {
            keys.insert(key, value);
        }
    }
    table.close(PATIENCE).await;
}

#[tokio::test]
async fn a_topic_that_is_deleted_is_made_again_empty_and_followed_on() {
    let kafka = Kafka::shared();
    let topic = unique("table");
    let (table, mut follower) = open(kafka, &topic).await;
    let health = Health::new();
    let keeping = table
        .clone()
        .keep_ready(health.condition("table", "starting"));
    let story = async {
        eventually(PATIENCE, || try_put(&table, "a", Some("1"))).await;
        while next(&mut follower).await != is_put("a", "1") {}
        let admin = admin(kafka);
        let deleted = admin.delete_topics(&[&topic], &AdminOptions::new());
        deleted.await.unwrap().remove(0).unwrap();
        eventually(PATIENCE, || try_put(&table, "b", Some("2"))).await;
        // It may be told again what came before the topic was gone, but not miss what comes after.
        while next(&mut follower).await != is_put("b", "2") {}
        let (_, mut late) = open(kafka, &topic).await;
        let entries = catch_up(&mut late).await;
        assert_eq!(entries.keys().collect::<Vec<_>>(), ["b"]);
    };
    tokio::select! {
        () = keeping => panic!("it never ends"),
        () = story => {}
    }
    table.close(PATIENCE).await;
}

#[tokio::test]
async fn a_table_starts_before_its_broker_and_outlives_its_kills() {
    let kafka = Kafka::start(&KafkaOptions::default());
    let topic = unique("table");
    kafka.with_broker(0, testkit::Process::kill);
    let (table, mut follower) = Table::open(&config(&kafka), &topic).unwrap();
    let error: Result<_, TopicError> = table.prepare().await;
    error.unwrap_err();
    let health = Health::new();
    let keeping = table
        .clone()
        .keep_ready(health.condition("table", "starting"));
    let ready = || async {
        match health.reasons() {
            reasons if reasons.is_empty() => Ok(()),
            reasons => Err(reasons),
        }
    };
    let story = async {
        kafka.restart_broker(0);
        eventually(PATIENCE, ready).await;
        put(&table, "a", Some("1")).await;
        // Whether it comes before or after the end that it found depends on which was first.
        let mut seen = Vec::new();
        while seen.len() < 2 {
            seen.push(next(&mut follower).await);
        }
        assert!(seen.contains(&Change::CaughtUp) && seen.contains(&is_put("a", "1")));
        kafka.with_broker(0, testkit::Process::kill);
        let while_away = try_put(&table, "a", Some("2")).await;
        assert!(
            matches!(while_away, Err(PublishError::Unconfirmed(_))),
            "{while_away:?}"
        );
        kafka.restart_broker(0);
        eventually(PATIENCE, || try_put(&table, "a", Some("3"))).await;
        while next(&mut follower).await != is_put("a", "3") {}
    };
    tokio::select! {
        () = keeping => panic!("it never ends"),
        () = story => {}
    }
    table.close(PATIENCE).await;
}
