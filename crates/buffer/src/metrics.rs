//! Every metric of the buffers, Kafka's and the embedded log's. Nothing else here counts.
#![expect(
    clippy::disallowed_macros,
    reason = "the crate's metrics are declared and recorded here"
)]

pub mod spool;

use std::time::Duration;

use ::metrics::{Counter, Histogram, counter, gauge, histogram};
use service::catalogue::{Kind, Metric, SECONDS};

const DELIVERIES: &str = "sluice_kafka_deliveries_total";
const DELIVERY_SECONDS: &str = "sluice_kafka_delivery_seconds";
const QUEUE_RECORDS: &str = "sluice_kafka_queue_records";
const QUEUE_BYTES: &str = "sluice_kafka_queue_bytes";
const QUEUE_LIMIT_BYTES: &str = "sluice_kafka_queue_limit_bytes";
const REBALANCES: &str = "sluice_kafka_rebalances_total";
const EXPIRED: &str = "sluice_kafka_expired_records_total";
const READ_AHEAD_BYTES: &str = "sluice_kafka_read_ahead_bytes";
const ORDER_WAITS: &str = "sluice_kafka_order_waits_total";
const PARTITIONS_WAITING: &str = "sluice_kafka_partitions_waiting";
const CLIENT_ERRORS: &str = "sluice_kafka_client_errors_total";
const CLIENT_RESTARTS: &str = "sluice_kafka_producer_restarts_total";
const FALLBACK_ACTIVE: &str = "sluice_fallback_active";
const FALLBACK_RECORDS: &str = "sluice_fallback_records_total";
const TOPIC_MISMATCH: &str = "sluice_buffer_topic_mismatch";

const LOG_APPENDS: &str = "sluice_log_appends_total";
const LOG_REFUSED: &str = "sluice_log_refused_total";
const LOG_FSYNC_SECONDS: &str = "sluice_log_fsync_seconds";
const LOG_FSYNC_RECORDS: &str = "sluice_log_fsync_records";
const LOG_RECORDS_BYTES: &str = "sluice_log_records_bytes";
const LOG_DEAD_LETTERS_BYTES: &str = "sluice_log_dead_letters_bytes";
const LOG_DISK_BYTES: &str = "sluice_log_disk_bytes";
const LOG_LIMIT_BYTES: &str = "sluice_log_limit_bytes";
const LOG_OLDEST_SECONDS: &str = "sluice_log_oldest_record_age_seconds";
const LOG_EXPIRED_UNREAD: &str = "sluice_log_expired_unread_records_total";
const LOG_DEAD_LETTERS_DROPPED: &str = "sluice_log_dead_letters_dropped_total";

/// Bounds for counts of records.
const RECORDS: &[f64] = &[
    1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 4096.0, 16384.0,
];

/// The metrics of this crate.
pub const CATALOGUE: &[Metric] = &[
    Metric {
        name: DELIVERIES,
        kind: Kind::Counter,
        labels: &["outcome"],
        help: "Records that Kafka was asked to take, by what became of them: `delivered`, `queue_full`, \
               `too_large`, `refused`, `unconfirmed` or `closed`.",
    },
    Metric {
        name: DELIVERY_SECONDS,
        kind: Kind::Histogram(SECONDS),
        labels: &["outcome"],
        help: "Time from handing a record to the Kafka client until Kafka's answer.",
    },
    Metric {
        name: QUEUE_RECORDS,
        kind: Kind::Gauge,
        labels: &[],
        help: "Records that wait for Kafka's answer.",
    },
    Metric {
        name: QUEUE_BYTES,
        kind: Kind::Gauge,
        labels: &[],
        help: "Bytes of keys and values that wait for Kafka's answer.",
    },
    Metric {
        name: QUEUE_LIMIT_BYTES,
        kind: Kind::Gauge,
        labels: &[],
        help: "The bound on the bytes that wait for Kafka's answer: `kafka.max_queue`.",
    },
    Metric {
        name: REBALANCES,
        kind: Kind::Counter,
        labels: &["group", "event"],
        help: "Changes of this process's partitions: `assigned`, `revoked`, `handover_timed_out` (revoked before \
               the store had everything) or `lost`.",
    },
    Metric {
        name: EXPIRED,
        kind: Kind::Counter,
        labels: &["group", "partition"],
        help: "Offsets that the retention removed before they were read; one value of `partition` per partition.",
    },
    Metric {
        name: READ_AHEAD_BYTES,
        kind: Kind::Gauge,
        labels: &["group"],
        help: "Bytes of records that were read from Kafka and wait for the consumer.",
    },
    Metric {
        name: ORDER_WAITS,
        kind: Kind::Counter,
        labels: &["outcome"],
        help: "Times that a partition waited for those that series had moved from, when the spread of a metric name \
               changed: `passed`, or `given_up` past `consumer.order_patience`.",
    },
    Metric {
        name: PARTITIONS_WAITING,
        kind: Kind::Gauge,
        labels: &["group"],
        help: "Partitions that wait for those that series have moved from.",
    },
    Metric {
        name: CLIENT_ERRORS,
        kind: Kind::Counter,
        labels: &["client", "kind"],
        help: "Errors that the Kafka client reported: `brokers_down`, `connection`, `authentication`, \
               `authorization`, `fatal` or `other`; `client` is `producer`, `reader` or `admin`.",
    },
    Metric {
        name: CLIENT_RESTARTS,
        kind: Kind::Counter,
        labels: &[],
        help: "Producers that were replaced after an error that ends one.",
    },
    Metric {
        name: FALLBACK_ACTIVE,
        kind: Kind::Gauge,
        labels: &[],
        help: "1 while new records go to the fallback cluster (`emergency.use_fallback`), 0 while there is one and they do \
               not.",
    },
    Metric {
        name: FALLBACK_RECORDS,
        kind: Kind::Counter,
        labels: &["outcome"],
        help: "Records that the fallback cluster was asked to take: `confirmed` or `failed`.",
    },
    Metric {
        name: TOPIC_MISMATCH,
        kind: Kind::Gauge,
        labels: &["topic", "setting"],
        help: "1 where an existing topic is not what the settings ask for: `partitions`, `replication`, `retention`, \
               `retention_bytes` or `cleanup_policy`; topics are never changed. `topic` is one of our own.",
    },
    Metric {
        name: LOG_APPENDS,
        kind: Kind::Counter,
        labels: &[],
        help: "Records that were written to the embedded log.",
    },
    Metric {
        name: LOG_REFUSED,
        kind: Kind::Counter,
        labels: &[],
        help: "Records that the embedded log refused because it holds as much as it may, unread.",
    },
    Metric {
        name: LOG_FSYNC_SECONDS,
        kind: Kind::Histogram(SECONDS),
        labels: &[],
        help: "Time that the disk took to confirm a write of the embedded log.",
    },
    Metric {
        name: LOG_FSYNC_RECORDS,
        kind: Kind::Histogram(RECORDS),
        labels: &[],
        help: "Records that one fsync of the embedded log confirmed.",
    },
    Metric {
        name: LOG_RECORDS_BYTES,
        kind: Kind::Gauge,
        labels: &[],
        help: "Bytes of records that the embedded log keeps, before compression.",
    },
    Metric {
        name: LOG_DEAD_LETTERS_BYTES,
        kind: Kind::Gauge,
        labels: &[],
        help: "Bytes of dead letters that the embedded log keeps, before compression.",
    },
    Metric {
        name: LOG_DISK_BYTES,
        kind: Kind::Gauge,
        labels: &[],
        help: "Bytes of the embedded log's files, its journal with its preallocated part included.",
    },
    Metric {
        name: LOG_LIMIT_BYTES,
        kind: Kind::Gauge,
        labels: &[],
        help: "The bound on the bytes of records that the embedded log keeps.",
    },
    Metric {
        name: LOG_OLDEST_SECONDS,
        kind: Kind::Gauge,
        labels: &[],
        help: "Age of the oldest record that the embedded log keeps.",
    },
    Metric {
        name: LOG_EXPIRED_UNREAD,
        kind: Kind::Counter,
        labels: &["reader"],
        help: "Records that the embedded log's retention removed before this reader had read them: data loss.",
    },
    Metric {
        name: LOG_DEAD_LETTERS_DROPPED,
        kind: Kind::Counter,
        labels: &[],
        help: "Dead letters that were dropped for room before their retention ended.",
    },
];

/// What is counted of the records of one outcome.
pub(crate) struct KafkaDeliveries {
    count: Counter,
    seconds: Histogram,
}

impl KafkaDeliveries {
    /// Looks them up, which costs more than counting.
    pub(crate) fn of(outcome: &'static str) -> Self {
        Self {
            count: counter!(DELIVERIES, "outcome" => outcome),
            seconds: histogram!(DELIVERY_SECONDS, "outcome" => outcome),
        }
    }

    /// Counts a record that Kafka answered.
    pub(crate) fn count(&self, elapsed: Duration) {
        self.count.increment(1);
        self.seconds.record(elapsed);
    }
}

impl std::fmt::Debug for KafkaDeliveries {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KafkaDeliveries")
    }
}

/// Counts a record that never got as far as Kafka.
pub(crate) fn kafka_not_sent(outcome: &'static str) {
    counter!(DELIVERIES, "outcome" => outcome).increment(1);
}

/// Shows what the producer's queue holds.
pub(crate) fn kafka_queue(records: usize, bytes: usize) {
    gauge!(QUEUE_RECORDS).set(as_f64(records));
    gauge!(QUEUE_BYTES).set(as_f64(bytes));
}

/// Shows what the producer's queue may hold.
pub(crate) fn kafka_queue_limit(bytes: usize) {
    gauge!(QUEUE_LIMIT_BYTES).set(as_f64(bytes));
}

/// Counts a change of the reader's partitions.
pub(crate) fn kafka_rebalance(group: &str, event: &'static str) {
    counter!(REBALANCES, "group" => group.to_owned(), "event" => event).increment(1);
}

/// Counts offsets that expired unread.
pub(crate) fn kafka_expired(group: &str, partition: i32, offsets: u64) {
    counter!(EXPIRED, "group" => group.to_owned(), "partition" => partition.to_string())
        .increment(offsets);
}

/// Shows what the reader holds for the consumer.
pub(crate) fn kafka_read_ahead(group: &str, bytes: usize) {
    gauge!(READ_AHEAD_BYTES, "group" => group.to_owned()).set(as_f64(bytes));
}

/// Shows whether records go to the fallback.
pub(crate) fn fallback_active(is_active: bool) {
    gauge!(FALLBACK_ACTIVE).set(if is_active { 1.0 } else { 0.0 });
}

/// Counts a record that the fallback was asked to take.
pub(crate) fn fallback_record(is_confirmed: bool) {
    let outcome = if is_confirmed { "confirmed" } else { "failed" };
    counter!(FALLBACK_RECORDS, "outcome" => outcome).increment(1);
}

/// Counts a partition that has waited for others.
pub(crate) fn kafka_order_waited(outcome: &'static str) {
    counter!(ORDER_WAITS, "outcome" => outcome).increment(1);
}

/// Shows how many partitions wait for others.
pub(crate) fn kafka_partitions_waiting(group: &str, count: usize) {
    gauge!(PARTITIONS_WAITING, "group" => group.to_owned()).set(as_f64(count));
}

/// Counts an error that a Kafka client reported.
pub(crate) fn kafka_client_error(client: &'static str, kind: &'static str) {
    counter!(CLIENT_ERRORS, "client" => client, "kind" => kind).increment(1);
}

/// Counts a producer that had to be replaced.
pub(crate) fn kafka_producer_restarted() {
    counter!(CLIENT_RESTARTS).increment(1);
}

/// Shows whether a topic is what the settings ask for.
pub(crate) fn topic_mismatch(topic: &str, setting: &'static str, differs: bool) {
    gauge!(TOPIC_MISMATCH, "topic" => topic.to_owned(), "setting" => setting).set(if differs {
        1.0
    } else {
        0.0
    });
}

/// Records one fsync of the log and how many records it confirmed.
pub(crate) fn log_fsync(elapsed: Duration, records: usize) {
    histogram!(LOG_FSYNC_SECONDS).record(elapsed);
    if records > 0 {
        histogram!(LOG_FSYNC_RECORDS).record(as_f64(records));
        counter!(LOG_APPENDS).increment(records as u64);
    }
}

/// Counts a record that the log had no room for.
pub(crate) fn log_refused() {
    counter!(LOG_REFUSED).increment(1);
}

/// Shows what the log keeps.
pub(crate) fn log_kept(records_bytes: u64, dead_letters_bytes: u64, oldest_age_ms: i64) {
    gauge!(LOG_RECORDS_BYTES).set(bytes_as_f64(records_bytes));
    gauge!(LOG_DEAD_LETTERS_BYTES).set(bytes_as_f64(dead_letters_bytes));
    gauge!(LOG_OLDEST_SECONDS)
        .set(Duration::from_millis(oldest_age_ms.max(0).unsigned_abs()).as_secs_f64());
}

/// Shows what the log takes on the disk.
pub(crate) fn log_disk(bytes: u64) {
    gauge!(LOG_DISK_BYTES).set(bytes_as_f64(bytes));
}

/// Shows what the log may keep.
pub(crate) fn log_limit(bytes: u64) {
    gauge!(LOG_LIMIT_BYTES).set(bytes_as_f64(bytes));
}

/// Counts records that a reader lost.
pub(crate) fn log_expired_unread(reader: &str, records: u64) {
    counter!(LOG_EXPIRED_UNREAD, "reader" => reader.to_owned()).increment(records);
}

/// Counts dead letters that had to make room.
pub(crate) fn log_dead_letters_dropped(letters: u64) {
    counter!(LOG_DEAD_LETTERS_DROPPED).increment(letters);
}

#[expect(
    clippy::cast_precision_loss,
    reason = "exact up to 8 PiB, far beyond any log"
)]
fn bytes_as_f64(bytes: u64) -> f64 {
    bytes as f64
}

fn as_f64(number: usize) -> f64 {
    // Exact up to 4 GiB; a larger queue is shown as that.
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}
