//! Where batches are cut.

use std::sync::Arc;
use std::time::Duration;

use store::Source;

use super::*;
use crate::fake::record;

const BATCHING: Batching = Batching {
    max_samples: 4,
    max_bytes: 1000,
    max_age: Duration::from_secs(5),
};

/// Records by how many series they have, one sample each, one byte each.
fn lane(records: &[usize]) -> LaneQueue {
    let mut lane = LaneQueue::default();
    for (offset, series) in (0..).zip(records) {
        let names: Vec<String> = (0..*series).map(|number| number.to_string()).collect();
        let series: Vec<(&str, &[i64])> = names
            .iter()
            .map(|name| (name.as_str(), &[1_i64] as &[i64]))
            .collect();
        let record = record(i32::from(offset % 2 == 1), offset, &series);
        let block = codec::record::decode(record.content_type.as_deref(), &record.value).unwrap();
        let picks: Vec<Pick> = (0..)
            .take(block.len())
            .map(|series| Pick {
                series,
                samples: 0..1,
            })
            .collect();
        let waiting = Waiting {
            record: Arc::new(Record {
                block,
                source: Source {
                    partition: record.partition,
                    offset,
                    received_at_ms: 0,
                },
                tenant: None,
                sender: None,
            }),
            foreign_key: None,
            item_bytes: 1,
            value_bytes: 0,
        };
        lane.push(waiting, &picks, Instant::now());
    }
    lane
}

#[test]
fn items_together_are_as_large_as_one_by_one() {
    for exemplars in [false, true] {
        let mut lane = lane(&[3]);
        let mut waiting = lane.shares.pop_front().unwrap().of;
        (waiting.item_bytes, waiting.value_bytes) = (100, 7);
        if exemplars {
            let record = Arc::get_mut(&mut waiting.record).unwrap();
            record.block = with_exemplars();
        }
        let picks = [(0, 0..2), (1, 0..0), (1, 3..8)];
        let picks = picks.map(|(series, samples)| Pick { series, samples });
        let bytes = picks.iter().map(|pick| waiting.bytes(pick)).sum();
        assert_eq!(waiting.size(&picks), (7, bytes));
    }
}

/// Two series, the second of which has two.
fn with_exemplars() -> model::Block {
    let mut builder = model::BlockBuilder::new();
    for text in ["", "__name__", "m"] {
        builder.symbol(text);
    }
    for exemplars in [0, 2] {
        builder.label_refs([1, 2]);
        for at_ms in 0..exemplars {
            builder.exemplar(at_ms, 1.0, [1, 2]);
        }
        builder.end_series();
    }
    builder.build().unwrap()
}

fn cuts(records: &[usize], whole_records: bool) -> Vec<Vec<i64>> {
    let mut lane = lane(records);
    let mut cuts = Vec::new();
    while !lane.is_empty() {
        let cut = lane.cut(&BATCHING, whole_records);
        assert_eq!(cut.samples, cut.items.len());
        let records = cut.records.iter();
        let counted: Vec<i64> = records
            .flat_map(|(of, count)| std::iter::repeat_n(of.record.source.offset, *count))
            .collect();
        let offsets: Vec<i64> = cut.items.iter().map(|item| item.source.offset).collect();
        assert_eq!(offsets, counted);
        cuts.push(offsets);
    }
    assert_eq!((lane.samples(), lane.bytes()), (0, 0));
    cuts
}

#[test]
fn a_batch_of_items_is_as_large_as_allowed() {
    assert_eq!(
        cuts(&[3, 3, 3], false),
        [vec![0, 0, 0, 1], vec![1, 1, 2, 2], vec![2]]
    );
}

#[test]
fn a_batch_of_records_never_splits_one() {
    assert_eq!(
        cuts(&[3, 1, 2, 6, 1], true),
        [vec![0, 0, 0, 1], vec![2, 2], vec![3; 6], vec![4]]
    );
}

#[test]
fn bytes_cut_like_samples() {
    let mut lane = lane(&[3]);
    let batching = Batching {
        max_bytes: 2,
        ..BATCHING
    };
    assert_eq!(lane.cut(&batching, false).items.len(), 2);
    assert_eq!(lane.cut(&batching, false).items.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_due_when_it_is_full_or_old() {
    let now = Instant::now();
    assert_eq!(LaneQueue::default().due(&BATCHING, now), None);
    assert_eq!(lane(&[3]).due(&BATCHING, now), Some(now + BATCHING.max_age));
    assert_eq!(lane(&[4]).due(&BATCHING, now), Some(now));
}

#[test]
fn items_of_revoked_partitions_go() {
    let mut lane = lane(&[3, 2, 1]);
    assert_eq!(lane.drop_partitions(|partition| partition == 0), 4);
    assert_eq!((lane.samples(), lane.bytes()), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn a_lane_is_behind_when_it_has_long_had_two_batches_and_its_first_item_waits() {
    let patience = Duration::from_millis(500);
    let (now, later) = (Instant::now(), Instant::now() + 2 * patience);
    let is_behind = |records: &[usize], batching: &Batching, noted: Instant| {
        let mut lane = lane(records);
        lane.note_crowd(batching, noted);
        lane.is_behind(patience, later)
    };
    assert!(!is_behind(&[7], &BATCHING, now));
    assert!(is_behind(&[8], &BATCHING, now));
    let small = Batching {
        max_samples: 100,
        max_bytes: 4,
        ..BATCHING
    };
    assert!(is_behind(&[3, 5], &small, now));
    // The crowd has only come: an item before it has waited for its age.
    assert!(!is_behind(&[8], &BATCHING, later));

    // Always full, and quick: the first item has only come.
    let mut quick = lane(&[8]);
    quick.note_crowd(&BATCHING, now);
    assert!(!quick.is_behind(patience, now));
    tokio::time::advance(2 * patience).await;
    let mut after = lane(&[8]);
    after.crowded_since = quick.crowded_since;
    after.note_crowd(&BATCHING, later);
    assert!(!after.is_behind(patience, later));

    // What is written makes it small.
    quick.cut(&BATCHING, false);
    quick.note_crowd(&BATCHING, later);
    assert_eq!(quick.crowded_since, None);
}

#[test]
fn what_is_taken_is_all_in_its_order() {
    let mut lane = lane(&[3, 2]);
    let taken: Vec<(i64, usize)> = lane
        .take()
        .map(|(of, picks, _)| (of.record.source.offset, picks.len()))
        .collect();
    assert_eq!(taken, [(0, 3), (1, 2)]);
    assert!(lane.is_empty());
    assert_eq!((lane.samples(), lane.bytes()), (0, 0));
}
