//! What a process counts about itself and its connections.
#![expect(
    clippy::disallowed_macros,
    reason = "the one file of this crate that names metrics"
)]

use ::metrics::gauge;

use crate::catalogue::{Kind, Metric};

const BUILD_INFO: &str = "sluice_build_info";
const CONNECTIONS_OPEN: &str = "sluice_http_connections_open";
const CONNECTIONS_ACCEPTED: &str = "sluice_http_connections_accepted_total";
const CONNECTIONS_WAITED: &str = "sluice_http_connections_waited_total";
const CONNECTIONS_CLOSED: &str = "sluice_http_connections_closed_total";
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
        labels: &["listener"],
        help: "Connections that are open now.",
    },
    Metric {
        name: CONNECTIONS_ACCEPTED,
        kind: Kind::Counter,
        labels: &["listener"],
        help: "Connections that were accepted.",
    },
    Metric {
        name: CONNECTIONS_WAITED,
        kind: Kind::Counter,
        labels: &["listener"],
        help: "Times that accepting waited for a connection to close, because as many were open as are allowed.",
    },
    Metric {
        name: CONNECTIONS_CLOSED,
        kind: Kind::Counter,
        labels: &["listener", "reason"],
        help: "Connections that ended, by reason: done, idle, error, slow_header, shutdown.",
    },
    Metric {
        name: ACCEPT_ERRORS,
        kind: Kind::Counter,
        labels: &["listener"],
        help: "Times that the operating system refused to accept a connection, mostly for want of file descriptors.",
    },
];

/// Says what is running.
pub(crate) fn build_info(version: &'static str, role: &'static str) {
    gauge!(BUILD_INFO, "version" => version, "role" => role).set(1.0);
}
