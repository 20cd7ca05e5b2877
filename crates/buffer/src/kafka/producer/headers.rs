//! The headers of records and dead letters: all text.

use rdkafka::message::{Header, OwnedHeaders};

use super::super::barrier::{self, Barrier};
use super::placement;
use crate::{DeadLetter, Original, Record, Rejected};

/// Ours, so that a reader can tell who wrote a record and what it must expect.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What a dead letter's `message` may have, in bytes: stores answer with whole pages.
const MAX_MESSAGE_BYTES: usize = 2048;

/// `partitions` is how many the record's topic has.
pub(super) fn of_record(record: &Record, partitions: i32) -> OwnedHeaders {
    let mut headers = OwnedHeaders::new_with_capacity(5)
        .insert(text("content-type", record.content_type.as_str()))
        .insert(text("sluice-version", VERSION));
    if let Some(before) = placement::before(&record.key, record.spread, partitions) {
        headers = headers.insert(text(barrier::HEADER, &Barrier::to_string(&before)));
    }
    with_origin(headers, record.tenant.as_deref(), record.source.as_deref())
}

/// Of an entry of a table.
pub(super) fn of_entry() -> OwnedHeaders {
    OwnedHeaders::new_with_capacity(1).insert(text("sluice-version", VERSION))
}

pub(super) fn of_dead_letter(letter: &DeadLetter) -> OwnedHeaders {
    let partition = letter.source_partition.to_string();
    let offset = letter.source_offset.to_string();
    let mut headers = OwnedHeaders::new_with_capacity(10)
        .insert(text("reason", letter.reason))
        .insert(text("message", head(&letter.message)))
        .insert(text("source-topic", &letter.source_topic))
        .insert(text("source-partition", &partition))
        .insert(text("source-offset", &offset))
        .insert(text("store", &letter.store))
        .insert(text("sluice-version", VERSION));
    if let Some(content_type) = &letter.content_type {
        headers = headers.insert(Header {
            key: "content-type",
            value: Some(content_type.as_ref()),
        });
    }
    with_origin(headers, letter.tenant.as_deref(), letter.source.as_deref())
}

pub(super) fn of_rejected(rejected: &Rejected) -> OwnedHeaders {
    let mut headers = OwnedHeaders::new_with_capacity(9)
        .insert(text("reason", rejected.reason))
        .insert(text("message", head(&rejected.message)))
        .insert(text("protocol", rejected.protocol))
        .insert(text("original", rejected.original.as_str()))
        .insert(text("sluice-version", VERSION));
    if let Some(index) = rejected.index {
        headers = headers.insert(text("index", &index.to_string()));
    }
    if let Original::Part { content_type, .. } = &rejected.original {
        headers = headers.insert(text("content-type", content_type));
    }
    with_origin(
        headers,
        rejected.tenant.as_deref(),
        rejected.source.as_deref(),
    )
}

fn with_origin(
    mut headers: OwnedHeaders,
    tenant: Option<&str>,
    source: Option<&str>,
) -> OwnedHeaders {
    for (name, value) in [("tenant", tenant), ("source", source)] {
        if let Some(value) = value {
            headers = headers.insert(text(name, value));
        }
    }
    headers
}

fn text<'a>(key: &'a str, value: &'a str) -> Header<'a, &'a [u8]> {
    Header {
        key,
        value: Some(value.as_bytes()),
    }
}

/// As much of a message as fits, cut between characters.
fn head(message: &str) -> &str {
    let end = message.floor_char_boundary(MAX_MESSAGE_BYTES);
    message.get(..end).unwrap_or_default()
}
