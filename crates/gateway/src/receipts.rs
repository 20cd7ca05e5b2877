//! A receipt for everything that is refused: counted by source, remembered for whoever looks for their data, and, where
//! there is a topic for it, kept with its bytes.
//!
//! Samples that are taken are counted by source and by tenant, once per request; nothing else is done for them, and nothing here makes an
//! answer wait.

mod senders;
mod topic;

use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};

use codec::parts::Part;
use http::request::Parts;
use model::{Clock, Code, Refusal, Refused};
use service::rejections::{By, Kind, Rejection, Rejections, SHOWN_BYTES, What};

pub use self::topic::RejectionTopic;

use self::senders::Senders;
use self::topic::Receipt;
use crate::error::Error;
use crate::ingest::Origin;
use crate::metrics;
use crate::refusals::Refusals;

/// The label of sources that have none of their own.
const OTHER: &str = "other";

/// The label of what nobody says who sent it.
const UNKNOWN: &str = "unknown";

/// The label of what is no tenant's.
const NO_TENANT: &str = "none";

/// Tenants that have a label of their own.
const MAX_TENANTS: u32 = 100;

/// Finds the bytes of refused objects, by their indices.
pub(crate) type FindParts<'f> = &'f (dyn Fn(&[u32]) -> Vec<Part<'f>> + 'f);

/// What the samples after the listed ones are told.
const UNLISTED: &str = "one of many in its request, of which the first hundred say more";

/// What was sent: as what, by whom, and how its parts are found again.
#[derive(Clone, Copy)]
pub(crate) struct Sent<'s> {
    pub(crate) protocol: &'static str,
    pub(crate) origin: &'s Origin,
    pub(crate) parts: FindParts<'s>,
    /// How a part is to be read.
    pub(crate) part_type: &'static str,
}

/// Where receipts go.
pub(crate) struct Receipts {
    record: Arc<Rejections>,
    topic: Option<RejectionTopic>,
    sources: Sources,
    senders: Senders,
    tenants: Senders,
    clock: Arc<dyn Clock>,
}

impl Receipts {
    pub(crate) fn new(
        record: Arc<Rejections>,
        topic: Option<RejectionTopic>,
        max_sources: u32,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            record,
            topic,
            sources: Sources::new(max_sources),
            senders: Senders::new(max_sources, metrics::sent_by_source, UNKNOWN),
            tenants: Senders::new(MAX_TENANTS, metrics::sent_by_tenant, NO_TENANT),
            clock,
        }
    }

    /// Counts samples that are taken.
    pub(crate) fn taken(&self, origin: &Origin, samples: u64) {
        self.senders.count(origin.source.as_ref(), samples);
        self.tenants.count(origin.tenant.as_ref(), samples);
    }

    /// Counts samples that were refused.
    pub(crate) fn count(&self, protocol: &'static str, origin: &Origin, code: Code, samples: u64) {
        metrics::rejected(protocol, code, samples);
        if samples > 0 {
            let source = self.sources.label(origin);
            metrics::rejected_by_source(source, code, samples);
        }
    }

    /// Counts and remembers the refused samples of a request.
    pub(crate) fn samples(&self, sent: Sent<'_>, refusals: &Refusals) {
        if refusals.is_empty() {
            return;
        }
        let Sent {
            protocol, origin, ..
        } = sent;
        for (code, count) in refusals.counts() {
            self.count(protocol, origin, *code, *count);
        }
        if !self.record.is_on() && self.topic.is_none() {
            return;
        }
        let at_ms = self.clock.now_ms();
        let told = refusals.listed();
        let topic = self.open_topic(refusals.refused());
        let unlisted = topic.map_or(&[][..], |_| refusals.unlisted());
        let all = told.iter().chain(unlisted);
        let indices: Vec<u32> = all.clone().map(|refused| refused.index).collect();
        let parts = (sent.parts)(&indices);
        if let Some(topic) = topic {
            topic.take(all.map(|refused| Receipt {
                metric_name: &refused.metric_name,
                part: part(&parts, refused.index),
                reason: refused.refusal.code.as_str(),
                message: match refused.refusal.message.as_str() {
                    "" => UNLISTED,
                    message => message,
                },
                index: Some(refused.index),
                ..receipt(sent, at_ms)
            }));
        }
        if !self.record.is_on() {
            return;
        }
        let told_rejections = told.iter().map(|refused| {
            let mut rejection = of_sample(protocol, origin, refused);
            rejection.at_ms = at_ms;
            rejection.sample = part(&parts, refused.index).map_or_else(String::new, shown);
            rejection
        });
        let untold = refusals.counts().iter().filter_map(|(code, count)| {
            let told = told.iter().filter(|refused| refused.refusal.code == *code);
            let count = count.checked_sub(told.count() as u64)?;
            (count > 0).then(|| Rejection {
                kind: kind(protocol, origin, What::Samples, *code),
                at_ms,
                count,
                message: format!(
                    "of each request the first {} refusals are kept by name, and these came after",
                    crate::refusals::TOLD
                ),
                sample: String::new(),
            })
        });
        self.record.note(told_rejections.chain(untold));
    }

    /// Counts and remembers good samples that were refused with bad ones, or for how many they are.
    ///
    /// `names` are the positions of their objects, in order, and their metric names.
    pub(crate) fn whole_batch<'n>(
        &self,
        sent: Sent<'_>,
        why: &Refusal,
        samples: u64,
        names: impl FnOnce() -> Vec<(u32, &'n str)>,
    ) {
        let Sent {
            protocol, origin, ..
        } = sent;
        self.count(protocol, origin, why.code, samples);
        if samples == 0 {
            return;
        }
        let at_ms = self.clock.now_ms();
        self.record.note([Rejection {
            kind: kind(protocol, origin, What::Samples, why.code),
            at_ms,
            count: samples,
            message: why.message.clone(),
            sample: String::new(),
        }]);
        if let Some(topic) = self.open_topic(samples) {
            let names = names();
            let indices: Vec<u32> = names.iter().map(|(index, _)| *index).collect();
            let parts = (sent.parts)(&indices);
            topic.take(names.into_iter().map(|(index, metric_name)| Receipt {
                metric_name,
                part: part(&parts, index),
                reason: why.code.as_str(),
                message: &why.message,
                index: Some(index),
                ..receipt(sent, at_ms)
            }));
        }
    }

    /// The topic, unless it is full: then nothing needs to be looked for, and so many are counted.
    fn open_topic(&self, samples: u64) -> Option<&RejectionTopic> {
        let topic = self.topic.as_ref()?;
        if topic.is_full() {
            topic.dropped(samples);
            return None;
        }
        Some(topic)
    }

    /// Counts and remembers a request that was refused as a whole.
    pub(crate) fn request(
        &self,
        protocol: &'static str,
        origin: &Origin,
        request: &Parts,
        error: &Error,
    ) {
        let code = error.code();
        metrics::refused_by_source(self.sources.label(origin), code);
        // Of a batch each sample has its own.
        if matches!(error, Error::Batch(_)) || !self.record.is_on() {
            return;
        }
        self.record.note([Rejection {
            kind: kind(protocol, origin, What::Requests, code),
            at_ms: self.clock.now_ms(),
            count: 1,
            message: error.to_string(),
            sample: shown(format!("{} {}", request.method, request.uri.path()).as_bytes()),
        }]);
    }

    /// Keeps a line of a protocol that answers nobody, which is counted elsewhere.
    pub(crate) fn keep(&self, protocol: &'static str, reason: &'static str, line: &[u8]) {
        let Some(topic) = self.open_topic(1) else {
            return;
        };
        topic.take([Receipt {
            metric_name: "",
            part: Some(line),
            part_type: "text/plain",
            reason,
            message: "",
            tenant: None,
            source: None,
            protocol,
            index: None,
            at_ms: self.clock.now_ms(),
        }]);
    }

    /// Remembers something of a protocol that answers nobody, which is counted elsewhere.
    pub(crate) fn remember(&self, protocol: &'static str, reason: &'static str, bytes: &[u8]) {
        self.record.note([Rejection {
            kind: Kind {
                by: By::Gateway { protocol },
                what: What::Samples,
                tenant: None,
                source: None,
                metric_name: String::new(),
                reason: reason.into(),
            },
            at_ms: self.clock.now_ms(),
            count: 1,
            message: String::new(),
            sample: shown(bytes),
        }]);
    }
}

impl std::fmt::Debug for Receipts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Receipts")
    }
}

/// What all samples of a request have in common.
fn receipt(sent: Sent<'_>, at_ms: i64) -> Receipt<'_> {
    Receipt {
        metric_name: "",
        part: None,
        part_type: sent.part_type,
        reason: "",
        message: "",
        tenant: sent.origin.tenant.as_ref(),
        source: sent.origin.source.as_ref(),
        protocol: sent.protocol,
        index: None,
        at_ms,
    }
}

/// The part of an object, of parts in the order of their indices.
fn part<'p>(parts: &[Part<'p>], index: u32) -> Option<&'p [u8]> {
    let found = parts.binary_search_by_key(&index, |(index, _)| *index);
    let (_, bytes) = parts.get(found.ok()?)?;
    Some(bytes)
}

fn kind(protocol: &'static str, origin: &Origin, what: What, code: Code) -> Kind {
    Kind {
        by: By::Gateway { protocol },
        what,
        tenant: origin.tenant.clone(),
        source: origin.source.clone(),
        metric_name: String::new(),
        reason: code.as_str().into(),
    }
}

fn of_sample(protocol: &'static str, origin: &Origin, refused: &Refused) -> Rejection {
    let mut kind = kind(protocol, origin, What::Samples, refused.refusal.code);
    kind.metric_name.clone_from(&refused.metric_name);
    Rejection {
        kind,
        at_ms: 0,
        count: 1,
        message: refused.refusal.message.clone(),
        sample: String::new(),
    }
}

/// The first part of some bytes as a person can read it.
fn shown(bytes: &[u8]) -> String {
    let start = bytes.get(..SHOWN_BYTES).unwrap_or(bytes);
    match std::str::from_utf8(start) {
        Ok(text) if !text.contains(char::is_control) => text.to_owned(),
        _ => String::from_utf8_lossy(start)
            .chars()
            .flat_map(|character| match character {
                '\n' | '\t' | '\r' => vec![' '],
                other if other.is_control() => other.escape_default().collect(),
                other => vec![other],
            })
            .collect(),
    }
}

/// The sources that have a label of their own: the first ones that something was refused of.
struct Sources {
    max: usize,
    known: RwLock<HashSet<Arc<str>>>,
}

impl Sources {
    fn new(max: u32) -> Self {
        Self {
            max: usize::try_from(max).unwrap_or(usize::MAX),
            known: RwLock::default(),
        }
    }

    fn label(&self, origin: &Origin) -> String {
        let Some(source) = &origin.source else {
            return UNKNOWN.to_owned();
        };
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if known.contains(source) {
            return source.as_ref().to_owned();
        }
        let is_full = known.len() >= self.max;
        drop(known);
        if is_full {
            return OTHER.to_owned();
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= self.max && !known.contains(source) {
            return OTHER.to_owned();
        }
        known.insert(Arc::clone(source));
        source.as_ref().to_owned()
    }
}

#[cfg(test)]
mod tests;
