//! What the stores count.
#![expect(
    clippy::disallowed_macros,
    reason = "the one place where this crate's metrics are declared"
)]

use std::time::Duration;

use ::metrics::{counter, gauge, histogram};
use service::catalogue::{BYTES, Kind, Metric, SECONDS};

use crate::WriteError;

const REQUESTS: &str = "sluice_store_requests_total";
const REQUEST_SECONDS: &str = "sluice_store_request_duration_seconds";
const REQUEST_BYTES: &str = "sluice_store_request_bytes";
const EXEMPLARS_DROPPED: &str = "sluice_store_exemplars_dropped_total";
const ARCHIVE_FILES: &str = "sluice_store_archive_files_total";
const ARCHIVE_BYTES: &str = "sluice_store_archive_bytes_total";
const ARCHIVE_SECONDS: &str = "sluice_store_archive_write_seconds";
const ARCHIVE_FILES_MERGED: &str = "sluice_store_archive_files_merged_total";
const ARCHIVE_DAYS_EXPIRED: &str = "sluice_store_archive_days_expired_total";
const BUCKET_PASSES: &str = "sluice_store_archive_moves_total";
const BUCKET_MOVED_AT: &str = "sluice_store_archive_moved_timestamp_seconds";
const BUCKET_FILES: &str = "sluice_store_archive_object_files_total";
const BUCKET_BYTES: &str = "sluice_store_archive_object_bytes_total";
const BUCKET_TABLE_FILES: &str = "sluice_store_archive_table_files";
const BUCKET_TABLE_BYTES: &str = "sluice_store_archive_table_bytes";

/// The metrics of this crate. The label `store` is a name from the settings.
pub const CATALOGUE: &[Metric] = &[
    Metric {
        name: REQUESTS,
        kind: Kind::Counter,
        labels: &["store", "outcome"],
        help: "Batches sent to a store, by what became of them: written, retryable (it will be sent again) or refused. `store` is a name from the settings.",
    },
    Metric {
        name: REQUEST_SECONDS,
        kind: Kind::Histogram(SECONDS),
        labels: &["store", "outcome"],
        help: "How long a store that is written to over the network took to answer, failures included.",
    },
    Metric {
        name: REQUEST_BYTES,
        kind: Kind::Histogram(BYTES),
        labels: &["store"],
        help: "Size of what was sent to a store over the network, compressed where it is.",
    },
    Metric {
        name: EXEMPLARS_DROPPED,
        kind: Kind::Counter,
        labels: &["store"],
        help: "Exemplars that a store of remote write 2.0 was not sent: 2.0 has them beside a sample of their series, and the batch had none.",
    },
    Metric {
        name: ARCHIVE_FILES,
        kind: Kind::Counter,
        labels: &["store"],
        help: "Files added to the archive.",
    },
    Metric {
        name: ARCHIVE_BYTES,
        kind: Kind::Counter,
        labels: &["store"],
        help: "Bytes of the files added to the archive.",
    },
    Metric {
        name: ARCHIVE_SECONDS,
        kind: Kind::Histogram(SECONDS),
        labels: &["store"],
        help: "How long it took to turn a batch into synced files, failures included.",
    },
    Metric {
        name: ARCHIVE_FILES_MERGED,
        kind: Kind::Counter,
        labels: &["store"],
        help: "Small files of the archive that went into larger ones.",
    },
    Metric {
        name: ARCHIVE_DAYS_EXPIRED,
        kind: Kind::Counter,
        labels: &["store"],
        help: "Days deleted from the archive because they were past its retention.",
    },
    Metric {
        name: BUCKET_PASSES,
        kind: Kind::Counter,
        labels: &["store", "outcome"],
        help: "Attempts to bring the archive's object store up to date: done or failed (it is tried again; days stay on the disk).",
    },
    Metric {
        name: BUCKET_MOVED_AT,
        kind: Kind::Gauge,
        labels: &["store"],
        help: "When the archive's object store was up to date the last time, seconds since the Unix epoch.",
    },
    Metric {
        name: BUCKET_FILES,
        kind: Kind::Counter,
        labels: &["store", "what"],
        help: "Files of the archive's object store, by what was done: moved there from the disk, compacted into larger ones, expired (left the table), deleted (a day later).",
    },
    Metric {
        name: BUCKET_BYTES,
        kind: Kind::Counter,
        labels: &["store", "what"],
        help: "Bytes of those files.",
    },
    Metric {
        name: BUCKET_TABLE_FILES,
        kind: Kind::Gauge,
        labels: &["store"],
        help: "Files in the table of the archive's object store, those of other archives that share it included.",
    },
    Metric {
        name: BUCKET_TABLE_BYTES,
        kind: Kind::Gauge,
        labels: &["store"],
        help: "Bytes of those files.",
    },
];

fn outcome(result: &Result<(), WriteError>) -> &'static str {
    match result {
        Ok(()) => "written",
        Err(WriteError::Retryable { .. }) => "retryable",
        Err(WriteError::Refused { .. }) => "refused",
    }
}

fn answered(store: &str, result: &Result<(), WriteError>) {
    counter!(REQUESTS, "store" => store.to_owned(), "outcome" => outcome(result)).increment(1);
}

/// Counts a batch that was sent over the network.
pub(crate) fn request(
    store: &str,
    result: &Result<(), WriteError>,
    body_bytes: usize,
    took: Duration,
) {
    answered(store, result);
    histogram!(REQUEST_SECONDS, "store" => store.to_owned(), "outcome" => outcome(result))
        .record(took);
    #[expect(
        clippy::cast_precision_loss,
        reason = "a body is far smaller than 2^53 bytes"
    )]
    histogram!(REQUEST_BYTES, "store" => store.to_owned()).record(body_bytes as f64);
}

/// Counts exemplars that were left out of a batch that is written.
pub(crate) fn exemplars_dropped(store: &str, exemplars: usize) {
    if exemplars > 0 {
        counter!(EXEMPLARS_DROPPED, "store" => store.to_owned()).increment(exemplars as u64);
    }
}

/// Counts an attempt to write a batch into the archive.
pub(crate) fn archive_written(store: &str, result: &Result<(), WriteError>, took: Duration) {
    answered(store, result);
    histogram!(ARCHIVE_SECONDS, "store" => store.to_owned()).record(took);
}

/// Counts the files of a batch.
pub(crate) fn archive_files_written(store: &str, files: usize, bytes: u64) {
    counter!(ARCHIVE_FILES, "store" => store.to_owned()).increment(files as u64);
    counter!(ARCHIVE_BYTES, "store" => store.to_owned()).increment(bytes);
}

/// Counts days that went.
pub(crate) fn archive_days_expired(store: &str, days: usize) {
    counter!(ARCHIVE_DAYS_EXPIRED, "store" => store.to_owned()).increment(days as u64);
}

/// Counts small files that went into larger ones.
pub(crate) fn archive_files_merged(store: &str, files: usize) {
    counter!(ARCHIVE_FILES_MERGED, "store" => store.to_owned()).increment(files as u64);
}

/// Counts an attempt to bring the object store up to date.
pub(crate) fn bucket_pass(store: &str, is_done: bool, now_ms: i64) {
    let outcome = if is_done { "done" } else { "failed" };
    counter!(BUCKET_PASSES, "store" => store.to_owned(), "outcome" => outcome).increment(1);
    if is_done {
        #[expect(
            clippy::cast_precision_loss,
            reason = "milliseconds are far below 2^53"
        )]
        let seconds = now_ms as f64 / 1000.0;
        gauge!(BUCKET_MOVED_AT, "store" => store.to_owned()).set(seconds);
    }
}

/// Counts files of the object store.
pub(crate) fn bucket_files(store: &str, what: &'static str, files: usize, bytes: u64) {
    counter!(BUCKET_FILES, "store" => store.to_owned(), "what" => what).increment(files as u64);
    counter!(BUCKET_BYTES, "store" => store.to_owned(), "what" => what).increment(bytes);
}

/// Says how large the table is.
#[expect(
    clippy::cast_precision_loss,
    reason = "a table is far smaller than 2^53 bytes"
)]
pub(crate) fn bucket_table(store: &str, sizes: impl Iterator<Item = u64>) {
    let (files, bytes) = sizes.fold((0_u64, 0_u64), |(files, bytes), size| {
        (files + 1, bytes.saturating_add(size))
    });
    gauge!(BUCKET_TABLE_FILES, "store" => store.to_owned()).set(files as f64);
    gauge!(BUCKET_TABLE_BYTES, "store" => store.to_owned()).set(bytes as f64);
}
