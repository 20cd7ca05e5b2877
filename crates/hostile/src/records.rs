//! Records as the consumer finds them in Kafka, and as the embedded log and the spool keep them.

use std::sync::Arc;

use buffer::local::fuzzing;
use buffer::{Consumed, ContentType, Memo};
use bytes::Bytes;

/// A record of any producer: every sample that its dead letters were made of is in one of them. The first byte says
/// which headers it has; `\n` ends those that are made up.
pub(crate) fn kafka_record(data: &[u8]) {
    let Some((&kind, rest)) = data.split_first() else {
        return;
    };
    let line = |data: &mut &[u8]| {
        let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(0);
        let (line, behind) = data.split_at(end);
        *data = behind.get(1..).unwrap_or_default();
        Bytes::copy_from_slice(line)
    };
    let mut value = rest;
    let content_type = match kind % 4 {
        0 => Some(Bytes::from_static(
            ContentType::RemoteWriteV2.as_str().as_bytes(),
        )),
        1 => Some(Bytes::from_static(ContentType::Json.as_str().as_bytes())),
        2 => None,
        _ => Some(line(&mut value)),
    };
    let (key, tenant) = if kind & 4 == 0 {
        (None, None)
    } else {
        let tenant = line(&mut value);
        let tenant = String::from_utf8_lossy(&tenant).into_owned();
        (Some(line(&mut value)), Some(Arc::from(tenant)))
    };
    let record = Consumed {
        partition: 0,
        offset: 7,
        received_at_ms: 1_700_000_000_000,
        key,
        value: Bytes::copy_from_slice(value),
        content_type,
        tenant,
        source: None,
        spread: buffer::Spread::default(),
        memo: Memo::default(),
    };
    let (letters, samples) = consumer::fuzzing::dead_letters(record, usize::from(kind >> 6));
    let found: usize = letters
        .iter()
        .map(|letter| samples_of(&letter.value, letter.content_type.as_deref()))
        .sum();
    assert!(
        samples == 0 || found == samples,
        "{samples} samples, {found} in the dead letters"
    );
}

fn samples_of(value: &Bytes, content_type: Option<&[u8]>) -> usize {
    codec::record::decode(content_type, value).map_or(0, |block| {
        block
            .iter()
            .map(|series| series.points().len() + series.histograms().len())
            .sum()
    })
}

/// What the log keeps: what can be read is what would be written. The first byte says what it is.
pub(crate) fn log_entry(data: &[u8]) {
    let Some((kind, stored)) = data.split_first() else {
        return;
    };
    let stored = Bytes::copy_from_slice(stored);
    match kind % 5 {
        0 => fuzzing::record(&stored),
        1 => fuzzing::dead_letter(&stored),
        2 => fuzzing::table_key(stored),
        4 => fuzzing::journal(&stored),
        _ => fuzzing::segments(&stored),
    };
}
