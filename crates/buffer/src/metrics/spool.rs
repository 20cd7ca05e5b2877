//! Every metric of the spool.
#![expect(
    clippy::disallowed_macros,
    reason = "the spool's metrics are declared and recorded here"
)]

use std::time::Duration;

use ::metrics::{counter, gauge};
use service::catalogue::{Kind, Metric};

use super::{as_f64, bytes_as_f64};

const APPENDED: &str = "sluice_spool_appended_records_total";
const APPENDED_BYTES: &str = "sluice_spool_appended_bytes_total";
const REFUSED_APPENDS: &str = "sluice_spool_not_appended_records_total";
const DRAINED: &str = "sluice_spool_drained_records_total";
const EXPIRED: &str = "sluice_spool_expired_records_total";
const EXPIRED_SAMPLES: &str = "sluice_spool_expired_samples_total";
const REFUSED: &str = "sluice_spool_refused_records_total";
const REFUSED_SAMPLES: &str = "sluice_spool_refused_samples_total";
const LOST: &str = "sluice_spool_lost_records_total";
const RECORDS: &str = "sluice_spool_records";
const BYTES: &str = "sluice_spool_bytes";
const LIMIT_BYTES: &str = "sluice_spool_limit_bytes";
const OLDEST_SECONDS: &str = "sluice_spool_oldest_record_age_seconds";
const CIRCUITS: &str = "sluice_spool_open_circuits";
const TRIPS: &str = "sluice_spool_outages_total";

/// The metrics of the spool.
pub const CATALOGUE: &[Metric] = &[
    Metric {
        name: APPENDED,
        kind: Kind::Counter,
        labels: &[],
        help: "Records that were written to the spool because Kafka did not confirm them in time.",
    },
    Metric {
        name: APPENDED_BYTES,
        kind: Kind::Counter,
        labels: &[],
        help: "Bytes of keys and values of those records.",
    },
    Metric {
        name: REFUSED_APPENDS,
        kind: Kind::Counter,
        labels: &[],
        help: "Records that the spool did not take, because it or its disk is full, or the disk fails.",
    },
    Metric {
        name: DRAINED,
        kind: Kind::Counter,
        labels: &["outcome"],
        help: "Records that left the spool because Kafka has them: `delivered` from the spool, or `confirmed_late`, \
               where the first attempt got through after all.",
    },
    Metric {
        name: EXPIRED,
        kind: Kind::Counter,
        labels: &[],
        help: "Records that were given up because they waited longer than `spool.max_age` while Kafka took none: data loss.",
    },
    Metric {
        name: EXPIRED_SAMPLES,
        kind: Kind::Counter,
        labels: &[],
        help: "Samples of those records.",
    },
    Metric {
        name: REFUSED,
        kind: Kind::Counter,
        labels: &[],
        help: "Records of the spool that Kafka refuses for good; they are among the spool's dead letters.",
    },
    Metric {
        name: REFUSED_SAMPLES,
        kind: Kind::Counter,
        labels: &[],
        help: "Samples of those records.",
    },
    Metric {
        name: LOST,
        kind: Kind::Counter,
        labels: &[],
        help: "Records that the spool should have and has not: its disk lost them.",
    },
    Metric {
        name: RECORDS,
        kind: Kind::Gauge,
        labels: &[],
        help: "Records that wait in the spool.",
    },
    Metric {
        name: BYTES,
        kind: Kind::Gauge,
        labels: &[],
        help: "Bytes of records that the spool keeps, before compression.",
    },
    Metric {
        name: LIMIT_BYTES,
        kind: Kind::Gauge,
        labels: &[],
        help: "The bound on the bytes that the spool keeps: `spool.max_size`.",
    },
    Metric {
        name: OLDEST_SECONDS,
        kind: Kind::Gauge,
        labels: &[],
        help: "Age of the oldest record that waits in the spool; 0 without one.",
    },
    Metric {
        name: CIRCUITS,
        kind: Kind::Gauge,
        labels: &[],
        help: "Partitions of the topic whose records go to the spool without being tried.",
    },
    Metric {
        name: TRIPS,
        kind: Kind::Counter,
        labels: &[],
        help: "Times that records began to go to the spool.",
    },
];

/// Counts a record that was, or was not, written to the spool.
pub(crate) fn appended(is_durable: bool, size_bytes: usize) {
    if is_durable {
        counter!(APPENDED).increment(1);
        counter!(APPENDED_BYTES).increment(size_bytes as u64);
    } else {
        counter!(REFUSED_APPENDS).increment(1);
    }
}

/// Counts records that Kafka has.
pub(crate) fn drained(outcome: &'static str, records: usize) {
    counter!(DRAINED, "outcome" => outcome).increment(records as u64);
}

/// Counts a record that was given up.
pub(crate) fn expired(samples: u64) {
    counter!(EXPIRED).increment(1);
    counter!(EXPIRED_SAMPLES).increment(samples);
}

/// Counts a record that Kafka will never take.
pub(crate) fn refused(samples: u64) {
    counter!(REFUSED).increment(1);
    counter!(REFUSED_SAMPLES).increment(samples);
}

/// Counts records that are not where they should be.
pub(crate) fn lost(records: u64) {
    counter!(LOST).increment(records);
}

/// Shows what the spool holds.
pub(crate) fn holds(records: u64, bytes: u64, oldest_age: Duration) {
    gauge!(RECORDS).set(bytes_as_f64(records));
    gauge!(BYTES).set(bytes_as_f64(bytes));
    gauge!(OLDEST_SECONDS).set(oldest_age.as_secs_f64());
}

/// Shows what the spool may hold.
pub(crate) fn limit(bytes: u64) {
    gauge!(LIMIT_BYTES).set(bytes_as_f64(bytes));
}

/// Shows how many partitions are not tried.
pub(crate) fn circuits(open: usize) {
    gauge!(CIRCUITS).set(as_f64(open));
}

/// Counts the beginning of an outage.
pub(crate) fn tripped() {
    counter!(TRIPS).increment(1);
}
