//! The admin listener, described, and what a standalone serves beside a gateway's own.

mod looking;

use axum::Router;
use http::Method;
use serde_json::json;
use service::health::Health;
use service::openapi::{About, Answer, Api, Content, Operation, Shape, routes};
use service::telemetry::MetricsHandle;

pub(crate) use looking::recent;

/// Groups of the admin listener's operations.
const STATE: &str = "The process";
const FLOW: &str = "What flows";

const TEXT: &str = "\
What a process knows of itself, for probes, scrapers and people. Nothing here changes anything. Each role shows what it knows: what it \
does not have is answered with 404, or is not in the answer.";

fn about() -> About {
    let codes = model::Code::ALL
        .iter()
        .map(|code| (code.as_str(), code.status(), code.meaning()));
    About {
        title: "Sluice: the admin API",
        text: TEXT.to_owned(),
        version: env!("CARGO_PKG_VERSION"),
        tags: vec![
            (STATE, "Whether it runs, and what it counts."),
            (FLOW, "What arrives, how much, and what was refused."),
        ],
        codes: codes.collect(),
        ..About::default()
    }
}

/// The routes that every process has on its admin listener, and those that show what they are.
pub(crate) fn router(health: Health, metrics: MetricsHandle, beside: Router) -> Router {
    service::admin::router(health, metrics)
        .merge(beside)
        .merge(routes(about(), admin()))
}

/// What is served there.
fn admin() -> Api {
    Api::default().and(process()).and(looking::admin())
}

/// What is served there, and what describes it.
#[cfg(test)]
fn all() -> Api {
    admin().and(service::openapi::describing())
}

fn process() -> Api {
    let index = Operation::new("index", STATE, "What there is")
        .answers(Answer::new(200, "A list of paths.").with(Content::text()));
    let alive = Operation::new("livez", STATE, "Whether the process runs")
        .about("Depends on nothing outside: restarting this process does not bring Kafka back.")
        .answers(Answer::new(200, "`ok`.").with(Content::text()));
    let readiness = |word: &str| {
        Content::written(json!({
            "type": "object", "required": ["status", "reasons"],
            "properties": {
                "status": { "const": word },
                "reasons": { "type": "array", "items": {
                    "type": "object", "required": ["condition", "reason"],
                    "properties": { "condition": { "type": "string" }, "reason": { "type": "string" } },
                } },
            },
        }))
    };
    let ready = Operation::new("readyz", STATE, "Whether it should get traffic")
        .answers(Answer::new(200, "It should.").with(readiness("ready")))
        .answers(
            Answer::new(503, "It should not, and the reasons why.").with(readiness("not ready")),
        );
    let metrics = Operation::new("metrics", STATE, "What it counted, for Prometheus")
        .answers(Answer::new(200, "Prometheus' text format.").with(Content::text()));
    Api::default()
        .at(Method::GET, "/", index)
        .at(Method::GET, "/livez", alive)
        .at(Method::GET, "/readyz", ready)
        .at(Method::GET, "/metrics", metrics)
}

/// A refusal in the shape of this API, with the codes that it may have.
pub(crate) fn refused(status: u16, about: &str, codes: &[model::Code]) -> Answer {
    let words: Vec<&str> = codes.iter().map(|code| code.as_str()).collect();
    let mut text = format!("{about}\n");
    for code in codes {
        text.push_str(&format!("\n* `{}`: {}", code.as_str(), code.meaning()));
    }
    Answer::new(status, &text).with(Content::written(json!({
        "type": "object", "required": ["error", "code"],
        "properties": {
            "error": { "type": "string", "description": "A sentence for people, which may change." },
            "code": { "type": "string", "enum": words },
        },
    })))
}

/// A parameter has a value that it cannot have.
pub(crate) fn bad_parameter() -> Answer {
    let codes = [model::Code::ParameterInvalid];
    refused(
        400,
        "A parameter is not known, or has a value that it cannot have.",
        &codes,
    )
}

/// How many are listed.
pub(crate) fn limit(usual: u64, most: u64) -> service::openapi::Parameter {
    let about = format!("How many at most; without it {usual}.");
    service::openapi::Parameter::query("limit", Shape::whole(1, most), &about)
}

#[cfg(test)]
mod tests;
