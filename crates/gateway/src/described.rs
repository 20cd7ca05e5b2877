//! The public API, described: what each route reads and answers, from the types that its handler reads and writes.
//!
//! A protocol's description stands in a file of its own here; that it says what the handlers do is checked against a
//! running gateway.

pub(crate) mod codes;
mod datadog;
pub(crate) mod examples;
mod explain;
mod failures;
mod influx;
mod json;
mod others;
mod otlp;
mod probes;
mod pushgateway;
mod remote_write;
mod text;

use axum::Router;
use http::Method;
use serde_json::json;
use service::openapi::{self, About, Answer, Api, Operation, Parameter, Shape};

pub(crate) use failures::{Failures, failures};

/// Groups of the public listener's operations.
pub(crate) const PUSH: &str = "Pushing metrics";
pub(crate) const JOBS: &str = "Batch jobs";
pub(crate) const LOOK: &str = "Looking";
pub(crate) const PROBES: &str = "Probes";

const TEXT: &str = "\
Metrics are pushed here in whatever protocol a sender speaks. Each protocol answers as its own clients expect it; what they share:

* **2xx**: every sample that the answer does not list as refused is durable; the header `Sluice-Durability` says where.
* **4xx**: nothing was stored, and sending the same again will not change that. Protocols whose specification says so store the good part.
* **503**: not all of it is known to be durable. Keep it and send all of it again, after `Retry-After` seconds.

Every path is also there behind `/tenants/{tenant}` where that is said, for senders that can be given a URL and no header. Limits named \
here are the defaults; all are settings.";

/// What a document of the public listener says beside its operations.
pub(crate) fn about() -> About {
    About {
        title: "Sluice: the public API",
        text: TEXT.replace("**", ""),
        version: env!("CARGO_PKG_VERSION"),
        tags: vec![
            (
                PUSH,
                "One way for all protocols: the same limits, the same promise, the same codes.",
            ),
            (
                JOBS,
                "The Pushgateway's API: groups of metrics that stay until they are replaced or deleted.",
            ),
            (LOOK, "What arrived, and what would become of a body."),
            (
                "Prometheus's query API",
                "For Grafana and other clients of Prometheus.",
            ),
            (
                PROBES,
                "What clients and load balancers ask before they send.",
            ),
        ],
        credentials: vec![
            (
                "apiKey",
                json!({
                    "type": "apiKey", "in": "header", "name": "X-API-Key",
                    "description": "A key of `access.keys`; also as `Authorization: Bearer`, `DD-API-KEY`, or `api_key` in the query.",
                }),
            ),
            (
                "basic",
                json!({
                    "type": "http", "scheme": "basic",
                    "description": "A user of `access.users`; InfluxDB's clients may send the same as `u` and `p` in the query.",
                }),
            ),
            (
                "bearer",
                json!({
                    "type": "http", "scheme": "bearer",
                    "description": "A key, or a token of the identity provider in `access.jwt`.",
                }),
            ),
            (
                "certificate",
                json!({
                    "type": "mutualTLS",
                    "description": "A client certificate that `access.certificates` names.",
                }),
            ),
        ],
        prefix: Some(("tenant", "team-a", "Whose samples these are.")),
        codes: codes::all(),
    }
}

/// The routes that show what a gateway serves, with what is served beside it.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>(
    has_groups: bool,
    beside: Option<fn() -> Api>,
) -> Router<S> {
    openapi::routes(move || {
        let beside = beside.map(|beside| beside()).unwrap_or_default();
        (about(), public(has_groups).and(beside))
    })
}

/// Everything that a gateway serves itself.
pub(crate) fn public(has_groups: bool) -> Api {
    let pushes = Api::default()
        .and(json::api())
        .and(remote_write::api())
        .and(otlp::api())
        .and(influx::api())
        .and(text::api())
        .and(others::api());
    let mut pushes = pushes.and(datadog::api());
    if has_groups {
        pushes = pushes.and(pushgateway::api());
    }
    pushes
        .also_under("/tenants/{tenant}")
        .and(explain::api())
        .and(probes::health())
}

/// `POST /api/v1/explain`, for a listener that serves it alone.
#[must_use]
pub fn explaining() -> Api {
    explain::api()
}

/// An operation that takes samples, with what all of them have.
fn pushing(id: &'static str, summary: &'static str) -> Operation {
    Operation::new(id, PUSH, summary)
        .takes_all(sender())
        .takes(idempotency_key())
}

/// How a request says whose and from whom it is.
fn sender() -> [Parameter; 2] {
    [
        Parameter::header(
            "X-Scope-OrgID",
            Shape::Written(json!({
                "type": "string", "maxLength": 150, "pattern": "^[a-zA-Z0-9!_.*'()-]*$",
            })),
            "The tenant, where the path names none. Its name is the setting `tenancy.header`.",
        )
        .such_as("team-a"),
        Parameter::header(
            "Sluice-Source",
            Shape::text(),
            "Who sends; without it the sender's address. Its name is the setting `tenancy.source_header`.",
        )
        .such_as("web-01"),
    ]
}

fn idempotency_key() -> Parameter {
    Parameter::header(
        "Idempotency-Key",
        Shape::Written(json!({
            "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$",
        })),
        "New for each body, the same with each attempt to send it: what was stored is answered again and not stored again.",
    )
    .such_as("5f0c1f4e-8d0e-4a53-9f0e-0d8f4c6f2a11")
}

/// How a body is compressed.
fn encoded(words: &[&str]) -> Parameter {
    Parameter::header(
        "Content-Encoding",
        Shape::matching(&format!("^({})?$", words.join("|"))),
        "How the body is compressed.",
    )
}

/// What most protocols read.
const ENCODINGS: [&str; 4] = ["identity", "gzip", "deflate", "zstd"];

/// A query parameter that is yes or no.
fn flag(name: &'static str, about: &str) -> Parameter {
    Parameter::query(name, Shape::one_of(&["true", "false", "1", "0"]), about)
}

fn strict() -> Parameter {
    flag(
        "strict",
        "`true` stores all of the batch or nothing; without it, good samples beside bad ones are stored.",
    )
}

fn extra_label() -> Parameter {
    Parameter::query(
        "extra_label",
        Shape::matching("^[^=\\u0000-\\u001f\\u007f-\\u009f]+=.*$"),
        "`name=value`: a label of every series, in place of its own of that name.",
    )
    .repeated()
    .such_as(json!(["job=nightly"]))
}

/// An answer that promises something.
fn durable(status: u16, about: &str) -> Answer {
    Answer::new(status, about)
        .header(
            "Sluice-Durability",
            Shape::one_of(&["kafka", "local", "spool", "fallback"]),
            "Where the least safe record of this request is durable.",
        )
        .header(
            "Idempotency-Replayed",
            Shape::one_of(&["true"]),
            "The request came before, and this was its answer.",
        )
}

/// Whether an answer is about who asks, or about us.
fn is_about_access(answer: &Answer) -> bool {
    matches!(answer.status(), 401 | 403 | 500 | 503)
}

/// A push with its paths.
fn posted(paths: &[&'static str], operation: &Operation) -> Api {
    Api::default().at_all(&Method::POST, paths, operation)
}

#[cfg(test)]
mod tests;
