//! Which samples of a decoded body are good, and why the others are not.
//!
//! An object that became several series (a histogram) is good or bad as a whole. Everything is
//! decided here, before the first sample is stored.

use codec::catalogue::{Catalogue, Unknown};
use codec::{Decoded, Ignored};
use model::{
    Batch, BatchExemplar, Code, Label, Limits, Refusal, Refused, Sample, SeriesChecker, Value,
    check_at, good_times,
};

use crate::coalesce::{Coalescer, Shape};
use crate::config::RecordFormat;
use crate::ingest::Origin;
use crate::quotas::Quotas;
use crate::refusals::{Refusals, TOLD};

/// What a request's body came to.
#[derive(Debug)]
pub(crate) struct Validated<'a> {
    /// The good samples, with their labels sorted.
    pub batch: Batch<'a>,
    pub refusals: Refusals,
    /// What was passed over: by the decoder, and exemplars that break a rule.
    pub ignored: Vec<(Ignored, u64)>,
    /// The good ones among the series that may be learned.
    pub unknown: Vec<Unknown<'a>>,
}

/// What an exemplar's labels may have together, in characters: the rule of `OpenMetrics`.
const EXEMPLAR_CHARS: usize = 128;

/// What a body is held to.
#[derive(Clone, Copy)]
pub(crate) struct Standards<'s> {
    pub limits: &'s Limits,
    pub now_ms: i64,
    pub coalescer: &'s Coalescer,
    /// What its sender may send; none for what the gateway itself stores.
    pub quotas: Option<(&'s Quotas, &'s Origin)>,
}

/// Applies the rules to every series and sample.
pub(crate) fn validate<'a>(
    mut decoded: Decoded<'a>,
    standards: Standards<'_>,
    catalogue: &Catalogue,
) -> Validated<'a> {
    let Standards {
        limits,
        now_ms,
        coalescer,
        quotas,
    } = standards;
    let objects = decoded.objects;
    let mut refused = std::mem::take(&mut decoded.refused);
    let batch = &mut decoded.batch;
    batch.sort_labels();
    let shape = coalescer.shape();
    let bad_series = bad_series(batch, limits, coalescer);
    let rules = Rules {
        limits,
        now_ms,
        bad_series: &bad_series,
        shape,
        catalogue,
    };
    let mut bad_indices = bad_samples(batch, rules, &mut refused);
    let checked = quotas.map(|(quotas, origin)| {
        let is_bad = |sample: &Sample| bad_indices.binary_search(&sample.index).is_ok();
        quotas.check(origin, batch, catalogue, is_bad)
    });
    let checked = checked.unwrap_or_default();
    if !checked.refused.is_empty() {
        bad_indices.extend(checked.refused.iter().map(|refused| refused.index));
        bad_indices.sort_unstable();
        refused.extend(checked.refused);
    }
    let mut unknown = std::mem::take(&mut decoded.unknown);
    unknown.retain(|unknown| {
        refusal_of(unknown.series, &bad_series).is_none()
            && checked.bad_series.binary_search(&unknown.series).is_err()
            && catalogue.is_news(&decoded.batch, unknown)
    });
    let batch = &mut decoded.batch;
    let is_bad = |sample: &Sample| bad_indices.binary_search(&sample.index).is_ok();
    let bad_exemplars = bad_exemplars(batch, rules, is_bad);
    if !bad_indices.is_empty() || !bad_exemplars.is_empty() {
        batch.retain(|sample| match sample.value {
            Value::Exemplar(number) => bad_exemplars.binary_search(&number).is_err(),
            Value::Float(_) | Value::Histogram(_) => !is_bad(sample),
        });
    }
    decoded.ignore(Ignored::Exemplar, bad_exemplars.len() as u64);
    Validated {
        batch: decoded.batch,
        refusals: Refusals::of(objects, refused),
        ignored: decoded.ignored,
        unknown,
    }
}

/// What samples are held to.
#[derive(Clone, Copy)]
struct Rules<'r> {
    limits: &'r Limits,
    now_ms: i64,
    bad_series: &'r [(u32, Refusal)],
    shape: Shape,
    catalogue: &'r Catalogue,
}

/// An exemplar is dropped where a sample would be refused, and where its labels are longer than the format
/// that has them allows.
fn is_good_exemplar(
    sample: &Sample,
    (_, labels): (&BatchExemplar, &[Label<'_>]),
    now_ms: i64,
    limits: &Limits,
) -> bool {
    let chars = |label: &Label<'_>| label.name.chars().count() + label.value.chars().count();
    check_at(sample.at_ms, now_ms, limits).is_ok()
        && labels.iter().all(|label| !label.name.is_empty())
        && labels.iter().map(chars).sum::<usize>() <= EXEMPLAR_CHARS
}

/// The series that break a rule, in the order of their numbers.
fn bad_series(batch: &Batch<'_>, limits: &Limits, coalescer: &Coalescer) -> Vec<(u32, Refusal)> {
    let mut bad = Vec::new();
    let mut checker = SeriesChecker::new(limits);
    for (number, series) in (0_u32..).zip(batch.all_series()) {
        let labels = batch.labels(series);
        let checked = checker.check(series, labels).and_then(|()| {
            coalescer
                .check_size(series, labels)
                .map_err(|too_large| Refusal::new(Code::SampleTooLarge, too_large.to_string()))
        });
        if let Err(refusal) = checked {
            bad.push((number, refusal));
        }
    }
    bad
}

/// The exemplars that are passed over, in order.
fn bad_exemplars(
    batch: &Batch<'_>,
    rules: Rules<'_>,
    is_bad: impl Fn(&Sample) -> bool,
) -> Vec<u32> {
    if !batch.has_exemplars() {
        return Vec::new();
    }
    let bad = batch.samples().iter().filter_map(|sample| {
        let Value::Exemplar(number) = sample.value else {
            return None;
        };
        let exemplar = batch.exemplar(number);
        let is_good = rules.shape.format == RecordFormat::Protobuf
            && !is_bad(sample)
            && refusal_of(sample.series, rules.bad_series).is_none()
            && exemplar.is_some_and(|exemplar| {
                is_good_exemplar(sample, exemplar, rules.now_ms, rules.limits)
            });
        (!is_good).then_some(number)
    });
    bad.collect()
}

/// Adds a refusal for each bad object and answers their indices, sorted.
fn bad_samples(batch: &Batch<'_>, rules: Rules<'_>, refused: &mut Vec<Refused>) -> Vec<u32> {
    let mut indices: Vec<u32> = Vec::new();
    let good_times = good_times(rules.now_ms, rules.limits);
    for sample in batch.samples() {
        // As nearly all are.
        if rules.bad_series.is_empty()
            && matches!(sample.value, Value::Float(_))
            && good_times.contains(&sample.at_ms)
        {
            continue;
        }
        let mut checked = check_sample(sample, rules);
        match sample.value {
            Value::Float(_) => {}
            Value::Histogram(number) => {
                checked = checked
                    .and_then(|()| check_histogram(batch, sample.series, number, rules.shape));
            }
            Value::Exemplar(_) => continue,
        }
        let Err(refusal) = checked else {
            continue;
        };
        if indices.last() == Some(&sample.index) {
            continue;
        }
        // Only the first are told, so the others' sentences need not be kept.
        let is_told = indices.len() < TOLD;
        indices.push(sample.index);
        let name = name_of(batch, sample, rules.catalogue).filter(|_| is_told);
        refused.push(Refused {
            index: sample.index,
            metric_name: name.unwrap_or_default().to_owned(),
            refusal: Refusal {
                code: refusal.code,
                message: if is_told {
                    refusal.message
                } else {
                    String::new()
                },
            },
        });
    }
    indices.sort_unstable();
    indices
}

/// The positions of the objects of good samples, in order, and their metric names.
pub(crate) fn names<'b>(batch: &'b Batch<'_>, catalogue: &'b Catalogue) -> Vec<(u32, &'b str)> {
    let samples = batch.samples().iter();
    let mut names: Vec<_> = samples
        .filter(|sample| !matches!(sample.value, Value::Exemplar(_)))
        .map(|sample| {
            let name = name_of(batch, sample, catalogue);
            (sample.index, name.unwrap_or_default())
        })
        .collect();
    names.sort_by_key(|(index, _)| *index);
    names.dedup_by_key(|(index, _)| *index);
    names
}

/// The metric name of a sample.
fn name_of<'b>(batch: &'b Batch<'_>, sample: &Sample, catalogue: &'b Catalogue) -> Option<&'b str> {
    match sample.known() {
        Some(known) => catalogue.name(catalogue.name_of(known)?),
        None => Some(&batch.series(sample.series)?.name),
    }
}

#[inline]
fn check_sample(sample: &Sample, rules: Rules<'_>) -> Result<(), Refusal> {
    match refusal_of(sample.series, rules.bad_series) {
        Some(refusal) => Err(refusal.clone()),
        None => check_at(sample.at_ms, rules.now_ms, rules.limits),
    }
}

/// Half a record is left to the series' labels, which are checked by themselves.
fn check_histogram(
    batch: &Batch<'_>,
    series: u32,
    number: u32,
    shape: Shape,
) -> Result<(), Refusal> {
    let message = batch.histogram(number);
    let limit_bytes = shape.max_record_bytes / 2;
    let size_bytes = match shape.format {
        RecordFormat::Protobuf => message.len(),
        RecordFormat::Json => {
            check_labels(batch, series)?;
            json_size(message)?
        }
    };
    if size_bytes <= limit_bytes {
        return Ok(());
    }
    let message =
        format!("the native histogram has {size_bytes} bytes, the limit is {limit_bytes}");
    Err(Refusal::new(Code::SampleTooLarge, message))
}

/// In JSON, a native histogram becomes classic buckets, and those have a label of their own.
fn check_labels(batch: &Batch<'_>, series: u32) -> Result<(), Refusal> {
    let labels = batch.series(series).map(|series| batch.labels(series));
    if labels.is_some_and(|labels| labels.iter().any(|label| label.name == "le")) {
        let message = "label \"le\" is reserved on a histogram with buffer.record_format: json";
        return Err(Refusal::new(Code::LabelNameInvalid, message));
    }
    Ok(())
}

/// The most that a native histogram may have as JSON.
fn json_size(message: &[u8]) -> Result<usize, Refusal> {
    /// A bound and a count, with all digits that there can be.
    const BUCKET_BYTES: usize = 48;
    let checked =
        codec::native::check(message).map_err(|why| Refusal::new(Code::HistogramInvalid, why))?;
    // Both bounds of each bucket, those of the zero bucket, and the last.
    let rows = checked.buckets.saturating_mul(2).saturating_add(3);
    if rows > codec::json::MAX_BUCKETS {
        let message = format!(
            "the native histogram has {} buckets, too many for buffer.record_format: json",
            checked.buckets
        );
        return Err(Refusal::new(Code::SampleTooLarge, message));
    }
    Ok(rows * BUCKET_BYTES)
}

fn refusal_of(series: u32, bad_series: &[(u32, Refusal)]) -> Option<&Refusal> {
    if bad_series.is_empty() {
        return None;
    }
    let found = bad_series.binary_search_by_key(&series, |(series, _)| *series);
    bad_series.get(found.ok()?).map(|(_, refusal)| refusal)
}

#[cfg(test)]
mod tests;
