//! What is counted of quotas, of series, and of requests that come again.

use metrics::{Counter, counter, gauge};
use service::catalogue::{Kind, Metric};

const SENT_BY_TENANT: &str = "sluice_gateway_samples_sent_by_tenant_total";
const REFUSED: &str = "sluice_gateway_quota_refused_total";
const MEMORY: &str = "sluice_gateway_quota_memory_bytes";
const ACTIVE: &str = "sluice_gateway_active_series";
const TENANT_ACTIVE: &str = "sluice_gateway_tenant_active_series";
const METRIC_ACTIVE: &str = "sluice_gateway_metric_active_series";
const LABEL_VALUES: &str = "sluice_gateway_label_values";
const NOT_COUNTED: &str = "sluice_gateway_series_not_counted_total";
const REPEATS: &str = "sluice_gateway_repeats_total";
const REPEATS_MEMORY: &str = "sluice_gateway_repeats_memory_bytes";

/// The metrics of quotas.
pub const CATALOGUE: &[Metric] = &[
    Metric {
        name: SENT_BY_TENANT,
        kind: Kind::Counter,
        labels: &["tenant"],
        help: "Good samples, given to the buffer, by whose they are: the first 100 tenants, the rest as `other`, those of \
               nobody as `none`.",
    },
    Metric {
        name: REFUSED,
        kind: Kind::Counter,
        labels: &["tenant", "quota"],
        help: "What a quota refused: requests where `quota` is requests or samples (a rate, 429), objects where it is \
               active_series, metric_names or metric_samples. `tenant` is one that `quotas.tenants` names, `other`, or \
               `none`.",
    },
    Metric {
        name: MEMORY,
        kind: Kind::Gauge,
        labels: &[],
        help: "What the active series of limited tenants, sources and metrics take, about.",
    },
    Metric {
        name: ACTIVE,
        kind: Kind::Gauge,
        labels: &[],
        help: "Series that sent something within `quotas.window`, estimated.",
    },
    Metric {
        name: TENANT_ACTIVE,
        kind: Kind::Gauge,
        labels: &["tenant"],
        help: "The same by tenant: those that `quotas.tenants` names, `other`, or `none`.",
    },
    Metric {
        name: METRIC_ACTIVE,
        kind: Kind::Gauge,
        labels: &["metric"],
        help: "The same by metric name, of those that have most (`cardinality.top`); at most 200 names ever, and 0 \
               for one that is no longer among them.",
    },
    Metric {
        name: LABEL_VALUES,
        kind: Kind::Gauge,
        labels: &["label"],
        help: "Different values of a label, estimated, of those labels that have most; with the same bounds.",
    },
    Metric {
        name: NOT_COUNTED,
        kind: Kind::Counter,
        labels: &[],
        help: "Series that the estimates leave out for half of `quotas.window`, because others were being counted.",
    },
    Metric {
        name: REPEATS,
        kind: Kind::Counter,
        labels: &["outcome"],
        help: "Requests that came again under their `Idempotency-Key`, or with the same body: `outcome` is answered \
               (as the first one was), waited (for the first one, then answered as that), unanswered (the first one \
               took too long, 503), reused (another request under the same key, 422), or untracked (no room to \
               remember a first one).",
    },
    Metric {
        name: REPEATS_MEMORY,
        kind: Kind::Gauge,
        labels: &[],
        help: "What remembered answers take, about.",
    },
];

/// Counts what a quota refused. `tenant` is of a closed set.
pub(crate) fn quota_refused(tenant: String, quota: &'static str, count: u64) {
    counter!(REFUSED, "tenant" => tenant, "quota" => quota).increment(count);
}

/// Shows what active series take.
#[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
pub(crate) fn quota_memory(bytes: usize) {
    gauge!(MEMORY).set(bytes as f64);
}

/// Shows how many series there are.
#[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
pub(crate) fn active_series(count: usize) {
    gauge!(ACTIVE).set(count as f64);
}

/// Shows how many a tenant has, which is of a closed set.
#[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
pub(crate) fn tenant_active_series(tenant: String, count: usize) {
    gauge!(TENANT_ACTIVE, "tenant" => tenant).set(count as f64);
}

/// Shows how many a metric has; the caller bounds the names.
#[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
pub(crate) fn metric_active_series(metric: &str, count: usize) {
    gauge!(METRIC_ACTIVE, "metric" => metric.to_owned()).set(count as f64);
}

/// Shows how many values a label has; the caller bounds the names.
#[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
pub(crate) fn label_values(label: &str, count: usize) {
    gauge!(LABEL_VALUES, "label" => label.to_owned()).set(count as f64);
}

/// Counts series that estimates leave out.
pub(crate) fn series_not_counted(count: u64) {
    counter!(NOT_COUNTED).increment(count);
}

/// Counts a request that came again.
pub(crate) fn repeats(outcome: &'static str) {
    counter!(REPEATS, "outcome" => outcome).increment(1);
}

/// Shows what remembered answers take.
#[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
pub(crate) fn repeats_memory(bytes: usize) {
    gauge!(REPEATS_MEMORY).set(bytes as f64);
}

/// The counter of good samples by whose they are: one of a bounded set.
pub(crate) fn sent_by_tenant(tenant: String) -> Counter {
    counter!(SENT_BY_TENANT, "tenant" => tenant)
}
