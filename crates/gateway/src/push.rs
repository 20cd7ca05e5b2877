//! `POST /metrics`: a JSON batch.

use std::sync::Arc;

use axum::body::{Body, HttpBody as _};
use axum::extract::{Request, State};
use axum::response::Response;
use codec::Encoding;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, EXPECT};
use http::request::Parts;

use crate::answer;
use crate::body::linger;
use crate::error::Error;
use crate::ingest::{Intake, Outcome, Policy, Protocol};
use crate::router::App;

const JSON: Protocol = Protocol {
    name: "json",
    decode: codec::json::decode,
};

/// Beside JSON: what clients send that were not told what they send (`curl -d` says the last).
const TYPES: [&str; 3] = [
    "application/json",
    "text/plain",
    "application/x-www-form-urlencoded",
];

/// Stores a batch and answers when it is durable.
pub(crate) async fn push(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, mut body) = request.into_parts();
    match store(&app, &parts, &mut body).await {
        Ok(outcome) => answer::stored(&outcome, app.durability),
        Err(error) => {
            let response = answer::failed(&error);
            if body.is_end_stream() {
                return response;
            }
            // A sender that asked whether to go on has sent nothing, and reads the answer.
            let is_waiting = parts.headers.contains_key(EXPECT) && error.is_from_header();
            let most_bytes = app.body_limits.max_bytes.saturating_mul(4);
            if error.is_worth_hearing() && !is_waiting && linger(&mut body, most_bytes).await {
                return response;
            }
            answer::closing(response, parts.version)
        }
    }
}

async fn store(app: &App, parts: &Parts, body: &mut Body) -> Result<Outcome, Error> {
    let pipeline = &app.pipeline;
    pipeline.check_open()?;
    let intake = intake(parts)?;
    let permit = app.body_limits.admit(body, pipeline.permits.empty())?;
    let received = app.body_limits.read(body, permit).await?;
    pipeline.ingest(intake, received).await
}

/// What the request says before its body.
fn intake(parts: &Parts) -> Result<Intake, Error> {
    let policy = policy(parts.uri.query().unwrap_or_default())?;
    if let Some(found) = parts.headers.get(CONTENT_TYPE) {
        check_type(&String::from_utf8_lossy(found.as_bytes()))?;
    }
    let encodings: Vec<_> = parts
        .headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
        .collect();
    let encoding = Encoding::parse(Some(&encodings.join(", ")))?;
    Ok(Intake {
        protocol: &JSON,
        encoding,
        policy,
        tenant: None,
    })
}

fn check_type(found: &str) -> Result<(), Error> {
    let essence = found.split(';').next().unwrap_or_default().trim();
    if essence.is_empty()
        || TYPES
            .iter()
            .any(|known| known.eq_ignore_ascii_case(essence))
    {
        return Ok(());
    }
    Err(Error::ContentType {
        found: essence.chars().take(100).collect(),
    })
}

/// Reads `strict`; parameters that we do not know are left to whoever put them there.
fn policy(query: &str) -> Result<Policy, Error> {
    let mut policy = Policy::StoreTheGood;
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if name != "strict" {
            continue;
        }
        policy = match value {
            "true" => Policy::AllOrNothing,
            "false" => Policy::StoreTheGood,
            _ => {
                let value: String = value.chars().take(40).collect();
                let message = format!("strict is {value:?}; write strict=true or strict=false");
                return Err(Error::Parameter(message));
            }
        };
    }
    Ok(policy)
}

#[cfg(test)]
mod tests;
