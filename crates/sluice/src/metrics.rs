//! What the binary itself counts.
#![expect(
    clippy::disallowed_macros,
    reason = "the one file of this crate that names metrics"
)]

use std::time::Duration;

use metrics::{counter, gauge};
use service::catalogue::{Kind, Metric};

const SHUTDOWN: &str = "sluice_shutdown_seconds";
const CLOCK_JUMPS: &str = "sluice_clock_jumps_total";
const CLOCK_OFFSET: &str = "sluice_clock_offset_seconds";

/// The binary's own metrics.
pub(crate) const CATALOGUE: &[Metric] = &[
    Metric {
        name: SHUTDOWN,
        kind: Kind::Gauge,
        labels: &["step"],
        help: "How long each step of stopping took.",
    },
    Metric {
        name: CLOCK_JUMPS,
        kind: Kind::Counter,
        labels: &["direction"],
        help: "Times that the machine's clock was set by half a minute or more while the process ran; `direction` is \
               forward or back.",
    },
    Metric {
        name: CLOCK_OFFSET,
        kind: Kind::Gauge,
        labels: &[],
        help: "How far the machine's clock has been set since the process started, in sum.",
    },
];

/// Counts a clock that was set.
pub(crate) fn clock_jump(is_forward: bool) {
    let direction = if is_forward { "forward" } else { "back" };
    counter!(CLOCK_JUMPS, "direction" => direction).increment(1);
}

/// Shows how far it was set.
pub(crate) fn clock_offset(seconds: f64) {
    gauge!(CLOCK_OFFSET).set(seconds);
}

pub(crate) fn shutdown_step(step: &'static str, elapsed: Duration) {
    gauge!(SHUTDOWN, "step" => step).set(elapsed.as_secs_f64());
}
