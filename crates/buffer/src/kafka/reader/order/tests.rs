//! Which records wait, and in which order they go on.

use std::collections::HashSet;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer as _, ThreadedProducer};
use service::clock::now_ms;

use super::{Order, Ordered, Seen};
use crate::kafka::Member;
use crate::kafka::barrier::{Barrier, HEADER};
use crate::kafka::reader::Reader;
use crate::kafka::reader::queue::tests::record;
use crate::kafka::tests::{Mock, PATIENCE, TOPIC};
use crate::{Consumed, Drain as _, DrainError, Event};

const SETTLED_MS: i64 = 1_700_000_000_000;

fn after(partitions: &[i32], settled_at_ms: i64) -> Barrier {
    Barrier {
        settled_at_ms,
        partitions: partitions.to_vec(),
    }
}

fn passes(order: &Order, partition: i32, offset: i64, barrier: Option<Barrier>) -> bool {
    let record = Consumed {
        received_at_ms: SETTLED_MS,
        ..record(partition, offset)
    };
    order.pass((record, barrier)).is_some()
}

fn offsets(records: &[Ordered]) -> Vec<(i32, i64)> {
    let place = |(record, _): &Ordered| (record.partition, record.offset);
    records.iter().map(place).collect()
}

#[test]
fn a_partition_waits_as_a_whole_and_goes_on_in_its_order() {
    let order = Order::new(Duration::from_secs(60));
    assert!(passes(&order, 3, 10, None));
    assert!(!passes(&order, 3, 11, Some(after(&[1], SETTLED_MS))));
    assert!(!passes(&order, 3, 12, None), "one behind it waits, too");
    assert!(passes(&order, 2, 5, None), "other partitions do not");
    assert_eq!(order.partitions(), [3]);
    let waits_for = after(&[1], SETTLED_MS);
    order.note(3, &waits_for, Ok(Seen::Until(vec![(1, 100)])));
    assert!(order.over().0.is_empty());
    order.note(3, &waits_for, Ok(Seen::Committed));
    let (records, partitions) = order.over();
    assert_eq!(offsets(&records), [(3, 11), (3, 12)]);
    assert_eq!(partitions, [3]);
    assert!(!order.is_any());
}

#[test]
fn what_was_waited_for_once_is_not_waited_for_again() {
    let order = Order::new(Duration::from_secs(60));
    assert!(!passes(&order, 3, 11, Some(after(&[1, 2], SETTLED_MS))));
    order.note(3, &after(&[1, 2], SETTLED_MS), Ok(Seen::Committed));
    order.over();
    assert!(passes(&order, 3, 12, Some(after(&[1], SETTLED_MS))));
    assert!(passes(&order, 4, 1, Some(after(&[2, 1], SETTLED_MS - 1))));
    assert!(
        !passes(&order, 4, 2, Some(after(&[1], SETTLED_MS + 1))),
        "a later change"
    );
    assert!(
        !passes(&order, 5, 2, Some(after(&[1, 7], SETTLED_MS))),
        "another partition"
    );
}

#[test]
fn the_order_is_given_up_when_patience_ends() {
    let order = Order::new(Duration::ZERO);
    assert!(!passes(&order, 3, 11, Some(after(&[1], SETTLED_MS))));
    order.note(3, &after(&[1], SETTLED_MS), Ok(Seen::TooEarly));
    assert_eq!(offsets(&order.over().0), [(3, 11)]);
    assert!(passes(&order, 3, 12, Some(after(&[1], SETTLED_MS))));
}

#[test]
fn a_partition_that_goes_takes_along_what_waits() {
    let order = Order::new(Duration::from_secs(60));
    assert!(!passes(&order, 3, 11, Some(after(&[1], SETTLED_MS))));
    order.forget(&HashSet::from([3]));
    order.note(3, &after(&[1], SETTLED_MS), Ok(Seen::Committed));
    let (records, partitions) = order.over();
    assert_eq!((offsets(&records), partitions), (Vec::new(), vec![3]));
}

#[test]
fn nobody_waits_for_itself_or_for_a_time_to_come() {
    let order = Order::new(Duration::from_secs(60));
    assert!(passes(&order, 3, 11, Some(after(&[3], SETTLED_MS))));
    assert!(passes(&order, 3, 12, Some(after(&[1], i64::MAX))));
    assert!(!order.is_any());
}

#[test]
fn what_was_found_for_one_barrier_says_nothing_about_another() {
    let order = Order::new(Duration::from_secs(60));
    assert!(!passes(&order, 3, 11, Some(after(&[1], SETTLED_MS))));
    // While Kafka is asked about it, the partition begins anew.
    order.forget(&HashSet::from([3]));
    let another = after(&[2], SETTLED_MS);
    assert!(!passes(&order, 3, 0, Some(another.clone())));
    order.note(3, &after(&[1], SETTLED_MS), Ok(Seen::Committed));
    assert_eq!(offsets(&order.over().0), []);
    assert_eq!(order.partitions(), [3]);
    order.note(3, &another, Ok(Seen::Committed));
    assert_eq!(offsets(&order.over().0), [(3, 0)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partition_that_the_topic_does_not_have_is_not_waited_for() {
    let mock = Mock::new(1);
    let producer: ThreadedProducer<DefaultProducerContext> = ClientConfig::new()
        .set("bootstrap.servers", &mock.config.brokers)
        .create()
        .unwrap();
    let foreign = format!("{} 99", now_ms() - 1000);
    let headers = OwnedHeaders::new().insert(Header {
        key: HEADER,
        value: Some(&foreign),
    });
    let record = BaseRecord::to(TOPIC).key("up").payload("1");
    let sent = producer.send(record.headers(headers));
    sent.map_err(|(error, _)| error).unwrap();
    producer.flush(PATIENCE).unwrap();

    // Its patience is an hour.
    let mut reader = Reader::new(
        &mock.config,
        &Member::of("order".to_owned()),
        Duration::from_secs(86_400),
    )
    .unwrap();
    let read = async {
        loop {
            match reader.next().await {
                Ok(Event::Records(records)) => return records.len(),
                Ok(_) | Err(DrainError::Unavailable(_)) => {}
                Err(error) => panic!("{error}"),
            }
        }
    };
    assert_eq!(tokio::time::timeout(PATIENCE, read).await, Ok(1));
    reader.close().await;
}
