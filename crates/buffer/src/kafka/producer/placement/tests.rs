//! Lanes are partitions, and a moved series waits for those that it was in.

use std::collections::BTreeMap;

use super::{before, chosen, of};
use crate::kafka::partition_for;
use crate::{Moved, Spread};

fn lane(lane: u32, moved: Option<(u32, u32)>) -> Spread {
    Spread {
        lane,
        moved: moved.map(|(was, over)| Moved {
            was,
            over,
            settled_at_ms: 1_700_000_000_000,
        }),
    }
}

#[test]
fn the_first_lane_is_where_every_client_puts_the_key() {
    for partitions in [1, 3, 64] {
        assert_eq!(chosen(b"up", lane(0, None), partitions), None);
        assert_eq!(
            of(b"up", lane(0, None), partitions),
            partition_for(b"up", partitions)
        );
    }
}

#[test]
fn lanes_are_different_partitions_as_long_as_there_are_enough() {
    let mut found: Vec<i32> = (0..8).map(|n| of(b"up", lane(n, None), 8)).collect();
    found.sort_unstable();
    assert_eq!(found, (0..8).collect::<Vec<_>>());
    assert!((0..64).all(|n| (0..3).contains(&of(b"up", lane(n, None), 3))));
}

#[test]
fn nothing_is_chosen_before_the_partitions_are_known() {
    assert_eq!(chosen(b"up", lane(3, None), 0), None);
    assert_eq!(before(b"up", lane(3, Some((1, 4))), 0), None);
}

#[test]
fn a_moved_series_waits_for_the_partitions_that_it_may_have_been_in() {
    let own = partition_for(b"up", 16);
    let at = |n: i32| (own + n) % 16;
    let wait = |spread| before(b"up", spread, 16).map(|barrier| barrier.partitions);
    assert_eq!(wait(lane(3, Some((1, 4)))), Some(vec![at(0)]));
    assert_eq!(wait(lane(0, Some((1, 4)))), None);
    assert_eq!(wait(lane(3, Some((2, 8)))), Some(vec![at(1)]));
    let mut shrunk = vec![at(3), at(5), at(7)];
    shrunk.sort_unstable();
    assert_eq!(wait(lane(1, Some((8, 2)))), Some(shrunk));
    // Where lanes share a partition, its own order is enough.
    assert_eq!(before(b"up", lane(1, Some((4, 2))), 2), None);
}

/// What waits for what at one change: partitions, by the one that waits.
fn waits(was: u32, over: u32, partitions: i32) -> BTreeMap<i32, Vec<i32>> {
    let mut waits: BTreeMap<i32, Vec<i32>> = BTreeMap::new();
    for n in 0..over {
        let spread = lane(n, Some((was, over)));
        if let Some(barrier) = before(b"up", spread, partitions) {
            let here = of(b"up", spread, partitions);
            waits.entry(here).or_default().extend(barrier.partitions);
        }
    }
    waits
}

#[test]
fn the_partitions_of_one_change_never_wait_in_a_circle() {
    let powers = [1, 2, 4, 8, 16, 32, 64, 128, 256];
    for partitions in (1..=40).chain([63, 64, 65, 100, 255, 256, 300]) {
        for was in powers {
            for over in powers {
                let mut waits = waits(was, over, partitions);
                // Whoever waits for nobody that waits goes on, until nobody is left.
                while !waits.is_empty() {
                    let waiting: Vec<i32> = waits.keys().copied().collect();
                    waits.retain(|_, before| before.iter().any(|n| waiting.contains(n)));
                    assert!(
                        waits.len() < waiting.len(),
                        "{was} to {over} in {partitions} partitions: {waits:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_series_that_moves_waits_for_its_old_partition_however_few_there_are() {
    let powers = [1, 2, 4, 8, 16, 64];
    for partitions in [1, 2, 3, 5, 6, 8, 12, 16, 100] {
        for (was, over) in powers
            .into_iter()
            .flat_map(|was| powers.map(|over| (was, over)))
        {
            for hash in 0..256 {
                let old = of(b"up", lane(hash % was, None), partitions);
                let spread = lane(hash % over, Some((was, over)));
                let new = of(b"up", spread, partitions);
                let waits = before(b"up", spread, partitions);
                let waits = waits.is_some_and(|barrier| barrier.partitions.contains(&old));
                assert_eq!(waits, old != new, "{was} to {over} of {partitions}: {hash}");
            }
        }
    }
}

#[test]
fn a_spread_has_no_more_lanes_than_a_power_of_two_that_there_are_partitions_for() {
    // With all of 16 lanes, the first partition would have waited for the third, and the third for the first.
    let six = |was, over| before(b"up", lane(6, Some((was, over))), 6);
    assert_eq!(of(b"up", lane(6, None), 6), of(b"up", lane(2, None), 6));
    assert_eq!(six(4, 16), None);
    assert_eq!(six(16, 4), None);
    let source = of(b"up", lane(0, None), 6);
    assert_eq!(
        six(2, 16).map(|barrier| barrier.partitions),
        Some(vec![source])
    );
}
