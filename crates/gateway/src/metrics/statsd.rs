//! What is counted about StatsD: it answers nobody, so this is where its losses show.

use std::time::Duration;

use metrics::{Counter, counter, gauge, histogram};
use service::catalogue::{Kind, Metric, SECONDS};

const PACKETS: &str = "sluice_statsd_packets_total";
const BYTES: &str = "sluice_statsd_received_bytes_total";
const LINES: &str = "sluice_statsd_lines_total";
const LINES_REJECTED: &str = "sluice_statsd_lines_rejected_total";
const SERIES: &str = "sluice_statsd_series";
const MEMORY: &str = "sluice_statsd_memory_bytes";
const MEMORY_LIMIT: &str = "sluice_statsd_memory_limit_bytes";
const FLUSH: &str = "sluice_statsd_flush_seconds";
const KERNEL_DROPS: &str = "sluice_statsd_kernel_drops_total";

/// The metrics of StatsD.
pub const CATALOGUE: &[Metric] = &[
    Metric {
        name: PACKETS,
        kind: Kind::Counter,
        labels: &["transport"],
        help: "Packets read, or pieces of a stream; `transport` is udp, tcp, unix_datagram or unix_stream.",
    },
    Metric {
        name: BYTES,
        kind: Kind::Counter,
        labels: &["transport"],
        help: "Bytes read.",
    },
    Metric {
        name: LINES,
        kind: Kind::Counter,
        labels: &["outcome"],
        help: "Lines read; `outcome` is taken, ignored (events and service checks) or rejected. A line that repeats \
               value and type counts as so many.",
    },
    Metric {
        name: LINES_REJECTED,
        kind: Kind::Counter,
        labels: &["reason"],
        help: "Lines rejected. `reason` says what is wrong with the line; memory_full and type_conflict are about what \
               is held already, and others are error codes of the API.",
    },
    Metric {
        name: SERIES,
        kind: Kind::Gauge,
        labels: &[],
        help: "Series that are held and stored with every flush.",
    },
    Metric {
        name: MEMORY,
        kind: Kind::Gauge,
        labels: &[],
        help: "Memory that they take.",
    },
    Metric {
        name: MEMORY_LIMIT,
        kind: Kind::Gauge,
        labels: &[],
        help: "Memory that they may take (`statsd.max_memory`); beyond it, lines of new series are rejected.",
    },
    Metric {
        name: FLUSH,
        kind: Kind::Histogram(SECONDS),
        labels: &["outcome"],
        help: "Time of a flush until the buffer's answer; `outcome` is confirmed or failed. What failed is said again \
               by the next one.",
    },
    Metric {
        name: KERNEL_DROPS,
        kind: Kind::Counter,
        labels: &[],
        help: "UDP packets that the kernel dropped because they were not read fast enough.",
    },
];

/// What a receiver has read since it told.
#[derive(Debug, Default)]
pub(crate) struct StatsdTally {
    pub packets: u64,
    pub bytes: u64,
    pub taken: u64,
    pub ignored: u64,
    pub rejected: u64,
}

/// A receiver's counters, each looked up when it has something to count for the first time.
#[derive(Default)]
pub(crate) struct StatsdCounters {
    packets: Option<Counter>,
    bytes: Option<Counter>,
    taken: Option<Counter>,
    ignored: Option<Counter>,
    rejected: Option<Counter>,
}

impl StatsdCounters {
    /// Counts what was read.
    pub(crate) fn read(&mut self, transport: &'static str, tally: &StatsdTally) {
        let of_transport = |name| move || counter!(name, "transport" => transport);
        let of_outcome = |outcome: &'static str| move || counter!(LINES, "outcome" => outcome);
        count(&mut self.packets, tally.packets, of_transport(PACKETS));
        count(&mut self.bytes, tally.bytes, of_transport(BYTES));
        count(&mut self.taken, tally.taken, of_outcome("taken"));
        count(&mut self.ignored, tally.ignored, of_outcome("ignored"));
        count(&mut self.rejected, tally.rejected, of_outcome("rejected"));
    }
}

fn count(counter: &mut Option<Counter>, more: u64, look_up: impl FnOnce() -> Counter) {
    if more > 0 {
        counter.get_or_insert_with(look_up).increment(more);
    }
}

/// Counts a line that was not taken.
pub(crate) fn statsd_rejected(reason: &'static str) {
    counter!(LINES_REJECTED, "reason" => reason).increment(1);
}

/// Shows what is held.
pub(crate) fn statsd_held(series: usize, bytes: usize) {
    gauge!(SERIES).set(series as f64);
    gauge!(MEMORY).set(bytes as f64);
}

/// Shows what may be held.
pub(crate) fn statsd_memory_limit(bytes: usize) {
    gauge!(MEMORY_LIMIT).set(bytes as f64);
}

/// Notes a flush.
pub(crate) fn statsd_flushed(is_confirmed: bool, elapsed: Duration) {
    let outcome = if is_confirmed { "confirmed" } else { "failed" };
    histogram!(FLUSH, "outcome" => outcome).record(elapsed);
}

/// Shows what the kernel has dropped so far.
pub(crate) fn statsd_kernel_drops(packets: u64) {
    counter!(KERNEL_DROPS).absolute(packets);
}
