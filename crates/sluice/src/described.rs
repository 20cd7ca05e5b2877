//! The admin listener, described, and what a standalone serves beside a gateway's own.

mod console;
mod looking;
mod prometheus;
mod queries;

use axum::Router;
use http::Method;
use serde_json::{Value, json};
use service::openapi::{self, About, Answer, Api, Content, Operation, Shape};

use crate::settings::Role;

pub(crate) use queries::queries;

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
            (
                queries::LOOK,
                "What arrived, and what would become of a body.",
            ),
            (
                prometheus::PROMETHEUS,
                "For Grafana and other clients of Prometheus.",
            ),
        ],
        codes: codes.collect(),
        ..About::default()
    }
}

/// The routes of an admin listener, with those that show what they are.
pub(crate) fn with(routes: Router, role: Role) -> Router {
    routes.merge(openapi::routes(move || (about(), admin(role))))
}

/// What is served there, some of it once its part of the process has started.
fn admin(role: Role) -> Api {
    let mut api = always();
    // A page of another site may not ask, but for probes and scrapers.
    api = api.all_answer(
        &refused(
            403,
            "A page of another site asks, or somebody by a name that is not this machine's.",
            &[model::Code::OriginRefused],
        )
        .shared("Origin"),
    );
    if role != Role::Consumer {
        api = api.and(gateway::explaining());
    }
    if role == Role::Standalone {
        api = api.and(queries());
    }
    api
}

/// What every role has.
fn always() -> Api {
    Api::default()
        .and(console::api())
        .and(process())
        .and(looking::admin())
}

/// Labels, as all of these show them.
fn labels() -> Value {
    json!({ "type": "object", "additionalProperties": { "type": "string" } })
}

/// A number, or the text of what JSON has none for.
fn number() -> Value {
    json!({ "anyOf": [{ "type": "number" }, { "enum": ["NaN", "+Inf", "-Inf"] }] })
}

fn process() -> Api {
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
