//! The JSON shapes of answers, as the API's contract has them.

use axum::Json;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CONNECTION, CONTENT_TYPE};
use http::{HeaderValue, StatusCode, Version};
use model::Code;
use schemars::JsonSchema;
use serde::Serialize;

use crate::described::codes::CodeName;
use crate::error::Error;
use crate::ingest::Outcome;
use crate::metrics;
use crate::refusals::{Refusals, Told};

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Success<'a> {
    /// `success`, or `partial` when something was refused.
    status: &'static str,
    /// How many samples are durable.
    metrics_received: u64,
    #[serde(skip_serializing_if = "is_zero")]
    metrics_rejected: u64,
    /// The first hundred of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Told<'a>>,
    /// How many more there are.
    #[serde(skip_serializing_if = "is_zero")]
    errors_omitted: u64,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Failure<'a> {
    /// A sentence for people, which may change.
    error: String,
    #[schemars(with = "CodeName")]
    code: &'static str,
    /// Of the samples of a batch, the first hundred.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Told<'a>>,
    #[serde(skip_serializing_if = "is_zero")]
    errors_omitted: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// The answer to a batch of which everything is durable that is not refused.
pub(crate) fn stored(outcome: &Outcome) -> Response {
    let refusals = &outcome.refusals;
    if refusals.is_empty() {
        return success(refusals.received());
    }
    if refusals.received() == 0 {
        return failure(Code::BatchRefused, refusals.sentence(), Some(refusals));
    }
    let body = Success {
        status: "partial",
        metrics_received: refusals.received(),
        metrics_rejected: refusals.refused(),
        errors: refusals.told(),
        errors_omitted: refusals.omitted(),
    };
    Json(body).into_response()
}

/// The usual answer, written without a detour: it is a good part of what a request of one sample costs.
fn success(received: u64) -> Response {
    const BEFORE: &str = r#"{"status":"success","metrics_received":"#;
    let digits = received.checked_ilog10().unwrap_or(0);
    // Just so much: what has room left is not made a body without another allocation.
    let mut body = Vec::with_capacity(BEFORE.len() + digits as usize + 2);
    body.extend_from_slice(BEFORE.as_bytes());
    let mut place = 10_u64.pow(digits);
    while place > 0 {
        let digit = received / place % 10;
        body.push(b'0' + u8::try_from(digit).unwrap_or_default());
        place /= 10;
    }
    body.push(b'}');
    let mut response = Response::new(Body::from(body));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

/// The answer to a request that failed.
pub(crate) fn failed(error: &Error) -> Response {
    let refusals = match error {
        Error::Batch(refusals) => Some(refusals),
        _ => None,
    };
    failure(error.code(), error.to_string(), refusals)
}

fn failure(code: Code, message: String, refusals: Option<&Refusals>) -> Response {
    let body = Failure {
        error: message,
        code: code.as_str(),
        errors: refusals.map(Refusals::told).unwrap_or_default(),
        errors_omitted: refusals.map(Refusals::omitted).unwrap_or_default(),
    };
    (status_of(code), Json(body)).into_response()
}

/// A refusal in the API's error shape, for routes that are served beside the gateway's own.
#[must_use]
pub fn refusal(code: Code, message: String) -> Response {
    metrics::request_refused(code);
    failure(code, message, None)
}

/// An answer's status as metrics show it, where the protocol has another place for it than the header.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Meant(pub StatusCode);

/// The status that a code decides, as the HTTP library wants it.
pub(crate) fn status_of(code: Code) -> StatusCode {
    StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// Says that the connection ends after this answer, because a body on it was not read.
pub(crate) fn closing(mut response: Response<Body>, version: Version) -> Response<Body> {
    // HTTP/2 has no such header: there, only the stream ends.
    if version <= Version::HTTP_11 {
        response
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}
