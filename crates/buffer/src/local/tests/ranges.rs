//! Tests of reading ranges of the embedded log.

use super::*;
use crate::local::{PARTITION, RangeReader};
use crate::{OffsetRange, Piece, ReadRanges as _};

async fn offsets(reader: &mut RangeReader) -> Vec<i64> {
    let mut offsets = Vec::new();
    loop {
        match reader.next().await.unwrap() {
            Piece::Records(records) => offsets.extend(records.iter().map(|record| record.offset)),
            Piece::Ended { .. } => return offsets,
            Piece::Expired { from, to, .. } => panic!("{from}..{to} has not expired"),
        }
    }
}

fn range(from: i64, to: Option<i64>) -> OffsetRange {
    OffsetRange {
        partition: PARTITION,
        from,
        to,
    }
}

#[tokio::test]
async fn a_range_is_read_from_its_first_to_its_last_offset_and_holds_nothing_back() {
    let bench = Bench::new();
    let log = bench.open();
    publish(&log, 0..10, 10).await;
    assert_eq!((log.bounds().start, log.bounds().end), (0, 10));
    let mut reader = log.read(range(3, Some(7))).await.unwrap();
    assert_eq!(offsets(&mut reader).await, [3, 4, 5, 6]);
    let mut reader = log.read(range(5, Some(5))).await.unwrap();
    assert_eq!(offsets(&mut reader).await, [0_i64; 0]);
    assert_eq!(log.readers(), []);
}
