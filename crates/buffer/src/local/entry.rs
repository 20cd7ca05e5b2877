//! Records and dead letters as the log stores them. The bytes are a contract with older data directories.

use std::sync::Arc;

use bytes::{Buf, BufMut, Bytes, TryGetError};

use crate::{Consumed, ContentType, DeadLetter, Moved, Record, Spread};

const RECORD: u8 = 1;
const DEAD_LETTER: u8 = 2;
/// The same with a source. Without one they are stored as ever, so that older versions read them.
const RECORD_WITH_SOURCE: u8 = 3;
const DEAD_LETTER_WITH_SOURCE: u8 = 4;
/// With a source, and a place that is not the key's own partition.
const RECORD_WITH_SPREAD: u8 = 5;

/// What the place takes: a lane, and a change with its time.
const SPREAD_BYTES: usize = 4 + 4 + 4 + 8;

/// Something else than this version writes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum EntryError {
    #[error("it is cut short")]
    Short,
    #[error("it has format {0}, which this version does not know")]
    Unknown(u8),
    #[error("a name in it is not UTF-8")]
    NotText,
}

impl From<TryGetError> for EntryError {
    fn from(_: TryGetError) -> Self {
        Self::Short
    }
}

impl From<std::string::FromUtf8Error> for EntryError {
    fn from(_: std::string::FromUtf8Error) -> Self {
        Self::NotText
    }
}

/// A dead letter as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Buried {
    /// Its number; grows with each.
    pub number: u64,
    /// When it was buried, milliseconds since the Unix epoch.
    pub buried_at_ms: i64,
    /// The record's key, if it had one.
    pub key: Option<Bytes>,
    /// The samples, or the whole record when it cannot be decoded.
    pub value: Bytes,
    /// How `value` is to be read, if known.
    pub content_type: Option<Bytes>,
    /// Whose samples these are.
    pub tenant: Option<Arc<str>>,
    /// Who sent them.
    pub source: Option<Arc<str>>,
    /// A stable code.
    pub reason: String,
    /// The store's or decoder's own words.
    pub message: String,
    /// Where the record came from.
    pub source_topic: String,
    /// Its partition there.
    pub source_partition: i32,
    /// Its offset there.
    pub source_offset: i64,
    /// The store that did not take it.
    pub store: String,
}

/// What a record takes in the log, before compression.
pub(super) fn record_bytes(record: &Record) -> usize {
    // Kind, two times, content type, two lengths.
    const FIXED: usize = 1 + 8 + 8 + 1 + 4 + 4;
    let tenant = record.tenant.as_deref().unwrap_or_default();
    let source = match (&record.source, has_spread(record)) {
        (None, false) => 0,
        (source, _) => 4 + source.as_deref().map_or(0, str::len),
    };
    let spread = if has_spread(record) { SPREAD_BYTES } else { 0 };
    FIXED + record.key.len() + tenant.len() + source + spread + record.value.len()
}

fn has_spread(record: &Record) -> bool {
    record.spread != Spread::default()
}

pub(super) fn encode_record(record: &Record, appended_ms: i64) -> Vec<u8> {
    let mut stored = Vec::with_capacity(record_bytes(record));
    let has_spread = has_spread(record);
    stored.put_u8(match record.source {
        _ if has_spread => RECORD_WITH_SPREAD,
        None => RECORD,
        Some(_) => RECORD_WITH_SOURCE,
    });
    stored.put_i64(appended_ms);
    stored.put_i64(record.received_at_ms);
    stored.put_u8(match record.content_type {
        ContentType::RemoteWriteV2 => 1,
        ContentType::Json => 2,
    });
    put_optional(&mut stored, Some(&record.key));
    put_optional(&mut stored, record.tenant.as_deref().map(str::as_bytes));
    if has_spread || record.source.is_some() {
        put_optional(&mut stored, record.source.as_deref().map(str::as_bytes));
    }
    if has_spread {
        put_spread(&mut stored, record.spread);
    }
    stored.put_slice(&record.value);
    stored
}

/// When a stored record or dead letter was appended and received.
pub(super) fn times(mut stored: &[u8]) -> Result<(i64, i64), EntryError> {
    let kind = stored.try_get_u8()?;
    let appended_ms = stored.try_get_i64()?;
    match kind {
        RECORD | RECORD_WITH_SOURCE | RECORD_WITH_SPREAD => {
            Ok((appended_ms, stored.try_get_i64()?))
        }
        DEAD_LETTER | DEAD_LETTER_WITH_SOURCE => Ok((appended_ms, appended_ms)),
        other => Err(EntryError::Unknown(other)),
    }
}

/// Decodes records one after another; neighbours of one tenant or source share its name.
#[derive(Debug, Default)]
pub(super) struct RecordDecoder {
    tenant: Option<Arc<str>>,
    source: Option<Arc<str>>,
}

impl RecordDecoder {
    pub(super) fn decode(
        &mut self,
        offset: i64,
        mut stored: Bytes,
    ) -> Result<Consumed, EntryError> {
        let kind = stored.try_get_u8()?;
        if ![RECORD, RECORD_WITH_SOURCE, RECORD_WITH_SPREAD].contains(&kind) {
            return Err(EntryError::Unknown(kind));
        }
        let _appended_ms = stored.try_get_i64()?;
        let received_at_ms = stored.try_get_i64()?;
        let content_type = match stored.try_get_u8()? {
            1 => Some(ContentType::RemoteWriteV2),
            2 => Some(ContentType::Json),
            // A later version's: the consumer decides what it makes of a record without one.
            _ => None,
        };
        let key = take_optional(&mut stored)?;
        let tenant = take_optional(&mut stored)?;
        let source = match kind {
            RECORD_WITH_SOURCE | RECORD_WITH_SPREAD => take_optional(&mut stored)?,
            _ => None,
        };
        let spread = match kind {
            RECORD_WITH_SPREAD => take_spread(&mut stored)?,
            _ => Spread::default(),
        };
        Ok(Consumed {
            partition: super::PARTITION,
            offset,
            received_at_ms,
            key,
            tenant: shared(&mut self.tenant, tenant.as_deref())?,
            source: shared(&mut self.source, source.as_deref())?,
            content_type: content_type.map(|kind| Bytes::from_static(kind.as_str().as_bytes())),
            value: stored,
            spread,
            memo: crate::Memo::default(),
        })
    }
}

/// A name, which is the last one again more often than not.
fn shared(
    last: &mut Option<Arc<str>>,
    name: Option<&[u8]>,
) -> Result<Option<Arc<str>>, EntryError> {
    let Some(name) = name else {
        return Ok(None);
    };
    if last.as_ref().is_none_or(|last| last.as_bytes() != name) {
        let name = std::str::from_utf8(name).map_err(|_| EntryError::NotText)?;
        *last = Some(Arc::from(name));
    }
    Ok(last.clone())
}

pub(super) fn encode_dead_letter(letter: &DeadLetter, buried_at_ms: i64) -> Vec<u8> {
    let mut stored = Vec::with_capacity(letter.value.len() + letter.message.len() + 256);
    stored.put_u8(match letter.source {
        None => DEAD_LETTER,
        Some(_) => DEAD_LETTER_WITH_SOURCE,
    });
    stored.put_i64(buried_at_ms);
    stored.put_i32(letter.source_partition);
    stored.put_i64(letter.source_offset);
    for text in [
        letter.reason,
        &letter.message,
        &letter.source_topic,
        &letter.store,
    ] {
        put_optional(&mut stored, Some(text.as_bytes()));
    }
    put_optional(&mut stored, letter.key.as_deref());
    put_optional(&mut stored, letter.content_type.as_deref());
    put_optional(&mut stored, letter.tenant.as_deref().map(str::as_bytes));
    if let Some(source) = &letter.source {
        put_optional(&mut stored, Some(source.as_bytes()));
    }
    stored.put_slice(&letter.value);
    stored
}

pub(super) fn decode_dead_letter(number: u64, mut stored: Bytes) -> Result<Buried, EntryError> {
    let kind = stored.try_get_u8()?;
    if ![DEAD_LETTER, DEAD_LETTER_WITH_SOURCE].contains(&kind) {
        return Err(EntryError::Unknown(kind));
    }
    let buried_at_ms = stored.try_get_i64()?;
    let source_partition = stored.try_get_i32()?;
    let source_offset = stored.try_get_i64()?;
    let reason = take_text(&mut stored)?;
    let message = take_text(&mut stored)?;
    let source_topic = take_text(&mut stored)?;
    let store = take_text(&mut stored)?;
    let key = take_optional(&mut stored)?;
    let content_type = take_optional(&mut stored)?;
    let tenant = take_optional(&mut stored)?;
    let tenant = shared(&mut None, tenant.as_deref())?;
    let source = match kind {
        DEAD_LETTER_WITH_SOURCE => take_optional(&mut stored)?,
        _ => None,
    };
    let source = shared(&mut None, source.as_deref())?;
    Ok(Buried {
        number,
        buried_at_ms,
        key,
        value: stored,
        content_type,
        tenant,
        source,
        reason,
        message,
        source_topic,
        source_partition,
        source_offset,
        store,
    })
}

fn put_spread(stored: &mut Vec<u8>, spread: Spread) {
    // No key has had no lane before.
    let none = Moved {
        was: 0,
        over: 0,
        settled_at_ms: 0,
    };
    let moved = spread.moved.unwrap_or(none);
    stored.put_u32(spread.lane);
    stored.put_u32(moved.was);
    stored.put_u32(moved.over);
    stored.put_i64(moved.settled_at_ms);
}

fn take_spread(stored: &mut Bytes) -> Result<Spread, EntryError> {
    let lane = stored.try_get_u32()?;
    let moved = Moved {
        was: stored.try_get_u32()?,
        over: stored.try_get_u32()?,
        settled_at_ms: stored.try_get_i64()?,
    };
    Ok(Spread {
        lane,
        moved: Some(moved).filter(|moved| moved.was > 0),
    })
}

/// Length plus one, so that 0 is none.
fn put_optional(stored: &mut Vec<u8>, part: Option<&[u8]>) {
    let part_len = part.map_or(0, |part| part.len() + 1);
    stored.put_u32(u32::try_from(part_len).unwrap_or(u32::MAX));
    stored.put_slice(part.unwrap_or_default());
}

fn take_optional(stored: &mut Bytes) -> Result<Option<Bytes>, EntryError> {
    let Some(len) = stored.try_get_u32()?.checked_sub(1) else {
        return Ok(None);
    };
    let len = usize::try_from(len).map_err(|_| EntryError::Short)?;
    if len > stored.len() {
        return Err(EntryError::Short);
    }
    Ok(Some(stored.split_to(len)))
}

fn take_text(stored: &mut Bytes) -> Result<String, EntryError> {
    let text = take_optional(stored)?.unwrap_or_default();
    Ok(String::from_utf8(text.into())?)
}

#[cfg(test)]
mod tests;
