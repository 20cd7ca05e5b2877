//! Each answer says what to do with the samples: done, again, or not wanted.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, StatusCode};

use super::{MAX_RETRY_AFTER, Sent, Verdict, WORDS_CHARS, judge};
use crate::WriteError;
use crate::remote_write::Version;

/// 21 November 2026, 10:00:00 UTC.
const NOW_MS: i64 = 1_795_255_200_000;

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| {
            (
                http::HeaderName::from_static(name),
                HeaderValue::from_bytes(value.as_bytes()).unwrap(),
            )
        })
        .collect()
}

fn judged(version: Version, status: u16, pairs: &[(&'static str, &str)], words: &str) -> Verdict {
    let sent = Sent {
        version,
        samples: 10,
    };
    let status = StatusCode::from_u16(status).unwrap();
    judge(sent, status, &headers(pairs), words, NOW_MS)
}

#[track_caller]
fn check_refused(status: u16, words: &str, expected: &str) {
    match judged(Version::V1, status, &[], words) {
        Verdict::Refused(WriteError::Refused { reason, message }) => {
            assert_eq!(reason, expected, "{words}");
            assert!(message.contains(words), "{message}");
            assert!(message.contains(&status.to_string()), "{message}");
        }
        other => panic!("{other:?}"),
    }
}

/// How long a passing failure asks to be left alone.
#[track_caller]
fn check_wait(status: u16, pairs: &[(&'static str, &str)], expected: Option<Duration>) {
    match judged(Version::V1, status, pairs, "") {
        Verdict::Later(WriteError::Retryable { retry_after, .. }) => {
            assert_eq!(retry_after, expected, "{pairs:?}");
        }
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn check_misconfigured(verdict: &Verdict, words: &str) {
    match verdict {
        Verdict::Misconfigured(WriteError::Retryable { message, .. }) => {
            assert!(message.contains(words), "{message}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn any_2xx_is_written_in_version_1() {
    for status in [200, 202, 204] {
        assert_eq!(judged(Version::V1, status, &[], ""), Verdict::Written);
    }
}

#[test]
fn version_2_wants_to_hear_what_was_written() {
    let samples = "x-prometheus-remote-write-samples-written";
    let histograms = "x-prometheus-remote-write-histograms-written";
    let exemplars = "x-prometheus-remote-write-exemplars-written";
    let verdict = |pairs: &[(&'static str, &str)]| judged(Version::V2, 204, pairs, "");
    assert_eq!(verdict(&[(samples, "10")]), Verdict::Written);
    assert_eq!(
        verdict(&[(samples, "4"), (histograms, "6")]),
        Verdict::Written
    );
    assert_eq!(
        verdict(&[(samples, "7"), (exemplars, "3")]),
        Verdict::WrittenLess(7)
    );
    for nothing in [
        &[][..],
        &[(samples, "0"), (histograms, "0"), (exemplars, "0")],
        &[(samples, "many")],
        &[(exemplars, "3")],
    ] {
        check_misconfigured(&verdict(nothing), "\"1.0\"");
    }
}

#[test]
fn nothing_sent_is_nothing_missed() {
    let sent = Sent {
        version: Version::V2,
        samples: 0,
    };
    let headers = headers(&[("x-prometheus-remote-write-samples-written", "0")]);
    assert_eq!(
        judge(sent, StatusCode::OK, &headers, "", NOW_MS),
        Verdict::Written
    );
}

#[test]
fn a_refusal_has_a_stable_reason() {
    // Prometheus
    check_refused(400, "out of order sample", "out_of_order");
    check_refused(400, "out of bounds", "too_old");
    check_refused(400, "too old sample", "too_old");
    check_refused(400, "duplicate sample for timestamp", "duplicate");
    check_refused(400, "timestamp is too far in the future", "in_future");
    check_refused(
        400,
        "label name \"a\" is not unique: invalid sample",
        "invalid",
    );
    check_refused(400, "snappy: corrupt input: cannot decode", "invalid");
    // Mimir
    check_refused(
        400,
        "failed pushing (err-mimir-sample-out-of-order)",
        "out_of_order",
    );
    check_refused(400, "(err-mimir-sample-timestamp-too-old)", "too_old");
    check_refused(400, "(err-mimir-sample-duplicate-timestamp)", "duplicate");
    check_refused(400, "(err-mimir-too-far-in-future)", "in_future");
    check_refused(
        422,
        "per-user series limit of 150000 exceeded (err-mimir-max-series-per-user)",
        "limit",
    );
    // Thanos
    check_refused(
        409,
        "store locally for endpoint: conflict: Out of order sample",
        "out_of_order",
    );
    check_refused(413, "whatever it says", "too_large");
    check_refused(400, "request body too large", "too_large");
    check_refused(400, "no", "store_refused");
    check_refused(422, "", "store_refused");
}

#[test]
fn a_500_about_a_sample_refuses_it_as_prometheus_means_it() {
    check_refused(500, "too old sample", "too_old");
    check_refused(500, "out of bounds", "too_old");
}

#[test]
fn a_store_in_trouble_is_asked_again() {
    for status in [408, 425, 429, 500, 502, 503, 504, 507, 599] {
        check_wait(status, &[], None);
    }
}

#[test]
fn the_store_says_how_long_it_wants_to_be_left_alone() {
    let after = |value: &'static str| [("retry-after", value)];
    check_wait(429, &after("7"), Some(Duration::from_secs(7)));
    check_wait(503, &after(" 0 "), Some(Duration::ZERO));
    check_wait(
        503,
        &after("Sat, 21 Nov 2026 10:00:30 GMT"),
        Some(Duration::from_secs(30)),
    );
    check_wait(
        503,
        &after("Sat, 21 Nov 2026 09:00:00 GMT"),
        Some(Duration::ZERO),
    );
    check_wait(503, &after("99999999999"), Some(MAX_RETRY_AFTER));
    check_wait(
        503,
        &after("Sat, 21 Nov 2099 09:00:00 GMT"),
        Some(MAX_RETRY_AFTER),
    );
    for nonsense in ["soon", "-1", "1.5", "", "\u{e9}"] {
        check_wait(503, &after(nonsense), None);
    }
}

#[test]
fn what_is_about_us_and_not_about_the_samples_never_refuses_them() {
    for (status, hint) in [
        (401, "bearer_token"),
        (403, "basic_auth"),
        (404, "url"),
        (405, "url"),
        (410, "url"),
        (415, "version"),
        (402, "not about the samples"),
        (418, "not about the samples"),
        (431, "not about the samples"),
        (301, "redirects are not followed"),
    ] {
        let verdict = judged(Version::V1, status, &[], "go away");
        check_misconfigured(&verdict, hint);
        check_misconfigured(&verdict, "go away");
    }
    let moved = judged(Version::V1, 307, &[("location", "https://other/write")], "");
    check_misconfigured(&moved, "https://other/write");
}

#[test]
fn the_stores_words_are_kept_short_and_on_one_line() {
    let words = format!("  out of\r\norder\u{1b}[31m {}", "é".repeat(10_000));
    match judged(Version::V1, 400, &[], &words) {
        Verdict::Refused(WriteError::Refused { message, .. }) => {
            let (_, kept) = message.split_once(": ").unwrap();
            assert_eq!(kept.chars().count(), WORDS_CHARS);
            assert!(kept.starts_with("out of  order [31m é"), "{kept}");
        }
        other => panic!("{other:?}"),
    }
}
