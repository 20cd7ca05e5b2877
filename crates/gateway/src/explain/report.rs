//! What is told about a body: each sample, each record, each limit.

use std::collections::{BTreeMap, HashMap, HashSet};

use axum::response::Response;
use bytes::Bytes;
use model::{Batch, Code, Counts, Refusal, Refused, Sample, Series, Value};
use schemars::JsonSchema;
use serde::Serialize;

use super::limits::{Limit, limits};
use super::shown::{Shown, shown};
use crate::coalesce::{Knowledge, Rehearsed};
use crate::described::codes::CodeName;
use crate::error::Error;
use crate::ingest::{Intake, Origin, Pipeline};
use crate::permits::Permit;
use crate::protocol::Protocol;
use crate::refusals::{Refusals, TOLD};
use crate::validate::{Standards, Validated, validate};

/// More samples, and more records, are counted and not shown.
const MOST: usize = 1000;

/// What the shown samples may have together, in bytes, about.
const MOST_BYTES: usize = 4 << 20;

/// How much of a refused object is shown as it was sent.
const ORIGINAL_CHARS: usize = 1000;

/// How much of an answer is shown.
const ANSWER_BYTES: usize = 256 << 10;

/// The answer of this API.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Explained")]
pub(crate) struct Report {
    protocol: &'static str,
    tenant: Option<String>,
    source: Option<String>,
    pub(super) encoding: Option<&'static str>,
    pub(super) body_bytes: usize,
    /// Whether anything would be stored.
    #[serde(rename = "stored")]
    pub(super) is_stored: bool,
    /// Why the body as a whole is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refusal: Option<Reason>,
    /// What the sender would be answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) answer: Option<Answer>,
    #[serde(flatten)]
    pub(super) body: Option<Read>,
}

impl Report {
    /// Of a body that nothing is known about yet.
    pub(super) fn of<P: Protocol>(origin: &Origin) -> Self {
        Self {
            protocol: P::NAME,
            tenant: origin.tenant.as_deref().map(str::to_owned),
            source: origin.source.as_deref().map(str::to_owned),
            encoding: None,
            body_bytes: 0,
            is_stored: false,
            refusal: None,
            answer: None,
            body: None,
        }
    }
}

/// A code of the API, and a sentence.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Reason {
    #[schemars(with = "CodeName")]
    code: &'static str,
    message: String,
}

impl From<(&'static str, String)> for Reason {
    fn from((code, message): (&'static str, String)) -> Self {
        Self { code, message }
    }
}

impl From<&Refusal> for Reason {
    fn from(refusal: &Refusal) -> Self {
        (refusal.code.as_str(), refusal.message.clone()).into()
    }
}

/// An answer of a protocol.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Answer {
    status: u16,
    /// As text; an answer in protobuf is only its length.
    body: String,
}

impl Answer {
    pub(super) async fn of(response: Response) -> Self {
        let status = response.status().as_u16();
        let bytes = axum::body::to_bytes(response.into_body(), ANSWER_BYTES).await;
        let bytes = bytes.unwrap_or_default();
        let body = match std::str::from_utf8(&bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => format!("{} bytes that are no text", bytes.len()),
        };
        Self { status, body }
    }
}

/// What a body holds that could be read.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Read {
    /// Without its encoding.
    inflated_bytes: usize,
    /// Elements, lines or data points, as the sender counts.
    objects: u64,
    accepted: u64,
    rejected: u64,
    samples: Vec<Told>,
    samples_omitted: usize,
    /// Were it alone; samples of other requests join them.
    records: Vec<Record>,
    records_omitted: usize,
    /// What the format has and is passed over, by kind.
    ignored: BTreeMap<&'static str, u64>,
    limits: Vec<Limit>,
}

/// A sample, or an object that was refused.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ExplainedSample")]
struct Told {
    index: u32,
    metric_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    partition: Option<usize>,
    #[serde(flatten)]
    fate: Fate,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "verdict", rename_all = "snake_case")]
enum Fate {
    Accepted(Shown),
    Refused {
        #[serde(flatten)]
        why: Reason,
        /// What was sent, where it can be found again.
        #[serde(skip_serializing_if = "Option::is_none")]
        original: Option<String>,
    },
}

/// A record of the buffer.
#[derive(Debug, Serialize, JsonSchema)]
struct Record {
    metric_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    partition: Option<usize>,
    samples: u32,
    /// Key and value, before compression.
    bytes: usize,
}

/// A body that could be read.
pub(super) struct Explained {
    pub(super) body: Read,
    pub(super) refusals: Refusals,
    pub(super) stored: Counts,
}

/// Reads and checks a body without storing anything of it.
pub(super) fn explained<P: Protocol>(
    pipeline: &Pipeline,
    protocol: &P,
    intake: &Intake,
    body: Bytes,
    permit: &mut Permit,
) -> Result<Explained, Error> {
    let body = protocol.prepare(body)?;
    let inflated_bytes = body.len();
    let catalogue = pipeline.catalogue.nothing();
    let origin = &intake.origin;
    let mut decoded = protocol.decode(&body, &pipeline.limits, catalogue.into())?;
    permit.weigh(decoded.batch.size_bytes());
    refuse_names(pipeline, origin, &mut decoded);
    let limits = limits(pipeline, &decoded, inflated_bytes);
    let now_ms = pipeline.clock.now_ms();
    let standards = Standards {
        limits: &pipeline.limits,
        now_ms,
        coalescer: &pipeline.coalescer,
        quotas: None,
    };
    let Validated {
        batch,
        refusals,
        ignored,
        unknown: _,
    } = validate(decoded, standards, catalogue);
    let families = pipeline.families.known();
    let knowledge = Knowledge {
        catalogue,
        families: families.as_deref(),
    };
    pipeline.check_records(&batch, knowledge, origin)?;
    let rehearsed = pipeline
        .coalescer
        .rehearse(&batch, knowledge, origin, now_ms);
    let (records, partitions) = records(pipeline, &rehearsed);
    let (samples, samples_omitted) = told(protocol, &body, &batch, &refusals, &partitions);
    let body = Read {
        inflated_bytes,
        objects: refusals.received() + refusals.refused(),
        accepted: refusals.received(),
        rejected: refusals.refused(),
        samples,
        samples_omitted,
        records_omitted: rehearsed.len().saturating_sub(MOST),
        records,
        ignored: ignored
            .iter()
            .map(|(what, count)| (what.as_str(), *count))
            .collect(),
        limits,
    };
    Ok(Explained {
        body,
        stored: batch.counts(),
        refusals,
    })
}

/// Refuses the metrics that a sender may not send at all; what it may not send more of depends on the moment.
fn refuse_names(pipeline: &Pipeline, origin: &Origin, decoded: &mut codec::Decoded<'_>) {
    let batch = &decoded.batch;
    let mut refused: Vec<Refused> = Vec::new();
    for sample in batch.samples() {
        let name = batch
            .series(sample.series)
            .map_or("", |series| &series.name);
        let is_repeated = |last: &Refused| last.index == sample.index;
        if refused.last().is_some_and(is_repeated) {
            continue;
        }
        if let Some(message) = pipeline.quotas.refuses(origin, name) {
            // As for an answer: the first are told, the others counted.
            let is_told = refused.len() < TOLD;
            refused.push(Refused {
                index: sample.index,
                metric_name: if is_told { cut(name) } else { String::new() },
                refusal: Refusal::new(
                    Code::MetricNotAllowed,
                    if is_told {
                        cut(&message)
                    } else {
                        String::new()
                    },
                ),
            });
        }
    }
    if refused.is_empty() {
        return;
    }
    let indices: HashSet<u32> = refused.iter().map(|one| one.index).collect();
    decoded
        .batch
        .retain(|sample| !indices.contains(&sample.index));
    decoded.refused.extend(refused);
}

/// The records, and where the samples of each name go that all go to one partition.
fn records(
    pipeline: &Pipeline,
    rehearsed: &[Rehearsed],
) -> (Vec<Record>, HashMap<String, Option<usize>>) {
    let mut partitions: HashMap<String, Option<usize>> = HashMap::new();
    let mut records = Vec::new();
    for one in rehearsed {
        let metric_name = String::from_utf8_lossy(&one.record.key).into_owned();
        let partition = (pipeline.placement)(&one.record);
        partitions
            .entry(metric_name.clone())
            .and_modify(|known| *known = known.filter(|known| Some(*known) == partition))
            .or_insert(partition);
        if records.len() < MOST {
            records.push(Record {
                metric_name,
                partition,
                samples: one.samples,
                bytes: one.record.key.len() + one.record.value.len(),
            });
        }
    }
    (records, partitions)
}

/// What a sample takes that is shown, about.
fn told_bytes(batch: &Batch<'_>, series: &Series<'_>, sample: &Sample) -> usize {
    let labels = batch.labels(series).iter();
    let labels: usize = labels
        .map(|label| label.name.len() + label.value.len() + 64)
        .sum();
    let value = match sample.value {
        // A bucket is a few bytes there and some dozens here.
        Value::Histogram(number) => batch.histogram(number).len().saturating_mul(32),
        Value::Float(_) | Value::Exemplar(_) => 0,
    };
    256 + series.name.len() + series.unit.len() + series.help.len() + labels + value
}

/// The start of a text that may be as long as a body.
fn cut(text: &str) -> String {
    text.chars().take(ORIGINAL_CHARS).collect()
}

/// Accepted and refused ones in the order in which they came, and how many more there are.
fn told<P: Protocol>(
    protocol: &P,
    body: &[u8],
    batch: &Batch<'_>,
    refusals: &Refusals,
    partitions: &HashMap<String, Option<usize>>,
) -> (Vec<Told>, usize) {
    let is_sample = |sample: &&Sample| !matches!(sample.value, Value::Exemplar(_));
    let all = batch.samples().iter().filter(is_sample).count() as u64 + refusals.refused();
    let mut bytes = 0_usize;
    let mut told: Vec<_> = batch
        .samples()
        .iter()
        .filter(is_sample)
        .take(MOST)
        .map_while(|sample| {
            let series = batch.series(sample.series)?;
            // Each has its labels again, which may be large.
            bytes = bytes.saturating_add(told_bytes(batch, series, sample));
            (bytes <= MOST_BYTES).then_some(())?;
            Some(Told {
                index: sample.index,
                metric_name: series.name.to_string(),
                partition: partitions.get(&*series.name).copied().flatten(),
                fate: Fate::Accepted(shown(batch, series, sample)),
            })
        })
        .collect();
    let wanted: Vec<u32> = refusals.listed().iter().map(|one| one.index).collect();
    let originals = protocol.parts(body, &wanted);
    for refused in refusals.listed() {
        let original = originals.iter().find(|(index, _)| *index == refused.index);
        told.push(Told {
            index: refused.index,
            metric_name: refused.metric_name.clone(),
            partition: None,
            fate: Fate::Refused {
                why: (&refused.refusal).into(),
                original: original.map(|(_, bytes)| {
                    let text = String::from_utf8_lossy(bytes);
                    text.chars().take(ORIGINAL_CHARS).collect()
                }),
            },
        });
    }
    told.sort_by_key(|told| told.index);
    told.truncate(MOST);
    let omitted = all.saturating_sub(told.len() as u64);
    (told, usize::try_from(omitted).unwrap_or(usize::MAX))
}
