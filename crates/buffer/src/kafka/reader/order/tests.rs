//! Which records wait, and in which order they go on.

use std::collections::HashSet;
use std::time::Duration;

use super::{Order, Ordered, Seen};
use crate::kafka::barrier::Barrier;
use crate::kafka::reader::queue::tests::record;

const SETTLED_MS: i64 = 1_700_000_000_000;

fn after(partitions: &[i32], settled_at_ms: i64) -> Barrier {
    Barrier {
        settled_at_ms,
        partitions: partitions.to_vec(),
    }
}

fn passes(order: &Order, partition: i32, offset: i64, barrier: Option<Barrier>) -> bool {
    order.pass((record(partition, offset), barrier)).is_some()
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
    order.note(3, Ok(Seen::Until(vec![(1, 100)])));
    assert!(order.over().0.is_empty());
    order.note(3, Ok(Seen::Committed));
    let (records, partitions) = order.over();
    assert_eq!(offsets(&records), [(3, 11), (3, 12)]);
    assert_eq!(partitions, [3]);
    assert!(!order.is_any());
}

#[test]
fn what_was_waited_for_once_is_not_waited_for_again() {
    let order = Order::new(Duration::from_secs(60));
    assert!(!passes(&order, 3, 11, Some(after(&[1, 2], SETTLED_MS))));
    order.note(3, Ok(Seen::Committed));
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
    order.note(3, Ok(Seen::TooEarly));
    assert_eq!(offsets(&order.over().0), [(3, 11)]);
    assert!(passes(&order, 3, 12, Some(after(&[1], SETTLED_MS))));
}

#[test]
fn a_partition_that_goes_takes_along_what_waits() {
    let order = Order::new(Duration::from_secs(60));
    assert!(!passes(&order, 3, 11, Some(after(&[1], SETTLED_MS))));
    order.forget(&HashSet::from([3]));
    order.note(3, Ok(Seen::Committed));
    let (records, partitions) = order.over();
    assert_eq!((offsets(&records), partitions), (Vec::new(), vec![3]));
}
