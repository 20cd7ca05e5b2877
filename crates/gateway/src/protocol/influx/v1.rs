//! `POST /write`, as InfluxDB 1 answers it.

use axum::Json;
use axum::response::{IntoResponse as _, Response};
use codec::influx::Precision;
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::json;

use super::told::{BadLine, sentence};
use super::{Dialect, Head};
use crate::error::Error;
use crate::ingest::{Outcome, Policy};

const ERROR_HEADER: HeaderName = HeaderName::from_static("x-influxdb-error");

/// What InfluxDB puts into the header at most.
const HEADER_CHARS: usize = 1024;

pub(crate) struct V1;

impl Dialect for V1 {
    const PRECISION: Precision = Precision::Nanosecond;
    const DATABASE: &'static [&'static str] = &["db", "bucket"];

    fn policy(_head: &Head<'_>) -> Result<Policy, Error> {
        Ok(Policy::StoreTheGood)
    }

    fn partial(outcome: &Outcome, lines: &[BadLine]) -> Response {
        let text = sentence(&outcome.refusals, lines);
        failure(StatusCode::BAD_REQUEST, &text)
    }

    fn failed(status: StatusCode, error: &Error) -> Response {
        failure(status, &error.to_string())
    }
}

/// An error in the body, and again in a header, where old clients look for it.
pub(super) fn failure(status: StatusCode, text: &str) -> Response {
    let mut response = (status, Json(json!({ "error": text }))).into_response();
    let printable = |character: char| match character {
        ' '..='~' => character,
        _ => '?',
    };
    let short: String = text.chars().take(HEADER_CHARS).map(printable).collect();
    if let Ok(value) = HeaderValue::try_from(short) {
        response.headers_mut().insert(ERROR_HEADER, value);
    }
    response
}
