//! Lag, age and headroom at each position.

use super::*;

const DAY: Duration = Duration::from_secs(86_400);
const NOW_MS: i64 = 1_700_000_100_000;

fn position(done: i64, read: i64, end: Option<i64>) -> Position {
    Position {
        done,
        read,
        end,
        oldest_open_ms: None,
        last_read_ms: None,
    }
}

#[test]
fn caught_up_has_the_whole_retention_as_headroom() {
    let lag = Lag::of(&position(7, 7, Some(7)), NOW_MS, DAY);
    let expected = Lag {
        records: 0,
        unread_records: 0,
        seconds: 0.0,
        headroom_seconds: 86_400.0,
    };
    assert_eq!(lag, expected);
}

#[test]
fn the_oldest_record_without_a_write_counts() {
    let behind = Position {
        oldest_open_ms: Some(NOW_MS - 60_000),
        last_read_ms: Some(NOW_MS - 1_000),
        ..position(3, 7, Some(20))
    };
    let expected = Lag {
        records: 17,
        unread_records: 13,
        seconds: 60.0,
        headroom_seconds: 86_340.0,
    };
    assert_eq!(Lag::of(&behind, NOW_MS, DAY), expected);
}

#[test]
fn what_is_not_read_yet_is_at_most_as_old_as_the_last_one_read() {
    let behind = Position {
        last_read_ms: Some(NOW_MS - 5_000),
        ..position(7, 7, Some(9))
    };
    let lag = Lag::of(&behind, NOW_MS, DAY);
    assert_eq!(lag.records, 2);
    assert!((lag.seconds - 5.0).abs() < f64::EPSILON);
}

#[test]
fn an_unknown_age_is_not_a_number() {
    let lag = Lag::of(&position(7, 7, Some(9)), NOW_MS, DAY);
    assert!(lag.seconds.is_nan() && lag.headroom_seconds.is_nan());
}

#[test]
fn an_unknown_or_old_end_counts_what_was_read() {
    for end in [None, Some(5)] {
        assert_eq!(Lag::of(&position(3, 7, end), NOW_MS, DAY).records, 4);
    }
}

#[test]
fn an_overdue_record_has_negative_headroom_and_a_clock_that_went_back_no_age() {
    let overdue = Position {
        oldest_open_ms: Some(NOW_MS - 90_000_000),
        ..position(3, 7, None)
    };
    assert!(Lag::of(&overdue, NOW_MS, DAY).headroom_seconds < 0.0);
    let ahead = Position {
        oldest_open_ms: Some(NOW_MS + 90_000_000),
        ..position(3, 7, None)
    };
    assert!(Lag::of(&ahead, NOW_MS, DAY).seconds.abs() < f64::EPSILON);
}
