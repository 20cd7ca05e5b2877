//! VictoriaMetrics' JSON lines, and `OpenTSDB`.

use serde_json::json;
use service::openapi::{Api, Content, Parameter, Shape};

use super::examples::{of_path, refused_of};
use super::{
    ENCODINGS, Failures, durable, encoded, extra_label, failures, posted, pushing, strict,
};

pub(super) fn api() -> Api {
    victoria().and(opentsdb())
}

fn victoria() -> Api {
    let operation = pushing("pushVictoriaMetrics", "VictoriaMetrics JSON lines")
        .about(
            "What `/api/v1/export` of VictoriaMetrics answers: a line is a series with all its samples. The content type is not looked at.",
        )
        .takes(strict())
        .takes(extra_label())
        .takes(encoded(&ENCODINGS))
        .even_without_body()
        .reads(Content::new("application/x-ndjson", Shape::text()).examples(of_path("/api/v1/import")))
        .answers(durable(204, "All of it is stored."))
        .answers_all(failures(&Failures {
            name: "Victoria",
            content: Content::text(),
            without: &[],
            has_samples: true, examples: refused_of("/api/v1/import"),
        }));
    posted(&["/api/v1/import"], &operation)
}

fn opentsdb() -> Api {
    let point = json!({
        "type": "object",
        "required": ["metric", "timestamp", "value"],
        "properties": {
            "metric": { "type": "string", "minLength": 1 },
            "timestamp": {
                "description": "Seconds, or milliseconds from 2^32 on.",
                "type": ["number", "string"],
            },
            "value": { "type": ["number", "string"], "description": "A number, also in quotes." },
            "tags": { "type": "object", "additionalProperties": { "type": ["string", "number"] } },
        },
    });
    let report = json!({
        "type": "object", "required": ["failed", "success"],
        "properties": {
            "errors": { "type": "array", "items": {
                "type": "object", "required": ["datapoint", "error"],
                "properties": { "datapoint": { "description": "As it came." }, "error": { "type": "string" } },
            } },
            "failed": { "type": "integer", "minimum": 0 },
            "success": { "type": "integer", "minimum": 0 },
        },
    });
    let failure = json!({ "anyOf": [
        {
            "type": "object", "required": ["error"],
            "properties": { "error": {
                "type": "object", "required": ["code", "message"],
                "properties": {
                    "code": { "type": "integer", "description": "The status." },
                    "message": { "type": "string" },
                    "details": { "type": "string" },
                },
            } },
        },
        report,
    ] });
    let switch = |name, about| Parameter::query(name, Shape::text(), about);
    let operation = pushing("pushOpenTsdb", "OpenTSDB")
        .about("A data point, or an array of them. Good points beside bad ones are stored, and the answer is 400.")
        .takes(strict())
        .takes(switch("summary", "When it is there, the answer counts what was stored and what not."))
        .takes(switch("details", "When it is there, the answer also repeats the bad points."))
        .takes(encoded(&ENCODINGS))
        .reads(
            Content::written(json!({ "oneOf": [point, { "type": "array", "items": point }] }))
                .examples(of_path("/api/put")),
        )
        .answers(
            durable(200, "All is stored, and `summary` or `details` was asked for.")
                .with(Content::written(report)),
        )
        .answers(durable(204, "All is stored."))
        .answers_all(failures(&Failures {
            name: "OpenTsdb",
            content: Content::written(failure),
            without: &[],
            has_samples: true, examples: refused_of("/api/put?details"),
        }));
    posted(&["/api/put", "/opentsdb/api/put"], &operation)
}
