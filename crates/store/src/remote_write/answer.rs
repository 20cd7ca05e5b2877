//! What a store's answer means for the batch.
//!
//! Only an answer that is about the *samples* refuses them. Everything that is about us (a wrong
//! token, a wrong path, a wrong version) is retried: a setting can be repaired while the buffer
//! keeps the samples, a dead-lettered day cannot.

use http::StatusCode;
use http::header::{HeaderMap, LOCATION};

use super::config::Version;
use crate::WriteError;
use crate::endpoint::retry_after;
use crate::endpoint::words::{MAX_RETRY_AFTER, WORDS_CHARS, shortened};

/// What remote write 2.0 says was written.
const WRITTEN: [&str; 3] = [
    "x-prometheus-remote-write-samples-written",
    "x-prometheus-remote-write-histograms-written",
    "x-prometheus-remote-write-exemplars-written",
];

/// What some releases of Prometheus answer with 500 although it is about a sample (seen with 2.42, for one older than
/// its out-of-order window). Retrying it would hold up its lane for as long as the buffer keeps the record.
const SAMPLE_ERRORS: [&str; 4] = [
    "too old sample",
    "out of order sample",
    "out of bounds",
    "duplicate sample for timestamp",
];

/// What a batch held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sent {
    /// In which protocol.
    pub(super) version: Version,
    /// Floats and histograms.
    pub(super) samples: u64,
}

/// A judged answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Written.
    Written,
    /// Answered as written, but fewer samples than were sent.
    WrittenLess(u64),
    /// Passing.
    Later(WriteError),
    /// A person must act; until then it is passing.
    Misconfigured(WriteError),
    /// The samples are not wanted.
    Refused(WriteError),
}

/// Judges an answer. `words` is the start of its body.
pub(super) fn judge(
    sent: Sent,
    status: StatusCode,
    headers: &HeaderMap,
    words: &str,
    now_ms: i64,
) -> Verdict {
    if status.is_success() {
        return success(sent, status, headers);
    }
    let words = shortened(words);
    let said = |what: &str| {
        let separator = if words.is_empty() { "" } else { ": " };
        format!("the store answered {status}{what}{separator}{words}")
    };
    let misconfigured = |what: &str| {
        Verdict::Misconfigured(WriteError::Retryable {
            message: said(what),
            retry_after: retry_after(headers, now_ms),
        })
    };
    let is_about_samples = match status.as_u16() {
        400 | 409 | 413 | 422 => true,
        500 => SAMPLE_ERRORS.contains(&words.as_str()),
        _ => false,
    };
    match status.as_u16() {
        _ if is_about_samples => Verdict::Refused(WriteError::Refused {
            reason: reason(status, &words),
            message: said(""),
        }),
        408 | 425 | 429 | 500..=599 => Verdict::Later(WriteError::Retryable {
            message: said(""),
            retry_after: retry_after(headers, now_ms),
        }),
        401 | 403 => misconfigured(" (check the store's bearer_token, basic_auth or tls settings)"),
        404 | 405 | 410 => {
            misconfigured(" (check the store's url; is its remote-write receiver on?)")
        }
        415 => {
            misconfigured(" (it does not speak this version; check the store's version setting)")
        }
        300..=399 => {
            let to = headers
                .get(LOCATION)
                .and_then(|location| location.to_str().ok())
                .unwrap_or("nowhere");
            misconfigured(&format!(
                " (redirects are not followed; it points to {}, check the store's url)",
                shortened(to)
            ))
        }
        _ => misconfigured(" (which is not about the samples)"),
    }
}

fn success(sent: Sent, status: StatusCode, headers: &HeaderMap) -> Verdict {
    if sent.version == Version::V1 {
        return Verdict::Written;
    }
    let counts = WRITTEN.map(|name| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok()?.trim().parse::<u64>().ok())
    });
    let [samples, histograms, _] = counts;
    let written = samples.unwrap_or(0).saturating_add(histograms.unwrap_or(0));
    let confirmed = counts.iter().any(Option::is_some);
    if !confirmed || (written == 0 && sent.samples > 0) {
        // The specification: treat it as a 415. A 1.0 receiver reads a 2.0 body as an empty request.
        return Verdict::Misconfigured(WriteError::Retryable {
            message: format!(
                "the store answered {status} without saying that it wrote anything, so it does not \
                 speak remote write 2.0; set the store's version to \"1.0\""
            ),
            retry_after: None,
        });
    }
    if written < sent.samples {
        Verdict::WrittenLess(written)
    } else {
        Verdict::Written
    }
}

/// A stable code for a store's words: of Prometheus, Mimir, Cortex, Thanos, VictoriaMetrics.
fn reason(status: StatusCode, words: &str) -> &'static str {
    if status == StatusCode::PAYLOAD_TOO_LARGE {
        return "too_large";
    }
    const CODES: [(&str, &[&str]); 7] = [
        ("out_of_order", &["out of order", "out-of-order"]),
        ("in_future", &["too far in the future", "too-far-in-future"]),
        ("too_old", &["too old", "too-old", "out of bounds"]),
        (
            "duplicate",
            &[
                "duplicate sample",
                "duplicate-timestamp",
                "duplicate timestamp",
            ],
        ),
        (
            "too_large",
            &["too large", "too big", "exceeds the maximum size"],
        ),
        ("limit", &["max-series", "series limit", "limit of"]),
        (
            "invalid",
            &[
                "invalid",
                "malformed",
                "not valid",
                "unmarshal",
                "decode",
                "parse",
                "label",
            ],
        ),
    ];
    let words = words.to_ascii_lowercase();
    CODES
        .iter()
        .find(|(_, signs)| signs.iter().any(|sign| words.contains(sign)))
        .map_or("store_refused", |(code, _)| code)
}

/// What an answer means, for the fuzz targets alone: whether the batch counts as written.
///
/// # Panics
/// When the store could make us wait or talk without end.
pub fn fuzzed_answer(status: StatusCode, headers: &HeaderMap, words: &str) -> bool {
    let mut is_written = false;
    for version in [Version::V1, Version::V2] {
        let sent = Sent {
            version,
            samples: 10,
        };
        is_written = match judge(sent, status, headers, words, 1_700_000_000_000) {
            Verdict::Written | Verdict::WrittenLess(_) => true,
            Verdict::Later(error) | Verdict::Misconfigured(error) | Verdict::Refused(error) => {
                if let WriteError::Retryable { retry_after, .. } = &error {
                    assert!(retry_after.is_none_or(|wait| wait <= MAX_RETRY_AFTER));
                }
                assert!(error.to_string().chars().count() < 2 * WORDS_CHARS + 200);
                false
            }
        };
    }
    is_written
}

#[cfg(test)]
mod tests;
