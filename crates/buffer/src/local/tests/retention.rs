//! Tests of what the log forgets, and whom it tells.

use super::*;
use crate::Commit;

const HOUR_MS: i64 = 3_600_000;

/// The answers to records of 1000 bytes.
async fn publish_all(
    log: &Log,
    numbers: std::ops::Range<u64>,
) -> Vec<Result<Durability, PublishError>> {
    let writer = log.writer();
    join_all(numbers.map(|number| writer.publish(record(number, 1000)))).await
}

#[tokio::test]
async fn records_expire_by_age_and_a_reader_that_had_not_read_them_is_told() {
    let bench = Bench::new();
    let log = bench.open();
    let mut reader = log.reader("main", Start::Cursor).await.unwrap();
    publish(&log, 0..10, 100).await;
    bench.clock.set(NOW_MS + 2 * HOUR_MS);
    publish(&log, 10..20, 100).await;

    bench.clock.set(NOW_MS + 24 * HOUR_MS);
    log.expire().await.unwrap();
    assert_eq!(reader.committer().state()[0].start_offset, Some(0));
    bench.clock.set(NOW_MS + 25 * HOUR_MS);
    log.expire().await.unwrap();

    reader.next().await.unwrap();
    let event = reader.next().await.unwrap();
    assert!(
        matches!(
            event,
            Event::Expired {
                partition: 0,
                from: 0,
                to: 10
            }
        ),
        "{event:?}"
    );
    assert_eq!(numbers(&mut reader).await, (10..20).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_clock_that_jumps_a_day_forward_and_back_loses_nothing() {
    let bench = Bench::new();
    let log = bench.open();
    let mut reader = log.reader("main", Start::Cursor).await.unwrap();
    publish(&log, 0..10, 100).await;
    bench.clock.jump(30 * HOUR_MS);
    log.expire().await.unwrap();
    publish(&log, 10..20, 100).await;
    bench.clock.jump(-30 * HOUR_MS);
    log.expire().await.unwrap();
    publish(&log, 20..30, 100).await;
    bench.clock.jump(-100 * HOUR_MS);
    log.expire().await.unwrap();
    publish(&log, 30..40, 100).await;
    reader.next().await.unwrap();
    let mut found = Vec::new();
    while found.len() < 40 {
        found.extend(numbers(&mut reader).await);
    }
    assert_eq!(found, (0..40).collect::<Vec<_>>());
    assert_eq!(reader.committer().state()[0].start_offset, Some(0));
}

#[tokio::test]
async fn a_clock_that_went_back_does_not_stop_records_from_expiring() {
    let bench = Bench::new();
    let log = bench.open();
    let reader = log.reader("main", Start::Cursor).await.unwrap();
    publish(&log, 0..10, 100).await;
    bench.clock.jump(-24 * HOUR_MS);
    bench.clock.set(bench.clock.now_ms() + 25 * HOUR_MS);
    publish(&log, 10..20, 100).await;
    log.expire().await.unwrap();
    assert_eq!(reader.committer().state()[0].start_offset, Some(10));
}

#[tokio::test]
async fn what_nobody_had_read_is_still_there_when_the_log_was_closed_for_days() {
    let bench = Bench::new();
    let log = bench.open();
    drop(log.reader("main", Start::Cursor).await.unwrap());
    publish(&log, 0..10, 100).await;
    log.close().await;
    bench.clock.set(NOW_MS + 72 * HOUR_MS);
    let log = bench.open();
    log.expire().await.unwrap();
    let mut reader = log.reader("main", Start::Cursor).await.unwrap();
    reader.next().await.unwrap();
    assert_eq!(numbers(&mut reader).await, (0..10).collect::<Vec<_>>());
    // From here on time goes by as ever.
    bench.clock.set(NOW_MS + 97 * HOUR_MS);
    log.expire().await.unwrap();
    assert_eq!(reader.committer().state()[0].start_offset, Some(10));
}

#[tokio::test]
async fn offsets_go_on_when_everything_has_expired_and_the_log_is_opened_again() {
    let bench = Bench::new();
    let log = bench.open();
    publish(&log, 0..200, 1000).await;
    bench.clock.set(NOW_MS + 48 * HOUR_MS);
    log.expire().await.unwrap();
    assert_eq!(log.size_bytes(), 0);
    for round in 0..2 {
        log.close().await;
        let log = bench.open();
        assert_eq!(log.size_bytes(), 0, "round {round}");
        let reader = log.reader("main", Start::Cursor).await.unwrap();
        let state = reader.committer().state()[0];
        assert_eq!(
            (state.start_offset, state.end_offset),
            (Some(200), Some(200))
        );
        drop(reader);
        log.close().await;
    }
    let log = bench.open();
    publish(&log, 200..210, 1000).await;
    let mut reader = log.reader("main", Start::Cursor).await.unwrap();
    assert_eq!(number_of(&read(&mut reader, 10).await[0]), 200);
}

#[tokio::test]
async fn the_disk_gets_back_what_expired() {
    let bench = Bench::new();
    let log = bench.open();
    publish(&log, 0..3000, 1000).await;
    let tables = || {
        let keyspaces = std::fs::read_dir(bench.dir.join("keyspaces")).unwrap();
        let files = keyspaces.flat_map(|keyspace| {
            let tables = keyspace.unwrap().path().join("tables");
            std::fs::read_dir(tables).into_iter().flatten()
        });
        files
            .map(|file| file.unwrap().metadata().unwrap().len())
            .sum::<u64>()
    };
    let full = testkit::eventually_blocking(Duration::from_secs(20), || {
        let full = tables();
        if full > 2_000_000 {
            Ok(full)
        } else {
            Err(full)
        }
    });
    bench.clock.set(NOW_MS + 48 * HOUR_MS);
    log.expire().await.unwrap();
    // Files go when the engine next turns over its memtable.
    let mut next = 3000;
    while tables() > full / 4 {
        assert!(next < 30_000, "{} of {full} bytes are left", tables());
        publish(&log, next..next + 100, 1000).await;
        log.expire().await.unwrap();
        next += 100;
        bench
            .clock
            .set(NOW_MS + (48 + i64::try_from(next).unwrap()) * HOUR_MS);
    }
}

#[tokio::test]
async fn a_full_log_refuses_rather_than_drop_what_somebody_has_not_read() {
    let mut bench = Bench::new();
    bench.config.max_size = Size(100_000);
    let log = bench.open();
    let mut reader = log.reader("main", Start::Cursor).await.unwrap();
    publish(&log, 0..90, 1000).await;
    let refused = publish_all(&log, 90..110).await;
    let taken = refused.iter().filter(|answer| answer.is_ok()).count();
    assert!((1..20).contains(&taken), "{taken}");
    let error = refused.last().unwrap().clone().unwrap_err();
    assert_eq!(
        error.to_string(),
        "the buffer is full: 100000B of records are kept, and a reader has not read the oldest of them"
    );
    assert!(!bench.health.is_ready());

    // What is read makes room, and only that.
    reader.committer().commit(vec![(0, 30)]).await.unwrap();
    assert!(bench.health.is_ready());
    publish(&log, 200..210, 1000).await;
    assert!(bench.health.is_ready());
    let state = reader.committer().state()[0];
    let start = state.start_offset.unwrap();
    assert!((1..=30).contains(&start), "{start}");
    reader.next().await.unwrap();
    let event = reader.next().await.unwrap();
    assert!(
        matches!(event, Event::Expired { from: 0, to, .. } if to == start),
        "this reader had committed 30 but read nothing: {event:?}"
    );
    let left = usize::try_from(state.end_offset.unwrap() - start).unwrap();
    assert_eq!(read(&mut reader, left).await.len(), left);
}

#[tokio::test]
async fn a_reader_that_will_not_come_back_can_be_forgotten_to_make_room() {
    let mut bench = Bench::new();
    bench.config.max_size = Size(100_000);
    let log = bench.open();
    drop(log.reader("old", Start::Cursor).await.unwrap());
    let new = log.reader("new", Start::Cursor).await.unwrap();
    publish(&log, 0..90, 1000).await;
    new.committer().commit(vec![(0, 90)]).await.unwrap();
    let answers = publish_all(&log, 90..110).await;
    assert!(answers.iter().any(Result::is_err));
    log.forget_reader("old").await.unwrap();
    publish(&log, 110..130, 1000).await;
}

#[tokio::test]
async fn the_bound_holds_however_much_is_written() {
    let mut bench = Bench::new();
    bench.config.max_size = Size(100_000);
    let log = bench.open();
    let committer = log.reader("main", Start::Cursor).await.unwrap().committer();
    let mut end = 0;
    for _ in 0..20 {
        publish(&log, end..end + 40, 1000).await;
        end += 40;
        committer
            .commit(vec![(0, i64::try_from(end).unwrap())])
            .await
            .unwrap();
        assert!(log.size_bytes() <= 100_000);
    }
    log.close().await;
    let again = bench.open();
    assert_eq!(again.size_bytes(), log.size_bytes());
}
