//! Ages that do not jump.

use super::{Aging, Clock as _, ManualClock};

const HOUR_MS: i64 = 3_600_000;
const NOW_MS: i64 = 1_700_000_000_000;

#[test]
fn ages_go_with_time_and_not_with_what_is_done_to_the_clock() {
    let clock = ManualClock::new(NOW_MS);
    let mut aging = Aging::new(None, &clock);
    let mut expected = NOW_MS;
    for (passes_ms, jumps_ms) in [
        (1, 0),
        (0, 0),
        (HOUR_MS, 24 * HOUR_MS),
        (HOUR_MS, -24 * HOUR_MS),
        (HOUR_MS, -24 * HOUR_MS),
        (0, 24 * HOUR_MS),
        (7, 0),
    ] {
        clock.jump(jumps_ms);
        clock.set(clock.now_ms() + passes_ms);
        expected += passes_ms;
        assert_eq!(aging.now_ms(&clock), expected);
    }
}

#[test]
fn time_that_a_process_was_away_for_makes_nothing_older() {
    let clock = ManualClock::new(NOW_MS);
    let mut aging = Aging::new(Some(NOW_MS - 72 * HOUR_MS), &clock);
    assert_eq!(aging.now_ms(&clock), NOW_MS - 72 * HOUR_MS);
}
