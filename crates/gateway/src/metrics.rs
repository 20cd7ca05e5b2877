//! Every metric of the gateway, in one place.
#![expect(
    clippy::disallowed_macros,
    reason = "the one file of this crate that names metrics"
)]

pub(crate) mod heat;
pub(crate) mod mode;
pub(crate) mod quotas;
pub(crate) mod statsd;

use std::sync::{OnceLock, PoisonError, RwLock};
use std::time::Duration;

use codec::Ignored;
use hashbrown::{Equivalent, HashMap};
use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};
use model::Code;
pub(crate) use quotas::{
    active_series, label_values, metric_active_series, quota_memory, quota_refused, repeats,
    repeats_memory, sent_by_tenant, series_not_counted, tenant_active_series,
};
use service::catalogue::{BYTES, Kind, Metric, SECONDS};
pub(crate) use statsd::{
    StatsdCounters, StatsdTally, statsd_flushed, statsd_held, statsd_kernel_drops,
    statsd_memory_limit, statsd_rejected,
};

const REQUESTS: &str = "sluice_gateway_requests_total";
const REQUEST_DURATION: &str = "sluice_gateway_request_duration_seconds";
const RECEIVED: &str = "sluice_gateway_samples_received_total";
const ACCEPTED: &str = "sluice_gateway_samples_accepted_total";
const REJECTED: &str = "sluice_gateway_samples_rejected_total";
const IGNORED: &str = "sluice_gateway_ignored_total";
const SENT_BY_SOURCE: &str = "sluice_gateway_samples_sent_by_source_total";
const REJECTED_BY_SOURCE: &str = "sluice_gateway_samples_rejected_by_source_total";
const REFUSED_BY_SOURCE: &str = "sluice_gateway_requests_refused_by_source_total";
const RECEIPTS: &str = "sluice_gateway_rejection_receipts_total";
const REFUSALS: &str = "sluice_gateway_requests_refused_total";
const DENIED: &str = "sluice_gateway_access_denied_total";
const PASSWORDS: &str = "sluice_gateway_access_passwords_total";
const KEYS_FETCHED: &str = "sluice_gateway_access_keys_fetched_total";
const IN_FLIGHT: &str = "sluice_gateway_in_flight_bytes";
const IN_FLIGHT_LIMIT: &str = "sluice_gateway_in_flight_limit_bytes";
const RECORDS: &str = "sluice_gateway_records_total";
const RECORD_BYTES: &str = "sluice_gateway_record_bytes";
const RECORD_SAMPLES: &str = "sluice_gateway_record_samples";
const COALESCE_WAIT: &str = "sluice_gateway_coalesce_wait_seconds";
const PUBLISH: &str = "sluice_gateway_publish_seconds";
const KNOWN_SERIES: &str = "sluice_gateway_known_series";
const KNOWN_SERIES_BYTES: &str = "sluice_gateway_known_series_bytes";
const PUSH_GROUPS: &str = "sluice_gateway_push_groups";
const PUSH_GROUP_BYTES: &str = "sluice_gateway_push_group_bytes";
const PUSH_GROUPS_OVERDUE: &str = "sluice_gateway_push_groups_overdue";

/// Not shown by this process but stored with the samples, a series for each group that is expected to be pushed to.
pub(crate) const PUSH_OVERDUE: &str = "sluice_push_overdue";

/// The help text of [`PUSH_OVERDUE`].
pub(crate) const PUSH_OVERDUE_HELP: &str =
    "Whether the next push to this group is overdue by what its last one said with expect_every.";

/// Bounds for numbers of samples.
const SAMPLES: &[f64] = &[
    1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2500.0, 5000.0, 10_000.0,
];

/// The gateway's metrics.
pub const CATALOGUE: &[Metric] = &[
    Metric {
        name: KNOWN_SERIES,
        kind: Kind::Gauge,
        labels: &[],
        help: "Series that were seen before and are compared instead of read again; starts anew when `http.series_cache` \
               is full.",
    },
    Metric {
        name: KNOWN_SERIES_BYTES,
        kind: Kind::Gauge,
        labels: &[],
        help: "What those take, about.",
    },
    Metric {
        name: REQUESTS,
        kind: Kind::Counter,
        labels: &["route", "method", "status"],
        help: "Requests answered; `route` is the pattern of the path, or `unmatched`.",
    },
    Metric {
        name: REQUEST_DURATION,
        kind: Kind::Histogram(SECONDS),
        labels: &["route", "outcome"],
        help: "Time from the end of a request's header to its answer; `outcome` is ok, refused (4xx), \
               unavailable (503) or failed (other 5xx).",
    },
    Metric {
        name: REFUSALS,
        kind: Kind::Counter,
        labels: &["reason"],
        help: "Requests answered with an error; `reason` is the answer's code.",
    },
    Metric {
        name: DENIED,
        kind: Kind::Counter,
        labels: &["reason"],
        help: "Requests that were not let in; `reason` is missing, malformed, unknown_key, expired_key, wrong_password, \
               bad_token, expired_token, unknown_certificate, other_tenant, other_protocol, busy or no_keys_yet.",
    },
    Metric {
        name: PASSWORDS,
        kind: Kind::Counter,
        labels: &["outcome"],
        help: "Passwords looked at; `outcome` is right, wrong, or busy (as many were being checked as may be).",
    },
    Metric {
        name: KEYS_FETCHED,
        kind: Kind::Counter,
        labels: &["outcome"],
        help: "Attempts to fetch an identity provider's keys (`access.jwt.jwks_url`); `outcome` is ok or failed.",
    },
    Metric {
        name: RECEIVED,
        kind: Kind::Counter,
        labels: &["protocol"],
        help: "Samples decoded and decided on: always accepted plus rejected. A histogram counts as the \
               series that it becomes, a refused object as one.",
    },
    Metric {
        name: ACCEPTED,
        kind: Kind::Counter,
        labels: &["protocol"],
        help: "Samples that the buffer confirmed as durable.",
    },
    Metric {
        name: REJECTED,
        kind: Kind::Counter,
        labels: &["protocol", "reason"],
        help: "Samples refused, or not confirmed by the buffer; `reason` is an error code of the API.",
    },
    Metric {
        name: SENT_BY_SOURCE,
        kind: Kind::Counter,
        labels: &["source"],
        help: "Good samples, given to the buffer, by who sent them: the first `rejections.metric_sources` sources, the rest \
               as `other`.",
    },
    Metric {
        name: REJECTED_BY_SOURCE,
        kind: Kind::Counter,
        labels: &["source", "reason"],
        help: "Samples refused, by who sent them: the first `rejections.metric_sources` sources that something was refused \
               of, the rest as `other`. `GET /api/v1/rejections` of the admin port knows more.",
    },
    Metric {
        name: REFUSED_BY_SOURCE,
        kind: Kind::Counter,
        labels: &["source", "reason"],
        help: "Requests answered with an error, by who sent them, like the samples.",
    },
    Metric {
        name: RECEIPTS,
        kind: Kind::Counter,
        labels: &["outcome"],
        help: "Refused samples for the rejections topic: `written` are in it, `dropped` found its queue full, `failed` were \
               not confirmed.",
    },
    Metric {
        name: IGNORED,
        kind: Kind::Counter,
        labels: &["protocol", "kind"],
        help: "What a protocol has and Sluice does not store; nothing is refused for it. `kind` is text (InfluxDB's \
               string fields), event and service_check (DogStatsD's), exemplar (one that breaks a rule), no_value, or \
               metadata (a unit or help text that is too long).",
    },
    Metric {
        name: IN_FLIGHT,
        kind: Kind::Gauge,
        labels: &[],
        help: "Bytes of bodies held by requests that are not answered yet.",
    },
    Metric {
        name: IN_FLIGHT_LIMIT,
        kind: Kind::Gauge,
        labels: &[],
        help: "The most that may be in flight (`http.max_in_flight`); beyond it requests get 503.",
    },
    Metric {
        name: RECORDS,
        kind: Kind::Counter,
        labels: &["outcome"],
        help: "Records given to the buffer; `outcome` is confirmed, or the error code of the answer.",
    },
    Metric {
        name: RECORD_BYTES,
        kind: Kind::Histogram(BYTES),
        labels: &[],
        help: "Size of records given to the buffer, before compression.",
    },
    Metric {
        name: RECORD_SAMPLES,
        kind: Kind::Histogram(SAMPLES),
        labels: &[],
        help: "Samples per record given to the buffer: what coalescing achieves.",
    },
    Metric {
        name: COALESCE_WAIT,
        kind: Kind::Histogram(SECONDS),
        labels: &[],
        help: "Time from the first sample of a window to its publishing.",
    },
    Metric {
        name: PUBLISH,
        kind: Kind::Histogram(SECONDS),
        labels: &[],
        help: "Time from publishing a record to the buffer's answer.",
    },
    Metric {
        name: PUSH_GROUPS,
        kind: Kind::Gauge,
        labels: &[],
        help: "Groups of pushed metrics (`/metrics/job/…`), which all gateways on a buffer share.",
    },
    Metric {
        name: PUSH_GROUP_BYTES,
        kind: Kind::Gauge,
        labels: &[],
        help: "Size of these groups; beyond `pushgateway.max_size` pushes get 503.",
    },
    Metric {
        name: PUSH_GROUPS_OVERDUE,
        kind: Kind::Gauge,
        labels: &[],
        help: "Groups whose next push is overdue. Which ones is in the stream: `sluice_push_overdue`, 1 or 0, with \
               the labels of each group that is expected to be pushed to.",
    },
];

/// What is counted of requests, looked up once for each route, method and status.
#[derive(Default)]
pub(crate) struct RequestMeters {
    known: RwLock<HashMap<Answered<String>, (Counter, Histogram), foldhash::quality::RandomState>>,
}

/// What tells requests apart; all of it is of a closed set.
#[derive(Hash, PartialEq, Eq)]
struct Answered<R> {
    route: R,
    method: &'static str,
    status: u16,
}

impl Equivalent<Answered<String>> for Answered<&str> {
    fn equivalent(&self, known: &Answered<String>) -> bool {
        self.route == known.route && self.method == known.method && self.status == known.status
    }
}

impl RequestMeters {
    /// Counts an answered request.
    pub(crate) fn count(&self, route: &str, method: &'static str, status: u16, elapsed: Duration) {
        let answered = Answered {
            route,
            method,
            status,
        };
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((count, duration)) = known.get(&answered) {
            count.increment(1);
            duration.record(elapsed);
            return;
        }
        drop(known);
        let (count, duration) = answered.meters();
        count.increment(1);
        duration.record(elapsed);
        let answered = Answered {
            route: route.to_owned(),
            method,
            status,
        };
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(answered, (count, duration));
    }
}

impl Answered<&str> {
    fn meters(&self) -> (Counter, Histogram) {
        let route = self.route.to_owned();
        let status_text = status_text(self.status);
        let count = counter!(REQUESTS, "route" => route.clone(), "method" => self.method, "status" => status_text);
        let outcome = match self.status {
            0..400 => "ok",
            400..500 => "refused",
            503 => "unavailable",
            _ => "failed",
        };
        let duration = histogram!(REQUEST_DURATION, "route" => route, "outcome" => outcome);
        (count, duration)
    }
}

/// Counts a request that was answered with an error.
pub(crate) fn request_refused(reason: Code) {
    counter!(REFUSALS, "reason" => reason.as_str()).increment(1);
}

/// Counts a request that was not let in.
pub(crate) fn access_denied(reason: &'static str) {
    counter!(DENIED, "reason" => reason).increment(1);
}

/// Counts a password.
pub(crate) fn password_checked(outcome: &'static str) {
    counter!(PASSWORDS, "outcome" => outcome).increment(1);
}

/// Counts an attempt to fetch keys.
pub(crate) fn keys_fetched(is_ok: bool) {
    let outcome = if is_ok { "ok" } else { "failed" };
    counter!(KEYS_FETCHED, "outcome" => outcome).increment(1);
}

/// What is counted of the samples that one protocol brought, looked up once.
pub(crate) struct SampleMeters {
    /// The label's value.
    pub(crate) protocol: &'static str,
    received_and_accepted: OnceLock<(Counter, Counter)>,
}

impl SampleMeters {
    pub(crate) fn of(protocol: &'static str) -> Self {
        Self {
            protocol,
            received_and_accepted: OnceLock::new(),
        }
    }

    /// Counts samples that are durable.
    pub(crate) fn accepted(&self, samples: u64) {
        if samples == 0 {
            return;
        }
        let protocol = self.protocol;
        let (received, accepted) = self.received_and_accepted.get_or_init(|| {
            (
                counter!(RECEIVED, "protocol" => protocol),
                counter!(ACCEPTED, "protocol" => protocol),
            )
        });
        received.increment(samples);
        accepted.increment(samples);
    }
}

impl std::fmt::Debug for SampleMeters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("SampleMeters").field(&self.protocol).finish()
    }
}

/// Counts samples that were refused, or not confirmed.
pub(crate) fn rejected(protocol: &'static str, reason: Code, samples: u64) {
    if samples > 0 {
        counter!(RECEIVED, "protocol" => protocol).increment(samples);
        counter!(REJECTED, "protocol" => protocol, "reason" => reason.as_str()).increment(samples);
    }
}

/// The counter of good samples by who sent them: one of a bounded set.
pub(crate) fn sent_by_source(source: String) -> Counter {
    counter!(SENT_BY_SOURCE, "source" => source)
}

/// Counts samples that were refused, by who sent them: one of a bounded set.
pub(crate) fn rejected_by_source(source: String, reason: Code, samples: u64) {
    counter!(REJECTED_BY_SOURCE, "source" => source, "reason" => reason.as_str())
        .increment(samples);
}

/// Counts a request that was refused as a whole, by who sent it.
pub(crate) fn refused_by_source(source: String, reason: Code) {
    counter!(REFUSED_BY_SOURCE, "source" => source, "reason" => reason.as_str()).increment(1);
}

pub(crate) const RECEIPT_WRITTEN: &str = "written";
pub(crate) const RECEIPT_DROPPED: &str = "dropped";
pub(crate) const RECEIPT_FAILED: &str = "failed";

/// Counts refused samples for the rejections topic.
pub(crate) fn receipts(outcome: &'static str, samples: u64) {
    counter!(RECEIPTS, "outcome" => outcome).increment(samples);
}

/// Counts what was passed over.
pub(crate) fn ignored(protocol: &'static str, what: Ignored, count: u64) {
    if count > 0 {
        counter!(IGNORED, "protocol" => protocol, "kind" => what.as_str()).increment(count);
    }
}

/// Shows how much is in flight.
pub(crate) struct InFlight(Gauge);

impl InFlight {
    /// The gauge, and how much may be in flight.
    pub(crate) fn of(limit_bytes: usize) -> Self {
        gauge!(IN_FLIGHT_LIMIT).set(limit_bytes as f64);
        Self(gauge!(IN_FLIGHT))
    }

    pub(crate) fn show(&self, bytes: usize) {
        self.0.set(bytes as f64);
    }
}

impl std::fmt::Debug for InFlight {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("InFlight")
    }
}

/// What is counted for each record, looked up once.
pub(crate) struct RecordMeters {
    bytes: Histogram,
    samples: Histogram,
    confirmed: Counter,
    publish: Histogram,
    wait: Histogram,
}

impl Default for RecordMeters {
    fn default() -> Self {
        Self {
            bytes: histogram!(RECORD_BYTES),
            samples: histogram!(RECORD_SAMPLES),
            confirmed: counter!(RECORDS, "outcome" => "confirmed"),
            publish: histogram!(PUBLISH),
            wait: histogram!(COALESCE_WAIT),
        }
    }
}

impl RecordMeters {
    /// Notes the shape of a record on its way to the buffer.
    pub(crate) fn published(&self, bytes: usize, samples: u32) {
        self.bytes.record(bytes as f64);
        self.samples.record(f64::from(samples));
    }

    /// Counts a record that the buffer answered.
    pub(crate) fn settled(&self, failure: Option<Code>, elapsed: Duration) {
        match failure {
            None => self.confirmed.increment(1),
            Some(code) => counter!(RECORDS, "outcome" => code.as_str()).increment(1),
        }
        self.publish.record(elapsed);
    }

    /// Notes how long a window was open.
    pub(crate) fn window_closed(&self, open_for: Duration) {
        self.wait.record(open_for);
    }
}

/// Shows how many series are known from earlier bodies.
pub(crate) fn known_series(series: usize, bytes: usize) {
    gauge!(KNOWN_SERIES).set(series as f64);
    gauge!(KNOWN_SERIES_BYTES).set(bytes as f64);
}

/// Shows how many groups of pushed metrics there are.
pub(crate) fn push_groups(groups: usize, bytes: usize, overdue: usize) {
    gauge!(PUSH_GROUPS).set(groups as f64);
    gauge!(PUSH_GROUP_BYTES).set(bytes as f64);
    gauge!(PUSH_GROUPS_OVERDUE).set(overdue as f64);
}

/// The statuses that are answered, without an allocation for the usual ones.
fn status_text(status: u16) -> std::borrow::Cow<'static, str> {
    match status {
        200 => "200".into(),
        204 => "204".into(),
        400 => "400".into(),
        401 => "401".into(),
        403 => "403".into(),
        404 => "404".into(),
        405 => "405".into(),
        408 => "408".into(),
        413 => "413".into(),
        415 => "415".into(),
        500 => "500".into(),
        503 => "503".into(),
        other => other.to_string().into(),
    }
}
