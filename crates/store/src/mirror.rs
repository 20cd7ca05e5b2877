//! Another topic, of this Kafka or another: what is buffered, mirrored with the same keys, perhaps in the other format.
//!
//! This crate names no Kafka: here are the settings, and a batch as records. Whoever has a producer sends them.

mod config;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use codec::native::classic;
use codec::remote_write::{Encoder, NameEscaping, Version};
use hashbrown::HashMap;

pub use config::{Config, Format};

use crate::bound::Bound;
use crate::{Batch, Item, WriteError, metrics};

/// A record for the other topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The metric name, so that the partition is the one that the gateway would choose.
    pub key: Bytes,
    /// The samples.
    pub value: Bytes,
    /// How the value is to be read.
    pub format: Format,
    /// Whose samples these are.
    pub tenant: Option<Arc<str>>,
    /// Who sent them, for people.
    pub sender: Option<Arc<str>>,
    /// When the first of them was received, milliseconds since the Unix epoch.
    pub received_at_ms: i64,
}

/// A batch as records that each have at most so many bytes, key and value. Samples of one series keep their order.
///
/// # Errors
/// `too_large` when a record would be larger, or all of them are too much for the memory: a part of the batch may do,
/// down to a sample that never does.
pub fn records(
    batch: &Batch,
    format: Format,
    limit_bytes: usize,
) -> Result<Vec<Outgoing>, WriteError> {
    let records = match format {
        Format::Protobuf => together(batch),
        Format::Json => one_by_one(batch)?,
    };
    for record in &records {
        let size_bytes = record.key.len() + record.value.len();
        if size_bytes > limit_bytes {
            return Err(WriteError::Refused {
                reason: "too_large",
                message: format!(
                    "a record would have {size_bytes} bytes, the topic takes {limit_bytes}"
                ),
            });
        }
    }
    Ok(records)
}

fn record(item: &Item, value: Vec<u8>, format: Format) -> Outgoing {
    Outgoing {
        key: Bytes::copy_from_slice(item.view().name().as_bytes()),
        value: value.into(),
        format,
        tenant: item.tenant.clone(),
        sender: item.sender.clone(),
        received_at_ms: item.source.received_at_ms,
    }
}

/// A record for each metric, tenant and sender of the batch.
fn together(batch: &Batch) -> Vec<Outgoing> {
    let mut numbers = HashMap::new();
    let mut groups: Vec<Vec<&Item>> = Vec::new();
    for item in &batch.items {
        let key = (item.view().name(), &item.tenant, &item.sender);
        let number = *numbers.entry(key).or_insert(groups.len());
        if number == groups.len() {
            groups.push(Vec::new());
        }
        if let Some(group) = groups.get_mut(number) {
            group.push(item);
        }
    }
    let mut encoder = Encoder::new(Version::V2);
    let mut records = Vec::with_capacity(groups.len());
    for group in groups {
        for item in &group {
            let parts = item.parts();
            let exemplars = !parts.exemplars.is_empty();
            encoder.push(
                parts.view,
                parts.points,
                parts.histograms,
                exemplars,
                NameEscaping::Utf8,
            );
        }
        let value = encoder.finish();
        if let Some(first) = group.first() {
            records.push(record(first, value, Format::Protobuf));
        }
    }
    records
}

/// A record for each sample. Exemplars have no form in it, and a native histogram is a classic one.
fn one_by_one(batch: &Batch) -> Result<Vec<Outgoing>, WriteError> {
    let bound = Bound::of(batch);
    let mut bytes = 0;
    let mut records = Vec::with_capacity(batch.samples());
    for item in &batch.items {
        let parts = item.parts();
        let view = parts.view;
        let labels = || view.labels().filter(|(name, _)| *name != "__name__");
        let (name, unit, help) = (view.name(), view.unit(), view.help());
        for point in parts.points {
            let (at_ms, value) = (point.at_ms, point.value);
            let value = codec::json::sample(name, labels(), at_ms, value, view.kind(), unit, help);
            bytes += name.len() + value.len();
            bound.check(bytes)?;
            records.push(record(item, value, Format::Json));
        }
        for histogram in parts.histograms {
            // What cannot be read was not let in.
            if let Some(value) = classic(&histogram.message) {
                let at_ms = histogram.at_ms;
                let value = codec::json::histogram(name, labels(), at_ms, &value, unit, help);
                bytes += name.len() + value.len();
                bound.check(bytes)?;
                records.push(record(item, value, Format::Json));
            }
        }
    }
    Ok(records)
}

/// Counts a batch that was sent.
pub fn sent(store: &str, result: &Result<(), WriteError>, bytes: usize, took: Duration) {
    metrics::request(store, result, bytes, took);
}

#[cfg(test)]
mod tests;
