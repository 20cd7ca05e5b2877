//! What shows what arrives: recent samples, refusals, heat, series, the tail.

use http::Method;
use model::Code;
use serde_json::{Value, json};
use service::openapi::{Answer, Api, Content, Operation, Parameter, Shape};

use super::{FLOW, bad_parameter, limit, refused};

/// What every admin listener has.
pub(super) fn admin() -> Api {
    Api::default()
        .at(Method::GET, "/api/v1/rejections", rejections())
        .at(Method::GET, "/api/v1/heat", heat())
        .at(Method::GET, "/api/v1/cardinality", cardinality())
        .at(Method::GET, "/api/v1/tail", tail())
}

fn rejections() -> Operation {
    let query = |name, about| Parameter::query(name, Shape::text(), about);
    Operation::new("rejections", FLOW, "Why data is missing: what was refused lately")
        .about("By this gateway, and by stores afterwards, in whichever process. Everything that is asked for must hold.")
        .takes(query("source", "This sender, alone or among others."))
        .takes(query("metric", "This metric name, or all that begin so where it ends with `*`.").such_as("cpu*"))
        .takes(query("metric_name", "The same."))
        .takes(query("reason", "This code.").such_as("timestamp_in_seconds"))
        .takes(query("tenant", "This tenant."))
        .takes(
            Parameter::query(
                "since",
                Shape::matching("^([0-9]{1,15}|[0-9]{1,6}(s|m|h|d))$"),
                "How long ago (`2h`), when (`2026-01-31T12:00:00Z`), or Unix milliseconds.",
            )
            .such_as("2h"),
        )
        .takes(limit(100, 1000))
        .takes(Parameter::query(
            "late",
            Shape::one_of(&["true", "false"]),
            "Whether to look for what stores refused elsewhere, which takes a moment.",
        ))
        .answers(
            Answer::new(200, "The newest first.").with(Content::json::<service::rejections::Answer>()),
        )
        .answers(bad_parameter())
}

fn heat() -> Operation {
    let rate = || json!({ "type": "number", "minimum": 0 });
    let report = json!({
        "type": "object",
        "required": ["window_s", "now", "bytes_per_second", "samples_per_second", "skew", "metrics", "partitions"],
        "properties": {
            "window_s": { "type": "number", "description": "Over how long rates are taken." },
            "now": { "type": "string", "format": "date-time" },
            "bytes_per_second": rate(), "samples_per_second": rate(),
            "skew": { "type": "number", "description": "How many times as much as an average one the partition with most gets." },
            "metrics": { "type": "array", "items": {
                "type": "object", "required": ["metric_name", "bytes_per_second", "samples_per_second", "share", "partitions"],
                "properties": {
                    "metric_name": { "type": "string" }, "bytes_per_second": rate(), "samples_per_second": rate(),
                    "share": { "type": "number", "description": "Of all bytes." },
                    "partitions": { "type": "integer", "description": "Over how many it is spread." },
                    "suggestion": { "type": ["string", "null"], "description": "The setting that would spread it." },
                },
            } },
            "partitions": { "type": "array", "items": {
                "type": "object", "required": ["partition", "bytes_per_second", "samples_per_second"],
                "properties": { "partition": { "type": "integer" }, "bytes_per_second": rate(), "samples_per_second": rate() },
            } },
        },
    });
    Operation::new("heat", FLOW, "Which metric names and partitions get most")
        .takes(limit(20, 1000))
        .answers(Answer::new(200, "The hottest first.").with(Content::written(report)))
        .answers(bad_parameter())
        .answers(not_here(
            "There is no gateway in this process, or `partitioning.heat.enabled` is false.",
        ))
}

fn cardinality() -> Operation {
    let list = |required: &[&str], properties: Value| json!({ "type": "array", "items": { "type": "object", "required": required, "properties": properties } });
    let who = || json!({ "type": ["string", "null"] });
    let count = || json!({ "type": "integer", "minimum": 0 });
    let report = json!({
        "type": "object",
        "required": ["window_s", "active_series", "tenants", "sources", "metrics", "labels"],
        "properties": {
            "window_s": { "type": "number", "description": "For how long a series is active after its last sample." },
            "active_series": count(),
            "tenants": list(&["tenant", "active_series"], json!({
                "tenant": who(), "active_series": count(), "source": who(), "limit": count(), "counted_against_limit": count(),
            })),
            "sources": list(&["source", "active_series"], json!({ "source": who(), "tenant": who(), "active_series": count() })),
            "metrics": list(&["metric_name", "active_series"], json!({
                "metric_name": { "type": "string" }, "tenant": who(), "active_series": count(), "source": who(),
            })),
            "labels": list(&["label", "values"], json!({
                "label": { "type": "string" }, "tenant": who(), "values": count(), "metric_name": who(), "source": who(),
            })),
        },
    });
    Operation::new(
        "cardinality",
        FLOW,
        "How many series there are, and who makes most of them",
    )
    .takes(limit(20, 1000))
    .answers(Answer::new(200, "Estimates, the most first.").with(Content::written(report)))
    .answers(bad_parameter())
    .answers(not_here(
        "There is no gateway in this process, or `cardinality.enabled` is false.",
    ))
}

fn not_here(about: &str) -> Answer {
    refused(404, about, &[Code::NotFound])
}

fn tail() -> Operation {
    let chosen = |name, shape, about| Parameter::query(name, shape, about).repeated();
    Operation::new("tail", FLOW, "What arrives, one JSON object per line")
        .about(
            "Where the buffer is an embedded log; with Kafka, run `sluice tail`. A client that reads slowly is told less. An empty line says \
             that the stream lives.",
        )
        .takes(chosen("name", Shape::text(), "These metric names, or all that begin so where one ends with `*`."))
        .takes(chosen("label", Shape::matching("^[^=]+=.*$"), "`name=value`; all must match."))
        .takes(chosen("tenant", Shape::text(), "These tenants."))
        .takes(
            Parameter::query(
                "since",
                Shape::matching("^(earliest|[0-9]{1,15}|[0-9]{1,6}(s|m|h|d))$"),
                "From when on: `earliest`, how long ago, when, or Unix milliseconds; without it from now on.",
            )
            .such_as("earliest"),
        )
        .takes(Parameter::query(
            "limit",
            Shape::Written(json!({ "type": "integer", "minimum": 0 })),
            "The stream ends after so many samples.",
        ))
        .takes(Parameter::query(
            "follow",
            Shape::one_of(&["true", "false"]),
            "`false` ends with what is there now.",
        ))
        .answers(
            Answer::new(200, "A sample per line, with `partition`, `offset`, `received_at` and whose it is.")
                .with(Content::new("application/x-ndjson", Shape::text())),
        )
        .answers(bad_parameter())
        .answers(refused(
            503,
            "There is no embedded log, or too many look already.",
            &[Code::Overloaded],
        ))
}
