//! The declaration of a metric: written once, beside the code that counts.
//!
//! Each crate lists its metrics as a `CATALOGUE`; describing them to the exporter, their buckets,
//! and `docs/metrics.md` all come from there.

/// What a metric does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts observations at or below each of these bounds, in base units.
    Histogram(&'static [f64]),
}

/// One metric.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// `sluice_<role>_<what>_<unit>`.
    pub name: &'static str,
    /// What it does.
    pub kind: Kind,
    /// Its labels' names; each has a closed set of values unless `help` says otherwise.
    pub labels: &'static [&'static str],
    /// One sentence, for `# HELP` and the documentation.
    pub help: &'static str,
}

/// Bounds for durations from half a millisecond to a minute, in seconds.
pub const SECONDS: &[f64] = &[
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
    60.0,
];

/// Bounds for sizes from 256 bytes to 64 MiB, in bytes.
pub const BYTES: &[f64] = &[
    256.0,
    1024.0,
    4096.0,
    16384.0,
    65536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
];
