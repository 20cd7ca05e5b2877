//! A ledger through quiet and busy times, a restart, a repeat, and a loss.

mod steady;

use std::time::Duration;

use tokio::time::Instant;

use super::{Balances, Sides};
use crate::reading::{Lag, Reading, StoreReading};
use crate::shapes::{Ledger, LedgerState};

const WHOLE: Sides = Sides {
    gateway: true,
    stores: true,
    whole: true,
};

/// What came, and what of it was read, is written, and waits in so many records.
fn reading(accepted: u64, consumed: u64, written: u64, unread_records: f64) -> Reading {
    let lag = Lag {
        records: unread_records,
        unread_records,
        seconds: 0.0,
        headroom_s: 86_400.0,
    };
    let store = StoreReading {
        consumed,
        written,
        partitions: [(0, lag)].into(),
        ..StoreReading::default()
    };
    let mut reading = Reading::default();
    reading.received.insert("json".to_owned(), accepted);
    reading.accepted.insert("json".to_owned(), accepted);
    reading.stores.insert("main".to_owned(), store);
    reading
}

/// Looks once a second, and answers the last ledger.
fn looked(readings: impl IntoIterator<Item = Reading>) -> Ledger {
    let mut balances = Balances::default();
    let start = Instant::now();
    let mut last = None;
    for (second, reading) in (0..).zip(readings) {
        let now = start + Duration::from_secs(second);
        last = Some(balances.ledger(&reading, WHOLE, now));
    }
    last.unwrap()
}

fn check(readings: impl IntoIterator<Item = Reading>, state: LedgerState, difference: i64) {
    let ledger = looked(readings);
    let store = &ledger.stores.unwrap()[0];
    assert_eq!(
        (store.state, store.difference),
        (state, difference),
        "{store:?}"
    );
    assert_eq!(ledger.state, state);
}

fn quiet(reading: &Reading) -> impl Iterator<Item = Reading> {
    std::iter::repeat_n(reading.clone(), 30)
}

#[test]
fn what_came_and_is_written_balances() {
    let start = reading(0, 0, 0, 0.0);
    check(
        [start, reading(100, 100, 100, 0.0)],
        LedgerState::Balanced,
        0,
    );
}

#[test]
fn what_is_in_memory_balances_too() {
    let ledger = looked([reading(0, 0, 0, 0.0), reading(100, 100, 40, 0.0)]);
    assert_eq!(ledger.state, LedgerState::Balanced);
    assert_eq!(ledger.stores.unwrap()[0].in_memory, 60);
}

#[test]
fn what_was_read_and_is_neither_written_nor_in_memory_is_missing() {
    let start = [reading(0, 0, 0, 0.0)];
    let lost = reading(100, 100, 40, 0.0);
    check(
        start.clone().into_iter().chain(quiet(&lost)),
        LedgerState::Missing,
        60,
    );
    let mut held = lost;
    held.stores.get_mut("main").unwrap().memory_bytes = 4096.0;
    check(
        start.into_iter().chain(quiet(&held)),
        LedgerState::Balanced,
        0,
    );
}

#[test]
fn more_written_than_was_read_is_a_repeat() {
    let start = [reading(0, 0, 0, 0.0)];
    let twice = reading(100, 100, 110, 0.0);
    check(
        start.into_iter().chain(quiet(&twice)),
        LedgerState::Repeated,
        -10,
    );
}

#[test]
fn nothing_missing_is_no_balance_while_records_are_unread() {
    let start = [reading(0, 0, 0, 0.0)];
    let odd = reading(100, 100, 100, 2.0);
    check(
        start.into_iter().chain(quiet(&odd)),
        LedgerState::Waiting,
        0,
    );
}

#[test]
fn a_consumer_shows_what_it_lost_itself() {
    let sides = Sides {
        gateway: false,
        stores: true,
        whole: false,
    };
    let mut balances = Balances::default();
    let start = Instant::now();
    let states = (0..30).map(|second| {
        let now = start + Duration::from_secs(second);
        balances.ledger(&reading(0, 100, 95, 0.0), sides, now).state
    });
    let states: Vec<_> = states.collect();
    assert_eq!(states.first(), Some(&LedgerState::Partial));
    assert_eq!(states.last(), Some(&LedgerState::Missing));
}

#[test]
fn what_is_unread_waits_for_as_long_as_it_takes() {
    let behind = reading(100, 40, 40, 3.0);
    let start = [reading(0, 0, 0, 0.0)];
    check(
        start.into_iter().chain(quiet(&behind)),
        LedgerState::Waiting,
        0,
    );
}

#[test]
fn a_loss_shows_when_nothing_is_left_to_explain_it() {
    let lost = reading(100, 90, 90, 0.0);
    let start = [reading(0, 0, 0, 0.0)];
    check(
        start.into_iter().chain(quiet(&lost)),
        LedgerState::Missing,
        10,
    );
}

#[test]
fn a_reading_between_two_counters_is_no_loss() {
    let mut readings = vec![reading(0, 0, 0, 0.0)];
    // Every reading is off by some but one.
    for second in 1..40 {
        let accepted = second * 1000;
        let off = if second == 33 { 0 } else { second * 13 % 101 };
        readings.push(reading(accepted, accepted - off, accepted - off, 0.0));
    }
    check(readings, LedgerState::Balanced, 0);
}

#[test]
fn the_same_difference_again_and_again_is_not_made_even_by_one_reading() {
    let off = |second: u64| if second == 33 { 0 } else { 7 };
    let moving = (1..40).map(|second| {
        let consumed = second * 1000 - off(second);
        reading(second * 1000, consumed, consumed, 0.0)
    });
    let start = [reading(0, 0, 0, 0.0)];
    check(start.into_iter().chain(moving), LedgerState::Waiting, 0);
}

#[test]
fn what_was_left_by_the_process_before_is_carried_over() {
    let ledger = looked([
        reading(0, 0, 0, 5.0),
        reading(0, 30, 30, 2.0),
        reading(0, 50, 50, 0.0),
        reading(10, 60, 60, 0.0),
    ]);
    assert_eq!(ledger.state, LedgerState::Balanced);
    assert_eq!(ledger.stores.unwrap()[0].carried_over, Some(50));
}

#[test]
fn a_loss_after_a_restart_does_not_hide_in_what_was_carried_over() {
    let lost = reading(20, 65, 65, 0.0);
    let readings = [
        reading(0, 0, 0, 5.0),
        reading(0, 50, 50, 0.0),
        reading(10, 60, 60, 0.0),
        lost.clone(),
    ];
    let ledger = looked(readings.clone());
    assert_ne!(ledger.state, LedgerState::Balanced);
    assert_eq!(ledger.stores.unwrap()[0].carried_over, Some(50));
    check(
        readings.into_iter().chain(quiet(&lost)),
        LedgerState::Missing,
        5,
    );
}

#[test]
fn what_was_on_its_way_when_it_was_looked_at_was_carried_over_too() {
    let rest = reading(30, 80, 80, 0.0);
    let ledger = looked(
        [
            reading(0, 0, 0, 5.0),
            reading(10, 57, 57, 0.0),
            reading(20, 67, 67, 0.0),
        ]
        .into_iter()
        .chain(quiet(&rest)),
    );
    assert_eq!(ledger.state, LedgerState::Balanced);
    assert_eq!(ledger.stores.unwrap()[0].carried_over, Some(50));
}

#[test]
fn a_balance_needs_the_whole_of_what_was_carried_over() {
    let ledger = looked([reading(0, 0, 0, 5.0), reading(0, 30, 30, 2.0)]);
    let store = &ledger.stores.unwrap()[0];
    assert_eq!((store.state, store.unread), (LedgerState::Partial, None));
}

#[test]
fn what_is_read_twice_is_a_repeat_and_no_loss() {
    let twice = reading(100, 130, 130, 0.0);
    let start = [reading(0, 0, 0, 0.0), reading(100, 100, 100, 0.0)];
    check(
        start.into_iter().chain(quiet(&twice)),
        LedgerState::Repeated,
        -30,
    );
}

#[test]
fn each_role_has_its_side_and_says_who_has_the_other() {
    for (gateway, stores, word) in [(true, false, "consumers"), (false, true, "gateways")] {
        let sides = Sides {
            gateway,
            stores,
            whole: false,
        };
        let ledger = Balances::default().ledger(&reading(5, 5, 5, 0.0), sides, Instant::now());
        assert_eq!(ledger.gateway.is_some(), gateway);
        assert_eq!(ledger.stores.is_some(), stores);
        assert!(ledger.notes[0].contains(word), "{:?}", ledger.notes);
    }
}

#[test]
fn a_gateway_that_counts_wrong_is_seen() {
    let mut wrong = reading(100, 100, 100, 0.0);
    wrong.received.insert("otlp".to_owned(), 3);
    let start = [reading(0, 0, 0, 0.0)];
    let ledger = looked(start.into_iter().chain(quiet(&wrong)));
    let gateway = ledger.gateway.unwrap();
    assert_eq!(
        (gateway.state, gateway.difference),
        (LedgerState::Missing, 3)
    );
}
