//! Every metric of the consumer.
//!
//! The ledger balances per process: consumed = written + dead-lettered + skipped + in memory. Over all
//! processes, what is still buffered follows from the offsets (`lag_records`), because a record that is
//! read again after a rebalance or a restart is counted as consumed again.
#![expect(
    clippy::disallowed_macros,
    reason = "the one file of this crate that names metrics"
)]

use std::time::Duration;

use ::metrics::{counter, gauge, histogram};
use service::catalogue::{Kind, Metric, SECONDS};

const CONSUMED: &str = "sluice_consumer_samples_consumed_total";
const WRITTEN: &str = "sluice_consumer_samples_written_total";
const DEAD_LETTERED: &str = "sluice_consumer_samples_dead_lettered_total";
const SKIPPED: &str = "sluice_consumer_samples_skipped_total";
const RECORDS_DEAD_LETTERED: &str = "sluice_consumer_records_dead_lettered_total";
const RECORDS_EXPIRED: &str = "sluice_consumer_records_expired_total";
const LAG_RECORDS: &str = "sluice_consumer_lag_records";
const UNREAD_RECORDS: &str = "sluice_consumer_unread_records";
const LAG_SECONDS: &str = "sluice_consumer_lag_seconds";
const HEADROOM_SECONDS: &str = "sluice_consumer_headroom_seconds";
const WRITE_SECONDS: &str = "sluice_consumer_write_seconds";
const RETRIES: &str = "sluice_consumer_retries_total";
const BATCH_SAMPLES: &str = "sluice_consumer_batch_samples";
const BUFFERED_BYTES: &str = "sluice_consumer_buffered_bytes";
const BUFFERED_LIMIT_BYTES: &str = "sluice_consumer_buffered_limit_bytes";
const PAUSED: &str = "sluice_consumer_paused";
const DIVIDED: &str = "sluice_consumer_divided_names";
const COMMITS: &str = "sluice_consumer_commits_total";

const SAMPLES: &[f64] = &[
    1.0,
    10.0,
    100.0,
    500.0,
    1000.0,
    2000.0,
    5000.0,
    10_000.0,
    50_000.0,
    100_000.0,
    1_000_000.0,
];

/// What is counted here.
pub const CATALOGUE: &[Metric] = &[
    Metric {
        name: CONSUMED,
        kind: Kind::Counter,
        labels: &["store"],
        help: "Samples read from the buffer and decoded; read again after a rebalance or restart, they count again.",
    },
    Metric {
        name: WRITTEN,
        kind: Kind::Counter,
        labels: &["store"],
        help: "Samples that the store has taken.",
    },
    Metric {
        name: DEAD_LETTERED,
        kind: Kind::Counter,
        labels: &["store", "reason"],
        help: "Samples that the store refused for good and the dead-letter topic has, by the store's reason.",
    },
    Metric {
        name: SKIPPED,
        kind: Kind::Counter,
        labels: &["store", "reason"],
        help: "Samples consumed but not handled: `returned` ones were given back uncommitted at a rebalance or shutdown and are consumed again; `not_finite` ones are NaN or infinite, for which the store's protocol has no form.",
    },
    Metric {
        name: RECORDS_DEAD_LETTERED,
        kind: Kind::Counter,
        labels: &["store", "reason"],
        help: "Records that could not be decoded and went to the dead-letter topic as they were; their samples are in no other counter.",
    },
    Metric {
        name: RECORDS_EXPIRED,
        kind: Kind::Counter,
        labels: &["store", "partition"],
        help: "Offsets that expired in the buffer before this store read them: lost for it.",
    },
    Metric {
        name: LAG_RECORDS,
        kind: Kind::Gauge,
        labels: &["store", "partition"],
        help: "Offsets between what the store has and the partition's end; 0 for a partition that this process no longer reads.",
    },
    Metric {
        name: UNREAD_RECORDS,
        kind: Kind::Gauge,
        labels: &["store", "partition"],
        help: "Those of the lag's offsets that were not read from the buffer yet; the others are in memory.",
    },
    Metric {
        name: LAG_SECONDS,
        kind: Kind::Gauge,
        labels: &["store", "partition"],
        help: "Age of the oldest record that the store does not have yet; 0 when caught up or no longer read here, NaN until known.",
    },
    Metric {
        name: HEADROOM_SECONDS,
        kind: Kind::Gauge,
        labels: &["store", "partition"],
        help: "Seconds until the oldest record that the store does not have yet expires; the retention when caught up, NaN when unknown or no longer read here.",
    },
    Metric {
        name: WRITE_SECONDS,
        kind: Kind::Histogram(SECONDS),
        labels: &["store", "outcome"],
        help: "Duration of one write to the store; outcome is ok, retryable or refused.",
    },
    Metric {
        name: RETRIES,
        kind: Kind::Counter,
        labels: &["store", "reason"],
        help: "Attempts that failed for a passing reason and are made again; reason is unavailable, asked_to_wait, resume, dead_letter, commit or read.",
    },
    Metric {
        name: BATCH_SAMPLES,
        kind: Kind::Histogram(SAMPLES),
        labels: &["store"],
        help: "Samples in a batch when it was cut.",
    },
    Metric {
        name: BUFFERED_BYTES,
        kind: Kind::Gauge,
        labels: &["store"],
        help: "Memory held by records that the store does not have yet.",
    },
    Metric {
        name: BUFFERED_LIMIT_BYTES,
        kind: Kind::Gauge,
        labels: &["store"],
        help: "Where reading pauses: the setting consumer.max_buffered.",
    },
    Metric {
        name: PAUSED,
        kind: Kind::Gauge,
        labels: &["store"],
        help: "1 while reading is paused because the store is slower than the buffer.",
    },
    Metric {
        name: DIVIDED,
        kind: Kind::Gauge,
        labels: &["store"],
        help: "Metric names whose series go to all shards of the store, because one shard could not keep up with them.",
    },
    Metric {
        name: COMMITS,
        kind: Kind::Counter,
        labels: &["store", "outcome"],
        help: "Commits of offsets; outcome is ok or failed.",
    },
];

/// Why samples that were consumed are neither written nor dead-lettered.
pub(crate) const RETURNED: &str = "returned";

fn many(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

pub(crate) fn samples_consumed(store: &str, samples: usize) {
    counter!(CONSUMED, "store" => store.to_owned()).increment(many(samples));
}

pub(crate) fn samples_written(store: &str, samples: usize) {
    counter!(WRITTEN, "store" => store.to_owned()).increment(many(samples));
}

pub(crate) fn samples_dead_lettered(store: &str, reason: &'static str, samples: usize) {
    counter!(DEAD_LETTERED, "store" => store.to_owned(), "reason" => reason)
        .increment(many(samples));
}

pub(crate) fn samples_skipped(store: &str, reason: &'static str, samples: usize) {
    counter!(SKIPPED, "store" => store.to_owned(), "reason" => reason).increment(many(samples));
}

pub(crate) fn record_dead_lettered(store: &str, reason: &'static str) {
    counter!(RECORDS_DEAD_LETTERED, "store" => store.to_owned(), "reason" => reason).increment(1);
}

pub(crate) fn records_expired(store: &str, partition: i32, records: u64) {
    counter!(RECORDS_EXPIRED, "store" => store.to_owned(), "partition" => partition.to_string())
        .increment(records);
}

/// States how far a store is behind on a partition.
pub(crate) fn lag(store: &str, partition: i32, lag: &crate::lag::Lag) {
    let labels = [
        ("store", store.to_owned()),
        ("partition", partition.to_string()),
    ];
    gauge!(LAG_RECORDS, &labels).set(lag.records as f64);
    gauge!(UNREAD_RECORDS, &labels).set(lag.unread_records as f64);
    gauge!(LAG_SECONDS, &labels).set(lag.seconds);
    gauge!(HEADROOM_SECONDS, &labels).set(lag.headroom_seconds);
}

pub(crate) fn write(store: &str, outcome: &'static str, took: Duration) {
    histogram!(WRITE_SECONDS, "store" => store.to_owned(), "outcome" => outcome).record(took);
}

pub(crate) fn retry(store: &str, reason: &'static str) {
    counter!(RETRIES, "store" => store.to_owned(), "reason" => reason).increment(1);
}

pub(crate) fn batch(store: &str, samples: usize) {
    histogram!(BATCH_SAMPLES, "store" => store.to_owned()).record(samples as f64);
}

pub(crate) fn memory(store: &str, bytes: usize, limit: usize, paused: bool) {
    gauge!(BUFFERED_BYTES, "store" => store.to_owned()).set(bytes as f64);
    gauge!(BUFFERED_LIMIT_BYTES, "store" => store.to_owned()).set(limit as f64);
    gauge!(PAUSED, "store" => store.to_owned()).set(f64::from(u8::from(paused)));
}

pub(crate) fn divided(store: &str, names: usize) {
    gauge!(DIVIDED, "store" => store.to_owned()).set(names as f64);
}

pub(crate) fn commit(store: &str, ok: bool) {
    let outcome = if ok { "ok" } else { "failed" };
    counter!(COMMITS, "store" => store.to_owned(), "outcome" => outcome).increment(1);
}
