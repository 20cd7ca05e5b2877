//! An open record: the samples of one metric name since the last flush.

use std::sync::Arc;

use buffer::{ContentType, PublishError, Record, Spread};
use bytes::Bytes;
use codec::record::{Item, RecordBuilder};
use model::{FIRST_KNOWN, Point};

use super::groups::Name;
use super::parties::{Claims, Parties};
use super::shard::Addition;
use super::sources::Sources;
use super::{Description, is_bare, pairs, said};

/// What is the same for all items of a push.
#[derive(Clone, Copy)]
pub(super) struct Pushed<'a> {
    pub(super) addition: &'a Addition<'a>,
    pub(super) series: u32,
    /// What others said about the metric.
    pub(super) described: Option<Description<'a>>,
    pub(super) limit_bytes: usize,
}

/// Builders that are not used any more, whose memory is.
pub(super) type Spare = Vec<Box<RecordBuilder>>;

/// A record that gets no more samples.
#[derive(Debug)]
pub(super) struct Sealed {
    pub record: Record,
    pub claims: Claims,
    pub samples: u32,
}

#[derive(Debug)]
pub(super) struct Open {
    pub(super) hash: u64,
    pub(super) key: Bytes,
    pub(super) tenant: Option<Arc<str>>,
    pub(super) spread: Spread,
    sources: Sources,
    /// In a place of its own: it is large, and goes from record to record and from window to window.
    pub(super) builder: Box<RecordBuilder>,
    claims: Claims,
    pub(super) received_at_ms: i64,
}

impl Open {
    /// An empty one, with the memory of a builder that is not used any more.
    pub(super) fn new(
        addition: &Addition<'_>,
        (hash, spread): (u64, Spread),
        name: Name<'_>,
        spare: Option<Box<RecordBuilder>>,
    ) -> Self {
        let builder = spare.map_or_else(
            || Box::new(RecordBuilder::new(name.text)),
            |mut builder| {
                builder.restart(name.text);
                builder
            },
        );
        Self {
            hash,
            key: name.key(addition.knowledge.catalogue),
            tenant: addition.origin.tenant.clone(),
            spread,
            sources: Sources::default(),
            builder,
            claims: Claims::default(),
            received_at_ms: addition.received_at_ms,
        }
    }

    /// Adds items of a series: all, or a half of a half of them if all do not fit. Answers how many.
    pub(super) fn push<'x>(
        &mut self,
        pushed: Pushed<'_>,
        items: impl Iterator<Item = Item<'x>> + Clone,
        count: usize,
    ) -> usize {
        let mut taken = count;
        while taken > 0 {
            let items = items.clone().take(taken);
            let is_pushed = self.push_all(pushed, pushed.described, items.clone())
                // What others said must not keep out what fits without it.
                || (pushed.described.is_some()
                    && self.builder.is_empty()
                    && self.push_all(pushed, None, items));
            if is_pushed {
                break;
            }
            taken /= 2;
        }
        taken
    }

    /// Adds a sample, unless the record would grow too large with it. `known` is the number of its series if the catalogue
    /// knows it.
    #[inline]
    pub(super) fn push_one(
        &mut self,
        pushed: Pushed<'_>,
        known: Option<u32>,
        point: Point,
    ) -> bool {
        match known {
            Some(known) => self.push_known(pushed, known, point),
            None => self.push_point(pushed, point),
        }
    }

    #[inline]
    fn push_known(&mut self, pushed: Pushed<'_>, known: u32, point: Point) -> bool {
        let catalogue = pushed.addition.knowledge.catalogue;
        let described = pushed.described.filter(|_| catalogue.is_bare(known));
        self.builder
            .push_known_point(pushed.limit_bytes, catalogue, known, described, point)
    }

    fn push_point(&mut self, pushed: Pushed<'_>, point: Point) -> bool {
        let batch = pushed.addition.batch;
        let Some(series) = batch.series(pushed.series) else {
            return false;
        };
        let described = pushed.described.filter(|_| is_bare(series));
        let said = described.unwrap_or_else(|| said(series));
        let labels = pairs(batch.labels(series));
        self.builder
            .push_point(pushed.limit_bytes, labels, said, point)
    }

    fn push_all<'x>(
        &mut self,
        pushed: Pushed<'_>,
        described: Option<Description<'_>>,
        items: impl Iterator<Item = Item<'x>>,
    ) -> bool {
        let Addition {
            batch, knowledge, ..
        } = pushed.addition;
        let limit_bytes = pushed.limit_bytes;
        if let Some(known) = pushed.series.checked_sub(FIRST_KNOWN) {
            let catalogue = knowledge.catalogue;
            let described = described.filter(|_| catalogue.is_bare(known));
            return self
                .builder
                .push_known(limit_bytes, catalogue, known, described, items);
        }
        let Some(series) = batch.series(pushed.series) else {
            return false;
        };
        let (kind, unit, help) = described
            .filter(|_| is_bare(series))
            .unwrap_or_else(|| said(series));
        let labels = pairs(batch.labels(series));
        self.builder
            .push_within(limit_bytes, labels, kind, unit, help, items)
    }

    /// Notes that a request waits for the record, with the samples since there were so many.
    pub(super) fn claim(
        &mut self,
        parties: &mut Parties,
        addition: &Addition<'_>,
        before_samples: u32,
    ) {
        let samples = self.builder.samples().saturating_sub(before_samples);
        parties.claim(&mut self.claims, addition.ticket, samples);
        self.sources.add(addition.origin.source.as_ref());
    }

    /// The record, if it has samples. The next one of that name starts empty.
    pub(super) fn seal(&mut self) -> Option<Sealed> {
        if self.builder.is_empty() {
            return None;
        }
        let samples = self.builder.samples();
        Some(Sealed {
            record: Record {
                key: self.key.clone(),
                value: self.builder.finish(),
                content_type: ContentType::RemoteWriteV2,
                tenant: self.tenant.clone(),
                source: std::mem::take(&mut self.sources).joined(),
                received_at_ms: self.received_at_ms,
                spread: self.spread,
            },
            claims: std::mem::take(&mut self.claims),
            samples,
        })
    }
}

pub(super) fn fail_too_large(addition: &Addition<'_>, samples: usize, limit_bytes: usize) {
    let error = PublishError::TooLarge {
        size_bytes: limit_bytes.saturating_add(1),
        limit_bytes,
    };
    addition.ticket.fail(samples as u64, &error);
}
