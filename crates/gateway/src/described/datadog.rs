//! Datadog's intake, as the API's description has it.

use http::Method;
use serde_json::{Value, json};
use service::openapi::{Answer, Api, Content, Operation, Shape};

use super::examples::of_path;
use super::{ENCODINGS, Failures, PROBES, durable, encoded, failures, posted, pushing, strict};

/// The intake, where the agent looks for it and where VictoriaMetrics has it.
pub(super) fn api() -> Api {
    intake().also_under("/datadog")
}

fn intake() -> Api {
    let tags = || json!({ "type": "array", "items": { "type": "string" } });
    let point = json!({
        "type": "array", "minItems": 2, "maxItems": 2, "items": { "type": ["number", "null"] },
        "description": "Unix seconds and the value.",
    });
    let first = series(&json!({
        "type": "object", "required": ["metric", "points"],
        "properties": {
            "metric": { "type": "string" }, "points": { "type": "array", "items": point },
            "type": { "type": "string" }, "interval": { "type": ["integer", "null"] },
            "host": { "type": "string" }, "device": { "type": "string" }, "tags": tags(),
        },
    }));
    let second = series(&json!({
        "type": "object", "required": ["metric", "points"],
        "properties": {
            "metric": { "type": "string" },
            "points": { "type": "array", "items": {
                "type": "object", "properties": { "timestamp": { "type": "integer" }, "value": { "type": "number" } },
            } },
            "type": { "type": "integer", "minimum": 0, "maximum": 3 },
            "tags": tags(),
        },
    }));
    let distributions = series(&json!({
        "type": "object", "required": ["metric", "points"],
        "properties": {
            "metric": { "type": "string" },
            "points": { "type": "array", "items": { "type": "array" }, "description": "Unix seconds and the values of then." },
            "tags": tags(),
        },
    }));
    let protobuf = || Content::new("application/x-protobuf", Shape::bytes());
    let json = |schema: Value| Content::written(schema);
    let v1 = storing("pushDatadogV1", "Datadog series, version 1")
        .reads(json(first).examples(of_path("/api/v1/series")))
        .answers(ok());
    let v2 = storing("pushDatadogV2", "Datadog series, version 2")
        .reads(json(second))
        .reads(protobuf())
        .answers(no_errors());
    let sketches = storing("pushDatadogSketches", "Datadog distributions of the agent")
        .even_without_body()
        .reads(protobuf())
        .answers(no_errors());
    let points = storing(
        "pushDatadogDistributions",
        "Datadog distributions as points",
    )
    .reads(json(distributions))
    .answers(ok());
    let passed = |id, summary| {
        storing(id, summary)
            .about("Taken so that the agent stays healthy, counted, and not stored.")
            .even_without_body()
            .reads(json(json!({})))
            .answers(ok())
    };
    posted(&["/api/v1/series"], &v1)
        .and(posted(&["/api/v2/series"], &v2))
        .and(posted(&["/api/beta/sketches"], &sketches))
        .and(posted(&["/api/v1/distribution_points"], &points))
        .and(posted(
            &["/api/v1/check_run", "/api/v2/service_checks"],
            &passed("passDatadogChecks", "Datadog service checks"),
        ))
        .and(posted(
            &["/api/v1/events", "/api/v2/events"],
            &passed("passDatadogEvents", "Datadog events"),
        ))
        .and(posted(
            &["/intake", "/intake/"],
            &passed(
                "passDatadogIntake",
                "What the Datadog agent tells about its host",
            ),
        ))
        .and(posted(
            &["/api/v1/metadata", "/api/v2/host_metadata"],
            &passed("passDatadogMetadata", "Facts about hosts"),
        ))
        .at(Method::GET, "/api/v1/validate", validate())
}

fn series(one: &Value) -> Value {
    json!({
        "type": "object", "required": ["series"],
        "properties": { "series": { "type": "array", "items": one } },
    })
}

fn storing(id: &'static str, summary: &'static str) -> Operation {
    pushing(id, summary)
        .takes(strict())
        .takes(encoded(&ENCODINGS))
        .answers_all(failures(&Failures {
            name: "Datadog",
            content: Content::written(errors()),
            without: &[],
            has_samples: true,
            examples: Vec::new(),
        }))
}

fn errors() -> Value {
    json!({
        "type": "object", "required": ["errors"],
        "properties": { "errors": { "type": "array", "items": { "type": "string" } } },
    })
}

fn ok() -> Answer {
    durable(202, "Taken.").with(Content::written(json!({
        "type": "object", "required": ["status"], "properties": { "status": { "const": "ok" } },
    })))
}

fn no_errors() -> Answer {
    durable(202, "Taken; there are no `errors`.").with(Content::written(errors()))
}

fn validate() -> Operation {
    Operation::new("validateDatadog", PROBES, "Whether the key is good")
        .about("Where section `access` says which keys are.")
        .answers(Answer::new(200, "It is, or none is needed.").with(Content::written(json!({
            "type": "object", "required": ["valid"], "properties": { "valid": { "const": true } },
        }))))
        .answers(Answer::new(403, "It is not.").with(Content::written(errors())))
}
