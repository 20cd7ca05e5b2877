//! Tests of the table against a Kafka inside the process.

use std::collections::BTreeMap;

use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};

use super::*;
use crate::kafka::tests::{Mock, PATIENCE};
use crate::{MAX_KEY_BYTES, Table as _};

const GROUPS: &str = "groups";

/// A cluster with an empty topic for a table. It has no admin requests, so the table is opened by hand.
fn cluster(partitions: i32) -> Mock {
    let mock = Mock::new(1);
    mock.cluster.create_topic(GROUPS, partitions, 1).unwrap();
    mock
}

fn open(mock: &Mock) -> (Table, Follower) {
    let (table, follower) = Table::open(&mock.config, GROUPS).unwrap();
    let topic = Topic {
        name: GROUPS.to_owned(),
        partitions: 1,
        max_message_bytes: None,
    };
    table.producer.open(&topic, None).unwrap();
    (table, follower)
}

fn bytes(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

async fn put(table: &Table, key: &str, value: Option<&str>) {
    table.put(bytes(key), value.map(bytes)).await.unwrap();
}

async fn next(follower: &mut Follower) -> Change {
    loop {
        let next = tokio::time::timeout(PATIENCE, follower.next()).await;
        match next.expect("the follower should go on") {
            Ok(change) => return change,
            // Passing, as it says.
            Err(DrainError::Unavailable(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

fn is_put(key: &str, value: &str) -> Change {
    Change::Put {
        key: bytes(key),
        value: bytes(value),
    }
}

fn is_deleted(key: &str) -> Change {
    Change::Deleted { key: bytes(key) }
}

/// Follows until it is told that it caught up.
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

#[tokio::test]
async fn an_empty_table_is_caught_up_with_and_then_every_change_is_told_in_order() {
    let mock = cluster(1);
    let (table, mut follower) = open(&mock);
    assert_eq!(next(&mut follower).await, Change::CaughtUp);
    put(&table, "a", Some("1")).await;
    put(&table, "b", Some("")).await;
    put(&table, "a", None).await;
    put(&table, "a", Some("2")).await;
    put(&table, "never there", None).await;
    for expected in [
        is_put("a", "1"),
        is_put("b", ""),
        is_deleted("a"),
        is_put("a", "2"),
        is_deleted("never there"),
    ] {
        assert_eq!(next(&mut follower).await, expected);
    }
    table.close(PATIENCE).await;
}

#[tokio::test]
async fn whoever_comes_later_is_told_everything_before_that_it_caught_up() {
    let mock = cluster(3);
    let (one, mut first) = open(&mock);
    assert_eq!(catch_up(&mut first).await, BTreeMap::new());
    let answers: Vec<_> = (0..500)
        .map(|number: i32| {
            let value = (number % 7 != 0).then(|| bytes(&number.to_string()));
            one.put(bytes(&format!("key {}", number % 40)), value)
        })
        .collect();
    for answer in answers {
        answer.await.unwrap();
    }
    let mut expected = BTreeMap::new();
    for number in 0..500 {
        let key = bytes(&format!("key {}", number % 40));
        match number % 7 {
            0 => expected.remove(&key),
            _ => expected.insert(key, bytes(&number.to_string())),
        };
    }
    let (two, mut second) = open(&mock);
    assert_eq!(catch_up(&mut second).await, expected);
    // Neither of them is told its own changes alone.
    put(&two, "from two", Some("2")).await;
    assert_eq!(next(&mut second).await, is_put("from two", "2"));
    let mut last = next(&mut first).await;
    while last != is_put("from two", "2") {
        assert_ne!(last, Change::CaughtUp, "told once");
        last = next(&mut first).await;
    }
    put(&one, "from one", Some("1")).await;
    assert_eq!(next(&mut first).await, is_put("from one", "1"));
    assert_eq!(next(&mut second).await, is_put("from one", "1"));
    one.close(PATIENCE).await;
    two.close(PATIENCE).await;
}

#[tokio::test]
async fn a_follower_waits_for_a_topic_that_is_not_there_yet() {
    let mock = Mock::new(1);
    let (_, mut follower) = Table::open(&mock.config, GROUPS).unwrap();
    let early = tokio::time::timeout(Duration::from_secs(2), follower.next()).await;
    assert!(early.is_err(), "{early:?}");
    mock.cluster.create_topic(GROUPS, 1, 1).unwrap();
    let (table, _) = open(&mock);
    assert_eq!(catch_up(&mut follower).await.len(), 0);
    put(&table, "a", Some("1")).await;
    assert_eq!(next(&mut follower).await, is_put("a", "1"));
    table.close(PATIENCE).await;
}

#[tokio::test]
async fn nothing_is_put_before_the_topic_was_checked() {
    let mock = cluster(1);
    let (table, _) = Table::open(&mock.config, GROUPS).unwrap();
    let error = table.put(bytes("a"), None).await.unwrap_err();
    assert!(matches!(error, PublishError::Unconfirmed(_)), "{error}");
}

#[tokio::test]
async fn a_follower_and_puts_go_on_after_the_broker_was_away() {
    let mock = cluster(1);
    let (table, mut follower) = open(&mock);
    assert_eq!(catch_up(&mut follower).await.len(), 0);
    put(&table, "a", Some("1")).await;
    assert_eq!(next(&mut follower).await, is_put("a", "1"));
    mock.cluster.broker_down(1).unwrap();
    let waiting = table.put(bytes("a"), Some(bytes("2")));
    let coming_back = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        mock.cluster.broker_up(1).unwrap();
    };
    let (answer, ()) = tokio::join!(waiting, coming_back);
    answer.unwrap();
    assert_eq!(next(&mut follower).await, is_put("a", "2"));
    table.close(PATIENCE).await;
}

#[tokio::test]
async fn entries_that_are_too_large_are_refused_and_those_at_the_limit_are_not() {
    let mock = cluster(1);
    let (table, _) = open(&mock);
    let of = |bytes: usize| Bytes::from(vec![b'x'; bytes]);
    let limit_bytes = table.producer.max_record_bytes();
    let refused = |size_bytes, limit_bytes| {
        Err(PublishError::TooLarge {
            size_bytes,
            limit_bytes,
        })
    };
    assert_eq!(
        table.put(of(1), Some(of(limit_bytes))).await,
        refused(limit_bytes + 1, limit_bytes)
    );
    assert_eq!(
        table.put(of(MAX_KEY_BYTES + 1), None).await,
        refused(MAX_KEY_BYTES + 1, MAX_KEY_BYTES)
    );
    table.put(of(1), Some(of(limit_bytes - 1))).await.unwrap();
    let (_, mut follower) = open(&mock);
    assert_eq!(catch_up(&mut follower).await[&of(1)].len(), limit_bytes - 1);
    table.close(PATIENCE).await;
}

#[tokio::test]
async fn a_record_without_a_key_is_left_out() {
    let mock = cluster(1);
    let stranger: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", &mock.config.brokers)
        .create()
        .unwrap();
    let record: BaseRecord<'_, (), str> = BaseRecord::to(GROUPS).payload("no entry");
    stranger.send(record).unwrap();
    stranger.flush(PATIENCE).unwrap();
    let (table, _) = open(&mock);
    put(&table, "a", Some("1")).await;
    let (_, mut follower) = open(&mock);
    assert_eq!(
        catch_up(&mut follower).await,
        [(bytes("a"), bytes("1"))].into()
    );
    table.close(PATIENCE).await;
}

#[tokio::test]
async fn a_table_shows_no_gauges_of_the_samples_queue() {
    let recorder = metrics_util::debugging::DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let mock = cluster(1);
    let opened = ::metrics::with_local_recorder(&recorder, || Table::open(&mock.config, GROUPS));
    drop(opened.unwrap());
    assert!(snapshotter.snapshot().into_vec().is_empty());
}
