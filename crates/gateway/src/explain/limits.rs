//! How near a body comes to each limit on its way in.

use codec::Decoded;
use model::{Batch, Label};
use schemars::JsonSchema;
use serde::Serialize;

use crate::ingest::Pipeline;

/// A setting, and the most of it that the body has.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Limit {
    setting: &'static str,
    limit: usize,
    found: usize,
}

/// Every limit on a body and on its samples, the refused ones among them.
pub(super) fn limits(
    pipeline: &Pipeline,
    decoded: &Decoded<'_>,
    inflated_bytes: usize,
) -> Vec<Limit> {
    let (limits, batch) = (&pipeline.limits, &decoded.batch);
    let series = || batch.all_series().iter();
    let longest = |of: fn(&Label<'_>) -> usize| {
        let lengths = series().flat_map(|series| batch.labels(series).iter().map(of));
        lengths.max().unwrap_or(0)
    };
    let found = [
        (
            "http.max_inflated",
            pipeline.max_inflated_bytes,
            inflated_bytes,
        ),
        ("limits.max_samples", limits.max_samples, samples(batch)),
        (
            "limits.max_metric_name",
            limits.max_metric_name_bytes,
            series().map(|series| series.name.len()).max().unwrap_or(0),
        ),
        (
            "limits.max_labels",
            limits.max_labels,
            series()
                .map(|series| batch.labels(series).len())
                .max()
                .unwrap_or(0),
        ),
        (
            "limits.max_label_name",
            limits.max_label_name_bytes,
            longest(|label| label.name.len()),
        ),
        (
            "limits.max_label_value",
            limits.max_label_value_bytes,
            longest(|label| label.value.len()),
        ),
        (
            "limits.max_metadata",
            limits.max_metadata_bytes,
            series()
                .map(|series| series.unit.len().max(series.help.len()))
                .max()
                .unwrap_or(0),
        ),
    ];
    found
        .into_iter()
        .map(|(setting, limit, found)| Limit {
            setting,
            limit,
            found,
        })
        .collect()
}

fn samples(batch: &Batch<'_>) -> usize {
    batch.samples().len()
}
