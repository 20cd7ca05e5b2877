//! Waiting for the end of a handover.

use std::time::Duration;

use super::wait_for;
use crate::Handover;
use crate::kafka::reader::positions::{Beginning, Position};

#[test]
fn a_handover_that_is_done_lets_go() {
    let (handover, end) = Handover::new();
    let ending = std::thread::spawn(move || handover.done());
    assert!(wait_for(end, Duration::from_secs(30)));
    ending.join().unwrap();
}

#[test]
fn a_handover_that_is_dropped_lets_go() {
    let (handover, end) = Handover::new();
    drop(handover);
    assert!(wait_for(end, Duration::from_secs(30)));
}

#[test]
fn a_handover_that_does_not_end_is_not_waited_for_forever() {
    let (_handover, end) = Handover::new();
    assert!(!wait_for(end, Duration::from_millis(20)));
}

fn check(committed: Option<i64>, start: Option<i64>, end: Option<i64>, expected: Beginning) {
    let position = Position {
        start,
        end,
        committed,
        ..Position::default()
    };
    assert_eq!(position.beginning(), expected, "{position:?}");
}

#[test]
fn reading_starts_where_the_group_was() {
    check(Some(7), Some(0), Some(9), Beginning::At(7));
    check(Some(9), Some(0), Some(9), Beginning::At(9));
    check(Some(7), None, None, Beginning::At(7));
}

#[test]
fn a_new_group_starts_at_the_earliest_record() {
    check(None, Some(3), Some(9), Beginning::At(3));
}

#[test]
fn what_expired_is_known_and_the_rest_is_read() {
    let beginning = Beginning::AfterExpired { from: 7, at: 30 };
    check(Some(7), Some(30), Some(90), beginning);
}

#[test]
fn a_commit_beyond_the_end_starts_at_the_earliest_record() {
    let beginning = Beginning::AfterTruncation {
        committed: 70,
        at: 0,
    };
    check(Some(70), Some(0), Some(9), beginning);
}

#[test]
fn an_unknown_position_is_not_made_up() {
    check(None, None, None, Beginning::Unknown);
}

#[test]
fn a_commit_of_a_log_that_is_not_there_any_more_starts_at_the_earliest_record() {
    let position = Position {
        start: Some(0),
        end: Some(90),
        committed: Some(70),
        is_of_another_log: true,
        ..Position::default()
    };
    let beginning = Beginning::AfterTruncation {
        committed: 70,
        at: 0,
    };
    assert_eq!(position.beginning(), beginning);
}
