//! What the console costs, and who looks.
#![expect(
    clippy::disallowed_macros,
    reason = "the one file of this crate that names metrics"
)]

use std::time::Duration;

use ::metrics::{counter, gauge};
use service::catalogue::{Kind, Metric};

const OPEN: &str = "sluice_console_open";
const REFUSED: &str = "sluice_console_refused_total";
const READINGS: &str = "sluice_console_readings_total";
const READING_MICROSECONDS: &str = "sluice_console_reading_microseconds_total";

/// The console's metrics.
pub const CATALOGUE: &[Metric] = &[
    Metric {
        name: OPEN,
        kind: Kind::Gauge,
        labels: &[],
        help: "Consoles that are open: streams of `/api/v1/live`.",
    },
    Metric {
        name: REFUSED,
        kind: Kind::Counter,
        labels: &["reason"],
        help: "Requests to the admin listener that were refused; `reason` is host or origin (a browser's request from \
               elsewhere), or full (as many consoles are open as may be).",
    },
    Metric {
        name: READINGS,
        kind: Kind::Counter,
        labels: &[],
        help: "Times that the console read these metrics: every second while one is open, every five otherwise.",
    },
    Metric {
        name: READING_MICROSECONDS,
        kind: Kind::Counter,
        labels: &[],
        help: "Microseconds that this took in sum, with making a snapshot of it for all open consoles.",
    },
];

pub(crate) const HOST: &str = "host";
pub(crate) const ORIGIN: &str = "origin";
pub(crate) const FULL: &str = "full";

/// Shows how many look.
pub(crate) fn open(consoles: usize) {
    gauge!(OPEN).set(f64::from(u32::try_from(consoles).unwrap_or(u32::MAX)));
}

/// Counts who was refused.
pub(crate) fn refused(reason: &'static str) {
    counter!(REFUSED, "reason" => reason).increment(1);
}

/// Counts a reading.
pub(crate) fn read(took: Duration) {
    counter!(READINGS).increment(1);
    let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    counter!(READING_MICROSECONDS).increment(took);
}
