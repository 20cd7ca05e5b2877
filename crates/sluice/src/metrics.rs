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

const FALLBACK_READY: &str = "sluice_fallback_ready";

const RELOADS: &str = "sluice_settings_reloads_total";
const RELOADED_AT: &str = "sluice_settings_reload_success_timestamp_seconds";
const REFUSED: &str = "sluice_settings_refused";
const RESTART_NEEDED: &str = "sluice_settings_restart_needed";

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
    Metric {
        name: FALLBACK_READY,
        kind: Kind::Gauge,
        labels: &[],
        help: "1 while the fallback cluster would take records, or does; 0 while it would not.",
    },
    Metric {
        name: RELOADS,
        kind: Kind::Counter,
        labels: &["outcome"],
        help: "How often settings were read again; `outcome` is applied or refused.",
    },
    Metric {
        name: RELOADED_AT,
        kind: Kind::Gauge,
        labels: &[],
        help: "When the settings that are in force were read, in Unix seconds.",
    },
    Metric {
        name: REFUSED,
        kind: Kind::Gauge,
        labels: &[],
        help: "1 while the settings as they were last read are refused and older ones are in force, else 0.",
    },
    Metric {
        name: RESTART_NEEDED,
        kind: Kind::Gauge,
        labels: &[],
        help: "Settings that have changed and need a restart; the log names them.",
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

/// Shows whether the fallback cluster takes records.
pub(crate) fn fallback_ready(is_ready: bool) {
    gauge!(FALLBACK_READY).set(if is_ready { 1.0 } else { 0.0 });
}

/// Notes that the first settings are in force.
pub(crate) fn settings_loaded() {
    counter!(RELOADS, "outcome" => "applied").increment(0);
    counter!(RELOADS, "outcome" => "refused").increment(0);
    gauge!(RELOADED_AT).set(now_s());
    gauge!(REFUSED).set(0.0);
    gauge!(RESTART_NEEDED).set(0.0);
}

/// Notes that settings were read again, and whether they are in force now.
pub(crate) fn settings_reloaded(is_applied: bool) {
    let outcome = if is_applied { "applied" } else { "refused" };
    counter!(RELOADS, "outcome" => outcome).increment(1);
    gauge!(REFUSED).set(if is_applied { 0.0 } else { 1.0 });
    if is_applied {
        gauge!(RELOADED_AT).set(now_s());
    }
}

/// Shows how many changed settings are not in force.
pub(crate) fn restart_needed(settings: usize) {
    gauge!(RESTART_NEEDED).set(f64::from(u32::try_from(settings).unwrap_or(u32::MAX)));
}

#[expect(
    clippy::cast_precision_loss,
    reason = "milliseconds since 1970 fit for the next 280,000 years"
)]
fn now_s() -> f64 {
    service::clock::now_ms() as f64 / 1000.0
}

pub(crate) fn shutdown_step(step: &'static str, elapsed: Duration) {
    gauge!(SHUTDOWN, "step" => step).set(elapsed.as_secs_f64());
}
