//! What the binary itself counts.
#![expect(
    clippy::disallowed_macros,
    reason = "the one file of this crate that names metrics"
)]

use std::time::Duration;

use metrics::gauge;
use service::catalogue::{Kind, Metric};

const SHUTDOWN: &str = "sluice_shutdown_seconds";

/// The binary's own metrics.
pub(crate) const CATALOGUE: &[Metric] = &[Metric {
    name: SHUTDOWN,
    kind: Kind::Gauge,
    labels: &["step"],
    help: "How long each step of stopping took.",
}];

pub(crate) fn shutdown_step(step: &'static str, elapsed: Duration) {
    gauge!(SHUTDOWN, "step" => step).set(elapsed.as_secs_f64());
}
