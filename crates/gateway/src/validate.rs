//! Which samples of a decoded body are good, and why the others are not.
//!
//! An object that became several series (a histogram) is good or bad as a whole. Everything is
//! decided here, before the first sample is stored.

use codec::json::Decoded;
use model::{Batch, Code, Limits, Refusal, Refused, Sample, check_at, check_series};

use crate::coalesce::Coalescer;
use crate::refusals::{Refusals, TOLD};

/// What a request's body came to.
#[derive(Debug)]
pub(crate) struct Validated<'a> {
    /// The good samples, with their labels sorted.
    pub batch: Batch<'a>,
    pub refusals: Refusals,
}

/// Applies the rules to every series and sample.
pub(crate) fn validate<'a>(
    decoded: Decoded<'a>,
    limits: &Limits,
    now_ms: i64,
    coalescer: &Coalescer,
) -> Validated<'a> {
    let Decoded {
        mut batch,
        mut refused,
        objects,
    } = decoded;
    batch.sort_labels();
    let bad_series = bad_series(&batch, limits, coalescer);
    let bad_indices = bad_samples(&batch, limits, now_ms, &bad_series, &mut refused);
    if !bad_indices.is_empty() {
        batch.retain(|sample| bad_indices.binary_search(&sample.index).is_err());
    }
    Validated {
        batch,
        refusals: Refusals::of(objects, refused),
    }
}

/// The series that break a rule, in the order of their numbers.
fn bad_series(batch: &Batch<'_>, limits: &Limits, coalescer: &Coalescer) -> Vec<(u32, Refusal)> {
    let mut bad = Vec::new();
    for (number, series) in (0_u32..).zip(batch.all_series()) {
        let labels = batch.labels(series);
        let checked = check_series(series, labels, limits).and_then(|()| {
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

/// Adds a refusal for each bad object and answers their indices, sorted.
fn bad_samples(
    batch: &Batch<'_>,
    limits: &Limits,
    now_ms: i64,
    bad_series: &[(u32, Refusal)],
    refused: &mut Vec<Refused>,
) -> Vec<u32> {
    let mut indices: Vec<u32> = Vec::new();
    for sample in batch.samples() {
        let Err(refusal) = check_sample(sample, limits, now_ms, bad_series) else {
            continue;
        };
        if indices.last() == Some(&sample.index) {
            continue;
        }
        // Only the first are told, so the others' sentences need not be kept.
        let is_told = indices.len() < TOLD;
        indices.push(sample.index);
        let series = batch.series(sample.series).filter(|_| is_told);
        refused.push(Refused {
            index: sample.index,
            metric_name: series.map_or_else(String::new, |series| series.name.clone().into_owned()),
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

fn check_sample(
    sample: &Sample,
    limits: &Limits,
    now_ms: i64,
    bad_series: &[(u32, Refusal)],
) -> Result<(), Refusal> {
    if !bad_series.is_empty()
        && let Ok(found) = bad_series.binary_search_by_key(&sample.series, |(series, _)| *series)
        && let Some((_, refusal)) = bad_series.get(found)
    {
        return Err(refusal.clone());
    }
    check_at(sample.at_ms, now_ms, limits)
}

#[cfg(test)]
mod tests;
