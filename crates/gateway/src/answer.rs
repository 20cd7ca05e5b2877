//! The JSON shapes of answers, as the API's contract has them.

use axum::Json;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CONNECTION, RETRY_AFTER};
use http::{HeaderName, HeaderValue, StatusCode, Version};
use model::Code;
use serde::Serialize;

use crate::error::Error;
use crate::ingest::Outcome;
use crate::metrics;
use crate::refusals::Told;

/// Says where a success is durable.
const DURABILITY: HeaderName = HeaderName::from_static("sluice-durability");

#[derive(Debug, Serialize)]
struct Success<'a> {
    status: &'static str,
    metrics_received: u64,
    #[serde(skip_serializing_if = "is_zero")]
    metrics_rejected: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Told<'a>>,
    #[serde(skip_serializing_if = "is_zero")]
    errors_omitted: u64,
}

#[derive(Debug, Serialize)]
struct Failure<'a> {
    error: String,
    code: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Told<'a>>,
    #[serde(skip_serializing_if = "is_zero")]
    errors_omitted: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// The answer to a batch of which something is durable.
pub(crate) fn stored(outcome: &Outcome, durability: &'static str) -> Response {
    let refusals = &outcome.refusals;
    let body = Success {
        status: if refusals.is_empty() {
            "success"
        } else {
            "partial"
        },
        metrics_received: refusals.received(),
        metrics_rejected: refusals.refused(),
        errors: refusals.told(),
        errors_omitted: refusals.omitted(),
    };
    let durability = HeaderValue::from_static(durability);
    ([(DURABILITY, durability)], Json(body)).into_response()
}

/// The answer to a request that failed.
pub(crate) fn failed(error: &Error) -> Response {
    let code = error.code();
    metrics::request_refused(code);
    let (errors, errors_omitted) = match error {
        Error::Batch(refusals) => (refusals.told(), refusals.omitted()),
        _ => (Vec::new(), 0),
    };
    let body = Failure {
        error: error.to_string(),
        code: code.as_str(),
        errors,
        errors_omitted,
    };
    let mut response = (status_of(code), Json(body)).into_response();
    if let Some(seconds) = error.retry_after_secs() {
        response
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// A refusal in the API's error shape, for routes that are served beside the gateway's own.
#[must_use]
pub fn refusal(code: Code, message: String) -> Response {
    metrics::request_refused(code);
    let body = Failure {
        error: message,
        code: code.as_str(),
        errors: Vec::new(),
        errors_omitted: 0,
    };
    (status_of(code), Json(body)).into_response()
}

fn status_of(code: Code) -> StatusCode {
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
