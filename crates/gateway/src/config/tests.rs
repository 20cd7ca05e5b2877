//! The defaults hold, and a contradiction names its key.

use service::units::{Period, Size};

use super::{CoalesceConfig, HttpConfig, LimitsConfig};

fn key_of(result: Result<(), (String, String)>) -> String {
    result.expect_err("should be refused").0
}

#[test]
fn the_defaults_are_consistent_and_are_those_of_the_rules() {
    assert_eq!(HttpConfig::default().check(), Ok(()));
    assert_eq!(LimitsConfig::default().check(), Ok(()));
    assert_eq!(CoalesceConfig::default().check(), Ok(()));
    assert_eq!(LimitsConfig::default().limits(), model::Limits::default());
}

#[test]
fn one_largest_body_must_fit_into_what_may_be_in_flight() {
    let config = HttpConfig {
        max_in_flight: Size::mib(79),
        ..HttpConfig::default()
    };
    assert_eq!(
        config.check(),
        Err((
            "max_in_flight".to_owned(),
            "is 79MiB, but one body of http.max_body (16MiB) that inflates to http.max_inflated \
             (64MiB) needs both; raise it to at least 80MiB"
                .to_owned()
        ))
    );
}

#[test]
fn zeros_are_refused_where_they_would_stop_everything() {
    let zero = Period::millis(0);
    let http = HttpConfig {
        body_idle_timeout: zero,
        ..HttpConfig::default()
    };
    assert_eq!(key_of(http.check()), "body_idle_timeout");
    let limits = LimitsConfig {
        max_samples: 0,
        ..LimitsConfig::default()
    };
    assert_eq!(key_of(limits.check()), "max_samples");
    let coalesce = CoalesceConfig {
        window: zero,
        ..CoalesceConfig::default()
    };
    assert_eq!(coalesce.check(), Ok(()));
}

#[test]
fn windows_and_records_have_bounds() {
    let coalesce = CoalesceConfig {
        window: Period::secs(2),
        ..CoalesceConfig::default()
    };
    assert_eq!(key_of(coalesce.check()), "window");
    let coalesce = CoalesceConfig {
        max_record: Size(100),
        ..CoalesceConfig::default()
    };
    assert_eq!(key_of(coalesce.check()), "max_record");
}
