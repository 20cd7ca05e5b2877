//! What questions are counted as.
#![expect(
    clippy::disallowed_macros,
    reason = "the one file of this crate that names metrics"
)]

use std::time::Duration;

use ::metrics::{counter, histogram};
use service::catalogue::{Kind, Metric, SECONDS};

const REQUESTS: &str = "sluice_query_requests_total";
const SECONDS_TAKEN: &str = "sluice_query_duration_seconds";

/// This crate's metrics.
pub const CATALOGUE: &[Metric] = &[
    Metric {
        name: REQUESTS,
        kind: Kind::Counter,
        labels: &["api", "outcome"],
        help: "Questions about what this process keeps, by API (recent, archive, prometheus) and outcome: ok, or an error's code.",
    },
    Metric {
        name: SECONDS_TAKEN,
        kind: Kind::Histogram(SECONDS),
        labels: &["api"],
        help: "Time from a question to its answer, waiting included.",
    },
];

/// Counts a question.
pub(crate) fn answered(api: &'static str, outcome: &'static str, took: Duration) {
    counter!(REQUESTS, "api" => api, "outcome" => outcome).increment(1);
    histogram!(SECONDS_TAKEN, "api" => api).record(took);
}
