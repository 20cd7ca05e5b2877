//! Tests of the tables on a real directory.

use std::collections::BTreeMap;

use super::*;
use crate::local::{Follower, Table};
use crate::{Change, DrainError, Follow as _, MAX_KEY_BYTES, Table as _};

pub(super) fn text(bytes: &Bytes) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

pub(super) async fn put(table: &Table, key: &str, value: Option<&str>) {
    let copied = |text: &str| Bytes::copy_from_slice(text.as_bytes());
    table.put(copied(key), value.map(copied)).await.unwrap();
}

/// Follows until it is told that it caught up.
pub(super) async fn catch_up(follower: &mut Follower) -> BTreeMap<String, String> {
    let mut entries = BTreeMap::new();
    loop {
        match follower.next().await.unwrap() {
            Change::Put { key, value } => entries.insert(text(&key), text(&value)),
            Change::Deleted { key } => entries.remove(&text(&key)),
            Change::CaughtUp => return entries,
        };
    }
}

fn entries(expected: &[(&str, &str)]) -> BTreeMap<String, String> {
    expected
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

#[tokio::test]
async fn what_was_put_is_told_in_order_and_is_there_after_a_restart() {
    let bench = Bench::new();
    let log = bench.open();
    let (table, mut follower) = log.table("groups").unwrap();
    assert_eq!(follower.next().await.unwrap(), Change::CaughtUp);
    for number in 0..100 {
        put(&table, "a", Some(&number.to_string())).await;
        let expected = Bytes::from(number.to_string());
        match follower.next().await.unwrap() {
            Change::Put { key, value } => assert_eq!((text(&key), value), ("a".into(), expected)),
            other => panic!("{other:?}"),
        }
    }
    put(&table, "b", Some("")).await;
    put(&table, "c", Some("gone soon")).await;
    put(&table, "c", None).await;
    put(&table, "", Some("the empty key")).await;
    log.close().await;

    let log = bench.open();
    let (_, mut follower) = log.table("groups").unwrap();
    assert_eq!(
        catch_up(&mut follower).await,
        entries(&[("", "the empty key"), ("a", "99"), ("b", "")])
    );
}

#[tokio::test]
async fn every_handle_sees_what_the_others_put_and_tables_are_apart() {
    let bench = Bench::new();
    let log = bench.open();
    let (one, _) = log.table("groups").unwrap();
    let (_, mut follower) = log.clone().table("groups").unwrap();
    let (other, mut of_other) = log.table("group").unwrap();
    put(&other, "sa", Some("other")).await;
    put(&one, "a", Some("1")).await;
    assert_eq!(catch_up(&mut follower).await, entries(&[]));
    assert_eq!(
        follower.next().await.unwrap(),
        Change::Put {
            key: Bytes::from_static(b"a"),
            value: Bytes::from_static(b"1")
        }
    );
    put(&one, "a", None).await;
    assert_eq!(
        follower.next().await.unwrap(),
        Change::Deleted {
            key: Bytes::from_static(b"a")
        }
    );
    assert_eq!(catch_up(&mut of_other).await, entries(&[]));
    drop((follower, of_other));
    let (_, mut late) = log.table("group").unwrap();
    assert_eq!(catch_up(&mut late).await, entries(&[("sa", "other")]));
}

#[tokio::test]
async fn puts_of_one_key_keep_the_order_of_the_calls_also_in_one_write() {
    let bench = Bench::new();
    let log = bench.open();
    let (table, mut follower) = log.table("groups").unwrap();
    let before = log.fsyncs();
    let answers: Vec<_> = (0..1000)
        .map(|number: i32| {
            let value = (number % 3 != 1).then(|| Bytes::from(number.to_string()));
            table.put(Bytes::from_static(b"k"), value)
        })
        .collect();
    for answer in join_all(answers).await {
        answer.unwrap();
    }
    assert!(log.fsyncs() - before < 500, "puts share an fsync");
    let last = entries(&[("k", "999")]);
    catch_up(&mut follower).await;
    let mut seen = -1;
    while seen < 999 {
        match follower.next().await.unwrap() {
            Change::Put { value, .. } => {
                let number = text(&value).parse().unwrap();
                assert!(number > seen);
                seen = number;
            }
            Change::Deleted { .. } => {}
            Change::CaughtUp => panic!("told once"),
        }
    }
    log.close().await;
    let (_, mut follower) = bench.open().table("groups").unwrap();
    assert_eq!(catch_up(&mut follower).await, last);
}

#[tokio::test]
async fn tables_outlive_the_retention_and_do_not_count_as_records() {
    let bench = Bench::new();
    let log = bench.open();
    let (table, _) = log.table("groups").unwrap();
    put(&table, "a", Some(&"x".repeat(100_000))).await;
    assert_eq!(log.size_bytes(), 0);
    publish(&log, 0..10, 100).await;
    bench.clock.set(NOW_MS + 30 * 86_400_000);
    log.expire().await.unwrap();
    log.close().await;
    let log = bench.open();
    let (_, mut follower) = log.table("groups").unwrap();
    assert_eq!(catch_up(&mut follower).await["a"].len(), 100_000);
}

#[tokio::test]
async fn entries_that_are_too_large_are_refused_and_those_at_the_limit_are_not() {
    let bench = Bench::new();
    let log = bench.open();
    let (table, _) = log.table("groups").unwrap();
    let of = |bytes: usize| Bytes::from(vec![b'x'; bytes]);
    table.put(of(MAX_KEY_BYTES), None).await.unwrap();
    assert_eq!(
        table.put(of(MAX_KEY_BYTES + 1), None).await,
        Err(PublishError::TooLarge {
            size_bytes: MAX_KEY_BYTES + 1,
            limit_bytes: MAX_KEY_BYTES
        })
    );
    table
        .put(of(1), Some(of(MAX_RECORD_BYTES - 1)))
        .await
        .unwrap();
    assert_eq!(
        table.put(of(1), Some(of(MAX_RECORD_BYTES))).await,
        Err(PublishError::TooLarge {
            size_bytes: MAX_RECORD_BYTES + 1,
            limit_bytes: MAX_RECORD_BYTES
        })
    );
}

#[tokio::test]
async fn a_put_whose_future_is_dropped_is_written_all_the_same() {
    let bench = Bench::new();
    let log = bench.open();
    let (table, _) = log.table("groups").unwrap();
    drop(table.put(Bytes::from_static(b"a"), Some(Bytes::from_static(b"1"))));
    log.close().await;
    let (_, mut follower) = bench.open().table("groups").unwrap();
    assert_eq!(catch_up(&mut follower).await, entries(&[("a", "1")]));
}

#[tokio::test]
async fn a_closed_log_is_told_after_everything_else() {
    let bench = Bench::new();
    let log = bench.open();
    let (table, mut follower) = log.table("groups").unwrap();
    put(&table, "a", Some("1")).await;
    log.close().await;
    assert_eq!(
        table.put(Bytes::from_static(b"a"), None).await,
        Err(PublishError::Closed)
    );
    catch_up(&mut follower).await;
    assert!(matches!(follower.next().await, Ok(Change::Put { .. })));
    let error = follower.next().await.unwrap_err();
    assert!(matches!(error, DrainError::Fatal(_)), "{error}");
}

#[test]
fn a_name_that_cannot_be_stored_is_refused() {
    let bench = Bench::new();
    let log = bench.open();
    for name in [String::new(), "x".repeat(201)] {
        assert!(log.table(&name).is_err());
    }
    log.table(&"x".repeat(200)).unwrap();
}

#[tokio::test]
async fn the_last_put_of_each_key_counts_after_memory_was_flushed_many_times() {
    let bench = Bench::new();
    let log = bench.open();
    let (table, _) = log.table("groups").unwrap();
    // Fifty times what fits into a memtable of this test.
    for number in 0..640_u64 {
        let key = Bytes::from(format!("key {}", number % 8));
        let answer = table.put(key, Some(value(number, 5_000))).await;
        answer.unwrap();
    }
    log.close().await;
    let log = bench.open();
    let (_, mut follower) = log.table("groups").unwrap();
    let mut keys = 0;
    while let Change::Put { value: found, .. } = follower.next().await.unwrap() {
        let number = u64::from_be_bytes(*found.first_chunk().unwrap());
        assert!(number >= 632, "{number} is not the last of its key");
        keys += 1;
    }
    assert_eq!(keys, 8);
}
