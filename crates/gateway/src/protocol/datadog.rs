//! Datadog's intake, as the agent and the API's clients use it.
//!
//! Metrics are stored; events, service checks and facts about hosts are taken and counted, so that the agent stays
//! healthy. A 4xx tells the agent to drop what it sent, a 503 to keep it and try again.

use std::sync::Arc;

use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use bytes::Bytes;
use codec::Decoded;
use codec::catalogue::Trail;
use codec::datadog::{self, Options, Passed};
use http::StatusCode;
use model::{Limits, Refusal};
use serde_json::json;

use super::{Handle, Head, Opened, Protocol, on};
use crate::answer::status_of;
use crate::error::Error;
use crate::ingest::Outcome;
use crate::router::App;

/// Where bodies are posted, and what they are.
const PATHS: [(&str, Body); 12] = [
    ("/api/v1/series", Body::V1),
    ("/api/v2/series", Body::V2),
    ("/api/beta/sketches", Body::Sketches),
    ("/api/v1/distribution_points", Body::Distributions),
    ("/api/v1/check_run", Body::Passed(Passed::ServiceChecks)),
    (
        "/api/v2/service_checks",
        Body::Passed(Passed::ServiceChecks),
    ),
    ("/api/v1/events", Body::Passed(Passed::Event)),
    ("/api/v2/events", Body::Passed(Passed::Event)),
    ("/intake", Body::Passed(Passed::Intake)),
    ("/intake/", Body::Passed(Passed::Intake)),
    ("/api/v1/metadata", Body::Passed(Passed::Metadata)),
    ("/api/v2/host_metadata", Body::Passed(Passed::Metadata)),
];

const VALIDATE: &str = "/api/v1/validate";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Body {
    V1,
    V2,
    V2Protobuf,
    Sketches,
    Distributions,
    Passed(Passed),
}

pub(crate) struct Datadog {
    body: Body,
    now_ms: i64,
}

/// The routes of the intake.
pub(crate) fn routes<H: Handle>() -> Router<Arc<App>> {
    let router = Router::new().route(VALIDATE, get(validate));
    PATHS.iter().fold(router, |router, (path, _)| {
        router.route(path, on::<H, Datadog>())
    })
}

/// Whether this pattern of a path is one of the intake's.
pub(crate) fn is_route(route: &str) -> bool {
    let route = route.strip_prefix("/datadog").unwrap_or(route);
    route == VALIDATE || PATHS.iter().any(|(path, _)| *path == route)
}

/// How the intake refuses. The agent takes 403 for a wrong key where it asks for that, and elsewhere for a reason to
/// drop what it sent; 401 it tries again.
pub(crate) fn denied(head: &Head<'_>, error: &Error) -> Response {
    if head.parts.uri.path().ends_with(VALIDATE) {
        return errors(StatusCode::FORBIDDEN, &["Forbidden".to_owned()]);
    }
    Datadog::failed(head, error)
}

/// The agent asks at its start whether its key is good. Whoever comes this far has a good one, or needs none.
async fn validate() -> Response {
    Json(json!({ "valid": true })).into_response()
}

impl Protocol for Datadog {
    const NAME: &'static str = "datadog";
    const HAS_TIMES: bool = false;

    fn open(head: &Head<'_>) -> Result<Opened<Self>, Error> {
        let path = head.parts.uri.path();
        let found = PATHS.iter().find(|(suffix, _)| path.ends_with(suffix));
        let mut body = found.map_or(Body::V1, |(_, body)| *body);
        let media_type = head.media_type();
        let is_protobuf = media_type == "application/x-protobuf";
        if body == Body::V2 && is_protobuf {
            body = Body::V2Protobuf;
        } else if matches!(body, Body::V1 | Body::Distributions) && is_protobuf {
            return Err(Error::ContentType {
                found: media_type,
                wanted: "application/json",
            });
        }
        Ok(Opened {
            protocol: Self {
                body,
                now_ms: head.app.pipeline.clock.now_ms(),
            },
            encoding: head.encoding()?,
            policy: head.policy()?,
        })
    }

    fn decode<'a>(
        &self,
        body: &'a Bytes,
        limits: &Limits,
        _trail: Trail<'_>,
    ) -> Result<Decoded<'a>, Refusal> {
        let options = Options {
            now_ms: self.now_ms,
            max_samples: limits.max_samples,
        };
        let mut decoded = match self.body {
            Body::V1 => datadog::decode_v1(body, options),
            Body::V2 => datadog::decode_v2_json(body, options),
            Body::V2Protobuf => datadog::decode_v2_protobuf(body, options),
            Body::Sketches => datadog::decode_sketches(body, options),
            Body::Distributions => datadog::decode_distributions(body, options),
            Body::Passed(what) => datadog::pass(body, what, limits.max_samples),
        }?;
        decoded.drop_long_metadata(limits.max_metadata_bytes);
        Ok(decoded)
    }

    fn stored(&self, outcome: &Outcome) -> Response {
        let refusals = &outcome.refusals;
        if !refusals.is_empty() {
            let mut sentences = vec![refusals.summary("point")];
            sentences.extend(refusals.listed().iter().map(|refused| {
                let name: String = refused.metric_name.chars().take(100).collect();
                format!("{name:?}: {}", refused.refusal.message)
            }));
            return errors(StatusCode::BAD_REQUEST, &sentences);
        }
        match self.body {
            Body::V2 | Body::V2Protobuf | Body::Sketches => errors(StatusCode::ACCEPTED, &[]),
            // The Python client takes any `errors`, even none, for a failure.
            Body::V1 | Body::Distributions | Body::Passed(_) => {
                (StatusCode::ACCEPTED, Json(json!({ "status": "ok" }))).into_response()
            }
        }
    }

    fn failed(_head: &Head<'_>, error: &Error) -> Response {
        errors(status_of(error.code()), &[error.to_string()])
    }
}

fn errors(status: StatusCode, sentences: &[String]) -> Response {
    (status, Json(json!({ "errors": sentences }))).into_response()
}

#[cfg(test)]
mod tests;
