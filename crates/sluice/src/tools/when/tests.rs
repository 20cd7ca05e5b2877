//! Times as people write them.

use super::{shown, when};

const NOW_MS: i64 = 1_700_000_000_000;

#[test]
fn a_time_is_how_long_ago_or_when() {
    for (text, expected) in [
        ("now", NOW_MS),
        ("90s", NOW_MS - 90_000),
        ("1h 30m", NOW_MS - 5_400_000),
        ("1699999999000", NOW_MS - 1000),
        ("2023-11-14T22:13:20Z", NOW_MS),
        ("2023-11-14 22:13:20", NOW_MS),
        ("2023-11-14 22:13", NOW_MS - 20_000),
        ("2023-11-14T22:13Z", NOW_MS - 20_000),
    ] {
        assert_eq!(when(text, NOW_MS), Ok(expected), "{text}");
    }
    assert_eq!(shown(NOW_MS), "2023-11-14T22:13:20.000Z");
}

#[test]
fn what_is_no_time_is_answered_with_what_would_be_one() {
    let error = when("yesterday", NOW_MS).unwrap_err();
    assert!(error.contains("2026-01-31T12:00:00Z"), "{error}");
    let error = when("1700000000", NOW_MS).unwrap_err();
    assert!(error.contains("1700000000000"), "{error}");
}
