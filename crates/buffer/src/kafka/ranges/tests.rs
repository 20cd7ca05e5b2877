//! Tests of reading ranges, against a Kafka inside the process.

use super::*;
use crate::kafka::tests::{Mock, PATIENCE, TOPIC};

/// What comes until this many ranges have ended: offsets by partition.
async fn read(reader: &mut RangeReader, mut ranges: usize) -> BTreeMap<i32, Vec<i64>> {
    let mut read: BTreeMap<i32, Vec<i64>> = BTreeMap::new();
    while ranges > 0 {
        let piece = tokio::time::timeout(PATIENCE, reader.next()).await;
        match piece.expect("a range ends").unwrap() {
            Piece::Records(records) => {
                for record in records {
                    read.entry(record.partition)
                        .or_default()
                        .push(record.offset);
                }
            }
            Piece::Ended { .. } => ranges -= 1,
            Piece::Expired { .. } => panic!("nothing expires here"),
        }
    }
    read
}

fn range(partition: i32, from: i64, to: Option<i64>) -> OffsetRange {
    OffsetRange {
        partition,
        from,
        to,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ranges_are_read_from_their_first_to_their_last_offset() {
    let mock = Mock::new(1);
    let producer = mock.producer();
    mock.publish(&producer, "up", 0..10).await;
    let ranges = Ranges::of(&mock.config, TOPIC);
    let bounds = ranges.bounds().await.unwrap();
    assert_eq!(
        bounds,
        [Bounds {
            partition: 0,
            start: 0,
            end: 10
        }]
    );
    let mut reader = ranges.read(&[range(0, 3, Some(7))]).unwrap();
    assert_eq!(read(&mut reader, 1).await[&0], [3, 4, 5, 6]);
    let mut reader = ranges.read(&[range(0, 8, Some(10))]).unwrap();
    assert_eq!(read(&mut reader, 1).await[&0], [8, 9]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_range_ends_at_once_and_one_without_an_end_goes_on() {
    let mock = Mock::new(2);
    let producer = mock.producer();
    let ranges = Ranges::of(&mock.config, TOPIC);
    let mut reader = ranges
        .read(&[range(0, 0, Some(0)), range(1, 0, Some(0))])
        .unwrap();
    assert_eq!(read(&mut reader, 2).await.len(), 0);

    let mut reader = ranges
        .read(&[range(0, 0, None), range(1, 0, None)])
        .unwrap();
    for round in 0..2 {
        mock.publish(&producer, "up", round..round + 1).await;
        let piece = tokio::time::timeout(PATIENCE, reader.next()).await;
        let piece = piece.expect("what is published comes").unwrap();
        assert!(
            matches!(&piece, Piece::Records(records) if records.len() == 1),
            "{piece:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_beyond_the_end_goes_on_with_what_is_written_next() {
    let mock = Mock::new(1);
    let producer = mock.producer();
    mock.publish(&producer, "up", 0..10).await;
    let ranges = Ranges::of(&mock.config, TOPIC);
    let mut reader = ranges.read(&[range(0, 8, Some(12))]).unwrap();
    let first = tokio::time::timeout(PATIENCE, reader.next()).await;
    let first = first.expect("what is there comes").unwrap();
    assert!(matches!(&first, Piece::Records(records) if records.len() == 2));
    mock.publish(&producer, "up", 10..13).await;
    assert_eq!(read(&mut reader, 1).await[&0], [10, 11]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_is_not_there_is_said_by_name() {
    let mock = Mock::new(1);
    let error = Ranges::of(&mock.config, "no.such-topic").bounds().await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("no.such-topic"), "{error}");
}
