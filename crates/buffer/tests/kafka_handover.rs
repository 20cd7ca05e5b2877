//! Partitions that go from one member of a group to another, on a real Kafka: the cluster inside the process
//! takes no commits while members join, so that who is to let go may never be done.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests, helpers among them: a panic is the report"
)]

use std::collections::BTreeMap;
use std::time::Duration;

use buffer::kafka::{Committer, Config, Member, Producer, Reader};
use buffer::{
    Commit as _, ContentType, Drain as _, DrainError, Event, Handover, Publish as _, Record,
};
use testkit::kafka::unique;
use testkit::{Kafka, eventually};
use tokio::time::{Instant, timeout_at};

const DAY: Duration = Duration::from_secs(86_400);
const PATIENCE: Duration = Duration::from_secs(90);
const PARTITIONS: usize = 4;

fn record(number: i64) -> Record {
    Record {
        // Names that spread over all of the partitions.
        key: format!("metric_{}", number % 16).into(),
        value: number.to_string().into(),
        content_type: ContentType::Json,
        tenant: None,
        source: None,
        received_at_ms: service::clock::now_ms(),
        spread: buffer::Spread::default(),
    }
}

async fn publish(producer: &Producer, numbers: std::ops::Range<i64>) {
    let answers: Vec<_> = numbers
        .map(|number| producer.publish(record(number)))
        .collect();
    for answer in answers {
        answer.await.unwrap();
    }
}

/// What one member has read, and the next offset of each partition that it has.
#[derive(Default)]
struct Log {
    assigned: BTreeMap<i32, i64>,
    numbers: Vec<i64>,
}

impl Log {
    /// Takes an event. A handover is the caller's, with the offsets to commit before it.
    fn take(&mut self, event: Event) -> Option<(Vec<(i32, i64)>, Handover)> {
        match event {
            Event::Assigned { partition, offset } => {
                let before = self.assigned.insert(partition, offset);
                assert_eq!(before, None, "partition {partition} was assigned twice");
            }
            Event::Records(records) => {
                for record in records {
                    let next = self.assigned.get_mut(&record.partition).unwrap();
                    assert_eq!(record.offset, *next, "partition {}", record.partition);
                    *next += 1;
                    let number = std::str::from_utf8(&record.value).unwrap();
                    self.numbers.push(number.parse().unwrap());
                }
            }
            Event::Revoked {
                partitions,
                handover,
            } => {
                let offsets = partitions
                    .iter()
                    .map(|partition| (*partition, self.assigned.remove(partition).unwrap()));
                return Some((offsets.collect(), handover));
            }
            other => panic!("{other:?}"),
        }
        None
    }
}

/// Commits, however often a rebalance that is on its way asks for another try.
async fn commit(committer: &Committer, offsets: Vec<(i32, i64)>) {
    eventually(PATIENCE, async || {
        match committer.commit(offsets.clone()).await {
            Ok(()) => Ok(()),
            Err(DrainError::Unavailable(why)) => Err(why),
            Err(error) => panic!("{error}"),
        }
    })
    .await;
}

/// Waits for an event of either member. A passing error is none.
async fn next(readers: &mut [Reader; 2], deadline: Instant, doing: &str) -> (usize, Option<Event>) {
    let [first, second] = readers;
    let next = async {
        tokio::select! {
            event = first.next() => (0, event),
            event = second.next() => (1, event),
        }
    };
    let next = timeout_at(deadline, next).await;
    let (member, event) = next.unwrap_or_else(|_| panic!("too long: {doing}"));
    match event {
        Ok(event) => (member, Some(event)),
        Err(DrainError::Unavailable(_)) => (member, None),
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn partitions_are_handed_over_without_loss_and_without_a_double() {
    let config = Config {
        brokers: Kafka::shared().brokers(),
        topic: unique("handover"),
        partitions: i32::try_from(PARTITIONS).unwrap(),
        replication: 1,
        ..Config::default()
    };
    let producer = Producer::new(&config);
    producer.prepare(DAY).await.unwrap();
    publish(&producer, 0..100).await;

    let member = Member {
        handover_timeout: PATIENCE,
        ..Member::of(unique("handover"))
    };
    let deadline = Instant::now() + PATIENCE;
    let mut first = Reader::new(&config, &member, DAY).unwrap();
    let mut logs = [Log::default(), Log::default()];
    while logs[0].numbers.len() < 100 || logs[0].assigned.len() < PARTITIONS {
        let event = timeout_at(deadline, first.next()).await;
        if let Ok(event) = event.expect("the first reads everything") {
            assert!(logs[0].take(event).is_none(), "nobody else is there");
        }
    }

    // Nothing is committed yet: that is done when the second one is given its part, and for this part alone.
    let second = Reader::new(&config, &member, DAY).unwrap();
    let mut readers = [first, second];
    while logs[1].assigned.is_empty() {
        let doing = "partitions move";
        let (member, event) = next(&mut readers, deadline, doing).await;
        let Some(event) = event else { continue };
        if let Some((offsets, handover)) = logs[member].take(event) {
            assert_eq!(member, 0, "the second one has nothing to give");
            commit(&readers[0].committer(), offsets).await;
            handover.done();
        }
    }
    publish(&producer, 100..200).await;
    while logs[0].numbers.len() + logs[1].numbers.len() < 200
        || logs[0].assigned.len() + logs[1].assigned.len() < PARTITIONS
    {
        let doing = "everything is read by one of them";
        let (member, event) = next(&mut readers, deadline, doing).await;
        if let Some(event) = event {
            assert!(logs[member].take(event).is_none(), "nothing moves again");
        }
    }
    assert_eq!(
        logs.each_ref().map(|log| log.assigned.len()),
        [2, 2],
        "each has a half"
    );
    let mut numbers = logs.map(|log| log.numbers).concat();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..200).collect::<Vec<_>>(), "each record once");
    let [first, second] = readers;
    tokio::join!(first.close(), second.close());
    producer.close().await;
}
