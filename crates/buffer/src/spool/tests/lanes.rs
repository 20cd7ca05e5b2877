//! When a part is tripped, what is on its way goes to the spool in order, once.

use std::cell::RefCell;
use std::time::Duration;

use crate::spool::lanes::{Appending, Lanes};

use super::{number_of, record};

fn nowhere() -> Appending {
    Box::pin(std::future::ready(Ok(0)))
}

#[test]
fn what_is_on_its_way_is_copied_in_order_and_without_what_was_answered() {
    let lanes = Lanes::new();
    let numbers: Vec<u64> = (0..5)
        .map(|number| lanes.lock(3).enter(record("cpu", number)))
        .collect();
    assert!(lanes.lock(3).leave(numbers[1]).is_none());
    assert!(lanes.lock(3).leave(numbers[0]).is_none());

    let copied = RefCell::new(Vec::new());
    let copy = |record| {
        copied.borrow_mut().push(number_of(&record));
        nowhere()
    };
    let tripped = lanes.trip(3, numbers[3], copy);
    assert_eq!(*copied.borrow(), [2, 3, 4]);
    assert!(tripped.copy.is_some() && tripped.is_first);
    assert!(lanes.lock(3).is_tripped());
    assert!(!lanes.lock(4).is_tripped());

    // The others find their copies, by whatever happened to them.
    let tripped = lanes.trip(3, numbers[2], copy);
    assert!(tripped.copy.is_some() && !tripped.is_first);
    assert!(lanes.lock(3).leave(numbers[4]).is_some());
    assert_eq!(copied.borrow().len(), 3);
}

#[test]
fn a_failure_from_before_the_part_recovered_trips_it_no_more() {
    let lanes = Lanes::new();
    let first = lanes.lock(0).enter(record("cpu", 0));
    let second = lanes.lock(0).enter(record("cpu", 1));
    lanes.trip(0, first, |_| nowhere());
    assert!(lanes.close(0));
    assert!(!lanes.close(0));
    assert!(lanes.trip(0, second, |_| nowhere()).copy.is_some());
    assert!(!lanes.lock(0).is_tripped());
    assert_eq!(lanes.tripped(), 0);
}

#[tokio::test(start_paused = true)]
async fn without_a_spool_a_tripped_part_is_tried_now_and_then() {
    let lanes = Lanes::new();
    let pause = Duration::from_secs(1);
    assert!(lanes.lock(0).may_try(pause));
    assert!(!lanes.lock(0).may_try(pause));
    tokio::time::advance(pause).await;
    assert!(lanes.lock(0).may_try(pause));
}
