//! Tests of the dead letters.

use super::*;
use crate::{BuryDead, DeadLetter};

fn letter(number: i64, value_bytes: usize) -> DeadLetter {
    DeadLetter {
        key: Some(Bytes::from_static(b"up")),
        value: Bytes::from(vec![7; value_bytes]),
        content_type: None,
        tenant: None,
        source: None,
        reason: "out_of_order",
        message: "too late".to_owned(),
        source_topic: "local".to_owned(),
        source_partition: 0,
        source_offset: number,
        store: "main".to_owned(),
    }
}

async fn listed(log: &Log, limit: usize) -> Vec<i64> {
    let letters = log.dead_letters(limit).await.unwrap();
    letters.iter().map(|letter| letter.source_offset).collect()
}

#[tokio::test]
async fn dead_letters_are_kept_and_the_newest_listed() {
    let bench = Bench::new();
    let log = bench.open();
    assert!(listed(&log, 10).await.is_empty());
    for number in 0..5 {
        log.writer().bury(letter(number, 10)).await.unwrap();
    }
    log.close().await;
    let log = bench.open();
    assert_eq!(listed(&log, 3).await, [2, 3, 4]);
    let letters = log.dead_letters(1).await.unwrap();
    assert_eq!(letters[0].number, 4);
    assert_eq!(letters[0].buried_at_ms, NOW_MS);
    assert_eq!(letters[0].reason, "out_of_order");
    assert_eq!(letters[0].store, "main");
}

#[tokio::test]
async fn the_oldest_dead_letters_make_room_for_new_ones() {
    let mut bench = Bench::new();
    bench.config.dead_letters_max_size = Size(50_000);
    let log = bench.open();
    for number in 0..100 {
        log.writer().bury(letter(number, 1000)).await.unwrap();
    }
    let kept = listed(&log, 1000).await;
    assert_eq!(kept.last(), Some(&99));
    assert!((30..50).contains(&kept.len()), "{}", kept.len());
}

#[tokio::test]
async fn dead_letters_outlive_records_and_expire_by_their_own_age() {
    let bench = Bench::new();
    let log = bench.open();
    log.writer().bury(letter(0, 10)).await.unwrap();
    bench.clock.set(NOW_MS + 2 * 86_400_000);
    log.expire().await.unwrap();
    assert_eq!(listed(&log, 10).await, [0]);
    bench.clock.set(NOW_MS + 8 * 86_400_000);
    log.expire().await.unwrap();
    assert!(listed(&log, 10).await.is_empty());
    log.writer().bury(letter(1, 10)).await.unwrap();
    assert_eq!(listed(&log, 10).await, [1]);
}
