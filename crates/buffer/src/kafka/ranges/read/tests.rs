//! What it means that reading came to a partition's end.

use rdkafka::config::FromClientConfigAndContext as _;

use super::*;
use crate::kafka::table::context;
use crate::kafka::tests::{Mock, PATIENCE, TOPIC};

fn range(next: i64, to: i64) -> Progress {
    Progress {
        next,
        to: Some(to),
        ..Progress::default()
    }
}

#[test]
fn a_range_whose_rest_has_expired_says_so_before_it_ends() {
    let mut rest = range(3, 10);
    assert_eq!(rest.expire(12, i64::MAX), Some((3, 10)));
    assert_eq!(rest.at_end(12), AtEnd::Ended);
    assert_eq!(rest.expire(12, i64::MAX), None, "once");

    let mut part = range(3, 10);
    assert_eq!(part.expire(7, i64::MAX), Some((3, 7)));
    assert_eq!(part.at_end(12), AtEnd::Again);
    assert_eq!(range(3, 10).expire(3, i64::MAX), None);
}

#[test]
fn what_has_expired_ends_at_the_record_behind_it() {
    assert_eq!(range(3, 10).expire(12, 6), Some((3, 6)));
    assert_eq!(range(3, 10).expire(5, 6), Some((3, 5)));
    assert_eq!(range(3, 10).expire(2, 6), None);
}

#[test]
fn a_range_ends_once_all_of_it_was_there_before_it_was_fetched() {
    assert_eq!(range(8, 10).at_end(9), AtEnd::Later);
    assert_eq!(range(8, 10).at_end(10), AtEnd::Again);
    let complete = Progress {
        is_complete: true,
        ..range(8, 10)
    };
    assert_eq!(complete.at_end(10), AtEnd::Ended);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_since_the_end_was_reached_is_fetched_before_a_range_ends() {
    let mock = Mock::new(1);
    let producer = mock.producer();
    mock.publish(&producer, "up", 0..10).await;
    let consumer = Consumer::from_config_and_context(&mock.config.follower(), context()).unwrap();
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(TOPIC, 0, Offset::Beginning)
        .unwrap();
    consumer.assign(&list).unwrap();
    let started = std::time::Instant::now();
    let poll = || {
        assert!(started.elapsed() < PATIENCE);
        consumer.poll(POLL)
    };
    while !matches!(poll(), Some(Err(KafkaError::PartitionEOF(0)))) {}

    // As if the end had been reached when there were eight.
    let mut reading = Reading {
        consumer: &consumer,
        topic: TOPIC,
        ranges: BTreeMap::from([(0, range(8, 10))]),
        held: None,
    };
    let mut batch = Batch::default();
    reading.at_end(0, &mut batch).unwrap();
    assert!(batch.into_pieces().is_empty(), "not yet");
    let mut offsets = Vec::new();
    loop {
        assert!(started.elapsed() < PATIENCE);
        for piece in reading.poll() {
            match piece.unwrap() {
                Piece::Records(records) => {
                    offsets.extend(records.iter().map(|record| record.offset));
                }
                Piece::Ended { .. } => {
                    assert_eq!(offsets, [8, 9]);
                    return;
                }
                Piece::Expired { .. } => panic!("nothing expires here"),
            }
        }
    }
}
