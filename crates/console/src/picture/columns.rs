//! The columns of the history: what of a snapshot is drawn over time.

use std::collections::BTreeMap;

use super::Between;
use crate::shapes::Overview;

/// Tenants that have a column; the most first.
const TENANTS: usize = 20;

/// The row of a snapshot whose other fields are there.
pub(crate) fn point(shown: &Overview, between: &Between<'_>) -> BTreeMap<String, f64> {
    let mut point = BTreeMap::new();
    let mut put = |name: &str, value: Option<f64>| {
        if let Some(value) = value.filter(|value| value.is_finite()) {
            point.insert(name.to_owned(), value);
        }
    };
    if let Some(gateway) = &shown.gateway {
        put("received", Some(gateway.samples.received_per_s));
        put("accepted", Some(gateway.samples.accepted_per_s));
        put("rejected", Some(gateway.samples.rejected_per_s));
        for protocol in &gateway.protocols {
            let name = format!("protocol:{}", protocol.protocol);
            put(&name, Some(protocol.samples.accepted_per_s));
        }
        for tenant in gateway.tenants.iter().take(TENANTS) {
            let name = format!("tenant:{}", tenant.tenant);
            put(&name, Some(tenant.samples_per_s));
        }
        for status in &gateway.requests.statuses {
            put(&format!("status:{}", status.status), Some(status.per_s));
        }
        put("p50_s", between.latency(0.5));
        put("p99_s", between.latency(0.99));
        put("bytes_per_sample", gateway.records.bytes_per_sample);
        put("in_flight_bytes", Some(gateway.in_flight.used_bytes));
    }
    let buffer = &shown.buffer;
    put("queue_bytes", buffer.queue.map(|queue| queue.used_bytes));
    put("spool_bytes", buffer.spool.map(|spool| spool.used_bytes));
    put("log_bytes", buffer.log.map(|log| log.used_bytes));
    for store in shown.stores.iter().flatten() {
        let mut of_store = |what: &str, value| put(&format!("{what}:{}", store.name), value);
        of_store("written", Some(store.written_per_s));
        of_store("retries", Some(store.retries_per_s));
        #[expect(clippy::cast_precision_loss, reason = "for pictures")]
        of_store("lag_records", Some(store.lag_records as f64));
        of_store("lag_s", store.lag_s);
        of_store("headroom_s", store.headroom_s);
    }
    put("cpu_cores", shown.process.cpu_cores);
    #[expect(clippy::cast_precision_loss, reason = "for pictures")]
    put(
        "memory_bytes",
        shown.process.memory_bytes.map(|bytes| bytes as f64),
    );
    point
}
