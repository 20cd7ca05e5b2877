//! Who is spread, since when, and where a series is.

use std::time::Duration;

use codec::catalogue::Catalogue;
use foldhash::quality::RandomState;
use model::Batch;
use proptest::prelude::*;

use super::{Lanes, Plan, stable_hash};
use crate::config::{PartitionBy, PartitioningConfig};

const NOW_MS: i64 = 1_700_000_000_000;
const UNDER_WAY_MS: i64 = 12_000;

/// Settings in which these names are spread so.
pub(crate) fn config(spread: &[(&str, &str)]) -> PartitioningConfig {
    let spread = spread.iter();
    PartitioningConfig {
        spread: spread
            .map(|(name, spread)| ((*name).to_owned(), spread.parse().unwrap()))
            .collect(),
        ..PartitioningConfig::default()
    }
}

fn plan(spread: &[(&str, &str)]) -> Plan {
    Plan::of(&config(spread), Duration::from_secs(10))
}

/// How many, and what they were, are, and when that has settled.
type Seen = (u32, Option<(u32, u32, i64)>);

fn seen(lanes: Option<Lanes>) -> Option<Seen> {
    let moved = |lanes: Lanes| {
        let moved = lanes.moved?;
        Some((moved.was, moved.over, moved.settled_at_ms))
    };
    lanes.map(|lanes| (lanes.count, moved(lanes)))
}

#[test]
fn a_plain_number_is_in_force_from_the_start() {
    let plan = plan(&[("hot", "8"), ("one", "1")]);
    assert_eq!(seen(plan.lanes("hot", NOW_MS)), Some((8, None)));
    assert_eq!(plan.lanes("one", NOW_MS), None);
    assert_eq!(plan.lanes("other", NOW_MS), None);
    assert!(!plan.is_plain());
    assert!(Plan::default().is_plain());
}

#[test]
fn a_change_is_in_force_from_its_time_on_and_says_until_when_others_may_be_under_way() {
    let plan = plan(&[("hot", "1 to 8 from 2023-11-14T22:13:20Z")]);
    assert_eq!(plan.lanes("hot", NOW_MS - 1), None);
    let moved = Some((1, 8, NOW_MS + UNDER_WAY_MS));
    assert_eq!(seen(plan.lanes("hot", NOW_MS)), Some((8, moved)));
}

#[test]
fn a_change_without_a_time_is_one_of_now() {
    let before = plan(&[("hot", "2"), ("gone", "4"), ("same", "4")]);
    let next = before.next(
        &config(&[("hot", "8"), ("new", "2"), ("same", "4")]),
        NOW_MS,
    );
    let settled = NOW_MS + UNDER_WAY_MS;
    let lanes = |name: &str| seen(next.lanes(name, NOW_MS));
    assert_eq!(lanes("hot"), Some((8, Some((2, 8, settled)))));
    assert_eq!(lanes("gone"), Some((1, Some((4, 1, settled)))));
    assert_eq!(lanes("new"), Some((2, Some((1, 2, settled)))));
    assert_eq!(lanes("same"), Some((4, None)));
    // Reading the same settings again changes nothing.
    let again = next.next(
        &config(&[("hot", "8"), ("new", "2"), ("same", "4")]),
        NOW_MS + 60_000,
    );
    for name in ["hot", "gone", "new", "same"] {
        assert_eq!(
            seen(again.lanes(name, NOW_MS + 60_000)),
            lanes(name),
            "{name}"
        );
    }
}

#[test]
fn only_lanes_that_series_moved_to_have_something_before_them() {
    let plan = plan(&[("hot", "1 to 4 from 2023-11-14T22:13:20Z")]);
    let lanes = plan.lanes("hot", NOW_MS).unwrap();
    let has_moved = |hash| lanes.place(hash).moved.is_some();
    assert_eq!(
        [0, 1, 2, 3, 4].map(has_moved),
        [false, true, true, true, false]
    );
}

#[test]
fn every_series_is_by_itself_where_that_is_wanted() {
    let config = PartitioningConfig {
        by: PartitionBy::Series,
        ..config(&[("hot", "2")])
    };
    let plan = Plan::of(&config, Duration::ZERO);
    assert_eq!(seen(plan.lanes("hot", NOW_MS)), Some((2, None)));
    assert_eq!(seen(plan.lanes("other", NOW_MS)), Some((256, None)));
    assert!(!plan.is_plain());
}

fn hash_of(labels: &[(String, String)]) -> u64 {
    let mut batch = Batch::default();
    let from = batch.open_labels();
    for (name, value) in labels {
        batch.push_label(name.clone(), value.clone());
    }
    let series = batch.close_series("up", from);
    stable_hash(&batch, &Catalogue::new(0, RandomState::default()), series)
}

fn label(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

#[test]
fn the_hash_of_a_series_never_changes() {
    assert_eq!(hash_of(&[]), PINNED[0]);
    assert_eq!(
        hash_of(&[label("host", "web-01"), label("region", "us-east-1")]),
        PINNED[1]
    );
}

/// What deployed gateways make of them.
const PINNED: [u64; 2] = [14_374_147_212_387_527_897, 8_149_439_279_435_990_791];

proptest! {
    #[test]
    fn the_order_of_labels_does_not_matter(
        labels in prop::collection::btree_map("[a-z]{1,5}", "[a-z]{0,5}", 0..6),
        seed in any::<u64>(),
    ) {
        let mut labels: Vec<(String, String)> = labels.into_iter().collect();
        let hash = hash_of(&labels);
        let turn = usize::try_from(seed % 6).unwrap();
        if !labels.is_empty() {
            let turn = turn % labels.len();
            labels.rotate_left(turn);
        }
        prop_assert_eq!(hash_of(&labels), hash);
    }

    #[test]
    fn what_is_a_name_and_what_a_value_matters(a in "[a-z]{1,5}", b in "[a-z]{1,5}") {
        prop_assume!(a != b);
        prop_assert_ne!(hash_of(&[label(&a, &b)]), hash_of(&[label(&b, &a)]));
    }
}
