//! What a process counts about itself and its connections.
#![expect(
    clippy::disallowed_macros,
    reason = "the one file of this crate that names metrics"
)]

use ::metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge};

use crate::catalogue::{Kind, Metric};
use crate::process;

const BUILD_INFO: &str = "sluice_build_info";
const CONNECTIONS_OPEN: &str = "sluice_http_connections_open";
const CONNECTIONS_ACCEPTED: &str = "sluice_http_connections_accepted_total";
const CONNECTIONS_WAITED: &str = "sluice_http_connections_waited_total";
const CONNECTIONS_CLOSED: &str = "sluice_http_connections_closed_total";
const HANDSHAKES: &str = "sluice_tls_handshakes_total";
const CERTIFICATE_EXPIRES: &str = "sluice_tls_certificate_expires_seconds";
const ACCEPT_ERRORS: &str = "sluice_http_accept_errors_total";

/// This crate's metrics.
pub const CATALOGUE: &[Metric] = &[
    Metric {
        name: BUILD_INFO,
        kind: Kind::Gauge,
        labels: &["version", "role"],
        help: "Always 1; the labels say what is running.",
    },
    Metric {
        name: CONNECTIONS_OPEN,
        kind: Kind::Gauge,
        labels: &["port"],
        help: "Connections that are open now.",
    },
    Metric {
        name: CONNECTIONS_ACCEPTED,
        kind: Kind::Counter,
        labels: &["port"],
        help: "Connections that were accepted.",
    },
    Metric {
        name: CONNECTIONS_WAITED,
        kind: Kind::Counter,
        labels: &["port"],
        help: "Times that accepting waited for a connection to close, because as many were open as are allowed.",
    },
    Metric {
        name: CONNECTIONS_CLOSED,
        kind: Kind::Counter,
        labels: &["port", "reason"],
        help: "Connections that ended: done, idle, slow_header, error, handshake (TLS), panic or, cut at the end, \
               shutdown.",
    },
    Metric {
        name: ACCEPT_ERRORS,
        kind: Kind::Counter,
        labels: &["port"],
        help: "Times that the operating system refused to accept a connection, mostly for want of file descriptors.",
    },
    Metric {
        name: HANDSHAKES,
        kind: Kind::Counter,
        labels: &["listener", "outcome"],
        help: "TLS handshakes; `outcome` is ok, slow, gone, no_certificate (one is required), bad_certificate, not_tls, \
               refused_by_client (mostly one that does not trust our certificate) or failed.",
    },
    Metric {
        name: CERTIFICATE_EXPIRES,
        kind: Kind::Gauge,
        labels: &["listener"],
        help: "Seconds until a listener's certificate, or one that it was signed with, expires; negative afterwards.",
    },
    process::CPU,
    process::RESIDENT,
    process::OPEN_FDS,
    process::MAX_FDS,
    process::START_TIME,
];

/// Describes the metrics to the recorder, and starts the counters that have no labels at zero, so that the first
/// increase shows.
pub(crate) fn describe(metrics: &[Metric]) {
    for metric in metrics {
        // Written by themselves.
        if process::CATALOGUE.iter().any(|own| own.name == metric.name) {
            continue;
        }
        match metric.kind {
            Kind::Counter => {
                describe_counter!(metric.name, metric.help);
                if metric.labels.is_empty() {
                    counter!(metric.name).increment(0);
                }
            }
            Kind::Gauge => describe_gauge!(metric.name, metric.help),
            Kind::Histogram(_) => describe_histogram!(metric.name, metric.help),
        }
    }
}

/// Says what is running.
pub(crate) fn build_info(version: &'static str, role: &'static str) {
    gauge!(BUILD_INFO, "version" => version, "role" => role).set(1.0);
}

/// A connection that is open until this is dropped.
pub(crate) struct ConnectionOpen(::metrics::Gauge);

impl ConnectionOpen {
    pub(crate) fn new(port: u16) -> Self {
        counter!(CONNECTIONS_ACCEPTED, "port" => port.to_string()).increment(1);
        let open = gauge!(CONNECTIONS_OPEN, "port" => port.to_string());
        open.increment(1.0);
        Self(open)
    }
}

impl Drop for ConnectionOpen {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

/// Counts a wait for a connection to close.
pub(crate) fn connection_waited(port: u16) {
    counter!(CONNECTIONS_WAITED, "port" => port.to_string()).increment(1);
}

/// Counts the end of a connection.
pub(crate) fn connection_closed(port: u16, reason: &'static str) {
    counter!(CONNECTIONS_CLOSED, "port" => port.to_string(), "reason" => reason).increment(1);
}

/// Counts a connection that the operating system could not give us.
pub(crate) fn accept_failed(port: u16) {
    counter!(ACCEPT_ERRORS, "port" => port.to_string()).increment(1);
}

/// Counts a TLS handshake.
pub(crate) fn handshake(listener: &'static str, outcome: &'static str) {
    counter!(HANDSHAKES, "listener" => listener, "outcome" => outcome).increment(1);
}

/// Shows how long a certificate is still good.
#[expect(
    clippy::cast_precision_loss,
    reason = "certificates are good for less than a million years"
)]
pub(crate) fn certificate_expires(listener: &'static str, left_s: i64) {
    gauge!(CERTIFICATE_EXPIRES, "listener" => listener).set(left_s as f64);
}

#[cfg(test)]
pub(crate) fn observe_for_test(name: &'static str, value: f64) {
    ::metrics::histogram!(name).record(value);
}
