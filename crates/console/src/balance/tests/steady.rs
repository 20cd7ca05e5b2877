//! Ledgers of senders that never stop: a reading is always in the middle of something.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;

use super::{WHOLE, reading};
use crate::balance::Balances;
use crate::shapes::LedgerState::{self, Balanced, Missing, Repeated, Waiting};

/// Off by less than `most`, by no rule that one can see.
fn noise(second: u64, most: u64) -> u64 {
    let mixed = (second + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (mixed >> 33) % most.max(1)
}

/// What is shown each time, looking every so many seconds: `at` answers what came, what was read and how many records
/// were not.
fn states(
    seconds: u64,
    every: usize,
    at: impl Fn(u64) -> (u64, u64, f64),
) -> Vec<(u64, LedgerState)> {
    let mut balances = Balances::default();
    let start = Instant::now();
    balances.ledger(&reading(0, 0, 0, 0.0), WHOLE, start);
    (1..=seconds)
        .step_by(every)
        .map(|second| {
            let (accepted, consumed, unread) = at(second);
            let now = start + Duration::from_secs(second);
            let reading = reading(accepted, consumed, consumed, unread);
            (second, balances.ledger(&reading, WHOLE, now).state)
        })
        .collect()
}

fn after(states: &[(u64, LedgerState)], from: u64) -> BTreeSet<String> {
    let later = states.iter().filter(|(second, _)| *second >= from);
    later.map(|(_, state)| format!("{state:?}")).collect()
}

fn only(state: LedgerState) -> BTreeSet<String> {
    [format!("{state:?}")].into()
}

#[test]
fn a_healthy_pipeline_balances_again_and_again_and_never_says_that_it_lost_or_repeated() {
    for every in [1, 5] {
        // Mostly between two requests; else some is on its way, or is counted at the end before it is at the start.
        let shown = states(1800, every, |second| {
            let came = 1000 * second;
            match noise(second, 10) {
                0 => (came - noise(second, 40), came, 0.0),
                1..4 => (came, came - noise(second, 90), 0.0),
                _ => (came, came, 0.0),
            }
        });
        let bad = |state| matches!(state, Missing | Repeated);
        assert!(!shown.iter().any(|(_, state)| bad(*state)), "{shown:?}");
        for minute in shown.chunks(60 / every) {
            assert!(
                minute.iter().any(|(_, state)| *state == Balanced),
                "{minute:?}"
            );
        }
    }
}

#[test]
fn a_pipeline_that_is_never_empty_is_not_accused() {
    for every in [1, 5] {
        let shown = states(3600, every, |second| {
            (1000 * second, 1000 * second - 1 - noise(second, 300), 0.0)
        });
        assert_eq!(after(&shown, 20), only(Waiting), "every {every}");
    }
}

#[test]
fn more_traffic_is_more_on_its_way_and_no_loss() {
    let shown = states(600, 1, |second| {
        let rate = 1000 + 100 * second;
        let came = 1000 * second + 50 * second * second;
        (came, came - rate / 100, 0.0)
    });
    assert!(!after(&shown, 0).contains("Missing"), "{shown:?}");
}

#[test]
fn a_store_that_is_too_slow_waits() {
    let shown = states(600, 1, |second| (1000 * second, 900 * second, 7.0));
    assert_eq!(after(&shown, 20), only(Waiting));
}

#[test]
fn a_steady_loss_is_missing_within_a_minute_and_stays_so() {
    for (lost_per_second, on_the_way, every) in
        [(10, 50, 1), (30, 0, 1), (100, 90, 5), (1000, 0, 1)]
    {
        let shown = states(300, every, |second| {
            let lost = lost_per_second * second.saturating_sub(60);
            (
                1000 * second,
                1000 * second - lost - noise(second, on_the_way),
                0.0,
            )
        });
        assert_eq!(after(&shown, 125), only(Missing), "{lost_per_second} lost");
    }
}

#[test]
fn a_loss_larger_than_what_moves_is_missing_while_it_moves() {
    let shown = states(120, 1, |second| {
        let lost = if second > 30 { 5000 } else { 0 };
        (
            10_000 + 1000 * second,
            10_000 + 1000 * second - lost - noise(second, 50),
            0.0,
        )
    });
    assert_eq!(after(&shown, 50), only(Missing));
}

#[test]
fn a_repeat_larger_than_what_moves_is_repeated_while_it_moves() {
    let shown = states(120, 1, |second| {
        let twice = if second > 30 { 5000 } else { 0 };
        (
            1000 * second,
            1000 * second + twice - noise(second, 50),
            0.0,
        )
    });
    assert!(!after(&shown, 31).contains("Balanced"), "{shown:?}");
    assert_eq!(after(&shown, 50), only(Repeated));
}

#[test]
fn a_small_repeat_is_not_made_even_by_what_is_on_its_way() {
    // Thirty were read twice, and now and then as many are on their way.
    let shown = states(600, 1, |second| {
        let twice = if second > 30 { 30 } else { 0 };
        let on_the_way = if second % 7 == 0 { 30 } else { 0 };
        (1000 * second, 1000 * second + twice - on_the_way, 0.0)
    });
    assert!(!after(&shown, 46).contains("Balanced"), "{shown:?}");
}

#[test]
fn what_was_found_in_quiet_stays_when_samples_move_again() {
    for (off, state) in [(-30, Repeated), (30, Missing)] {
        let shown = states(300, 1, |second| {
            // Nothing moves for half a minute.
            let came = 1000 * (second.min(30) + second.saturating_sub(60));
            let off = if second > 10 { off } else { 0 };
            let consumed = came.saturating_add_signed(-off);
            (
                came,
                consumed + noise(second, 2) * u64::from(second > 60),
                0.0,
            )
        });
        assert_eq!(after(&shown, 50), only(state));
    }
}

#[test]
fn what_was_only_late_is_not_missing_for_ever() {
    let shown = states(120, 1, |second| {
        // Nothing is read for half a minute, and nothing comes; then both go on, and what was late is read.
        let came = 1000 * (second.min(10) + second.saturating_sub(40));
        let late = if (10..=40).contains(&second) { 500 } else { 0 };
        let on_the_way = if second > 40 { noise(second, 3) } else { 0 };
        (came, came - late - on_the_way, 0.0)
    });
    assert!(after(&shown, 30).contains("Missing"), "{shown:?}");
    assert!(!after(&shown, 60).contains("Missing"), "{shown:?}");
    assert!(after(&shown, 60).contains("Balanced"), "{shown:?}");
}
