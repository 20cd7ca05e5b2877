//! Tests of cursors and of what a reader is told.

use super::*;
use crate::local::store::{Store, cursor_key};
use crate::{Commit, DrainError, PartitionState};

#[tokio::test]
async fn the_first_event_says_where_reading_starts() {
    let bench = Bench::new();
    let log = bench.open();
    publish(&log, 0..3, 10).await;
    let mut reader = log.reader("main", Start::Cursor).await.unwrap();
    assert_eq!((reader.source(), reader.retention()), ("local", RETENTION));
    let first = reader.next().await.unwrap();
    assert!(
        matches!(
            first,
            Event::Assigned {
                partition: 0,
                offset: 0
            }
        ),
        "{first:?}"
    );
    assert_eq!(numbers(&mut reader).await, [0, 1, 2]);
}

#[tokio::test]
async fn a_reader_goes_on_where_it_committed_also_after_the_log_was_opened_again() {
    let bench = Bench::new();
    let log = bench.open();
    publish(&log, 0..10, 10).await;
    let reader = log.reader("main", Start::Cursor).await.unwrap();
    reader.committer().commit(vec![(0, 4)]).await.unwrap();
    reader.close().await;
    let mut reader = log.reader("main", Start::Cursor).await.unwrap();
    assert_eq!(number_of(&read(&mut reader, 6).await[0]), 4);
    reader.committer().commit(vec![(0, 7)]).await.unwrap();
    drop(reader);
    log.close().await;

    let log = bench.open();
    assert_eq!(log.readers(), [(Arc::from("main"), 7)]);
    let mut reader = log.reader("main", Start::Cursor).await.unwrap();
    assert_eq!(
        reader.committer().state(),
        [PartitionState {
            partition: 0,
            start_offset: Some(0),
            end_offset: Some(10),
            committed: Some(7),
        }]
    );
    assert_eq!(number_of(&read(&mut reader, 3).await[0]), 7);
}

#[tokio::test]
async fn readers_do_not_know_of_each_other() {
    let bench = Bench::new();
    let log = bench.open();
    publish(&log, 0..5, 10).await;
    let mut fast = log.reader("fast", Start::Cursor).await.unwrap();
    let mut slow = log.reader("slow", Start::Cursor).await.unwrap();
    read(&mut fast, 5).await;
    fast.committer().commit(vec![(0, 5)]).await.unwrap();
    assert_eq!(number_of(&read(&mut slow, 5).await[0]), 0);
    assert_eq!(slow.committer().state()[0].committed, Some(0));
}

#[tokio::test]
async fn a_waiting_reader_is_woken_by_an_append() {
    let bench = Bench::new();
    let log = bench.open();
    let mut reader = log.reader("main", Start::Cursor).await.unwrap();
    reader.next().await.unwrap();
    let (numbers, ()) = tokio::join!(numbers(&mut reader), publish(&log, 0..1, 10));
    assert_eq!(numbers, [0]);
}

#[tokio::test]
async fn a_backlog_is_read_in_bounded_pieces() {
    let bench = Bench::new();
    let log = bench.open();
    publish(&log, 0..100, 1000).await;
    let mut reader = log.reader("main", Start::Cursor).await.unwrap();
    reader.next().await.unwrap();
    // The piece ends with the record that reaches `chunk_bytes`.
    assert_eq!(numbers(&mut reader).await, [0, 1]);
    assert_eq!(numbers(&mut reader).await, [2, 3]);
}

#[tokio::test]
async fn a_dropped_next_loses_nothing() {
    let bench = Bench::new();
    let log = bench.open();
    publish(&log, 0..50, 1000).await;
    let mut reader = log.reader("main", Start::Cursor).await.unwrap();
    reader.next().await.unwrap();
    let mut seen = Vec::new();
    for _ in 0..20 {
        tokio::select! {
            biased;
            numbers = numbers(&mut reader) => seen.extend(numbers),
            // It has begun to read on another thread, and is dropped.
            () = std::future::ready(()) => {}
        }
    }
    let rest = read(&mut reader, 50 - seen.len()).await;
    seen.extend(rest.iter().map(number_of));
    assert_eq!(seen, (0..50).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_paused_reader_gets_no_records_but_learns_what_expired() {
    let bench = Bench::new();
    let log = bench.open();
    publish(&log, 0..3, 10).await;
    let mut reader = log.reader("main", Start::Cursor).await.unwrap();
    reader.next().await.unwrap();
    reader.pause(true);
    let expire = async {
        bench.clock.set(NOW_MS + 90_000_000);
        log.expire().await.unwrap();
    };
    let (event, ()) = tokio::join!(reader.next(), expire);
    assert!(
        matches!(
            event,
            Ok(Event::Expired {
                partition: 0,
                from: 0,
                to: 3
            })
        ),
        "{event:?}"
    );
    publish(&log, 3..4, 10).await;
    reader.pause(false);
    assert_eq!(numbers(&mut reader).await, [3]);
}

#[tokio::test]
async fn a_reader_without_a_memory_starts_at_a_time_and_is_not_remembered() {
    let bench = Bench::new();
    let log = bench.open();
    let writer = log.writer();
    for number in 0..100_u64 {
        let mut record = record(number, 500);
        record.received_at_ms = NOW_MS + i64::try_from(number).unwrap() * 1000;
        writer.publish(record).await.unwrap();
    }
    for (at_ms, first) in [(0, 0), (NOW_MS + 41_500, 42), (NOW_MS + 99_000, 99)] {
        let mut reader = log.reader("window", Start::At(at_ms)).await.unwrap();
        let event = reader.next().await.unwrap();
        assert!(
            matches!(event, Event::Assigned { partition: 0, offset } if offset == first),
            "{event:?}"
        );
        let read = read(&mut reader, 1).await;
        assert_eq!(read[0].offset, first);
        reader.committer().commit(vec![(0, 100)]).await.unwrap();
        assert_eq!(reader.committer().state()[0].committed, None);
    }
    assert_eq!(log.readers(), []);
    let mut reader = log.reader("window", Start::At(i64::MAX)).await.unwrap();
    assert!(matches!(
        reader.next().await,
        Ok(Event::Assigned {
            partition: 0,
            offset: 100
        })
    ));
}

#[tokio::test]
async fn a_name_has_one_reader_at_a_time() {
    let bench = Bench::new();
    let log = bench.open();
    let reader = log.reader("main", Start::Cursor).await.unwrap();
    assert!(log.reader("main", Start::Cursor).await.is_err());
    assert!(log.forget_reader("main").await.is_err());
    drop(reader);
    drop(log.reader("main", Start::Cursor).await.unwrap());
    log.forget_reader("main").await.unwrap();
    assert_eq!(log.readers(), []);
    assert!(log.reader("", Start::Cursor).await.is_err());
}

#[tokio::test]
async fn a_commit_that_cannot_be_is_refused() {
    let bench = Bench::new();
    let log = bench.open();
    publish(&log, 0..3, 10).await;
    let committer = log.reader("main", Start::Cursor).await.unwrap().committer();
    let refused = |result: Result<(), DrainError>| result.unwrap_err().to_string();
    assert_eq!(
        refused(committer.commit(vec![(0, 4)]).await),
        "the buffer cannot be read: offset 4 cannot be committed, the log ends at 3"
    );
    assert_eq!(
        refused(committer.commit(vec![(0, -1)]).await),
        "the buffer cannot be read: offset -1 cannot be committed"
    );
    assert_eq!(
        refused(committer.commit(vec![(1, 0)]).await),
        "partition 1 is another reader's"
    );
    committer.commit(vec![(0, 3)]).await.unwrap();
}

#[tokio::test]
async fn a_reader_of_a_closed_log_is_told() {
    let bench = Bench::new();
    let log = bench.open();
    let mut reader = log.reader("main", Start::Cursor).await.unwrap();
    reader.next().await.unwrap();
    let (event, ()) = tokio::join!(reader.next(), log.close());
    assert!(matches!(event, Err(DrainError::Fatal(_))), "{event:?}");
    assert!(reader.committer().commit(vec![(0, 0)]).await.is_err());
}

#[tokio::test]
async fn a_reader_of_a_log_that_lost_its_end_reads_what_comes_next() {
    let bench = Bench::new();
    let log = bench.open();
    publish(&log, 0..3, 10).await;
    log.close().await;
    let (store, _) = Store::open(&bench.dir, &bench.tuning).unwrap();
    let mut batch = store.batch();
    batch.put(cursor_key("main"), &100_u64.to_be_bytes());
    store.write(batch).unwrap();
    store.sync().unwrap();
    drop(store);

    let log = bench.open();
    let mut reader = log.reader("main", Start::Cursor).await.unwrap();
    publish(&log, 3..5, 10).await;
    assert_eq!(number_of(&read(&mut reader, 2).await[0]), 3);
    assert_eq!(log.readers(), [(Arc::from("main"), 3)]);
}
