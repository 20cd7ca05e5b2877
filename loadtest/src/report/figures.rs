//! Figures of a line, and how they are written.

use crate::outcome::Outcome;

/// What is taken from a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Figure {
    SamplesPerCpu,
    RequestsPerCpu,
    SamplesPerS,
    /// Requests per CPU-second of a run in which the kernel dropped none.
    PacketsPerCpu,
    P50Ms,
    P99Ms,
    DiskBytes,
    IdleMib,
    PeakMib,
    /// Memory when the run ended, which is what a state costs that the run only begins with.
    SettledMib,
    /// A parameter that is a number.
    Parameter(&'static str),
}

impl Figure {
    /// The figure, if the line has it.
    pub(super) fn of(self, line: &Outcome) -> Option<f64> {
        let mib = |bytes: Option<u64>| Some(bytes? as f64 / f64::from(1 << 20));
        match self {
            Self::SamplesPerCpu => per(line.samples, line.cpu_s?),
            Self::RequestsPerCpu => per(line.requests, line.cpu_s?),
            Self::SamplesPerS => per(line.samples, line.elapsed_s),
            Self::PacketsPerCpu => {
                let dropped = line.answers.get("dropped").copied();
                let none = dropped.or(line.lost).unwrap_or(0) == 0;
                none.then(|| per(line.requests, line.cpu_s?))?
            }
            Self::P50Ms => quantile_ms(line, 0.5),
            Self::P99Ms => quantile_ms(line, 0.99),
            Self::DiskBytes => line.disk_bytes_per_sample,
            Self::IdleMib => mib(line.rss_idle_bytes),
            Self::PeakMib => mib(line.rss_peak_bytes),
            Self::SettledMib => mib(line.rss.last().map(|(_, bytes)| *bytes)),
            Self::Parameter(name) => line.parameters.get(name)?.parse().ok(),
        }
    }

    /// Whether the largest of several lines counts and not the one in the middle.
    pub(super) const fn takes_the_largest(self) -> bool {
        matches!(self, Self::IdleMib | Self::PeakMib | Self::SettledMib)
    }

    /// A figure with its unit.
    pub(super) fn show(self, value: f64) -> String {
        match self {
            Self::SamplesPerCpu => format!("{} samples per CPU-second", short(value)),
            Self::RequestsPerCpu => format!("{} requests per CPU-second", short(value)),
            Self::PacketsPerCpu => format!("{} packets per CPU-second", short(value)),
            Self::SamplesPerS => format!("{} samples/s", short(value)),
            Self::P50Ms | Self::P99Ms => format!("{} ms", short(value)),
            Self::DiskBytes => format!("{} bytes", short(value)),
            Self::IdleMib | Self::PeakMib | Self::SettledMib => format!("{} MiB", short(value)),
            Self::Parameter(_) => short(value),
        }
    }
}

/// A count per second; `None` where nothing was counted or no time passed.
fn per(count: u64, seconds: f64) -> Option<f64> {
    (count > 0 && seconds > 0.0).then(|| count as f64 / seconds)
}

/// Latency at a quantile, in milliseconds.
pub(super) fn quantile_ms(line: &Outcome, wanted: f64) -> Option<f64> {
    let found = line
        .latency_us
        .iter()
        .find(|(quantile, _)| (quantile - wanted).abs() < 1e-9);
    found.map(|(_, us)| *us as f64 / 1000.0)
}

/// What a bar is written in, and which direction is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Percent,
    Times,
    TimesAtMost,
    Rate,
    Bytes,
    Mib,
    Count,
}

impl Unit {
    /// Whether a figure is at least as good as a bar.
    pub(super) fn reaches(self, seen: f64, bar: f64) -> bool {
        match self {
            Self::Percent | Self::Times | Self::Rate => seen >= bar,
            Self::TimesAtMost | Self::Bytes | Self::Mib | Self::Count => seen <= bar,
        }
    }

    /// A ratio or a figure in this unit.
    pub(super) fn scaled(self, value: f64) -> f64 {
        match self {
            Self::Percent => value * 100.0,
            Self::Times
            | Self::TimesAtMost
            | Self::Rate
            | Self::Bytes
            | Self::Mib
            | Self::Count => value,
        }
    }

    /// With its unit.
    pub(super) fn show(self, value: f64) -> String {
        match self {
            Self::Percent => format!("{value:.0} %"),
            Self::Times | Self::TimesAtMost => format!("{}x", short(value)),
            Self::Rate => format!("{}/s", short(value)),
            Self::Bytes => format!("{} B", short(value)),
            Self::Mib => format!("{} MiB", short(value)),
            Self::Count => short(value),
        }
    }
}

/// A number for people: three digits, `k` and `M`.
pub(super) fn short(number: f64) -> String {
    let (number, suffix) = match number.abs() {
        size if size >= 1e6 => (number / 1e6, " M"),
        size if size >= 1e4 => (number / 1e3, " k"),
        _ => (number, ""),
    };
    let decimals = match number.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 0.1 => 2,
        _ => 4,
    };
    let digits = format!("{number:.decimals$}");
    let digits = match digits.split_once('.') {
        Some(_) => digits.trim_end_matches('0').trim_end_matches('.'),
        None => &digits,
    };
    format!("{digits}{suffix}")
}
