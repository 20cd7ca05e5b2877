//! The spool over an upstream that fails as it is told, and a real log in a real folder.

mod backlog;
mod disk;
mod lanes;
mod order;
mod upstream;
mod way;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use futures::future::join_all;
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use model::ManualClock;
use service::health::Health;
use service::tasks::Tasks;
use service::units::{Period, Size};
use testkit::eventually;

use self::upstream::{Fake, Mood};
use super::backlog::Backlog;
use super::{Config, Place, Spooled};
use crate::{ContentType, Durability, Publish, PublishError, Record};

const NOW_MS: i64 = 1_700_000_000_000;
const PATIENCE: Duration = Duration::from_secs(60);

/// A folder in which a spool can be opened again and again.
struct Bench {
    // Deleted at the end.
    _root: tempfile::TempDir,
    place: Place,
    config: Config,
    health: Health,
    upstream: Arc<Fake>,
}

/// An open one.
struct Spool {
    spooled: Spooled<Fake>,
    tasks: Tasks,
}

impl Bench {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("spool");
        Self::at(dir, root)
    }

    fn at(dir: PathBuf, root: tempfile::TempDir) -> Self {
        Self {
            _root: root,
            place: Place {
                dir,
                retention: Duration::from_hours(24),
                window_bytes: 1 << 20,
                clock: Arc::new(ManualClock::new(NOW_MS)),
            },
            config: Config {
                after: Period::millis(50),
                ..Config::default()
            },
            health: Health::new(),
            upstream: Arc::new(Fake::default()),
        }
    }

    async fn open(&self) -> Spool {
        self.open_with(Backlog::default()).await
    }

    async fn open_with(&self, backlog: Backlog) -> Spool {
        let readiness = self.health.condition("buffer", "opening");
        let upstream = Arc::clone(&self.upstream);
        let (spooled, mut drainer) = Spooled::open(upstream, &self.config, &self.place, readiness)
            .await
            .unwrap();
        drainer.backlog = backlog;
        let tasks = Tasks::new();
        tasks.spawn("spool", drainer.run(tasks.stopping()));
        Spool { spooled, tasks }
    }
}

impl Spool {
    /// As at the end of a process.
    async fn close(self) {
        assert!(self.tasks.stop(PATIENCE).await.is_empty());
        self.spooled.close().await;
    }

    async fn publish(&self, key: &str, number: u64) -> Result<Durability, PublishError> {
        self.spooled.publish(record(key, number)).await
    }

    async fn drained(&self) {
        eventually(PATIENCE, async || {
            let shared = &self.spooled.0;
            match (
                shared.waiting_records(),
                shared.lanes.tripped(),
                shared.log.size_bytes(),
            ) {
                (0, 0, 0) => Ok(()),
                other => Err(other),
            }
        })
        .await;
    }
}

fn record(key: &str, number: u64) -> Record {
    Record {
        key: Bytes::copy_from_slice(key.as_bytes()),
        value: number.to_string().into(),
        content_type: ContentType::Json,
        tenant: Some(Arc::from("acme")),
        source: Some(Arc::from("web-01")),
        received_at_ms: NOW_MS - 1000,
        spread: crate::Spread::default(),
    }
}

fn number_of(record: &Record) -> u64 {
    std::str::from_utf8(&record.value).unwrap().parse().unwrap()
}

fn counters(snapshotter: &Snapshotter) -> BTreeMap<String, u64> {
    let mut counters = BTreeMap::new();
    for (key, _, _, value) in snapshotter.snapshot().into_vec() {
        if let DebugValue::Counter(value) = value {
            *counters.entry(key.key().name().to_owned()).or_default() += value;
        }
    }
    counters
}

#[tokio::test]
async fn what_the_upstream_confirms_never_touches_the_disk() {
    let bench = Bench::new();
    let spool = bench.open().await;
    for number in 0..20 {
        assert_eq!(spool.publish("cpu", number).await, Ok(Durability::Kafka));
    }
    assert_eq!(spool.spooled.log().end(), 0);
    assert_eq!(bench.upstream.numbers("cpu"), (0..20).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_the_upstream_does_not_take_is_spooled_and_arrives_later_in_order() {
    let bench = Bench::new();
    let spool = bench.open().await;
    bench.upstream.set(Mood::Failing);
    for number in 0..50 {
        assert_eq!(spool.publish("cpu", number).await, Ok(Durability::Spool));
        assert_eq!(spool.publish("mem", number).await, Ok(Durability::Spool));
    }
    bench.upstream.set(Mood::Fine);
    spool.drained().await;
    for key in ["cpu", "mem"] {
        assert_eq!(bench.upstream.numbers(key), (0..50).collect::<Vec<_>>());
    }
    assert_eq!(spool.publish("cpu", 50).await, Ok(Durability::Kafka));
    // As it was received, and from whom.
    let sent = record("cpu", 0);
    let found = bench.upstream.delivered().remove(0);
    assert_eq!(found.received_at_ms, sent.received_at_ms);
    assert_eq!(found.content_type, sent.content_type);
    assert_eq!((found.tenant, found.source), (sent.tenant, sent.source));
}

#[tokio::test]
async fn records_that_a_silent_upstream_confirms_late_are_not_sent_twice() {
    let bench = Bench::new();
    let spool = bench.open().await;
    bench.upstream.set(Mood::Silent);
    let answers = join_all((0..100).map(|number| spool.publish("cpu", number))).await;
    assert_eq!(answers, vec![Ok(Durability::Spool); 100]);
    // Tripped by now: the next ones are not even tried.
    assert_eq!(bench.upstream.held(), 100);
    assert_eq!(spool.publish("cpu", 100).await, Ok(Durability::Spool));
    assert_eq!(bench.upstream.held(), 100);

    bench.upstream.set(Mood::Fine);
    spool.drained().await;
    assert_eq!(bench.upstream.numbers("cpu"), (0..=100).collect::<Vec<_>>());
}

#[tokio::test]
async fn records_that_a_silent_upstream_gives_up_are_sent_again() {
    let bench = Bench::new();
    let spool = bench.open().await;
    bench.upstream.set(Mood::Silent);
    let answers = join_all((0..100).map(|number| spool.publish("cpu", number))).await;
    assert_eq!(answers, vec![Ok(Durability::Spool); 100]);
    bench.upstream.give_up();
    bench.upstream.set(Mood::Fine);
    spool.drained().await;
    assert_eq!(bench.upstream.numbers("cpu"), (0..100).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_part_that_is_down_holds_up_neither_the_records_nor_the_backlog_of_others() {
    let bench = Bench::new();
    let spool = bench.open().await;
    bench.upstream.set(Mood::Failing);
    for number in 0..20 {
        for key in ["a", "b", "c"] {
            assert_eq!(spool.publish(key, number).await, Ok(Durability::Spool));
        }
    }
    bench.upstream.set_part("b", Mood::Failing);
    bench.upstream.set(Mood::Fine);
    eventually(PATIENCE, async || {
        let found = ["a", "c"].map(|key| bench.upstream.numbers(key).len());
        if found == [20, 20] {
            Ok(())
        } else {
            Err(found)
        }
    })
    .await;
    eventually(PATIENCE, async || match spool.publish("a", 20).await {
        Ok(Durability::Kafka) => Ok(()),
        other => Err(other),
    })
    .await;
    assert_eq!(spool.publish("b", 20).await, Ok(Durability::Spool));
    assert!(bench.upstream.numbers("b").is_empty());

    bench.upstream.clear_parts();
    spool.drained().await;
    assert_eq!(bench.upstream.numbers("b"), (0..=20).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_record_that_can_never_be_taken_is_refused_at_once_and_not_spooled() {
    let bench = Bench::new();
    let spool = bench.open().await;
    let answer = spool.publish("poison", 1).await;
    assert!(
        matches!(answer, Err(PublishError::Refused(_))),
        "{answer:?}"
    );
    assert_eq!(spool.spooled.log().end(), 0);
}

#[tokio::test]
async fn a_spooled_record_that_is_refused_for_good_is_buried_and_holds_nothing_up() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let _recording = ::metrics::set_default_local_recorder(&recorder);
    let bench = Bench::new();
    let spool = bench.open().await;
    bench.upstream.set(Mood::Failing);
    for number in 0..10 {
        assert_eq!(spool.publish("cpu", number).await, Ok(Durability::Spool));
        assert_eq!(spool.publish("poison", number).await, Ok(Durability::Spool));
    }
    bench.upstream.set(Mood::Fine);
    spool.drained().await;
    assert_eq!(bench.upstream.numbers("cpu"), (0..10).collect::<Vec<_>>());
    let letters = spool.spooled.log().dead_letters(100).await.unwrap();
    let found: Vec<_> = letters
        .iter()
        .map(|letter| (&*letter.reason, &*letter.value))
        .collect();
    let expected: Vec<_> = (b'0'..=b'9')
        .map(|digit| ("refused_by_kafka", vec![digit]))
        .collect();
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!((found.0, found.1), (expected.0, &*expected.1));
    }
    let counters = counters(&snapshotter);
    assert_eq!(counters["sluice_spool_refused_records_total"], 10);
    assert_eq!(counters["sluice_spool_refused_samples_total"], 10);
}

#[tokio::test]
async fn what_waits_too_long_while_nothing_is_taken_is_given_up_and_counted() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let _recording = ::metrics::set_default_local_recorder(&recorder);
    let mut bench = Bench::new();
    // The records of this test are a second old.
    bench.config.max_age = Some(Period::millis(900));
    let spool = bench
        .open_with(Backlog::new(Duration::from_millis(500)))
        .await;
    bench.upstream.set(Mood::Failing);
    for number in 0..10 {
        assert_eq!(spool.publish("old", number).await, Ok(Durability::Spool));
    }
    eventually(PATIENCE, async || match spool.spooled.waiting_records() {
        0 => Ok(()),
        waiting => Err(waiting),
    })
    .await;
    let counters = counters(&snapshotter);
    assert_eq!(counters["sluice_spool_expired_records_total"], 10);
    assert_eq!(counters["sluice_spool_expired_samples_total"], 10);
    assert_eq!(bench.upstream.numbers("old"), Vec::<u64>::new());
}

#[tokio::test]
async fn old_records_are_delivered_all_the_same_when_the_upstream_takes_them() {
    let mut bench = Bench::new();
    let spool = bench.open().await;
    bench.upstream.set(Mood::Failing);
    for number in 0..10 {
        assert_eq!(spool.publish("old", number).await, Ok(Durability::Spool));
    }
    spool.close().await;
    bench.config.max_age = Some(Period::millis(900));
    bench.upstream.set(Mood::Fine);
    let spool = bench.open().await;
    spool.drained().await;
    assert_eq!(bench.upstream.numbers("old"), (0..10).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_full_spool_refuses_with_a_sentence_and_readiness_says_why() {
    let mut bench = Bench::new();
    bench.config.max_size = Size::mib(4);
    let spool = bench.open().await;
    let _condition = spool.spooled.upstream_condition("no broker answers");
    bench.upstream.set(Mood::Failing);
    let large = |number: u64| Record {
        value: Bytes::from(format!("{}{number}", "0".repeat(100_000))),
        ..record("large", 0)
    };
    let mut taken = Vec::new();
    let error = loop {
        let number = taken.len() as u64;
        match spool.spooled.publish(large(number)).await {
            Ok(durability) => {
                assert_eq!(durability, Durability::Spool);
                taken.push(number);
            }
            Err(error) => break error,
        }
    };
    let sentence = error.to_string();
    assert!(
        sentence.contains("the spool is full: 4MiB wait for it already (spool.max_size)"),
        "{sentence}"
    );
    assert!(taken.len() > 30, "{}", taken.len());
    eventually(PATIENCE, async || match bench.health.reasons().as_slice() {
        [("buffer", reason)] if reason.contains("it is full: 4MiB wait") => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;

    bench.upstream.set(Mood::Fine);
    spool.drained().await;
    assert_eq!(bench.upstream.numbers("large"), taken);
    eventually(PATIENCE, async || match bench.health.is_ready() {
        true => Ok(()),
        false => Err(bench.health.reasons()),
    })
    .await;
}

#[tokio::test]
async fn a_restart_sends_what_is_left() {
    let bench = Bench::new();
    let spool = bench.open().await;
    bench.upstream.set(Mood::Failing);
    for number in 0..100 {
        assert_eq!(spool.publish("cpu", number).await, Ok(Durability::Spool));
    }
    spool.close().await;
    bench.upstream.set(Mood::Fine);
    let spool = bench.open().await;
    spool.drained().await;
    assert_eq!(bench.upstream.numbers("cpu"), (0..100).collect::<Vec<_>>());
    spool.close().await;
    // And nothing again.
    let spool = bench.open().await;
    spool.drained().await;
    assert_eq!(bench.upstream.numbers("cpu").len(), 100);
}

#[tokio::test]
async fn finishing_waits_for_what_is_taken_and_keeps_the_rest() {
    let bench = Bench::new();
    let spool = bench.open().await;
    bench.upstream.set(Mood::Failing);
    for number in 0..100 {
        assert_eq!(spool.publish("cpu", number).await, Ok(Durability::Spool));
    }
    bench.upstream.set(Mood::Fine);
    assert_eq!(spool.spooled.flush(PATIENCE).await, 0);
    bench.upstream.set(Mood::Failing);
    assert_eq!(spool.publish("cpu", 100).await, Ok(Durability::Spool));
    // In vain, which is not waited for.
    assert_eq!(spool.spooled.flush(PATIENCE).await, 0);
    assert_eq!(spool.spooled.waiting_records(), 1);
}
