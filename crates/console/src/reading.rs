//! What the registry says at one moment, as far as the console shows it: read from the text that `/metrics` answers, so
//! that the two cannot differ.

mod table;

use std::collections::BTreeMap;
use std::io;

use crate::buckets::Buckets;
use crate::labels::Line;
pub(crate) use table::Plain;
pub use table::names_read;
use table::{What, what};

/// More partitions than this are not shown.
const MAX_PARTITIONS: usize = 16_384;

/// Counts by the value of a label.
pub(crate) type Counts = BTreeMap<String, u64>;

/// One moment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reading {
    pub(crate) received: Counts,
    pub(crate) accepted: Counts,
    /// By protocol.
    pub(crate) rejected: Counts,
    /// By reason.
    pub(crate) refusals: Counts,
    pub(crate) tenants: Counts,
    pub(crate) statuses: Counts,
    pub(crate) duration: Buckets,
    pub(crate) records: u64,
    pub(crate) record_bytes: f64,
    pub(crate) record_samples: f64,
    pub(crate) mode: Option<String>,
    pub(crate) partition_bytes: Vec<f64>,
    pub(crate) partition_samples: Vec<f64>,
    pub(crate) stores: BTreeMap<String, StoreReading>,
    plain: BTreeMap<Plain, f64>,
}

/// A store at one moment.
#[derive(Debug, Clone, Default)]
pub(crate) struct StoreReading {
    pub(crate) consumed: u64,
    pub(crate) written: u64,
    pub(crate) dead_lettered: u64,
    pub(crate) records_dead_lettered: u64,
    /// Given back, to be consumed again.
    pub(crate) returned: u64,
    /// The store has no form for them.
    pub(crate) left_out: u64,
    pub(crate) retries: u64,
    pub(crate) write: Buckets,
    pub(crate) memory_bytes: f64,
    pub(crate) memory_limit_bytes: f64,
    pub(crate) is_paused: bool,
    pub(crate) partitions: BTreeMap<usize, Lag>,
}

/// How far a store is on a partition; not a number until known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lag {
    pub(crate) records: f64,
    pub(crate) unread_records: f64,
    pub(crate) seconds: f64,
    pub(crate) headroom_s: f64,
}

impl Default for Lag {
    fn default() -> Self {
        Self {
            records: f64::NAN,
            unread_records: f64::NAN,
            seconds: f64::NAN,
            headroom_s: f64::NAN,
        }
    }
}

impl Lag {
    /// Whether this process reads the partition: of others it shows neither an age nor a headroom.
    pub(crate) fn is_here(&self) -> bool {
        !(self.headroom_s.is_nan() && self.seconds == 0.0)
    }
}

impl StoreReading {
    /// The partitions that are read here.
    pub(crate) fn here(&self) -> impl Iterator<Item = (usize, &Lag)> {
        let all = self.partitions.iter().map(|(number, lag)| (*number, lag));
        all.filter(|(_, lag)| lag.is_here())
    }

    pub(crate) fn unread_records(&self) -> u64 {
        self.here().map(|(_, lag)| count(lag.unread_records)).sum()
    }

    /// Without what was given back, which counts again when it is read again.
    pub(crate) fn consumed_once(&self) -> u64 {
        self.consumed.saturating_sub(self.returned)
    }

    pub(crate) fn in_memory(&self) -> u64 {
        let done = self.written + self.dead_lettered + self.left_out;
        self.consumed_once().saturating_sub(done)
    }
}

impl Reading {
    /// A number without labels; none where it was never set.
    pub(crate) fn plain(&self, what: Plain) -> Option<f64> {
        self.plain.get(&what).copied()
    }

    pub(crate) fn accepted_samples(&self) -> u64 {
        self.accepted.values().sum()
    }

    fn note(&mut self, line: &Line<'_>) {
        let Some(name) = line.name.strip_prefix(table::PREFIX) else {
            return;
        };
        let Some(what) = what(name) else { return };
        let value = line.value();
        let labels = line.labels;
        let add = |counts: &mut Counts, label: &str| {
            let label = labels.get(label);
            match counts.get_mut(label.as_ref()) {
                Some(known) => *known += count(value),
                None => {
                    counts.insert(label.into_owned(), count(value));
                }
            }
        };
        match what {
            What::Received => add(&mut self.received, "protocol"),
            What::Accepted => add(&mut self.accepted, "protocol"),
            What::Rejected => {
                add(&mut self.rejected, "protocol");
                add(&mut self.refusals, "reason");
            }
            What::Tenant => add(&mut self.tenants, "tenant"),
            What::Requests => add(&mut self.statuses, "status"),
            What::Duration => self.duration.add(&labels.get("le"), value),
            What::Records => self.records += count(value),
            What::RecordBytes => self.record_bytes = value,
            What::RecordSamples => self.record_samples = value,
            What::Mode if value > 0.0 => self.mode = Some(labels.get("mode").into_owned()),
            What::Mode => {}
            What::PartitionBytes => put(&mut self.partition_bytes, &labels.get("partition"), value),
            What::PartitionSamples => {
                put(&mut self.partition_samples, &labels.get("partition"), value);
            }
            What::Plain(plain) => {
                self.plain.insert(plain, value);
            }
            of_store => {
                let store = labels.get("store");
                if !self.stores.contains_key(store.as_ref()) {
                    self.stores
                        .insert(store.clone().into_owned(), StoreReading::default());
                }
                if let Some(store) = self.stores.get_mut(store.as_ref()) {
                    store.note(of_store, line, value);
                }
            }
        }
    }
}

impl StoreReading {
    fn note(&mut self, what: What, line: &Line<'_>, value: f64) {
        match what {
            What::Consumed => self.consumed += count(value),
            What::Written => self.written += count(value),
            What::DeadLettered => self.dead_lettered += count(value),
            What::RecordsDeadLettered => self.records_dead_lettered += count(value),
            What::Skipped if line.labels.get("reason") == "returned" => {
                self.returned += count(value);
            }
            What::Skipped => self.left_out += count(value),
            What::Retries => self.retries += count(value),
            What::WriteSeconds => self.write.add(&line.labels.get("le"), value),
            What::Memory => self.memory_bytes = value,
            What::MemoryLimit => self.memory_limit_bytes = value,
            What::Paused => self.is_paused = value > 0.0,
            of_partition => {
                let number: Option<usize> = line.labels.get("partition").parse().ok();
                let Some(number) = number.filter(|number| *number < MAX_PARTITIONS) else {
                    return;
                };
                let lag = self.partitions.entry(number).or_default();
                match of_partition {
                    What::LagRecords => lag.records = value,
                    What::UnreadRecords => lag.unread_records = value,
                    What::LagSeconds => lag.seconds = value,
                    What::Headroom => lag.headroom_s = value,
                    _ => {}
                }
            }
        }
    }
}

fn put(list: &mut Vec<f64>, number: &str, value: f64) {
    let number: Option<usize> = number.parse().ok();
    let Some(number) = number.filter(|number| *number < MAX_PARTITIONS) else {
        return;
    };
    if list.len() <= number {
        list.resize(number + 1, 0.0);
    }
    if let Some(place) = list.get_mut(number) {
        *place = value;
    }
}

/// A number that was counted; 0 for what is none.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts; what is beyond 2^64 or no number becomes the nearest"
)]
pub(crate) fn count(value: f64) -> u64 {
    value as u64
}

/// Reads while the registry writes: nothing is kept but what is shown.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    reading: Reading,
    /// The start of a line whose end has not come.
    partial: Vec<u8>,
}

impl Reader {
    pub(crate) fn finish(mut self) -> Reading {
        let rest = std::mem::take(&mut self.partial);
        self.lines(&rest);
        self.reading
    }

    fn lines(&mut self, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        for line in text.lines() {
            if let Some(line) = Line::of(line) {
                self.reading.note(&line);
            }
        }
    }
}

impl io::Write for Reader {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let end = bytes.iter().rposition(|byte| *byte == b'\n');
        let (whole, rest) = bytes
            .split_at_checked(end.map_or(0, |at| at + 1))
            .unwrap_or((bytes, &[]));
        if self.partial.is_empty() {
            self.lines(whole);
        } else if !whole.is_empty() {
            let mut line = std::mem::take(&mut self.partial);
            line.extend_from_slice(whole);
            self.lines(&line);
        }
        self.partial.extend_from_slice(rest);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
