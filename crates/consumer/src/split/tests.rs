//! Halves are the whole, and giving up needs evidence.

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::fake::{Place, Sample, record, samples_in};

/// Items of one record per entry, each series with so many samples.
fn items(records: &[Vec<usize>]) -> Vec<Item> {
    let mut items = Vec::new();
    for (offset, series) in (0..).zip(records) {
        let named: Vec<(String, Vec<i64>)> = (0..)
            .zip(series)
            .map(|(number, samples): (usize, &usize)| {
                let times = (0..).take(*samples).collect();
                (number.to_string(), times)
            })
            .collect();
        let named: Vec<(&str, &[i64])> = named
            .iter()
            .map(|(name, times)| (name.as_str(), times.as_slice()))
            .collect();
        let record = record(0, offset, &named);
        let block = codec::record::decode(record.content_type.as_deref(), &record.value).unwrap();
        let record = Arc::new(store::Record {
            block,
            source: store::Source {
                partition: 0,
                offset,
                received_at_ms: 0,
            },
            tenant: None,
            sender: None,
        });
        for (series, view) in (0..).zip(record.block.iter()) {
            items.push(Item {
                record: Arc::clone(&record),
                series,
                samples: 0..u32::try_from(view.points().len()).unwrap(),
            });
        }
    }
    items
}

fn samples(items: &[Item]) -> Vec<(Place, Sample)> {
    items.iter().flat_map(samples_in).collect()
}

#[test]
fn items_are_halved_before_samples() {
    let Halved::Halves(first, second) = halve(items(&[vec![5, 4, 3]]), false) else {
        panic!("not halved");
    };
    assert_eq!((first.len(), second.len()), (1, 2));
    let Halved::Halves(first, second) = halve(first, false) else {
        panic!("not halved");
    };
    assert_eq!(
        (first[0].samples.clone(), second[0].samples.clone()),
        (0..2, 2..5)
    );
}

#[test]
fn whole_records_are_halved_between_records_only() {
    let Halved::Halves(first, second) = halve(items(&[vec![1; 5], vec![1], vec![1]]), true) else {
        panic!("not halved");
    };
    assert_eq!((first.len(), second.len()), (5, 2));
    assert!(matches!(halve(first, true), Halved::Whole(items) if items.len() == 5));
}

#[test]
fn only_a_long_run_of_one_reason_gives_up_on_a_piece() {
    let mut run = Run::default();
    run.refused("old", 63);
    assert!(!run.gives_up_on("old", 2));
    run.refused("old", 1);
    assert!(run.gives_up_on("old", 16));
    assert!(!run.gives_up_on("old", 17));
    assert!(!run.gives_up_on("bad", 1));
    run.refused("bad", 1);
    assert!(!run.gives_up_on("old", 1));
    run.refused("bad", 100);
    run.broken();
    assert!(!run.gives_up_on("bad", 1));
    run.refused(TOO_LARGE, 1000);
    assert!(!run.gives_up_on(TOO_LARGE, 1));
}

proptest! {
    #[test]
    fn halves_are_the_whole_in_order(
        records in prop::collection::vec(prop::collection::vec(1_usize..6, 1..4), 1..5),
        whole_records: bool,
    ) {
        let items = items(&records);
        let all = samples(&items);
        match halve(items, whole_records) {
            Halved::Halves(first, second) => {
                prop_assert!(!first.is_empty() && !second.is_empty());
                let mut both = samples(&first);
                both.extend(samples(&second));
                prop_assert_eq!(both, all);
                if whole_records {
                    let offset = |item: &Item| item.source.offset;
                    let left: BTreeSet<i64> = first.iter().map(offset).collect();
                    let right: BTreeSet<i64> = second.iter().map(offset).collect();
                    prop_assert!(left.is_disjoint(&right));
                }
            }
            Halved::Whole(items) => {
                let records: BTreeSet<i64> = items.iter().map(|item| item.source.offset).collect();
                prop_assert_eq!(if whole_records { records.len() } else { all.len() }, 1);
                prop_assert_eq!(samples(&items), all);
            }
        }
    }
}
