//! The Pushgateway's API.

use http::Method;
use serde_json::{Value, json};
use service::openapi::{Answer, Api, Content, Operation, Parameter, Shape};

use super::json::own;
use super::text::{job_parameter, label_parameters};
use super::{Failures, JOBS, PROBES, durable, encoded, failures, sender};

const JOB: &str = "/metrics/job/{job}";
const GROUP: &str = "/metrics/job/{job}/{label}/{value}";

/// What the router calls them. Without a name behind it, the answer is 400.
const ROUTES: [&str; 3] = ["/metrics/job", "/metrics/job/", "/metrics/job/{*group}"];
const GROUP_ROUTES: [&str; 2] = ["/metrics/job@base64/", "/metrics/job@base64/{*group}"];

pub(super) fn api() -> Api {
    let mut api = Api::default();
    for (path, routes, ids) in [
        (
            JOB,
            &ROUTES[..],
            ["showJob", "putJob", "pushJob", "deleteJob"],
        ),
        (
            GROUP,
            &GROUP_ROUTES[..],
            ["showGroup", "putGroup", "pushGroup", "deleteGroup"],
        ),
    ] {
        let [show, put, push, delete] = ids;
        let grouped = |operation: Operation| {
            let operation = operation.takes(job_parameter());
            if path == GROUP {
                operation.takes_all(label_parameters())
            } else {
                operation
            }
        };
        for (method, operation) in [
            (Method::GET, showing(show)),
            (Method::PUT, pushing(put, "Replaces all metrics of a group")),
            (
                Method::POST,
                pushing(push, "Replaces metrics of a group that have the same names"),
            ),
            (Method::DELETE, deleting(delete)),
        ] {
            api = api.at(method, path, grouped(operation)).routed_as(routes);
        }
    }
    api.at(Method::GET, "/api/v1/metrics", listing())
        .at(
            Method::GET,
            "/-/ready",
            probe("readyPushgateway", "Whether pushes are taken").answers_all(refused()),
        )
        .at(
            Method::GET,
            "/-/healthy",
            probe("healthyPushgateway", "The Pushgateway's probe")
                .answers_all(refused().into_iter().filter(super::is_about_access)),
        )
}

fn probe(id: &'static str, summary: &'static str) -> Operation {
    Operation::new(id, PROBES, summary).answers(Answer::new(200, "`OK`.").with(Content::text()))
}

fn refused() -> Vec<Answer> {
    failures(&Failures {
        name: "Pushgateway",
        content: Content::text(),
        without: &[
            model::Code::IdempotencyKeyInvalid,
            model::Code::IdempotencyKeyReused,
        ],
        has_samples: true,
        examples: Vec::new(),
    })
}

fn pushing(id: &'static str, summary: &'static str) -> Operation {
    let period = || Shape::matching("^(0|[0-9]+(ms|s|m|h|d))$");
    let ttl = "After how long without a push the group ends, such as `1h`; `0` is never.";
    let every =
        "How often a push is expected, such as `25h`: a group that is late is counted and logged.";
    Operation::new(id, JOBS, summary)
        .about(
            "Text exposition, OpenMetrics or protobuf, as `Content-Type` says; what is not known is text. A push is taken as a whole or not at \
             all. It becomes part of the stream with `push_time_seconds` and `push_failure_time_seconds`.",
        )
        .takes_all(sender())
        .takes(Parameter::query("ttl", period(), ttl))
        .takes(Parameter::query("expect_every", period(), every))
        .takes(Parameter::header("Sluice-Push-Ttl", Shape::text(), "The same as `ttl`, where the query does not say it."))
        .takes(Parameter::header("Sluice-Push-Expect-Every", Shape::text(), "The same as `expect_every`."))
        .takes(encoded(&["identity", "gzip", "deflate", "zstd", "snappy"]))
        .even_without_body()
        .reads(Content::text())
        .reads(Content::new("application/openmetrics-text", Shape::text()))
        .reads(Content::new("application/vnd.google.protobuf", Shape::bytes()))
        .answers(durable(200, "Stored."))
        .answers_all(refused())
}

fn deleting(id: &'static str) -> Operation {
    Operation::new(id, JOBS, "Ends a group")
        .about("Its series get stale markers. A group that is not there is ended already.")
        .takes_all(sender())
        .answers(durable(202, "It is ended."))
        .answers_all(refused())
}

fn showing(id: &'static str) -> Operation {
    let shape = json!({
        "type": "object",
        "required": ["labels", "last_push_successful", "last_push", "last_failed_push", "ttl", "ends", "families"],
        "properties": {
            "labels": labels(),
            "tenant": { "type": "string" },
            "last_push_successful": { "type": "boolean" },
            "last_push": time(), "last_failed_push": time(),
            "ttl": { "type": ["string", "null"] },
            "ends": time(),
            "expect_every": { "type": "string" },
            "next_push_due": time(),
            "overdue": { "type": "boolean" },
            "families": { "type": "object", "additionalProperties": family() },
        },
    });
    Operation::new(id, JOBS, "A group")
        .takes_all(sender())
        .answers(
            Answer::new(200, "The group with exactly these labels.").with(Content::written(shape)),
        )
        .answers(not_found())
        .answers_all(failures(&own("Own")))
}

fn not_found() -> Answer {
    let failure = Content::json::<crate::answer::Failure<'_>>();
    Answer::new(
        404,
        "There is no such group.\n\n* `not_found`: there is nothing at this path",
    )
    .with(failure)
    .shared("NoGroup")
}

fn listing() -> Operation {
    let group = json!({
        "type": "object", "required": ["labels", "last_push_successful"],
        "properties": { "labels": labels(), "last_push_successful": { "type": "boolean" } },
        "additionalProperties": family(),
    });
    let shape = json!({
        "type": "object", "required": ["status", "data"],
        "properties": { "status": { "const": "success" }, "data": { "type": "array", "items": group } },
    });
    Operation::new("listGroups", JOBS, "All groups of the tenant")
        .about("In the shape of the Pushgateway's own API.")
        .takes_all(sender())
        .answers(Answer::new(200, "The groups.").with(Content::written(shape)))
        .answers_all(failures(&own("Own")))
}

fn labels() -> Value {
    json!({ "type": "object", "additionalProperties": { "type": "string" } })
}

fn time() -> Value {
    json!({ "type": ["string", "integer", "null"], "description": "RFC 3339; null for never, a number beyond the year 9999." })
}

fn family() -> Value {
    json!({
        "type": "object", "required": ["time_stamp", "type", "metrics"],
        "properties": {
            "time_stamp": time(), "type": { "type": "string" }, "help": { "type": "string" },
            "metrics": { "type": "array", "items": { "type": "object", "properties": { "labels": labels() } } },
        },
    })
}
