//! Doors for `crates/hostile` alone: what is read of the archive's files and of other servers' answers.

pub use crate::parquet::fuzzed::{manifest, rows, table_log};
pub use crate::remote_write::fuzzed_answer as answer;

/// What the stores beside remote write make of an answer: whatever it says, a meaning.
pub fn meanings(status: http::StatusCode, headers: &http::HeaderMap, words: &str) {
    let answer = crate::endpoint::Answer {
        status,
        headers: headers.clone(),
        words: words.to_owned(),
    };
    crate::influx::fuzzed_answer(&answer);
    crate::clickhouse::fuzzed_answer(&answer);
}
