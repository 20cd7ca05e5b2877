//! Tests of the embedded log as a whole, on a real directory.

mod dead_letters;
mod disk_full;
mod kill;
mod model;
mod ranges;
mod readers;
mod retention;
mod tables;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ::model::{Clock, ManualClock};
use bytes::Bytes;
use futures::future::join_all;
use service::health::Health;
use service::units::Size;

use super::config::Tuning;
use super::{Config, Log, MAX_RECORD_BYTES, OpenError, Reader, Start};
use crate::{Consumed, ContentType, Drain, Durability, Event, Publish, PublishError, Record};

const NOW_MS: i64 = 1_700_000_000_000;
const RETENTION: Duration = Duration::from_hours(24);

/// A directory that can be opened again and again.
struct Bench {
    // Deleted at the end.
    _root: tempfile::TempDir,
    dir: PathBuf,
    clock: Arc<ManualClock>,
    health: Health,
    config: Config,
    tuning: Tuning,
}

impl Bench {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        Self {
            dir: root.path().join("log"),
            _root: root,
            clock: Arc::new(ManualClock::new(NOW_MS)),
            health: Health::new(),
            config: Config::default(),
            tuning: small_tuning(),
        }
    }

    fn try_open(&self) -> Result<Log, OpenError> {
        let clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(&self.clock);
        Log::open_tuned(
            &self.dir,
            &self.config,
            RETENTION,
            clock,
            self.health.condition("log", "not opened"),
            self.tuning,
        )
    }

    fn open(&self) -> Log {
        self.try_open().unwrap()
    }
}

/// So small that a test meets every boundary.
fn small_tuning() -> Tuning {
    Tuning {
        memtable_bytes: 64 << 10,
        segment_bytes: 4 << 10,
        segment_age_ms: 60_000,
        round_bytes: 64 << 10,
        chunk_bytes: 2 << 10,
        // Tests ask for it.
        pass_every: Duration::from_hours(1),
        reopen_after: Duration::from_millis(250),
    }
}

fn record(number: u64, value_bytes: usize) -> Record {
    Record {
        key: Bytes::from(format!("metric_{}", number % 7)),
        value: value(number, value_bytes),
        content_type: ContentType::RemoteWriteV2,
        tenant: (number % 2 == 1).then(|| Arc::from("acme")),
        source: (number % 3 == 1).then(|| Arc::from("web-01")),
        received_at_ms: NOW_MS,
        spread: crate::Spread::default(),
    }
}

/// Begins with its number and is unlike its neighbours.
fn value(number: u64, bytes: usize) -> Bytes {
    let mut value = number.to_be_bytes().to_vec();
    let mut state = number;
    while value.len() < bytes.max(8) {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        value.push(state.to_be_bytes()[0]);
    }
    Bytes::from(value)
}

fn number_of(record: &Consumed) -> u64 {
    u64::from_be_bytes(*record.value.first_chunk().unwrap())
}

async fn publish(log: &Log, numbers: std::ops::Range<u64>, value_bytes: usize) {
    let writer = log.writer();
    let answers = numbers.map(|number| writer.publish(record(number, value_bytes)));
    for answer in join_all(answers).await {
        answer.unwrap();
    }
}

/// The next event, which must be records: their numbers.
async fn numbers(reader: &mut Reader) -> Vec<u64> {
    match reader.next().await.unwrap() {
        Event::Records(records) => records.iter().map(number_of).collect(),
        other => panic!("records expected, got {other:?}"),
    }
}

/// Reads records until there are so many, and checks that they have consecutive offsets.
async fn read(reader: &mut Reader, count: usize) -> Vec<Consumed> {
    let mut all: Vec<Consumed> = Vec::new();
    while all.len() < count {
        match reader.next().await.unwrap() {
            Event::Records(records) => all.extend(records),
            Event::Assigned { partition: 0, .. } => {}
            other => panic!("records expected, got {other:?}"),
        }
    }
    for (earlier, later) in all.iter().zip(all.iter().skip(1)) {
        assert_eq!(earlier.offset + 1, later.offset);
    }
    all
}

#[tokio::test]
async fn what_was_acknowledged_is_read_in_order_with_all_that_it_had() {
    let bench = Bench::new();
    let log = bench.open();
    publish(&log, 0..300, 100).await;
    assert_eq!(log.writer().durability(), Durability::Local);
    let mut reader = log.reader("main", Start::Cursor).await.unwrap();
    let read = read(&mut reader, 300).await;
    for (number, consumed) in (0..).zip(&read) {
        let published = record(number, 100);
        assert_eq!(consumed.partition, 0);
        assert_eq!(consumed.offset, i64::try_from(number).unwrap());
        assert_eq!(consumed.key.as_ref(), Some(&published.key));
        assert_eq!(consumed.value, published.value);
        assert_eq!(consumed.tenant, published.tenant);
        assert_eq!(consumed.source, published.source);
        assert_eq!(consumed.received_at_ms, NOW_MS);
        assert_eq!(
            consumed.content_type.as_deref(),
            Some(published.content_type.as_str().as_bytes())
        );
    }
}

#[tokio::test]
async fn publishes_that_wait_together_share_an_fsync() {
    let bench = Bench::new();
    let log = bench.open();
    let before = log.fsyncs();
    publish(&log, 0..2000, 10).await;
    let fsyncs = log.fsyncs() - before;
    assert!(
        (1..200).contains(&fsyncs),
        "{fsyncs} fsyncs for 2000 records"
    );
}

#[tokio::test]
async fn a_publish_whose_future_is_dropped_is_written_all_the_same() {
    let bench = Bench::new();
    let log = bench.open();
    let writer = log.writer();
    drop(writer.publish(record(0, 10)));
    assert_eq!(writer.flush(Duration::from_secs(60)).await, 0);
    let mut reader = log.reader("main", Start::Cursor).await.unwrap();
    assert_eq!(number_of(&read(&mut reader, 1).await[0]), 0);
}

#[tokio::test]
async fn a_record_above_the_limit_is_refused_and_one_at_the_limit_is_not() {
    let bench = Bench::new();
    let log = bench.open();
    let mut large = record(0, MAX_RECORD_BYTES);
    large.key = Bytes::new();
    log.writer().publish(large.clone()).await.unwrap();
    large.key = Bytes::from_static(b"k");
    assert_eq!(
        log.writer().publish(large).await,
        Err(PublishError::TooLarge {
            size_bytes: MAX_RECORD_BYTES + 1,
            limit_bytes: MAX_RECORD_BYTES
        })
    );
}

#[tokio::test]
async fn a_queue_that_holds_its_bytes_asks_to_wait() {
    let mut bench = Bench::new();
    bench.config.max_queue = Size(64 << 10);
    let log = bench.open();
    let writer = log.writer();
    let answers: Vec<_> = (0..10_000)
        .map(|number| writer.publish(record(number, 10_000)))
        .collect();
    let answers = join_all(answers).await;
    let taken = answers.iter().filter(|answer| answer.is_ok()).count();
    assert!(taken > 0 && answers.contains(&Err(PublishError::QueueFull)));
    assert!(
        answers
            .iter()
            .all(|answer| answer.is_ok() || *answer == Err(PublishError::QueueFull))
    );
    // What was refused is not there, what was taken is.
    let mut reader = log.reader("main", Start::Cursor).await.unwrap();
    assert_eq!(read(&mut reader, taken).await.len(), taken);
    assert_eq!(log.queue_bytes(), 0);
}

#[tokio::test]
async fn a_log_is_the_same_after_it_was_closed_and_opened() {
    let bench = Bench::new();
    let log = bench.open();
    let id = log.id().to_owned();
    assert_eq!(id.len(), 32);
    publish(&log, 0..500, 300).await;
    log.close().await;
    assert_eq!(
        log.writer().publish(record(0, 10)).await,
        Err(PublishError::Closed)
    );

    let log = bench.open();
    assert_eq!(log.id(), id);
    publish(&log, 500..600, 300).await;
    let mut reader = log.reader("main", Start::Cursor).await.unwrap();
    let read = read(&mut reader, 600).await;
    assert_eq!(
        read.iter().map(number_of).collect::<Vec<_>>(),
        (0..600).collect::<Vec<_>>()
    );
    assert_ne!(Bench::new().open().id(), id);
}

#[tokio::test]
async fn a_second_log_on_a_directory_is_refused() {
    let bench = Bench::new();
    let log = bench.open();
    let error = bench.try_open().unwrap_err();
    assert!(matches!(error, OpenError::Locked { .. }), "{error}");
    log.close().await;
    bench.open();
}

#[test]
fn a_directory_with_other_files_is_left_alone() {
    let bench = Bench::new();
    std::fs::create_dir(&bench.dir).unwrap();
    std::fs::write(bench.dir.join("thesis.txt"), "precious").unwrap();
    let error = bench.try_open().unwrap_err();
    assert!(matches!(error, OpenError::NotALog { .. }), "{error}");
    assert!(bench.dir.join("thesis.txt").exists());
}

#[tokio::test]
async fn a_creation_that_was_interrupted_is_made_again() {
    let bench = Bench::new();
    let unfinished = bench.dir.with_file_name("log.creating");
    std::fs::create_dir_all(&unfinished).unwrap();
    std::fs::write(unfinished.join("0.jnl"), "torn").unwrap();
    let log = bench.open();
    publish(&log, 0..1, 10).await;
    assert!(!unfinished.exists());
}

#[tokio::test]
async fn a_torn_tail_of_the_journal_is_cut() {
    let bench = Bench::new();
    let log = bench.open();
    publish(&log, 0..20, 300).await;
    log.close().await;
    drop(log);
    // What a kill between two writes leaves: the beginning of an entry.
    let journal = bench.dir.join("0.jnl");
    let whole = std::fs::read(&journal).unwrap();
    let used = whole.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    let mut torn = whole[..used].to_vec();
    torn.extend_from_slice(&whole[..20]);
    std::fs::write(&journal, torn).unwrap();

    let log = bench.open();
    publish(&log, 20..40, 300).await;
    let mut reader = log.reader("main", Start::Cursor).await.unwrap();
    let read = read(&mut reader, 40).await;
    assert_eq!(
        read.iter().map(number_of).collect::<Vec<_>>(),
        (0..40).collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn readiness_follows_the_log() {
    let bench = Bench::new();
    let log = bench.open();
    assert!(bench.health.is_ready());
    log.close().await;
    assert_eq!(
        bench.health.reasons(),
        [("log", "the log is closed".to_owned())]
    );
}
