//! Which of the metrics are read, without the prefix that all have. A test of the binary compares them with its
//! catalogues.

/// What all metrics of ours begin with.
pub(crate) const PREFIX: &str = "sluice_";

/// What is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Received,
    Accepted,
    Rejected,
    Tenant,
    Requests,
    Duration,
    Records,
    RecordBytes,
    RecordSamples,
    Mode,
    PartitionBytes,
    PartitionSamples,
    Plain(Plain),
    Consumed,
    Written,
    DeadLettered,
    RecordsDeadLettered,
    Skipped,
    Retries,
    WriteSeconds,
    Memory,
    MemoryLimit,
    Paused,
    LagRecords,
    UnreadRecords,
    LagSeconds,
    Headroom,
}

/// Numbers without labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Plain {
    InFlight,
    InFlightLimit,
    ActiveSeries,
    Skew,
    QueueBytes,
    QueueLimit,
    SpoolBytes,
    SpoolLimit,
    SpoolRecords,
    SpoolOldest,
    LogBytes,
    LogLimit,
    LogOldest,
}

/// By name, sorted. The name without what a histogram's lines have behind it is in a catalogue.
const TABLE: [(&str, What); 39] = [
    ("consumer_buffered_bytes", What::Memory),
    ("consumer_buffered_limit_bytes", What::MemoryLimit),
    ("consumer_headroom_seconds", What::Headroom),
    ("consumer_lag_records", What::LagRecords),
    ("consumer_lag_seconds", What::LagSeconds),
    ("consumer_paused", What::Paused),
    (
        "consumer_records_dead_lettered_total",
        What::RecordsDeadLettered,
    ),
    ("consumer_retries_total", What::Retries),
    ("consumer_samples_consumed_total", What::Consumed),
    ("consumer_samples_dead_lettered_total", What::DeadLettered),
    ("consumer_samples_skipped_total", What::Skipped),
    ("consumer_samples_written_total", What::Written),
    ("consumer_unread_records", What::UnreadRecords),
    ("consumer_write_seconds_bucket", What::WriteSeconds),
    ("gateway_active_series", What::Plain(Plain::ActiveSeries)),
    ("gateway_in_flight_bytes", What::Plain(Plain::InFlight)),
    (
        "gateway_in_flight_limit_bytes",
        What::Plain(Plain::InFlightLimit),
    ),
    ("gateway_mode", What::Mode),
    ("gateway_partition_bytes_total", What::PartitionBytes),
    ("gateway_partition_samples_total", What::PartitionSamples),
    ("gateway_partition_skew_ratio", What::Plain(Plain::Skew)),
    ("gateway_record_bytes_sum", What::RecordBytes),
    ("gateway_record_samples_sum", What::RecordSamples),
    ("gateway_records_total", What::Records),
    ("gateway_request_duration_seconds_bucket", What::Duration),
    ("gateway_requests_total", What::Requests),
    ("gateway_samples_accepted_total", What::Accepted),
    ("gateway_samples_received_total", What::Received),
    ("gateway_samples_rejected_total", What::Rejected),
    ("gateway_samples_sent_by_tenant_total", What::Tenant),
    ("kafka_queue_bytes", What::Plain(Plain::QueueBytes)),
    ("kafka_queue_limit_bytes", What::Plain(Plain::QueueLimit)),
    ("log_limit_bytes", What::Plain(Plain::LogLimit)),
    (
        "log_oldest_record_age_seconds",
        What::Plain(Plain::LogOldest),
    ),
    ("log_records_bytes", What::Plain(Plain::LogBytes)),
    ("spool_bytes", What::Plain(Plain::SpoolBytes)),
    ("spool_limit_bytes", What::Plain(Plain::SpoolLimit)),
    (
        "spool_oldest_record_age_seconds",
        What::Plain(Plain::SpoolOldest),
    ),
    ("spool_records", What::Plain(Plain::SpoolRecords)),
];

pub(super) fn what(name: &str) -> Option<What> {
    let at = TABLE
        .binary_search_by(|(known, _)| (*known).cmp(name))
        .ok()?;
    TABLE.get(at).map(|(_, what)| *what)
}

/// The metrics that the console reads, whole.
pub fn names_read() -> impl Iterator<Item = String> {
    let names = TABLE.iter().map(|(name, _)| {
        let name = name.strip_suffix("_bucket").unwrap_or(name);
        name.strip_suffix("_sum").unwrap_or(name)
    });
    names.map(|name| format!("{PREFIX}{name}"))
}
