//! `POST /api/put`: data points as `OpenTSDB` takes them.
//!
//! 204 when all are stored. With `?summary` or `?details` the answer counts them, and with the latter it repeats
//! the bad ones; it is 400 as soon as there are any, and the good ones are stored.

use std::sync::OnceLock;

use axum::Json;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use codec::Decoded;
use codec::catalogue::Trail;
use codec::parts::Part;
use http::StatusCode;
use model::{Limits, Refusal};
use serde::Serialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::{Head, Opened, Protocol};
use crate::answer::status_of;
use crate::error::Error;
use crate::ingest::Outcome;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Plain,
    Summary,
    Details,
}

pub(crate) struct OpenTsdb {
    answer: Answer,
    /// The body, where the answer may have to repeat parts of it.
    body: OnceLock<Bytes>,
}

#[derive(Serialize)]
struct Report<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<Vec<Bad<'a>>>,
    failed: u64,
    success: u64,
}

#[derive(Serialize)]
struct Bad<'a> {
    datapoint: &'a RawValue,
    error: &'a str,
}

impl Protocol for OpenTsdb {
    const NAME: &'static str = "opentsdb";

    fn open(head: &Head<'_>) -> Result<Opened<Self>, Error> {
        // Their presence is what counts, as in OpenTSDB.
        let has = |name| head.parameter(name).is_some();
        let answer = if has("details") {
            Answer::Details
        } else if has("summary") {
            Answer::Summary
        } else {
            Answer::Plain
        };
        Ok(Opened {
            protocol: Self {
                answer,
                body: OnceLock::new(),
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
        let decoded = codec::opentsdb::decode(body, limits.max_samples)?;
        if self.answer == Answer::Details {
            self.body.get_or_init(|| body.clone());
        }
        Ok(decoded)
    }

    const PART_TYPE: &'static str = "application/json";

    fn parts<'a>(&self, body: &'a [u8], wanted: &[u32]) -> Vec<Part<'a>> {
        let points = codec::opentsdb::raw_points(body, wanted);
        wanted
            .iter()
            .copied()
            .zip(points.into_iter().map(str::as_bytes))
            .collect()
    }

    fn stored(&self, outcome: &Outcome) -> Response {
        let refusals = &outcome.refusals;
        if self.answer == Answer::Plain {
            if refusals.is_empty() {
                return StatusCode::NO_CONTENT.into_response();
            }
            let first = refusals.listed().first();
            let first = first.map_or("", |refused| refused.refusal.message.as_str());
            let message = format!("One or more data points had errors: {first}");
            let details = "Append \"details\" to the put request to see each of them";
            return problem(StatusCode::BAD_REQUEST, &message, Some(details));
        }
        let listed = refusals.listed();
        let indices: Vec<u32> = listed.iter().map(|refused| refused.index).collect();
        let raw = match self.body.get() {
            Some(body) if !indices.is_empty() => codec::opentsdb::raw_points(body, &indices),
            _ => Vec::new(),
        };
        let errors = (self.answer == Answer::Details).then(|| {
            let pairs = listed.iter().zip(&raw);
            pairs
                .filter_map(|(refused, raw)| bad(refused, raw))
                .collect()
        });
        let report = Report {
            errors,
            failed: refusals.refused(),
            success: refusals.received(),
        };
        let status = if refusals.is_empty() {
            StatusCode::OK
        } else {
            StatusCode::BAD_REQUEST
        };
        (status, Json(report)).into_response()
    }

    fn failed(_head: &Head<'_>, error: &Error) -> Response {
        problem(status_of(error.code()), &error.to_string(), None)
    }
}

fn bad<'a>(refused: &'a model::Refused, raw: &'a str) -> Option<Bad<'a>> {
    Some(Bad {
        datapoint: serde_json::from_str(raw).ok()?,
        error: &refused.refusal.message,
    })
}

fn problem(status: StatusCode, message: &str, details: Option<&str>) -> Response {
    let mut error = json!({ "code": status.as_u16(), "message": message });
    if let (Some(details), Some(error)) = (details, error.as_object_mut()) {
        error.insert("details".to_owned(), details.into());
    }
    (status, Json(json!({ "error": error }))).into_response()
}

#[cfg(test)]
mod tests;
