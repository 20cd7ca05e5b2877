//! A sample as it is understood, for people and programs.

use std::collections::BTreeMap;

use model::{Batch, Sample, Series, Value};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value as Json, json};

/// Prometheus' marker for a series that has ended: a NaN with these bits.
const STALE: u64 = 0x7ff0_0000_0000_0002;

/// What is stored of a sample.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Shown {
    labels: BTreeMap<String, String>,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    unit: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    help: String,
    timestamp: i64,
    /// When the counter behind it started; where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    start_timestamp: Option<i64>,
    value: Json,
}

pub(super) fn shown(batch: &Batch<'_>, series: &Series<'_>, sample: &Sample) -> Shown {
    let labels = batch.labels(series).iter();
    Shown {
        labels: labels
            .map(|label| (label.name.to_string(), label.value.to_string()))
            .collect(),
        kind: series.kind.as_str(),
        unit: series.unit.to_string(),
        help: series.help.to_string(),
        timestamp: sample.at_ms,
        start_timestamp: (sample.start_ms != 0).then_some(sample.start_ms),
        value: match sample.value {
            Value::Float(value) => number(value),
            Value::Histogram(histogram) => native(batch.histogram(histogram)),
            // It is none, and is not asked for.
            Value::Exemplar(_) => Json::Null,
        },
    }
}

/// JSON has no words for what is not finite.
fn number(value: f64) -> Json {
    if value.to_bits() == STALE {
        return json!("stale marker");
    }
    serde_json::Number::from_f64(value).map_or_else(|| json!(value.to_string()), Json::Number)
}

/// A native histogram by cumulative buckets.
fn native(message: &[u8]) -> Json {
    let Some(classic) = codec::native::classic(message) else {
        return Json::Null;
    };
    let buckets: serde_json::Map<_, _> = classic
        .buckets
        .iter()
        .map(|(bound, count)| {
            let bound = if bound.is_infinite() {
                "+Inf".to_owned()
            } else {
                bound.to_string()
            };
            (bound, number(*count))
        })
        .collect();
    json!({"buckets": buckets, "sum": number(classic.sum), "count": number(classic.count)})
}
