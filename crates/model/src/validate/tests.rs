//! Each rule refuses what it should, and says what it found.

use super::{check_at, check_series};
use crate::{Batch, Code, Limits, MetricType};

const NOW_MS: i64 = 1_700_000_000_000;

fn series(name: &str, labels: &[(&str, &str)]) -> Result<(), (Code, String)> {
    let mut batch = Batch::default();
    for (label, value) in labels {
        batch.push_label((*label).to_owned(), (*value).to_owned());
    }
    let number = batch.close_series(name.to_owned(), 0);
    batch.describe(number, MetricType::Gauge, "", "");
    batch.sort_labels();
    let series = batch.series(number).unwrap();
    check_series(series, batch.labels(series), &Limits::default())
        .map_err(|refusal| (refusal.code, refusal.message))
}

fn refused(result: Result<(), (Code, String)>, code: Code, message: &str) {
    assert_eq!(result, Err((code, message.to_owned())));
}

#[test]
fn names_are_any_utf8_without_control_characters() {
    assert_eq!(series("http.server.duração", &[("net.host", "ü")]), Ok(()));
    refused(
        series("a\nb", &[]),
        Code::MetricNameInvalid,
        "metric name \"a\\nb\" has the control character '\\n' at byte 1",
    );
    refused(
        series("", &[]),
        Code::MetricNameMissing,
        "the metric name is empty",
    );
}

#[test]
fn a_name_may_be_as_long_as_the_limit() {
    assert_eq!(series(&"n".repeat(1024), &[]), Ok(()));
    let message = format!(
        "metric name \"{}…\" has 1025 bytes, the limit is 1024",
        "n".repeat(40)
    );
    refused(
        series(&"n".repeat(1025), &[]),
        Code::MetricNameTooLong,
        &message,
    );
}

#[test]
fn labels_are_unique_named_and_not_reserved() {
    refused(
        series("m", &[("a", "1"), ("b", "2"), ("a", "3")]),
        Code::LabelDuplicate,
        "label \"a\" appears twice",
    );
    refused(
        series("m", &[("", "x")]),
        Code::LabelNameInvalid,
        "a label name is empty (its value is \"x\")",
    );
    refused(
        series("m", &[("__name__", "x")]),
        Code::LabelNameInvalid,
        "label \"__name__\" is reserved for the metric name",
    );
    let long = "v".repeat(2049);
    refused(
        series("m", &[("a", &long)]),
        Code::LabelValueTooLong,
        "the value of label \"a\" has 2049 bytes, the limit is 2048",
    );
}

#[test]
fn an_empty_value_is_no_label() {
    let mut names: Vec<String> = (0..30).map(|n| format!("l{n}")).collect();
    names.push("empty".to_owned());
    let labels: Vec<(&str, &str)> = names
        .iter()
        .map(|name| (name.as_str(), if name == "empty" { "" } else { "x" }))
        .collect();
    assert_eq!(series("m", &labels), Ok(()));
}

#[test]
fn the_thirty_first_label_is_one_too_many() {
    let names: Vec<String> = (0..31).map(|n| format!("l{n}")).collect();
    let labels: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "x")).collect();
    refused(
        series("m", &labels),
        Code::TooManyLabels,
        "the series has 31 labels, the limit is 30",
    );
}

#[test]
fn seconds_are_recognised_and_said_so() {
    let check = |at_ms| {
        check_at(at_ms, NOW_MS, &Limits::default())
            .map_err(|refusal| (refusal.code, refusal.message))
    };
    assert_eq!(check(NOW_MS), Ok(()));
    assert_eq!(check(NOW_MS + 600_000), Ok(()));
    refused(
        check(NOW_MS / 1000),
        Code::TimestampInSeconds,
        "timestamp 1700000000 looks like seconds; send Unix milliseconds, such as 1700000000000",
    );
    refused(
        check(NOW_MS * 1_000_000),
        Code::TimestampInSeconds,
        "timestamp 1700000000000000000 looks like nanoseconds; send Unix milliseconds",
    );
    refused(
        check(NOW_MS + 3_600_000),
        Code::TimestampInFuture,
        "timestamp 1700003600000 is 3600 s ahead of the gateway's clock, the limit is 600 s",
    );
    assert_eq!(check(0), Ok(()));
    assert!(check(i64::MAX).is_err());
    assert_eq!(check(i64::MIN), Ok(()));
}

#[test]
fn an_age_limit_refuses_the_past_when_it_is_set() {
    let limits = Limits {
        max_age: Some(std::time::Duration::from_secs(60)),
        ..Limits::default()
    };
    let refusal = check_at(NOW_MS - 61_000, NOW_MS, &limits).unwrap_err();
    assert_eq!(refusal.code, Code::TimestampTooOld);
    assert_eq!(
        refusal.message,
        "timestamp 1699999939000 is 61 s behind the gateway's clock, the limit is 60 s"
    );
}
