//! Text exposition and OpenMetrics.

use http::Method;
use serde_json::json;
use service::openapi::{Api, Content, Operation, Parameter, Shape};

use super::examples::{of_path, refused_of};
use super::{ENCODINGS, Failures, durable, encoded, extra_label, failures, pushing, strict};
use crate::protocol::text;

/// A group in the path, as in the Pushgateway's; OpenAPI has no words for any number of parts.
const GROUPED: &str = "/api/v1/import/prometheus/metrics/job/{job}";

const LABELLED: &str = "/api/v1/import/prometheus/metrics/job/{job}/{label}/{value}";

/// What the router calls both.
const ROUTED: [&str; 1] = ["/api/v1/import/prometheus/metrics/{*labels}"];

pub(super) fn api() -> Api {
    let mut api = Api::default();
    for (method, ids) in [
        (
            Method::POST,
            ["pushText", "pushTextOfJob", "pushTextOfGroup"],
        ),
        (Method::PUT, ["putText", "putTextOfJob", "putTextOfGroup"]),
    ] {
        let [plain, job, group] = ids;
        api = api
            .at(
                method.clone(),
                "/api/v1/import/prometheus",
                operation(plain),
            )
            .at(
                method.clone(),
                GROUPED,
                operation(job).takes(job_parameter()),
            )
            .routed_as(&ROUTED)
            .at(
                method,
                LABELLED,
                operation(group)
                    .takes(job_parameter())
                    .takes_all(label_parameters()),
            )
            .routed_as(&ROUTED);
    }
    api
}

/// The job of a group.
pub(super) fn job_parameter() -> Parameter {
    Parameter::path(
        "job",
        Shape::Written(json!({ "type": "string", "minLength": 1 })),
        "The job's name; with `job@base64` before it, in URL-safe base64.",
    )
    .such_as("nightly")
}

/// A further label of a group.
pub(super) fn label_parameters() -> [Parameter; 2] {
    [
        Parameter::path(
            "label",
            Shape::matching("^[a-zA-Z][a-zA-Z0-9_]*$"),
            "A label's name; pairs of names and values may follow in any number. With `@base64` behind it, the value is in URL-safe base64.",
        )
        .such_as("instance"),
        Parameter::path(
            "value",
            Shape::Written(json!({ "type": "string", "minLength": 1 })),
            "Its value.",
        )
        .such_as("db-1"),
    ]
}

fn operation(id: &'static str) -> Operation {
    pushing(id, "Prometheus text exposition, OpenMetrics")
        .about(
            "What a `/metrics` page shows, pushed. Whatever type does not say that it is something else is text. Good lines beside bad ones \
             are stored, and the answer is 400 with the bad lines' numbers; OpenMetrics without `# EOF` is refused whole. The path may name \
             labels of all series, as the Pushgateway's does.",
        )
        .takes(strict())
        .takes(extra_label())
        .takes(Parameter::query(
            "timestamp",
            Shape::Written(json!({ "type": "integer", "format": "int64" })),
            "Unix milliseconds: the time of samples that say none. Without it, when the gateway got the request.",
        ))
        .takes(encoded(&ENCODINGS))
        .even_without_body()
        .reads(Content::text().examples(of_path("/api/v1/import/prometheus")))
        .reads(Content::new("application/openmetrics-text", Shape::text()))
        .reads(Content::new(
            "application/vnd.google.protobuf",
            Shape::bytes(),
        ))
        .answers(durable(204, "All of it is stored."))
        .answers_all(failures(&Failures {
            name: "Text",
            content: Content::json::<text::Failure<'_>>(),
            without: &[],
            has_samples: true, examples: refused_of("/api/v1/import/prometheus"),
        }))
}
