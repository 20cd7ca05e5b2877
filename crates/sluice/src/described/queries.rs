//! Questions about the recent window and the archive: our own API, and Prometheus's.

use http::Method;
use model::Code;
use serde_json::{Value, json};
use service::openapi::{Answer, Api, Content, Operation, Parameter, Shape};

use super::{labels, number, refused};

/// The group of both listeners that these are of.
pub(super) const LOOK: &str = "Looking";

/// Prometheus's.
pub(super) const PROMETHEUS: &str = "Prometheus's query API";

/// A time of our own API.
const TIME: &str =
    "^(now|-[0-9]{1,4}(ms|s|m|h|d)|-?[0-9]{1,12}|[12][0-9]{3}-[01][0-9]-[0-3][0-9]T.*Z)$";

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
        .takes(Parameter::query("from", Shape::matching(TIME), "Unix milliseconds, RFC 3339, `now`, or back from now.").such_as("-15m"))
        .takes(Parameter::query("to", Shape::matching(TIME), "The same.").such_as("now"))
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
fn access() -> [Answer; 2] {
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

fn tables(json: Value, about: &str) -> Answer {
    Answer::new(200, about)
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

fn prometheus() -> Api {
    let expression = ("query", "An expression of PromQL.", "up");
    let time = |name, about| {
        Parameter::query(
            name,
            Shape::matching("^[0-9]{1,10}(\\.[0-9]{1,3})?$"),
            about,
        )
    };
    let instant = |id, is_get| {
        let operation = asked(
            id,
            "An expression at one moment",
            vector(),
            is_get,
            &[expression],
        );
        if is_get {
            operation.takes(time("time", "Unix seconds or RFC 3339; without it now."))
        } else {
            operation
        }
    };
    let range = |id, is_get| {
        let wanted = [
            expression,
            ("start", "Unix seconds or RFC 3339.", "1700000000"),
            ("end", "The same.", "1700003600"),
            ("step", "Seconds, or a duration with its unit.", "60"),
        ];
        asked(id, "An expression over a time", vector(), is_get, &wanted)
    };
    let words = || data(json!({ "type": "array", "items": { "type": "string" } }));
    let maps = || data(json!({ "type": "array", "items": labels() }));
    let selected = |operation: Operation| {
        operation
            .takes(time(
                "start",
                "Unix seconds or RFC 3339; without it a day before the end.",
            ))
            .takes(time("end", "The same; without it now."))
            .takes(Parameter::query(
                "limit",
                Shape::Written(json!({ "type": "integer", "minimum": 0 })),
                "How many at most; 0 is all.",
            ))
    };
    let wanted = [("match[]", "A selector; several are alternatives.", "up")];
    let any = || {
        Parameter::query(
            "match[]",
            Shape::text(),
            "A selector; several are alternatives.",
        )
        .repeated()
        .such_as(json!(["up"]))
    };
    let plain = |id, summary, shape| {
        Operation::new(id, PROMETHEUS, summary)
            .answers(Answer::new(200, "None.").with(Content::written(shape)))
            .answers_all(access())
            .answers(unavailable())
    };
    let none = || data(json!({ "type": "array", "maxItems": 0 }));
    let name = Parameter::path(
        "name",
        Shape::Written(json!({ "type": "string", "minLength": 1 })),
        "The label's name, or `U__` and its escaped form.",
    )
    .such_as("job");
    Api::default()
        .at(
            Method::GET,
            "/prometheus/api/v1/query",
            instant("promQuery", true),
        )
        .at(
            Method::POST,
            "/prometheus/api/v1/query",
            instant("postPromQuery", false),
        )
        .at(
            Method::GET,
            "/prometheus/api/v1/query_range",
            range("promQueryRange", true),
        )
        .at(
            Method::POST,
            "/prometheus/api/v1/query_range",
            range("postPromQueryRange", false),
        )
        .at(
            Method::GET,
            "/prometheus/api/v1/series",
            selected(asked(
                "promSeries",
                "Series that a selector finds",
                maps(),
                true,
                &wanted,
            )),
        )
        .at(
            Method::POST,
            "/prometheus/api/v1/series",
            asked(
                "postPromSeries",
                "Series that a selector finds",
                maps(),
                false,
                &wanted,
            ),
        )
        .at(
            Method::GET,
            "/prometheus/api/v1/labels",
            selected(asked("promLabels", "Names of labels", words(), true, &[])).takes(any()),
        )
        .at(
            Method::POST,
            "/prometheus/api/v1/labels",
            asked("postPromLabels", "Names of labels", words(), false, &[]),
        )
        .at(
            Method::GET,
            "/prometheus/api/v1/label/{name}/values",
            selected(asked("promValues", "Values of a label", words(), true, &[]))
                .takes(any())
                .takes(name),
        )
        .at(
            Method::GET,
            "/prometheus/api/v1/metadata",
            asked(
                "promMetadata",
                "Types of metrics, as far as the recent window knows them",
                data(json!({ "type": "object" })),
                true,
                &[],
            )
            .takes(Parameter::query(
                "metric",
                Shape::text(),
                "Of this name alone.",
            ))
            .takes(Parameter::query(
                "limit",
                Shape::Written(json!({ "type": "integer", "minimum": 0 })),
                "How many at most; 0 is all.",
            )),
        )
        .at(
            Method::GET,
            "/prometheus/api/v1/status/buildinfo",
            plain(
                "promBuild",
                "The version of Prometheus whose API this is",
                data(json!({ "type": "object" })),
            ),
        )
        .at(
            Method::GET,
            "/prometheus/api/v1/query_exemplars",
            plain("promExemplars", "There are no exemplars", none()),
        )
        .at(
            Method::POST,
            "/prometheus/api/v1/query_exemplars",
            plain("postPromExemplars", "There are no exemplars", none()),
        )
        .at(
            Method::GET,
            "/prometheus/api/v1/rules",
            plain(
                "promRules",
                "There are no rules",
                data(json!({ "type": "object", "required": ["groups"] })),
            ),
        )
        .at(
            Method::GET,
            "/prometheus/api/v1/alerts",
            plain(
                "promAlerts",
                "There are no alerts",
                data(json!({ "type": "object", "required": ["alerts"] })),
            ),
        )
}

/// A question to Prometheus's API, with what it must say: in the query, or in a form.
fn asked(
    id: &'static str,
    summary: &'static str,
    shape: Value,
    is_get: bool,
    wanted: &[(&'static str, &'static str, &'static str)],
) -> Operation {
    let mut operation = Operation::new(id, PROMETHEUS, summary)
        .about("Over the recent window and the archive together. What is not supported says so.")
        .takes(Parameter::header(
            "X-Scope-OrgID",
            Shape::text(),
            "Samples of this tenant alone. Its name is the setting `tenancy.header`.",
        ));
    if is_get {
        for (name, about, example) in wanted {
            operation = operation.takes(
                Parameter::query(name, Shape::text(), about)
                    .such_as(*example)
                    .required(),
            );
        }
    } else {
        let names: Vec<&str> = wanted.iter().map(|(name, ..)| *name).collect();
        let fields: serde_json::Map<String, Value> = wanted
            .iter()
            .map(|(name, about, example)| {
                let field = json!({ "type": "string", "minLength": 1, "description": about, "examples": [example] });
                ((*name).to_owned(), field)
            })
            .collect();
        let form = json!({ "type": "object", "required": names, "properties": fields });
        operation = operation.reads(Content::new(
            "application/x-www-form-urlencoded",
            Shape::Written(form),
        ));
        if wanted.is_empty() {
            operation = operation.even_without_body();
        }
    }
    operation
        .answers(Answer::new(200, "What it found.").with(Content::written(shape)))
        .answers(failed(
            400,
            "`bad_data`: the question is none, or is not supported.",
        ))
        .answers_all(access())
        .answers(failed(
            422,
            "`execution`: it has no answer, or one that takes more than section `queries` allows.",
        ))
        .answers(failed(
            500,
            "`internal`: a defect of ours, which its log describes.",
        ))
        .answers(unavailable())
}

fn unavailable() -> Answer {
    failed(
        503,
        "`timeout`, `canceled` or `unavailable`: ask again later, or for less.",
    )
}

fn failed(status: u16, about: &str) -> Answer {
    let body = json!({ "anyOf": [
        {
            "type": "object", "required": ["status", "errorType", "error"],
            "properties": { "status": { "const": "error" }, "errorType": { "type": "string" }, "error": { "type": "string" } },
        },
        // Of the gateway, before the question is looked at.
        { "type": "object", "required": ["error", "code"], "properties": { "error": { "type": "string" }, "code": { "type": "string" } } },
    ] });
    Answer::new(status, about).with(Content::written(body))
}

fn data(shape: Value) -> Value {
    json!({
        "type": "object", "required": ["status", "data"],
        "properties": {
            "status": { "const": "success" }, "data": shape,
            "warnings": { "type": "array", "items": { "type": "string" } },
        },
    })
}

fn vector() -> Value {
    data(json!({
        "type": "object", "required": ["resultType", "result"],
        "properties": {
            "resultType": { "enum": ["vector", "matrix", "scalar", "string"] },
            "result": { "type": "array" },
        },
    }))
}
