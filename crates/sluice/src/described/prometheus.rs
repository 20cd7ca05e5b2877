//! Prometheus's query API over the recent window and the archive.

use http::Method;
use serde_json::{Value, json};
use service::openapi::{Answer, Api, Content, Operation, Parameter, Shape};

use super::labels;
use super::queries::{access, found};

/// Its group.
pub(super) const PROMETHEUS: &str = "Prometheus's query API";

/// The routes under `/prometheus`.
#[expect(clippy::too_many_lines, reason = "a line or some for each operation")]
pub(super) fn prometheus() -> Api {
    let expression = ("query", "An expression of PromQL.", "up");
    let time = |name, about| Parameter::query(name, Shape::text(), about);
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
                Shape::matching("^[0-9]{0,18}$"),
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
    let here = Operation::new("promHere", PROMETHEUS, "Whether it is here, as clients ask")
        .answers(Answer::new(200, "A word.").with(Content::text()))
        .answers_all(access())
        .answers(unavailable());
    Api::default()
        .at_all(
            &Method::GET,
            &[
                "/prometheus",
                "/prometheus/",
                "/prometheus/-/healthy",
                "/prometheus/-/ready",
            ],
            &here,
        )
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
                Shape::matching("^[0-9]{0,18}$"),
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
        .answers(found("What it found.").with(Content::written(shape)))
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
