//! `POST /api/v3/write_lp`, as InfluxDB 3 answers it.

use axum::Json;
use axum::response::{IntoResponse as _, Response};
use codec::influx::Precision;
use http::StatusCode;
use serde_json::{Value, json};

use super::told::BadLine;
use super::{Dialect, Head};
use crate::error::Error;
use crate::ingest::{Outcome, Policy};

pub(crate) struct V3;

impl Dialect for V3 {
    const PRECISION: Precision = Precision::Auto;
    const DATABASE: &'static [&'static str] = &["db"];

    fn policy(head: &Head<'_>) -> Result<Policy, Error> {
        // Nothing is answered before it is durable, with or without it.
        head.flag("no_sync", false)?;
        Ok(if head.flag("accept_partial", true)? {
            Policy::StoreTheGood
        } else {
            Policy::AllOrNothing
        })
    }

    fn partial(_outcome: &Outcome, lines: &[BadLine]) -> Response {
        let body = json!({ "error": "partial write of line protocol occurred", "data": lines });
        (StatusCode::BAD_REQUEST, Json(body)).into_response()
    }

    fn failed(status: StatusCode, error: &Error) -> Response {
        let body = json!({ "error": error.to_string(), "data": Value::Null });
        (status, Json(body)).into_response()
    }

    fn refused(status: StatusCode, _error: &Error, lines: &[BadLine]) -> Response {
        // InfluxDB 3 stops at the first.
        let body =
            json!({ "error": "parsing failed for write_lp endpoint", "data": lines.first() });
        (status, Json(body)).into_response()
    }
}
