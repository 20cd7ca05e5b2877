//! `POST /api/v2/write`, as InfluxDB 2 answers it.

use axum::Json;
use axum::response::{IntoResponse as _, Response};
use codec::influx::Precision;
use http::StatusCode;
use serde_json::json;

use super::told::{BadLine, sentence};
use super::{Dialect, Head};
use crate::error::Error;
use crate::ingest::{Outcome, Policy};

pub(crate) struct V2;

impl Dialect for V2 {
    const PRECISION: Precision = Precision::Nanosecond;
    const DATABASE: &'static [&'static str] = &["bucket", "db"];

    fn policy(_head: &Head<'_>) -> Result<Policy, Error> {
        Ok(Policy::StoreTheGood)
    }

    fn partial(outcome: &Outcome, lines: &[BadLine]) -> Response {
        let body = json!({
            "code": "invalid",
            "message": sentence(&outcome.refusals, lines),
            "line": lines.first().map(|line| line.number),
        });
        (StatusCode::BAD_REQUEST, Json(body)).into_response()
    }

    fn failed(status: StatusCode, error: &Error) -> Response {
        let code = match status {
            StatusCode::UNAUTHORIZED => "unauthorized",
            StatusCode::FORBIDDEN => "forbidden",
            StatusCode::NOT_FOUND => "not found",
            StatusCode::METHOD_NOT_ALLOWED => "method not allowed",
            StatusCode::PAYLOAD_TOO_LARGE => "request too large",
            StatusCode::UNSUPPORTED_MEDIA_TYPE => "unsupported media type",
            StatusCode::REQUEST_TIMEOUT | StatusCode::SERVICE_UNAVAILABLE => "unavailable",
            StatusCode::INTERNAL_SERVER_ERROR => "internal error",
            _ => "invalid",
        };
        let body = json!({ "code": code, "message": error.to_string() });
        (status, Json(body)).into_response()
    }
}
