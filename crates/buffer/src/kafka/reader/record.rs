//! A record as librdkafka hands it out, copied into our own memory.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use bytes::Bytes;
use rdkafka::message::{BorrowedMessage, Headers as _, Message as _};

use super::order::Ordered;
use crate::Consumed;
use crate::kafka::barrier::{Barrier, HEADER};

#[derive(Default)]
struct Known {
    content_type: Option<Bytes>,
    tenant: Option<Arc<str>>,
    source: Option<Arc<str>>,
    barrier: Option<Barrier>,
}

/// A record for those who take it as it comes.
pub(in crate::kafka) fn consumed(message: &BorrowedMessage<'_>) -> Consumed {
    ordered(message).0
}

/// A record, and what has to be read before it.
pub(super) fn ordered(message: &BorrowedMessage<'_>) -> Ordered {
    // rdkafka panics on a header whose name is not UTF-8, which any producer of the topic can write.
    // Such a record has no headers for us: it is decoded by what it looks like, or is a dead letter.
    let headers = catch_unwind(AssertUnwindSafe(|| known(message))).unwrap_or_default();
    let record = Consumed {
        partition: message.partition(),
        offset: message.offset(),
        received_at_ms: message.timestamp().to_millis().unwrap_or(0),
        key: message.key().map(Bytes::copy_from_slice),
        // A record without a value (a tombstone) has no samples.
        value: message
            .payload()
            .map(Bytes::copy_from_slice)
            .unwrap_or_default(),
        content_type: headers.content_type,
        tenant: headers.tenant,
        source: headers.source,
        spread: crate::Spread::default(),
        memo: crate::Memo::default(),
    };
    (record, headers.barrier)
}

fn known(message: &BorrowedMessage<'_>) -> Known {
    let mut known = Known::default();
    for header in message
        .headers()
        .into_iter()
        .flat_map(|headers| headers.iter())
    {
        match (header.key, header.value) {
            ("content-type", Some(value)) => {
                known.content_type = Some(Bytes::copy_from_slice(value));
            }
            ("tenant", Some(value)) if !value.is_empty() => {
                known.tenant = Some(String::from_utf8_lossy(value).into());
            }
            ("source", Some(value)) if !value.is_empty() => {
                known.source = Some(String::from_utf8_lossy(value).into());
            }
            (HEADER, Some(value)) => known.barrier = Barrier::parse(value),
            _ => {}
        }
    }
    known
}
