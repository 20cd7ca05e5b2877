//! What the answers of `InfluxDB` 1, 2 and 3 and their like mean for a batch.

use crate::endpoint::{Answer, Meaning};

/// What an answer that is no success means.
pub(super) fn meaning(answer: &Answer) -> Meaning {
    let words = answer.words.to_ascii_lowercase();
    let says = |signs: &[&str]| signs.iter().any(|sign| words.contains(sign));
    match answer.status.as_u16() {
        // 400 in version 1, when the URL has no `db=`.
        400 if says(&[
            "database is required",
            "missing param",
            "bucket is required",
        ]) =>
        {
            Meaning::Misconfigured("name the database or the bucket in the store's url")
        }
        400 | 422 => Meaning::Refused(reason(&words)),
        404 => {
            Meaning::Misconfigured("create the database or the bucket, or check the store's url")
        }
        // Version 1 says it this way, and no sample can help it.
        500 if says(&["retention policy not found"]) => {
            Meaning::Misconfigured("create the retention policy, or check the store's url")
        }
        _ => Meaning::of_status(answer),
    }
}

/// A stable code for a store's words.
fn reason(words: &str) -> &'static str {
    const CODES: [(&str, &[&str]); 5] = [
        (
            "type_conflict",
            &["field type conflict", "column type", "type mismatch"],
        ),
        ("too_old", &["beyond retention", "outside retention"]),
        ("in_future", &["too far in the future"]),
        (
            "limit",
            &[
                "limit exceeded",
                "max-series",
                "max-values",
                "limit reached",
            ],
        ),
        (
            "invalid",
            &[
                "unable to parse",
                "invalid",
                "partial write",
                "time outside range",
            ],
        ),
    ];
    CODES
        .iter()
        .find(|(_, signs)| signs.iter().any(|sign| words.contains(sign)))
        .map_or("store_refused", |(code, _)| code)
}
