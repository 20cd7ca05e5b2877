//! What goes to the dead letters: samples in a record of their own, or a record as it was.

use std::collections::HashMap;
use std::sync::Arc;

use buffer::{ContentType, DeadLetter};
use bytes::Bytes;
use codec::remote_write::{Encoder, NameEscaping, Version};
use store::{Item, Source};

use crate::decode::Poison;
use crate::split::{Halved, halve};

/// The keys of records whose key is not their metric name.
pub(crate) type ForeignKeys = HashMap<(i32, i64), Option<Bytes>>;

/// A store may answer with a page; a header should not be one.
const MESSAGE_CHARS: usize = 1000;

/// A dead letter that is not written yet.
#[derive(Debug)]
pub(crate) struct Letter {
    body: Body,
    key: Option<Bytes>,
    tenant: Option<Arc<str>>,
    sender: Option<Arc<str>>,
    pub(crate) source: Source,
    pub(crate) reason: &'static str,
    message: String,
}

#[derive(Debug)]
enum Body {
    /// Samples of one record.
    Samples(Vec<Item>),
    /// A record that cannot be decoded.
    Record {
        content_type: Option<Bytes>,
        value: Bytes,
    },
}

impl Letter {
    /// Of a record that cannot be decoded, of this tenant and from this sender.
    pub(crate) fn of_record(
        source: Source,
        key: Option<Bytes>,
        (tenant, sender): (Option<Arc<str>>, Option<Arc<str>>),
        poison: Poison,
    ) -> Self {
        Self {
            body: Body::Record {
                content_type: poison.content_type,
                value: poison.value,
            },
            key,
            tenant,
            sender,
            source,
            reason: poison.reason,
            message: poison.message,
        }
    }

    /// Of refused samples: a letter per record that they came from.
    pub(crate) fn of_samples(
        items: Vec<Item>,
        reason: &'static str,
        message: &str,
        keys: &ForeignKeys,
    ) -> Vec<Self> {
        let mut letters: Vec<Self> = Vec::new();
        for item in items {
            if let Some(last) = letters.last_mut()
                && last.source == item.source
                && let Body::Samples(items) = &mut last.body
            {
                items.push(item);
                continue;
            }
            let source = item.source;
            let key = match keys.get(&(source.partition, source.offset)) {
                Some(foreign) => foreign.clone(),
                None => Some(Bytes::copy_from_slice(item.view().name().as_bytes())),
            };
            letters.push(Self {
                key,
                tenant: item.tenant.clone(),
                sender: item.sender.clone(),
                source,
                reason,
                message: message.to_owned(),
                body: Body::Samples(vec![item]),
            });
        }
        letters
    }

    /// How many samples it is known to have; none for a record that cannot be decoded.
    pub(crate) fn samples(&self) -> Option<usize> {
        match &self.body {
            Body::Samples(items) => Some(items.iter().map(Item::len).sum()),
            Body::Record { .. } => None,
        }
    }

    /// Whether [`Self::halve`] makes it smaller: items of exemplars alone are several things too.
    pub(crate) fn is_divisible(&self) -> bool {
        match &self.body {
            Body::Samples(items) => items.len() > 1 || items.iter().any(|item| item.len() > 1),
            Body::Record { .. } => false,
        }
    }

    /// Two smaller ones, or the same one if that is not possible.
    pub(crate) fn halve(self) -> Vec<Self> {
        let Body::Samples(items) = self.body else {
            return vec![self];
        };
        let part = |items| Self {
            body: Body::Samples(items),
            key: self.key.clone(),
            tenant: self.tenant.clone(),
            sender: self.sender.clone(),
            source: self.source,
            reason: self.reason,
            message: self.message.clone(),
        };
        match halve(items, false) {
            Halved::Halves(first, second) => vec![part(first), part(second)],
            Halved::Whole(items) => vec![part(items)],
        }
    }

    /// As the buffer takes it.
    pub(crate) fn seal(&self, store: &str, topic: &str) -> DeadLetter {
        let (content_type, value) = match &self.body {
            Body::Record {
                content_type,
                value,
            } => (content_type.clone(), value.clone()),
            Body::Samples(items) => {
                let content_type = ContentType::RemoteWriteV2.as_str().as_bytes();
                (Some(Bytes::from_static(content_type)), encode(items))
            }
        };
        DeadLetter {
            key: self.key.clone(),
            value,
            content_type,
            tenant: self.tenant.clone(),
            source: self.sender.clone(),
            reason: self.reason,
            message: self.message.chars().take(MESSAGE_CHARS).collect(),
            source_topic: topic.to_owned(),
            source_partition: self.source.partition,
            source_offset: self.source.offset,
            store: store.to_owned(),
        }
    }
}

fn encode(items: &[Item]) -> Bytes {
    let mut encoder = Encoder::new(Version::V2);
    for item in items {
        // Examples belong to no sample in particular; they go with a series that is complete.
        let view = item.view();
        let complete = item.len() == view.points().len() + view.histograms().len();
        let (points, histograms) = (item.points(), item.histograms());
        encoder.push(view, points, histograms, complete, NameEscaping::Utf8);
    }
    Bytes::from(encoder.finish())
}
