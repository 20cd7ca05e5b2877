//! Doors for `crates/hostile` alone: what is read of the log's files.

use bytes::Bytes;

use super::entry::{RecordDecoder, decode_dead_letter, encode_dead_letter, encode_record, times};
use super::segments::{Added, Segment, Segments};
use super::store::split_entry_key;
use crate::{ContentType, DeadLetter, Record};

/// A stored record; what can be read is what would be written.
///
/// # Panics
/// When it is not.
pub fn record(stored: &Bytes) -> bool {
    let Ok(found) = RecordDecoder::default().decode(7, stored.clone()) else {
        return false;
    };
    let (appended_ms, received_at_ms) = times(stored).expect("the times of what can be read");
    assert_eq!(received_at_ms, found.received_at_ms);
    let content_type = match found.content_type.as_deref() {
        Some(name) if name == ContentType::Json.as_str().as_bytes() => ContentType::Json,
        Some(_) => ContentType::RemoteWriteV2,
        // A later version's.
        None => return true,
    };
    let Some(key) = found.key.clone() else {
        return true;
    };
    let record = Record {
        key,
        value: found.value.clone(),
        content_type,
        tenant: found.tenant.clone(),
        source: found.source.clone(),
        received_at_ms,
        spread: found.spread,
    };
    let written = Bytes::from(encode_record(&record, appended_ms));
    let again = RecordDecoder::default()
        .decode(7, written)
        .expect("what was written");
    assert_eq!(
        (
            again.key,
            again.value,
            again.tenant,
            again.source,
            again.spread
        ),
        (
            found.key,
            found.value,
            found.tenant,
            found.source,
            found.spread
        )
    );
    true
}

/// A stored dead letter; what can be read is what would be written.
///
/// # Panics
/// When it is not.
pub fn dead_letter(stored: &Bytes) -> bool {
    let Ok(found) = decode_dead_letter(7, stored.clone()) else {
        return false;
    };
    let letter = DeadLetter {
        key: found.key.clone(),
        value: found.value.clone(),
        content_type: found.content_type.clone(),
        tenant: found.tenant.clone(),
        source: found.source.clone(),
        reason: "fuzzed",
        message: found.message.clone(),
        source_topic: found.source_topic.clone(),
        source_partition: found.source_partition,
        source_offset: found.source_offset,
        store: found.store.clone(),
    };
    let written = Bytes::from(encode_dead_letter(&letter, found.buried_at_ms));
    let mut again = decode_dead_letter(7, written).expect("what was written");
    again.reason.clone_from(&found.reason);
    assert_eq!(again, found);
    true
}

/// A journal of the engine, before that opens it.
pub fn journal(stored: &[u8]) -> bool {
    super::journal::is_damaged(stored)
}

/// Where an entry of a table is kept.
pub fn table_key(stored: Bytes) -> bool {
    split_entry_key(stored).is_some()
}

/// What is remembered of closed segments, one after the other, and what a log that starts with them does next.
pub fn segments(stored: &[u8]) -> bool {
    let mut end = 0;
    let mut closed = Vec::new();
    for stored in stored.chunks(40) {
        let Some(segment) = Segment::decode(end, stored) else {
            return false;
        };
        end = segment.end;
        closed.push(segment);
    }
    let mut segments = Segments::new(0, closed, 1 << 20, 60_000);
    let added = Added {
        bytes: 100,
        appended_ms: 1_700_000_000_000,
        received_ms: 1_700_000_000_000,
    };
    segments.add(added);
    segments.locate(added.received_ms);
    segments.oldest_ms();
    let start = segments.start_after_freeing(1 << 10, end);
    segments.forget_below(start.max(segments.start_after_expiry(added.appended_ms)));
    true
}
