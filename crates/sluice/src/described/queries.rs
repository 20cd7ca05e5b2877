//! Questions about the recent window and the archive, in our own API.

use http::Method;
use model::Code;
use serde_json::{Value, json};
use service::openapi::{Answer, Api, Content, Operation, Parameter, Shape};

use super::prometheus::prometheus;
use super::{labels, number, refused};

/// The group of both listeners that these are of.
pub(super) const LOOK: &str = "Looking";

/// Everything that a standalone answers.
pub(crate) fn queries() -> Api {
    let mut api = Api::default();
    for (paths, ids, what) in [
        (
            [
                "/api/v1/recent/samples",
                "/api/v1/recent/series",
                "/api/v1/recent/aggregate",
            ],
            ["recentSamples", "recentSeries", "recentAggregate"],
            "What arrived in the last minutes, kept in memory within the bounds of section `recent`.",
        ),
        (
            [
                "/api/v1/archive/samples",
                "/api/v1/archive/series",
                "/api/v1/archive/aggregate",
            ],
            ["archiveSamples", "archiveSeries", "archiveAggregate"],
            "What is in the archive's files, which come a while after it arrived.",
        ),
    ] {
        let is_archive = paths[0].contains("archive");
        let summaries = if is_archive {
            [
                "Samples of the archive",
                "Series of the archive",
                "Aggregates over the archive",
            ]
        } else {
            [
                "Samples that arrived lately",
                "Series that arrived lately",
                "Aggregates over what arrived lately",
            ]
        };
        let [samples_path, series_path, aggregate_path] = paths;
        let [samples_id, series_id, aggregate_id] = ids;
        let [of_samples, of_series, of_aggregate] = summaries;
        let asking = |id, summary| asking(id, summary, what, is_archive);
        api = api
            .at(
                Method::GET,
                samples_path,
                asking(samples_id, of_samples)
                    .takes(super::limit(1000, 100_000))
                    .answers(tables(samples(), "The newest, which stand last.")),
            )
            .at(
                Method::GET,
                series_path,
                asking(series_id, of_series)
                    .takes(super::limit(1000, 100_000))
                    .answers(tables(series(), "With the newest sample of each.")),
            )
            .at(
                Method::GET,
                aggregate_path,
                aggregating(asking(aggregate_id, of_aggregate))
                    .takes(super::limit(10_000, 100_000))
                    .answers(tables(
                        aggregates(),
                        "Columns by series: a timestamp is where its step begins.",
                    )),
            );
    }
    api.and(prometheus())
}

fn asking(
    id: &'static str,
    summary: &'static str,
    about: &'static str,
    is_archive: bool,
) -> Operation {
    let operation = Operation::new(id, LOOK, summary)
        .about(about)
        .takes(Parameter::query("metric_name", Shape::text(), "Exactly this name.").such_as("cpu_usage_percent"))
        .takes(
            Parameter::query("label", Shape::matching("^[^:]*:"), "`NAME:VALUE`, the label has this value. All must match.")
                .repeated()
                .such_as(json!(["host:web-01"])),
        )
        .takes(
            Parameter::query("match", Shape::text(), "A selector as Prometheus writes it; all of it must match.")
                .repeated()
                .such_as(json!(["cpu_usage_percent{host=~\"web-.*\"}"])),
        )
        .takes(Parameter::query("tenant", Shape::text(), "Samples of this tenant alone; without it, of all."))
        .takes(Parameter::query("from", Shape::text(), "Unix milliseconds, RFC 3339, `now`, or back from now.").such_as("-15m"))
        .takes(Parameter::query("to", Shape::text(), "The same.").such_as("now"))
        .takes(Parameter::query(
            "format",
            Shape::one_of(&["json", "csv", "arrow"]),
            "Without it what `Accept` says (`text/csv`, `application/vnd.apache.arrow.stream`), else JSON.",
        ))
        .answers(refused(
            400,
            "A parameter is not known, or has a value that it cannot have.",
            &[Code::ParameterInvalid],
        ))
        .answers_all(access())
        .answers(too_large())
        .answers(refused(
            503,
            "It took too long, too many ask, or the archive or a credential cannot be looked at now; ask again later.",
            &[Code::QueryTimeout, Code::Overloaded, Code::ArchiveUnavailable, Code::AccessUnavailable],
        ))
        .answers(refused(500, "A defect of ours, which its log describes.", &[Code::Internal]));
    if is_archive {
        operation.answers(refused(
            404,
            "There is no archive here: `stores` has none of type `parquet`.",
            &[Code::NotFound],
        ))
    } else {
        operation
    }
}

fn too_large() -> Answer {
    refused(
        Code::QueryTooLarge.status(),
        "It would take more than section `queries` allows.",
        &[Code::QueryTooLarge],
    )
}

/// Where section `access` asks who asks.
pub(super) fn access() -> [Answer; 2] {
    [
        refused(
            401,
            "The request does not say who it is, or its credential is not good.",
            &[Code::Unauthenticated],
        ),
        refused(
            403,
            "The credential is good, but not for this.",
            &[Code::Forbidden],
        ),
    ]
}

fn aggregating(operation: Operation) -> Operation {
    let words = "(count|sum|min|max|mean|median|std_dev|p95|p99|rate)";
    operation
        .takes(
            Parameter::query(
                "aggregate",
                Shape::matching(&format!("^{words}(,{words})*$")),
                "Which, in this order: `count`, `sum`, `min`, `max`, `mean`, `median`, `std_dev`, `p95`, `p99`, `rate`.",
            )
            .such_as("mean,p95")
            .required(),
        )
        .takes(
            Parameter::query(
                "step",
                Shape::matching("^[1-9][0-9]{0,3}(s|m|h|d)$"),
                "A row per step, at multiples of it; without it one row for all.",
            )
            .such_as("60s"),
        )
        .takes(
            Parameter::query(
                "by",
                Shape::text(),
                "Series that share these labels, and the name, are taken together.",
            )
            .such_as("host,region"),
        )
}

/// An answer of what there is, with a word about what is not.
pub(super) fn found(about: &str) -> Answer {
    Answer::new(200, about).header(
        "Sluice-Warnings",
        Shape::text(),
        "What was left out of the answer, in sentences with `; ` between them. Absent where it is complete.",
    )
}

fn tables(json: Value, about: &str) -> Answer {
    found(about)
        .with(Content::written(json))
        .with(Content::new("text/csv", Shape::text()))
        .with(Content::new(
            "application/vnd.apache.arrow.stream",
            Shape::bytes(),
        ))
}

fn tenant() -> Value {
    json!({ "type": "string", "description": "Absent where it has none." })
}

fn warnings() -> Value {
    json!({ "type": "array", "items": { "type": "string" }, "description": "What was left out." })
}

fn samples() -> Value {
    json!({
        "type": "object", "required": ["samples"],
        "properties": { "warnings": warnings(), "samples": { "type": "array", "items": {
            "type": "object", "required": ["metric_name", "timestamp", "value", "labels"],
            "properties": {
                "metric_name": { "type": "string" }, "timestamp": { "type": "integer", "description": "Unix milliseconds." },
                "value": number(), "labels": labels(), "tenant": tenant(),
            },
        } } },
    })
}

fn series() -> Value {
    json!({
        "type": "object", "required": ["series"],
        "properties": { "warnings": warnings(), "series": { "type": "array", "items": {
            "type": "object", "required": ["metric_name", "labels", "type", "last_timestamp", "last_value"],
            "properties": {
                "metric_name": { "type": "string" }, "labels": labels(), "type": { "type": "string" }, "tenant": tenant(),
                "last_timestamp": { "type": "integer", "description": "Unix milliseconds." }, "last_value": number(),
            },
        } } },
    })
}

fn aggregates() -> Value {
    let values =
        json!({ "anyOf": [{ "type": ["number", "null"] }, { "enum": ["NaN", "+Inf", "-Inf"] }] });
    json!({
        "type": "object", "required": ["from", "to", "series"],
        "properties": {
            "from": { "type": "integer" }, "to": { "type": "integer" }, "step": { "type": ["integer", "null"] }, "warnings": warnings(),
            "series": { "type": "array", "items": {
                "type": "object", "required": ["metric_name", "labels", "timestamps", "values"],
                "properties": {
                    "metric_name": { "type": "string" }, "labels": labels(), "tenant": tenant(),
                    "timestamps": { "type": "array", "items": { "type": "integer" } },
                    "values": { "type": "object", "additionalProperties": { "type": "array", "items": values } },
                },
            } },
        },
    })
}
