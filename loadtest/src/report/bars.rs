//! What the figures must be: every bar and every aim, and which lines say whether it is reached.

use super::figures::{Figure, Unit};
use crate::outcome::Kind;

/// A figure that is promised.
pub(super) struct Bar {
    pub(super) figure: &'static str,
    pub(super) bar: f64,
    pub(super) aim: f64,
    pub(super) unit: Unit,
    pub(super) measure: Measure,
}

/// How a figure is found.
pub(super) enum Measure {
    /// One line's figure beside the best of others'.
    Ratio {
        of: Pick,
        to: Pick,
        figure: Figure,
        /// Added to what it is compared with, in the figure's unit.
        added: f64,
    },
    /// A line's figure beside what was measured elsewhere.
    Beside {
        of: Pick,
        figure: Figure,
        other: f64,
    },
    /// A line's figure.
    Plain { of: Pick, figure: Figure },
}

/// Which lines.
pub(super) struct Pick {
    pub(super) kind: Kind,
    /// A name, or the beginning of names if it ends with `*`.
    pub(super) scenario: &'static str,
    /// The beginning of the name.
    pub(super) subject: &'static str,
    /// A parameter that they have.
    pub(super) parameter: Option<(&'static str, &'static str)>,
}

const fn gateway(scenario: &'static str) -> Pick {
    sluice(scenario, "gateway")
}

const fn sluice(scenario: &'static str, subject: &'static str) -> Pick {
    Pick {
        kind: Kind::Sluice,
        scenario,
        subject,
        parameter: None,
    }
}

const fn peer(scenario: &'static str, subject: &'static str) -> Pick {
    Pick {
        kind: Kind::Peer,
        scenario,
        subject,
        parameter: None,
    }
}

const fn limit(scenario: &'static str, key: &'static str, value: &'static str) -> Pick {
    Pick {
        kind: Kind::Limit,
        scenario,
        subject: "",
        parameter: Some((key, value)),
    }
}

const fn of_limit(
    figure: &'static str,
    (scenario, limited): (&'static str, &'static str),
    stage: &'static str,
    (bar, aim): (f64, f64),
    compared: Figure,
) -> Bar {
    Bar {
        figure,
        bar,
        aim,
        unit: Unit::Percent,
        measure: Measure::Ratio {
            of: gateway(scenario),
            to: limit(limited, "stage", stage),
            figure: compared,
            added: 0.0,
        },
    }
}

const fn of_peer(
    figure: &'static str,
    scenario: &'static str,
    subject: &'static str,
    (bar, aim): (f64, f64),
) -> Bar {
    Bar {
        figure,
        bar,
        aim,
        unit: Unit::Times,
        measure: Measure::Ratio {
            of: gateway(scenario),
            to: peer(scenario, subject),
            figure: Figure::SamplesPerCpu,
            added: 0.0,
        },
    }
}

const fn plain(
    figure: &'static str,
    of: Pick,
    (bar, aim): (f64, f64),
    (measured, unit): (Figure, Unit),
) -> Bar {
    Bar {
        figure,
        bar,
        aim,
        unit,
        measure: Measure::Plain {
            of,
            figure: measured,
        },
    }
}

/// What Mimir's distributor with Kafka was measured at with remote write, in samples per CPU-second.
const MIMIR: f64 = 730_000.0;
/// The gateway's default `coalesce.window`, in milliseconds.
const WINDOW_MS: f64 = 5.0;

/// All of them.
pub(super) const BARS: &[Bar] = &[
    of_limit(
        "JSON, batches of 1000, acknowledged by Kafka: of decoding alone",
        ("json-1000-32", "json-1000"),
        "decode",
        (40.0, 70.0),
        Figure::SamplesPerCpu,
    ),
    of_limit(
        "gzip JSON: of inflating and decoding alone",
        ("json-gzip-1000-32", "json-gzip-1000"),
        "decode+inflate",
        (40.0, 70.0),
        Figure::SamplesPerCpu,
    ),
    of_limit(
        "remote write 1.0: of decoding alone",
        ("remote-write-1-1000-32", "remote-write-1-1000"),
        "decode",
        (40.0, 70.0),
        Figure::SamplesPerCpu,
    ),
    of_limit(
        "remote write 2.0: of decoding alone",
        ("remote-write-2-1000-32", "remote-write-2-1000"),
        "decode",
        (40.0, 70.0),
        Figure::SamplesPerCpu,
    ),
    of_limit(
        "batches of 1, requests: of the bare handler",
        ("json-1", "json-1"),
        "http",
        (50.0, 75.0),
        Figure::RequestsPerCpu,
    ),
    of_limit(
        "batches of 10, requests: of the bare handler",
        ("json-10", "json-10"),
        "http",
        (50.0, 75.0),
        Figure::RequestsPerCpu,
    ),
    of_peer(
        "JSON against the best alternative",
        "json-1000",
        "",
        (20.0, 40.0),
    ),
    of_peer(
        "OTLP against the OpenTelemetry Collector, which does not split by metric name",
        "otlp-1000",
        "otel-collector",
        (1.5, 3.0),
    ),
    of_peer(
        "remote write against prometheus-kafka-adapter",
        "remote-write-1-1000",
        "prometheus-kafka-adapter",
        (10.0, 20.0),
    ),
    Bar {
        figure: "remote write against 0.73 M/s, as Mimir's distributor was measured",
        bar: 3.0,
        aim: 6.0,
        unit: Unit::Times,
        measure: Measure::Beside {
            of: gateway("remote-write-1-1000"),
            figure: Figure::SamplesPerCpu,
            other: MIMIR,
        },
    },
    Bar {
        figure: "p99 at half the maximum rate: of raw librdkafka's, coalescing window added",
        bar: 2.0,
        aim: 1.2,
        unit: Unit::TimesAtMost,
        measure: Measure::Ratio {
            of: gateway("latency-half"),
            to: limit("json-1000", "rate", "half"),
            figure: Figure::P99Ms,
            added: WINDOW_MS,
        },
    },
    Bar {
        figure: "consumer to remote write, per core: of the gateway's JSON rate",
        bar: 100.0,
        aim: 200.0,
        unit: Unit::Percent,
        measure: Measure::Ratio {
            of: sluice("drain-remote-write-*", "consumer"),
            to: gateway("json-1000"),
            figure: Figure::SamplesPerCpu,
            added: 0.0,
        },
    },
    plain(
        "standalone, fsynced, archive on, samples/s",
        sluice("standalone", "standalone"),
        (300_000.0, 1_000_000.0),
        (Figure::SamplesPerS, Unit::Rate),
    ),
    plain(
        "bytes per sample on Kafka's disk, 1,000 hosts × 50 names",
        gateway("disk-1000-hosts"),
        (10.0, 5.0),
        (Figure::DiskBytes, Unit::Bytes),
    ),
    plain(
        "memory of the gateway, idle",
        gateway("json-1000"),
        (30.0, 15.0),
        (Figure::IdleMib, Unit::Mib),
    ),
    plain(
        "memory of the gateway, maximum load",
        gateway("json-1000-32"),
        (128.0, 64.0),
        (Figure::PeakMib, Unit::Mib),
    ),
    plain(
        "memory of the gateway, 10,000 idle connections",
        gateway("idle-connections"),
        (150.0, 80.0),
        (Figure::SettledMib, Unit::Mib),
    ),
    plain(
        "StatsD packets per core without kernel drops",
        sluice("statsd*", ""),
        (300_000.0, 1_000_000.0),
        (Figure::PacketsPerCpu, Unit::Rate),
    ),
    plain(
        "heap allocations per sample on the hot path",
        sluice("allocations*", ""),
        (0.1, 0.01),
        (Figure::Parameter("allocations_per_sample"), Unit::Count),
    ),
];
