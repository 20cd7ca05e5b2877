//! The frontier against a model that keeps everything in a list.

use proptest::prelude::*;

use super::*;

#[test]
fn an_empty_record_is_done_at_once_unless_an_earlier_one_is_not() {
    let mut frontier = Frontier::new(10);
    assert!(frontier.begin(10, 0, 1, 100));
    assert_eq!(frontier.done(), 11);
    assert!(frontier.begin(11, 1, 2, 100));
    assert!(frontier.begin(12, 0, 3, 100));
    assert_eq!(frontier.done(), 11);
    assert_eq!(frontier.oldest_received_at_ms(), Some(2));
    frontier.finish(11, 1);
    assert_eq!((frontier.done(), frontier.weight()), (13, 0));
    assert_eq!(frontier.oldest_received_at_ms(), None);
}

#[test]
fn a_record_that_was_read_before_is_not_begun_again() {
    let mut frontier = Frontier::new(10);
    assert!(!frontier.begin(9, 1, 1, 100));
    assert!(frontier.begin(10, 1, 1, 100));
    assert!(!frontier.begin(10, 1, 1, 100));
    assert_eq!((frontier.done(), frontier.read()), (10, 11));
}

#[test]
fn expired_offsets_are_passed_once_everything_before_is_done() {
    let mut frontier = Frontier::new(10);
    assert!(frontier.begin(10, 2, 1, 100));
    frontier.skip_to(50);
    frontier.skip_to(20);
    assert_eq!((frontier.done(), frontier.read()), (10, 50));
    frontier.finish(10, 1);
    assert_eq!(frontier.done(), 10);
    frontier.finish(10, 1);
    assert_eq!(frontier.done(), 50);
}

#[test]
fn what_is_done_behind_one_that_is_not_still_weighs_its_entry() {
    let mut frontier = Frontier::new(0);
    for offset in 0..10 {
        assert!(frontier.begin(offset, 1, 1, 1000));
    }
    for offset in 1..10 {
        frontier.finish(offset, 1);
    }
    assert_eq!(frontier.weight(), 1000 + 10 * RECORD_BYTES);
    frontier.finish(0, 1);
    assert_eq!(frontier.weight(), 0);
}

/// Records as (gap before it, parts), and the order in which parts finish as random numbers.
fn script() -> impl Strategy<Value = (Vec<(i64, usize)>, Vec<usize>)> {
    let records = prop::collection::vec((0_i64..3, 0_usize..4), 1..30);
    (records, prop::collection::vec(any::<usize>(), 200))
}

proptest! {
    #[test]
    fn the_frontier_is_the_model((records, picks) in script()) {
        // The model: every record with its open parts in a plain list.
        let mut model: Vec<(i64, usize)> = Vec::new();
        let mut frontier = Frontier::new(100);
        let mut next = 100;
        let mut records = records.into_iter();
        for pick in picks {
            let open: Vec<usize> = (0..model.len()).filter(|&at| model[at].1 > 0).collect();
            if pick % 3 == 0 || open.is_empty() {
                let Some((gap, parts)) = records.next() else { break };
                let offset = next + gap;
                next = offset + 1;
                prop_assert!(frontier.begin(offset, parts, offset, 10));
                model.push((offset, parts));
            } else {
                let at = open[pick % open.len()];
                model[at].1 -= 1;
                frontier.finish(model[at].0, 1);
            }
            let first_open = model.iter().position(|(_, parts)| *parts > 0);
            let done = match first_open {
                Some(0) => 100,
                Some(at) => model[at - 1].0 + 1,
                None => next,
            };
            prop_assert_eq!(frontier.done(), done);
            prop_assert_eq!(frontier.read(), next);
            let oldest = first_open.map(|at| model[at].0);
            prop_assert_eq!(frontier.oldest_received_at_ms(), oldest);
            let held = first_open.map_or(0, |at| model.len() - at) * RECORD_BYTES;
            let open_bytes = 10 * model.iter().filter(|(_, parts)| *parts > 0).count();
            prop_assert_eq!(frontier.weight(), held + open_bytes);
        }
    }
}
