//! Which series are active, and which are one too many.

use proptest::prelude::*;

use super::{ActiveSeries, Full, Limited};

const ROOM: usize = 1 << 20;

fn limited(scope: u64, limit: usize) -> Limited {
    Limited {
        scope,
        limit,
        is_named: false,
    }
}

#[test]
fn known_series_pass_and_new_ones_beyond_the_limit_do_not() {
    let mut active = ActiveSeries::default();
    let scopes = [limited(1, 3)];
    for series in 1..=3 {
        assert!(active.admit(series, &scopes, 0, ROOM).is_ok());
    }
    assert_eq!(active.admit(4, &scopes, 0, ROOM), Err((0, Full::Scope)));
    for series in 1..=3 {
        assert!(active.admit(series, &scopes, 0, ROOM).is_ok());
    }
    assert_eq!(active.active(1), 3);
}

#[test]
fn a_series_that_went_silent_makes_room_after_two_halves() {
    let mut active = ActiveSeries::default();
    let scopes = [limited(1, 2)];
    assert!(active.admit(1, &scopes, 0, ROOM).is_ok());
    assert!(active.admit(2, &scopes, 0, ROOM).is_ok());
    // In the next half both still count, whether they have come again or not.
    assert!(active.admit(1, &scopes, 1, ROOM).is_ok());
    assert_eq!(active.admit(3, &scopes, 1, ROOM), Err((0, Full::Scope)));
    assert!(active.admit(3, &scopes, 2, ROOM).is_ok(), "2 is gone");
    assert_eq!(active.admit(4, &scopes, 2, ROOM), Err((0, Full::Scope)));
    assert!(active.admit(4, &scopes, 9, ROOM).is_ok(), "all are gone");
    assert_eq!(active.active(1), 1);
}

#[test]
fn who_looked_at_the_clock_too_early_turns_nothing_back() {
    let mut active = ActiveSeries::default();
    let scopes = [limited(1, 2)];
    assert!(active.admit(1, &scopes, 7, ROOM).is_ok());
    assert!(active.admit(2, &scopes, 8, ROOM).is_ok());
    for half in [7, 0, 8] {
        assert!(active.admit(1, &scopes, half, ROOM).is_ok(), "{half}");
        assert!(active.admit(2, &scopes, half, ROOM).is_ok(), "{half}");
        let refused = active.admit(3, &scopes, half, ROOM);
        assert_eq!(refused, Err((0, Full::Scope)), "{half}");
    }
    assert_eq!(active.active(1), 2);
}

#[test]
fn what_is_refused_in_one_scope_takes_no_room_in_another() {
    let mut active = ActiveSeries::default();
    let (tenant, metric) = (limited(1, 10), limited(2, 1));
    assert!(active.admit(1, &[tenant, metric], 0, ROOM).is_ok());
    let refused = active.admit(2, &[tenant, metric], 0, ROOM);
    assert_eq!(refused, Err((1, Full::Scope)));
    assert_eq!(active.active(1), 1);
}

#[test]
fn scopes_without_end_take_a_bounded_memory_and_leave_named_ones_alone() {
    let mut active = ActiveSeries::default();
    let mut refused = 0;
    for scope in 10..20_000 {
        let admitted = active.admit(scope, &[limited(scope, 10)], 0, ROOM);
        refused += u64::from(admitted == Err((0, Full::Memory)));
    }
    assert!(refused > 10_000, "{refused}");
    assert!(active.bytes() < 2 * ROOM, "{}", active.bytes());
    let named = Limited {
        is_named: true,
        ..limited(1, 10)
    };
    assert!(active.admit(1, &[named], 0, ROOM).is_ok());
    // Once they are gone there is room again.
    assert!(active.admit(5, &[limited(5, 1)], 2, ROOM).is_ok());
}

proptest! {
    #[test]
    fn in_any_order_as_many_pass_as_there_is_room_for(
        mut series in prop::collection::vec(0_u64..50, 0..200),
        limit in 0_usize..60,
    ) {
        let mut active = ActiveSeries::default();
        let mut passed = std::collections::HashSet::new();
        for series in &series {
            let hash = series.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let is_known = passed.contains(series);
            match active.admit(hash, &[limited(1, limit)], 0, ROOM) {
                Ok(_) => drop(passed.insert(*series)),
                Err(_) => prop_assert!(!is_known, "a known one passes"),
            }
        }
        series.sort_unstable();
        series.dedup();
        prop_assert_eq!(passed.len(), limit.min(series.len()));
    }
}
