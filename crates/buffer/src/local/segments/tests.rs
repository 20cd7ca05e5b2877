//! Tests of the segments, against a list of every record.

use proptest::prelude::*;

use super::*;

fn added(bytes: u64, at_ms: i64) -> Added {
    Added {
        bytes,
        appended_ms: at_ms,
        received_ms: at_ms,
    }
}

fn filled(records: &[(u64, i64)]) -> Segments {
    let mut segments = Segments::new(0, [], 100, 1000);
    for &(bytes, at_ms) in records {
        segments.add(added(bytes, at_ms));
    }
    segments
}

#[test]
fn a_segment_closes_when_it_has_enough_bytes_or_is_old_enough() {
    let mut segments = Segments::new(7, [], 100, 1000);
    assert_eq!(segments.add(added(99, 10)), None);
    assert_eq!(segments.add(added(1, 20)), None);
    let by_size = segments.add(added(1, 30)).unwrap();
    assert_eq!((by_size.first, by_size.end, by_size.bytes), (7, 9, 100));
    let by_age = segments.add(added(1, 1030)).unwrap();
    assert_eq!((by_age.first, by_age.end, by_age.opened_ms), (9, 10, 30));
    assert_eq!(
        (segments.start(), segments.end(), segments.bytes()),
        (7, 11, 102)
    );
    assert_eq!(segments.oldest_ms(), Some(10));
}

#[test]
fn a_stored_segment_reads_back_as_it_was_and_nothing_else_does() {
    let mut segments = filled(&[(100, -5), (100, 8)]);
    let closed = segments.add(added(1, 9)).unwrap();
    assert_eq!(
        Segment::decode(closed.first, &closed.encode()),
        Some(closed)
    );
    assert_eq!(Segment::decode(0, &[0; 39]), None);
    assert_eq!(Segment::decode(0, &[0; 48]), None);
    // What no log writes, and nobody could add up.
    assert_eq!(Segment::decode(0, &[0; 40]), None);
    assert_eq!(Segment::decode(closed.end, &closed.encode()), None);
    assert_eq!(Segment::decode(0, &[0xff; 40]), None);
    let huge = Segment {
        bytes: u64::MAX,
        ..closed
    };
    assert_eq!(Segment::decode(huge.first, &huge.encode()), None);
}

#[test]
fn an_expired_segment_behind_a_younger_one_waits_for_it() {
    let segments = filled(&[(100, 5000), (100, 10), (100, 20)]);
    assert_eq!(segments.start_after_expiry(1000), 0);
    assert_eq!(segments.start_after_expiry(5001), 3);
}

#[test]
fn room_is_made_of_segments_that_everybody_has_read_alone() {
    let segments = filled(&[(100, 1), (100, 2), (100, 3), (10, 4)]);
    assert_eq!(segments.start_after_freeing(1, 4), 1);
    assert_eq!(segments.start_after_freeing(150, 4), 2);
    assert_eq!(segments.start_after_freeing(1000, 2), 2);
    assert_eq!(segments.start_after_freeing(1000, 4), 4);
    assert_eq!(segments.start_after_freeing(1000, 0), 0);
}

proptest! {
    #[test]
    fn segments_agree_with_a_list_of_all_records(
        steps in prop::collection::vec((0_u64..200, 0_i64..3000, 0_u8..8), 1..60),
    ) {
        let mut segments = Segments::new(0, [], 150, 1000);
        let mut all: Vec<(u64, i64)> = Vec::new();
        let mut stored = std::collections::BTreeMap::new();
        let mut start = 0_u64;
        let mut now_ms = 0;
        for (bytes, after_ms, action) in steps {
            now_ms += after_ms;
            if action < 6 {
                if let Some(closed) = segments.add(added(bytes, now_ms)) {
                    stored.insert(closed.first, closed);
                }
                all.push((bytes, now_ms));
            } else {
                let cutoff_ms = now_ms - 4000;
                let moved = if action == 6 {
                    segments.start_after_expiry(cutoff_ms)
                } else {
                    segments.start_after_freeing(300, (start + all.len() as u64) / 2)
                };
                prop_assert!(moved >= start);
                if action == 6 {
                    let kept = all.get(usize::try_from(start).unwrap()..usize::try_from(moved).unwrap());
                    prop_assert!(kept.unwrap().iter().all(|(_, at_ms)| *at_ms < cutoff_ms));
                }
                for first in segments.forget_below(moved) {
                    prop_assert!(stored.remove(&first).is_some());
                }
                start = moved;
            }
            let kept = &all[usize::try_from(start).unwrap()..];
            prop_assert_eq!(segments.start(), start);
            prop_assert_eq!(segments.end(), all.len() as u64);
            prop_assert_eq!(segments.bytes(), kept.iter().map(|(bytes, _)| bytes).sum::<u64>());
            prop_assert_eq!(segments.oldest_ms(), kept.first().map(|(_, at_ms)| *at_ms));
            let sought = now_ms - 2000;
            let exact = all.iter().position(|(_, at_ms)| *at_ms >= sought).unwrap_or(all.len()) as u64;
            prop_assert!(segments.locate(sought) <= exact.max(start));

            // What is stored, and the records after it, make the same segments again.
            let mut again = Segments::new(start, stored.values().copied(), 150, 1000);
            for (bytes, at_ms) in all.iter().skip(usize::try_from(again.end()).unwrap()) {
                again.extend(added(*bytes, *at_ms));
            }
            prop_assert_eq!(&again, &segments);
        }
    }
}
