//! Each rule refuses what it should, and says what it found.

use std::time::Duration;

use super::{EARLIEST_PLAUSIBLE_MS, SeriesChecker, check_at, check_series, good_times};
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
fn a_control_character_is_found_at_every_place_of_a_name_of_every_length() {
    for length in 1..40 {
        assert_eq!(series(&"n".repeat(length), &[]), Ok(()));
        for at in 0..length {
            for byte in 0..=0x7f_u8 {
                let mut name = vec![b'~'; length];
                if let Some(place) = name.get_mut(at) {
                    *place = byte;
                }
                let name = String::from_utf8(name).unwrap();
                let is_good = !byte.is_ascii_control();
                assert_eq!(series(&name, &[]).is_ok(), is_good, "{name:?}");
            }
        }
    }
    assert_eq!(
        series("a~\u{9f}b", &[]).map_err(|(code, _)| code),
        Err(Code::MetricNameInvalid)
    );
}

#[test]
fn what_a_series_has_in_common_with_a_good_one_is_good_and_the_rest_is_checked() {
    let limits = Limits::default();
    let all: &[(&str, &[(&str, &str)])] = &[
        ("up", &[("a", "1"), ("b", "2")]),
        ("up", &[("a", "1"), ("b\n", "2")]),
        ("up", &[("a", "1"), ("b", "2")]),
        ("u\np", &[("a", "1"), ("b", "2")]),
        ("u\np", &[("a", "1"), ("b", "2")]),
        ("up", &[("a", "1"), ("a", "2")]),
        ("up", &[("a", "1"), ("a", "2")]),
        ("up", &[("b", "1")]),
        ("", &[]),
        ("up", &[("", "1")]),
    ];
    // Texts that are the same ones in memory, as a decoder with a table of them has it.
    let mut texts: Vec<&str> = Vec::new();
    let mut shared = |text| match texts.iter().find(|known| **known == text) {
        Some(known) => known,
        None => {
            texts.push(text);
            text
        }
    };
    let mut batch = Batch::default();
    for (name, labels) in all {
        let from = batch.open_labels();
        for (name, value) in *labels {
            batch.push_label(shared(name), shared(value));
        }
        batch.close_series(shared(name), from);
    }
    let mut checker = SeriesChecker::new(&limits);
    for series in batch.all_series() {
        let labels = batch.labels(series);
        let alone = check_series(series, labels, &limits);
        assert_eq!(
            checker.check(series, labels),
            alone,
            "{series:?} {labels:?}"
        );
    }
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
        max_age: Some(Duration::from_secs(60)),
        ..Limits::default()
    };
    let refusal = check_at(NOW_MS - 61_000, NOW_MS, &limits).unwrap_err();
    assert_eq!(refusal.code, Code::TimestampTooOld);
    assert_eq!(
        refusal.message,
        "timestamp 1699999939000 is 61 s behind the gateway's clock, the limit is 60 s"
    );
}

#[test]
fn nothing_is_wrong_with_good_times() {
    let ages = [None, Some(Duration::from_secs(60)), Some(Duration::MAX)];
    for (max_age, now_ms) in ages
        .into_iter()
        .flat_map(|age| [(age, NOW_MS), (age, 5), (age, i64::MAX)])
    {
        let limits = Limits {
            max_age,
            ..Limits::default()
        };
        let good = good_times(now_ms, &limits);
        let times = [*good.start(), *good.end(), now_ms, EARLIEST_PLAUSIBLE_MS];
        let around = |time: i64| [time.saturating_sub(1), time, time.saturating_add(1)];
        for at_ms in times
            .into_iter()
            .flat_map(around)
            .filter(|time| good.contains(time))
        {
            assert_eq!(
                check_at(at_ms, now_ms, &limits),
                Ok(()),
                "{at_ms} at {now_ms}"
            );
        }
    }
    assert!(good_times(NOW_MS, &Limits::default()).contains(&NOW_MS));
}
