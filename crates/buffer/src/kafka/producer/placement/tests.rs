//! Lanes are partitions, and a moved series waits for those that it was in.

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
