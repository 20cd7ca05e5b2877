//! `POST /metrics`, as the description has it.

use model::Limits;
use serde_json::{Value, json};
use service::openapi::{Api, Content};

use super::examples::{body_of, hostile, of_path};
use super::{ENCODINGS, Failures, durable, encoded, failures, posted, pushing, strict};
use crate::answer;

/// The batch as agents send it. What depends on the clock, and that buckets are cumulative, has no words here.
pub(super) fn batch() -> Value {
    let limits = Limits::default();
    let characters = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$";
    json!({
        "type": "object",
        "required": ["metrics"],
        "properties": { "metrics": {
            "type": "array",
            "maxItems": limits.max_samples,
            "items": {
                "type": "object",
                "required": ["metric_name", "timestamp", "value", "labels"],
                "properties": {
                    "metric_name": {
                        "type": "string", "minLength": 1, "maxLength": limits.max_metric_name_bytes, "pattern": characters,
                        "description": "Any UTF-8 but control characters; the limit is in bytes.",
                    },
                    "timestamp": {
                        "type": "integer", "format": "int64",
                        "description": "Unix time in milliseconds, at most 10 minutes ahead of the gateway's clock.",
                    },
                    "value": value(),
                    "labels": {
                        "type": "object", "maxProperties": limits.max_labels,
                        "propertyNames": {
                            "minLength": 1, "maxLength": limits.max_label_name_bytes, "pattern": characters,
                            "not": { "const": model::NAME_LABEL },
                        },
                        "additionalProperties": { "type": "string", "maxLength": limits.max_label_value_bytes },
                        "description": "`{}` for none. A label with an empty value is no label.",
                    },
                    "type": { "enum": ["counter", "gauge", "histogram", "summary"] },
                    "unit": { "type": "string", "maxLength": limits.max_metadata_bytes, "description": "Such as `seconds`." },
                    "help": { "type": "string", "maxLength": limits.max_metadata_bytes, "description": "A sentence for people." },
                },
            },
        } },
    })
}

fn value() -> Value {
    let bound = "^([+-]?([0-9]+(\\.[0-9]*)?|\\.[0-9]+)([eE][+-]?[0-9]{1,2})?|\\+Inf)$";
    let quantile = "^(0(\\.[0-9]+)?|1(\\.0+)?)$";
    json!({
        "description": "A number, or the object of a histogram or summary.",
        "oneOf": [
            { "type": "number" },
            {
                "type": "object", "title": "Histogram", "required": ["buckets"],
                "properties": {
                    "buckets": {
                        "type": "object", "propertyNames": { "pattern": bound }, "additionalProperties": { "type": "number", "minimum": 0 },
                        "description": "Cumulative, by upper bound; `+Inf` is there, or `count` is.",
                    },
                    "sum": { "type": "number" },
                    "count": { "type": "number", "minimum": 0 },
                    "quantiles": false,
                },
            },
            {
                "type": "object", "title": "Summary", "required": ["quantiles"],
                "properties": {
                    "quantiles": {
                        "type": "object", "propertyNames": { "pattern": quantile }, "additionalProperties": { "type": "number" },
                    },
                    "sum": { "type": "number" },
                    "count": { "type": "number", "minimum": 0 },
                    "buckets": false,
                },
            },
        ],
    })
}

pub(super) fn api() -> Api {
    let operation = pushing("pushJson", "A batch of samples as JSON")
        .about(
            "`application/json`, also under the types `text/plain` and what `curl -d` says. The order of samples matters only within a \
             series. Histograms and summaries become the series that Prometheus knows.",
        )
        .takes(strict())
        .takes(encoded(&ENCODINGS))
        .reads(Content::written(batch()).examples(of_path("/metrics")))
        .answers(
            durable(200, "Stored, all of it or in part: `errors` lists what was refused.")
                .with(Content::json::<answer::Success<'_>>().examples(body_of("/metrics"))),
        )
        .answers_all(failures(&Failures {
            name: "Batch",
            content: Content::json::<answer::Failure<'_>>(),
            without: &[],
            has_samples: true, examples: hostile(),
        }));
    posted(&["/metrics", "/api/v1/metrics"], &operation)
}

/// The API's own failures, for operations that are not of another protocol.
pub(super) fn own(name: &'static str) -> Failures {
    Failures {
        name,
        content: Content::json::<answer::Failure<'_>>(),
        without: &[],
        has_samples: false,
        examples: Vec::new(),
    }
}
