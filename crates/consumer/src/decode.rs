//! Records to blocks, each once, off the runtime's threads when it is much work.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use buffer::{Claim, Consumed};
use bytes::Bytes;
use store::{Record, Source};
use tokio::task::JoinHandle;

/// Up to so many bytes are decoded where they are: some 100 µs.
const INLINE_BYTES: usize = 64 << 10;

/// A record, decoded or not.
#[derive(Debug)]
pub(crate) struct Decoded {
    pub(crate) source: Source,
    pub(crate) tenant: Option<Arc<str>>,
    pub(crate) sender: Option<Arc<str>>,
    pub(crate) key: Option<Bytes>,
    pub(crate) content: Result<Arc<Record>, Poison>,
}

/// What cannot be decoded, as it came.
#[derive(Debug)]
pub(crate) struct Poison {
    pub(crate) reason: &'static str,
    pub(crate) message: String,
    pub(crate) content_type: Option<Bytes>,
    pub(crate) value: Bytes,
}

/// Decodes at once, or starts to.
pub(crate) fn decode(records: Vec<Consumed>) -> Decoding {
    let bytes: usize = records.iter().map(|record| record.value.len()).sum();
    if bytes <= INLINE_BYTES {
        return Decoding::Done(decode_all(records));
    }
    Decoding::Started(tokio::task::spawn_blocking(|| decode_all(records)))
}

/// Done already, or on its way.
pub(crate) enum Decoding {
    Done(Vec<Decoded>),
    Started(JoinHandle<Vec<Decoded>>),
}

/// Another reader of this process may have decoded a record already, or be at it: such a record is
/// looked at again when all others are done.
fn decode_all(records: Vec<Consumed>) -> Vec<Decoded> {
    let mut later = Vec::new();
    let mut decoded: Vec<Option<Decoded>> = Vec::with_capacity(records.len());
    for record in records {
        let claim = record.memo.claim();
        if matches!(claim, Claim::Foreign) {
            later.push((decoded.len(), record));
            decoded.push(None);
        } else {
            decoded.push(Some(decode_one(record, claim)));
        }
    }
    for (at, record) in later {
        let claim = record.memo.claim();
        if let Some(place) = decoded.get_mut(at) {
            *place = Some(decode_one(record, claim));
        }
    }
    decoded.into_iter().flatten().collect()
}

fn decode_one(record: Consumed, claim: Claim<Record>) -> Decoded {
    let Consumed {
        partition,
        offset,
        received_at_ms,
        key,
        value,
        content_type,
        tenant,
        source: sender,
        // Where it went from a spool.
        spread: _,
        memo,
    } = record;
    let source = Source {
        partition,
        offset,
        received_at_ms,
    };
    if let Claim::Made(record) = claim {
        return Decoded {
            source,
            tenant,
            sender,
            key,
            content: Ok(record),
        };
    }
    // A decoder promises not to panic. If one does all the same, one record must not stop the partition for good.
    let decoded = catch_unwind(AssertUnwindSafe(|| {
        codec::record::decode(content_type.as_deref(), &value)
    }));
    let failed = match decoded {
        Ok(Ok(block)) => {
            let record = Arc::new(Record {
                block,
                source,
                tenant: tenant.clone(),
                sender: sender.clone(),
            });
            memo.made(&record);
            Ok(record)
        }
        Ok(Err(error)) => Err((error.reason(), error.to_string())),
        Err(_) => Err((
            "record_decoder_failed",
            "the decoder panicked: a defect of Sluice".to_owned(),
        )),
    };
    let content = failed.map_err(|(reason, message)| Poison {
        reason,
        message,
        content_type,
        value,
    });
    Decoded {
        source,
        tenant,
        sender,
        key,
        content,
    }
}
