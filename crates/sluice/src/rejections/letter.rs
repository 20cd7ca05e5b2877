//! A dead letter as a refusal that a person reads.

use std::sync::Arc;

use buffer::DeadLetter;
use buffer::kafka::TailRecord;
use buffer::local::Buried;
use bytes::Bytes;
use service::rejections::{By, Kind, Rejection, What};

/// What matters of a letter, wherever it is from.
struct Parts<'a> {
    at_ms: i64,
    store: &'a str,
    reason: &'a str,
    message: &'a str,
    tenant: Option<Arc<str>>,
    source: Option<Arc<str>>,
    key: Option<&'a Bytes>,
    content_type: Option<&'a [u8]>,
    value: &'a Bytes,
}

/// One that is being buried.
pub(super) fn of_letter(letter: &DeadLetter, at_ms: i64) -> Rejection {
    rejection(&Parts {
        at_ms,
        store: &letter.store,
        reason: letter.reason,
        message: &letter.message,
        tenant: letter.tenant.clone(),
        source: letter.source.clone(),
        key: letter.key.as_ref(),
        content_type: letter.content_type.as_deref(),
        value: &letter.value,
    })
}

/// One in the embedded log.
pub(super) fn of_buried(letter: &Buried) -> Rejection {
    rejection(&Parts {
        at_ms: letter.buried_at_ms,
        store: &letter.store,
        reason: &letter.reason,
        message: &letter.message,
        tenant: letter.tenant.clone(),
        source: letter.source.clone(),
        key: letter.key.as_ref(),
        content_type: letter.content_type.as_deref(),
        value: &letter.value,
    })
}

/// One in the topic.
pub(super) fn of_record(record: &TailRecord) -> Rejection {
    let text = |name: &str| record.header(name).unwrap_or_default();
    let name = |name: &str| record.header(name).map(|name| Arc::from(name.as_ref()));
    let content_type = record.header("content-type");
    rejection(&Parts {
        at_ms: record.at_ms,
        store: &text("store"),
        reason: &text("reason"),
        message: &text("message"),
        tenant: name("tenant"),
        source: name("source"),
        key: record.key.as_ref(),
        content_type: content_type.as_deref().map(str::as_bytes),
        value: &record.value,
    })
}

fn rejection(parts: &Parts<'_>) -> Rejection {
    let decoded = codec::record::decode(parts.content_type, parts.value);
    let key = || {
        let key = parts.key.map(|key| String::from_utf8_lossy(key));
        key.unwrap_or_default().into_owned()
    };
    let (what, count, metric_name, sample) = match &decoded {
        Ok(block) => {
            let series = block.iter().next();
            let name = series.map_or_else(key, |series| series.name().to_owned());
            let shown = series.map_or_else(String::new, |series| {
                let labels: Vec<String> = series
                    .labels()
                    .filter(|(name, _)| *name != "__name__")
                    .take(16)
                    .map(|(name, value)| format!("{name}={value:?}"))
                    .collect();
                let point = series.points().first();
                let point = point.map_or_else(String::new, |point| {
                    format!(" {} @{}", point.value, point.at_ms)
                });
                format!("{}{{{}}}{point}", series.name(), labels.join(","))
            });
            (What::Samples, block.samples() as u64, name, shown)
        }
        Err(_) => {
            let start = parts.value.get(..100).unwrap_or(parts.value);
            let shown = start.escape_ascii().to_string();
            (What::Records, 1, key(), shown)
        }
    };
    Rejection {
        kind: Kind {
            by: By::Store {
                name: parts.store.into(),
            },
            what,
            tenant: parts.tenant.clone(),
            source: parts.source.clone(),
            metric_name,
            reason: parts.reason.to_owned().into(),
        },
        at_ms: parts.at_ms,
        count: count.max(1),
        message: parts.message.to_owned(),
        sample,
    }
}
