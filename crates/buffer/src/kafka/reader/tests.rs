//! Readers of one group, against a Kafka inside the process.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use service::units::Size;

use super::Reader;
use crate::kafka::tests::{Mock, PATIENCE, record, tenant};
use crate::kafka::{Compression, Config, Member};
use crate::{Commit as _, Consumed, Drain as _, DrainError, Event, Handover, Publish as _, Record};

const DAY: Duration = Duration::from_secs(86_400);
const GROUP: &str = "sluice-main";

fn reader(config: &Config) -> Reader {
    Reader::new(config, &member(GROUP), DAY).unwrap()
}

fn member(group: &str) -> Member {
    Member {
        // This cluster waits for it at each rebalance, and for 3 s at the first.
        session_timeout: Duration::from_secs(10),
        ..Member::of(group)
    }
}

/// A member whose handovers are not waited for.
fn impatient(config: &Config) -> Reader {
    let member = Member {
        handover_timeout: Duration::from_millis(50),
        ..member(GROUP)
    };
    Reader::new(config, &member, DAY).unwrap()
}

/// What came out of a reader, with the promises about its order checked on the way.
#[derive(Default)]
struct Log {
    /// The next offset of each partition that is assigned.
    assigned: BTreeMap<i32, i64>,
    records: Vec<Consumed>,
    expired: Vec<(i32, i64, i64)>,
}

impl Log {
    /// Takes an event. A handover is the caller's.
    fn take(&mut self, event: Event) -> Option<(Vec<i32>, Handover)> {
        match event {
            Event::Assigned { partition, offset } => {
                let before = self.assigned.insert(partition, offset);
                assert_eq!(before, None, "partition {partition} was assigned twice");
            }
            Event::Records(records) => {
                assert!(!records.is_empty(), "an event without records");
                for record in records {
                    let next = self.assigned.get_mut(&record.partition);
                    let next = next.expect("records come after their assignment only");
                    assert_eq!(record.offset, *next, "partition {}", record.partition);
                    *next += 1;
                    self.records.push(record);
                }
            }
            Event::Revoked {
                partitions,
                handover,
            } => {
                self.end(&partitions);
                return Some((partitions, handover));
            }
            Event::Lost { partitions } => self.end(&partitions),
            Event::Expired {
                partition,
                from,
                to,
            } => {
                self.assigned.insert(partition, to);
                self.expired.push((partition, from, to));
            }
        }
        None
    }

    fn end(&mut self, partitions: &[i32]) {
        for partition in partitions {
            let before = self.assigned.remove(partition);
            assert!(before.is_some(), "{partition} was not assigned");
        }
    }

    /// Reads until this holds; handovers end at once.
    async fn read_until(&mut self, reader: &mut Reader, done: impl Fn(&Self) -> bool) {
        while !done(self) {
            let event = tokio::time::timeout(PATIENCE, reader.next()).await;
            match event.expect("the reader should go on") {
                Ok(event) => drop(self.take(event)),
                Err(DrainError::Unavailable(_)) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }

    async fn read(&mut self, reader: &mut Reader, count: usize) {
        self.read_until(reader, |log| log.records.len() >= count)
            .await;
    }

    fn values(&self) -> Vec<String> {
        self.records.iter().map(value).collect()
    }
}

fn value(record: &Consumed) -> String {
    String::from_utf8(record.value.to_vec()).unwrap()
}

fn numbers(numbers: std::ops::Range<i64>) -> Vec<String> {
    numbers.map(|number| number.to_string()).collect()
}

#[tokio::test]
async fn a_record_is_read_as_it_was_published() {
    let mock = Mock::new(1);
    let producer = mock.producer();
    let sent = Record {
        tenant: tenant("acme"),
        source: Some("web-01".into()),
        ..record("cpu", "1")
    };
    producer.publish(sent).await.unwrap();

    let mut reader = reader(&mock.config);
    let mut log = Log::default();
    log.read(&mut reader, 1).await;
    let read = log.records.remove(0);
    assert_eq!((read.partition, read.offset), (0, 0));
    assert_eq!(read.received_at_ms, 1_700_000_000_000);
    assert_eq!(read.key.as_deref(), Some(&b"cpu"[..]));
    assert_eq!(value(&read), "1");
    assert_eq!(read.content_type.as_deref(), Some(&b"application/json"[..]));
    assert_eq!(read.tenant.as_deref(), Some("acme"));
    assert_eq!(read.source.as_deref(), Some("web-01"));
    reader.close().await;
    producer.close().await;
}

#[tokio::test]
async fn a_second_reader_goes_on_where_the_first_committed() {
    let mock = Mock::new(1);
    let producer = mock.producer();
    mock.publish(&producer, "cpu", 0..10).await;

    let mut first = reader(&mock.config);
    let mut log = Log::default();
    log.read(&mut first, 10).await;
    first.committer().commit(vec![(0, 4)]).await.unwrap();
    let state = first.committer().state();
    assert_eq!(state.first().unwrap().committed, Some(4));
    first.close().await;

    let mut second = reader(&mock.config);
    let mut log = Log::default();
    log.read(&mut second, 6).await;
    assert_eq!(log.values(), numbers(4..10));
    second.close().await;
    producer.close().await;
}

#[tokio::test]
async fn readers_of_two_groups_do_not_know_of_each_other() {
    let mock = Mock::new(1);
    let producer = mock.producer();
    mock.publish(&producer, "cpu", 0..3).await;
    let mut one = reader(&mock.config);
    let mut two = Reader::new(&mock.config, &member("sluice-archive"), DAY).unwrap();
    let (mut log_one, mut log_two) = (Log::default(), Log::default());
    tokio::join!(log_one.read(&mut one, 3), log_two.read(&mut two, 3));
    one.committer().commit(vec![(0, 3)]).await.unwrap();
    two.committer().commit(vec![(0, 1)]).await.unwrap();
    assert_eq!(one.committer().state().first().unwrap().committed, Some(3));
    tokio::join!(one.close(), two.close());
    producer.close().await;
}

/// Keys that spread over all of four partitions.
async fn fill(mock: &Mock, producer: &crate::kafka::Producer, numbers: std::ops::Range<i64>) {
    for number in numbers {
        let key = format!("metric_{}", number % 16);
        mock.publish(producer, &key, number..number + 1).await;
    }
}

#[tokio::test]
async fn a_handover_that_takes_too_long_ends_without_its_holder_whose_commit_is_refused() {
    let mock = Mock::new(2);
    let producer = mock.producer();
    fill(&mock, &producer, 0..32).await;
    let mut first = impatient(&mock.config);
    let mut first_log = Log::default();
    first_log.read(&mut first, 32).await;

    let mut second = impatient(&mock.config);
    let mut second_log = Log::default();
    let mut kept = None;
    // The second one gets its partition although nobody ended the handover.
    while second_log.records.is_empty() {
        tokio::select! {
            event = first.next() => {
                if let Ok(event) = event
                    && let Some(revoked) = first_log.take(event)
                {
                    kept = Some(revoked);
                }
            }
            event = second.next() => drop(second_log.take(event.unwrap())),
            () = tokio::time::sleep(PATIENCE) => panic!("no partition moved"),
        }
    }
    let (partitions, _handover) = kept.unwrap();
    let moved = partitions[0];
    let kept = *first_log.assigned.keys().next().unwrap();
    let answer = first.committer().commit(vec![(moved, 1), (kept, 1)]).await;
    assert!(
        matches!(answer, Err(DrainError::NotOwned(partition)) if partition == moved),
        "{answer:?}"
    );
    // What is still ours was committed all the same.
    let state = first.committer().state();
    assert_eq!(state.len(), 1);
    assert_eq!(state[0].committed, Some(1));
    tokio::join!(first.close(), second.close());
    producer.close().await;
}

#[tokio::test]
async fn a_closed_reader_commits_nothing_and_says_so() {
    let mock = Mock::new(1);
    let producer = mock.producer();
    mock.publish(&producer, "cpu", 0..1).await;
    let mut reader = reader(&mock.config);
    let mut log = Log::default();
    log.read(&mut reader, 1).await;
    let committer = reader.committer();
    reader.close().await;
    let answer = committer.commit(vec![(0, 1)]).await;
    assert!(matches!(answer, Err(DrainError::NotOwned(0))), "{answer:?}");
    producer.close().await;
}

#[tokio::test]
async fn a_paused_reader_keeps_its_partitions_and_goes_on_without_a_gap() {
    let mock = Mock::new(1);
    let producer = mock.producer();
    mock.publish(&producer, "cpu", 0..10).await;
    let mut reader = reader(&mock.config);
    let mut log = Log::default();
    log.read(&mut reader, 10).await;

    reader.pause(true);
    mock.publish(&producer, "cpu", 10..20).await;
    // Longer than the session timeout: without heartbeats and polls the partition would be lost.
    let nothing = tokio::time::timeout(Duration::from_secs(6), reader.next()).await;
    assert!(nothing.is_err(), "{nothing:?}");
    reader.committer().commit(vec![(0, 10)]).await.unwrap();

    reader.pause(false);
    log.read(&mut reader, 20).await;
    assert_eq!(log.values(), numbers(0..20));
    reader.close().await;
    producer.close().await;
}

#[tokio::test]
async fn more_than_the_read_ahead_is_read_in_order_and_once() {
    let mut mock = Mock::new(1);
    mock.config.read_ahead = Size::mib(1);
    let producer = mock.producer();
    // The cluster in the process keeps 5 MB.
    let padding = "x".repeat(10_000);
    let answers: Vec<_> = (0..400)
        .map(|number| producer.publish(record("cpu", &format!("{number} {padding}"))))
        .collect();
    for answer in answers {
        answer.await.unwrap();
    }
    let mut reader = reader(&mock.config);
    let mut log = Log::default();
    // Until it has stood still for so long that fetching is paused.
    log.read(&mut reader, 1).await;
    let paused = testkit::eventually(PATIENCE, || async {
        let is_paused = reader.shared.paused.load(Ordering::Relaxed);
        is_paused.then_some(()).ok_or("not paused")
    });
    paused.await;
    log.read(&mut reader, 400).await;
    let read: Vec<String> = log
        .values()
        .iter()
        .map(|value| value.split(' ').next().unwrap().to_owned())
        .collect();
    assert_eq!(read, numbers(0..400));
    reader.close().await;
    producer.close().await;
}

#[tokio::test]
async fn what_expired_while_nobody_read_is_told_and_the_earliest_is_next() {
    let mut mock = Mock::new(1);
    mock.config.compression = Compression::None;
    let producer = mock.producer();
    mock.publish(&producer, "cpu", 0..10).await;
    let mut first = reader(&mock.config);
    let mut log = Log::default();
    log.read(&mut first, 10).await;
    first.committer().commit(vec![(0, 4)]).await.unwrap();
    first.close().await;

    // The cluster in the process keeps 5 MB of a partition.
    let large = "x".repeat(900_000);
    for _ in 0..10 {
        producer.publish(record("cpu", &large)).await.unwrap();
    }
    let mut second = reader(&mock.config);
    let mut log = Log::default();
    log.read(&mut second, 1).await;
    let earliest = log.records[0].offset;
    assert!(earliest > 10, "{earliest}");
    assert_eq!(log.expired, [(0, 4, earliest)]);
    let end = i64::try_from(log.records.len()).unwrap() + earliest;
    assert!(end <= 20);
    second.close().await;
    producer.close().await;
}

#[tokio::test]
async fn a_commit_that_kafka_cannot_take_now_is_to_be_tried_again() {
    let mock = Mock::new(1);
    let producer = mock.producer();
    mock.publish(&producer, "cpu", 0..1).await;
    let mut reader = reader(&mock.config);
    let mut log = Log::default();
    log.read(&mut reader, 1).await;
    mock.cluster.request_errors(
        RDKafkaApiKey::OffsetCommit,
        &[RDKafkaRespErr::RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS],
    );
    let answer = reader.committer().commit(vec![(0, 1)]).await;
    assert!(
        matches!(answer, Err(DrainError::Unavailable(_))),
        "{answer:?}"
    );
    reader.committer().commit(vec![(0, 1)]).await.unwrap();
    reader.close().await;
    producer.close().await;
}

#[tokio::test]
async fn the_ends_of_partitions_are_known_without_reading_them() {
    let mock = Mock::new(1);
    let producer = mock.producer();
    mock.publish(&producer, "cpu", 0..10).await;
    let mut reader = reader(&mock.config);
    let mut log = Log::default();
    log.read(&mut reader, 1).await;
    reader.pause(true);
    mock.publish(&producer, "cpu", 10..30).await;
    let state = testkit::eventually(PATIENCE, || async {
        let state = reader.committer().state();
        match state.first() {
            Some(state) if state.end_offset == Some(30) => Ok(*state),
            _ => Err(state),
        }
    });
    let state = state.await;
    assert_eq!((state.start_offset, state.committed), (Some(0), None));
    reader.close().await;
    producer.close().await;
}

#[tokio::test]
async fn a_kafka_that_is_not_there_yet_is_waited_for() {
    let mock = Mock::new(1);
    let producer = mock.producer();
    mock.publish(&producer, "cpu", 0..1).await;
    mock.cluster.broker_down(-1).unwrap();
    let mut reader = reader(&mock.config);
    let down = tokio::time::timeout(PATIENCE, reader.next()).await.unwrap();
    assert!(matches!(down, Err(DrainError::Unavailable(_))), "{down:?}");
    mock.cluster.broker_up(-1).unwrap();
    let mut log = Log::default();
    log.read(&mut reader, 1).await;
    reader.close().await;
    producer.close().await;
}
