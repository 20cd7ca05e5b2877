//! `POST /api/v1/import/prometheus`: what a `/metrics` page shows, pushed.
//!
//! The path and its parameters are VictoriaMetrics'. The content type tells Prometheus' text, OpenMetrics and protobuf
//! apart. Good lines beside bad ones are stored, and the answer is 400 with the bad lines' numbers.

use axum::Json;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use codec::catalogue::Trail;
use codec::parts::Part;
use codec::text::{Dialect, Options};
use codec::{Decoded, exposition_protobuf};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use model::{Code, Limits, Refusal};
use schemars::JsonSchema;
use serde::Serialize;

use super::extra::ExtraLabels;
use super::{Head, Opened, Protocol};
use crate::answer;
use crate::described::codes::CodeName;
use crate::error::Error;
use crate::ingest::Outcome;
use crate::refusals::{Refusals, Told};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Text,
    OpenMetrics,
    Protobuf,
}

pub(crate) struct Text {
    format: Format,
    /// The time of samples that say none.
    now_ms: i64,
    extra: ExtraLabels,
}

impl Protocol for Text {
    const NAME: &'static str = "text";
    const HAS_TIMES: bool = false;

    fn open(head: &Head<'_>) -> Result<Opened<Self>, Error> {
        let protocol = Self {
            format: format(head)?,
            now_ms: now_ms(head)?,
            extra: ExtraLabels::of(head).map_err(Error::Parameter)?,
        };
        Ok(Opened {
            protocol,
            encoding: head.encoding()?,
            policy: head.policy()?,
        })
    }

    fn prepare(&self, body: Bytes) -> Result<Bytes, Refusal> {
        Ok(self.extra.appended_to(body))
    }

    fn decode<'a>(
        &self,
        body: &'a Bytes,
        limits: &Limits,
        _trail: Trail<'_>,
    ) -> Result<Decoded<'a>, Refusal> {
        let (body, extra) = self.extra.split(body);
        let mut decoded = match self.format {
            Format::Text => self.lines(body, Dialect::Text, limits),
            Format::OpenMetrics => self.lines(body, Dialect::OpenMetrics, limits),
            Format::Protobuf => exposition_protobuf::decode(body, self.now_ms, limits.max_samples),
        }?;
        decoded.drop_long_metadata(limits.max_metadata_bytes);
        ExtraLabels::give(&extra, body, &mut decoded)?;
        Ok(decoded)
    }

    const PART_TYPE: &'static str = "text/plain";

    fn parts<'a>(&self, body: &'a [u8], wanted: &[u32]) -> Vec<Part<'a>> {
        match self.format {
            Format::Text | Format::OpenMetrics => codec::parts::lines(body, wanted),
            Format::Protobuf => Vec::new(),
        }
    }

    fn stored(&self, outcome: &Outcome) -> Response {
        let refusals = &outcome.refusals;
        if refusals.is_empty() {
            return StatusCode::NO_CONTENT.into_response();
        }
        let what = match refusals.received() {
            0 => "",
            _ => " and the others stored",
        };
        refused_lines(self.format, what, refusals.code(), refusals)
    }

    fn failed(head: &Head<'_>, error: &Error) -> Response {
        match (format(head), error) {
            (Ok(format), Error::Batch(refusals)) => {
                let what = ", and strict=true stores all or nothing";
                refused_lines(format, what, error.code(), refusals)
            }
            _ => answer::failed(error),
        }
    }
}

impl Text {
    fn lines<'a>(
        &self,
        body: &'a [u8],
        dialect: Dialect,
        limits: &Limits,
    ) -> Result<Decoded<'a>, Refusal> {
        let options = Options {
            dialect,
            now_ms: self.now_ms,
        };
        codec::text::decode(body, &options, limits.max_samples)
    }
}

impl Format {
    fn things(self) -> &'static str {
        match self {
            Self::Text | Self::OpenMetrics => "lines",
            Self::Protobuf => "metrics",
        }
    }
}

/// Whatever does not say that it is something else is text: `curl` says that it sends a form.
fn format(head: &Head<'_>) -> Result<Format, Error> {
    match head.media_type().as_str() {
        "application/openmetrics-text" => Ok(Format::OpenMetrics),
        "application/vnd.google.protobuf" => {
            let found = head.header(&CONTENT_TYPE).unwrap_or_default();
            let parameters = found.to_ascii_lowercase().replace([' ', '"'], "");
            let is_ours =
                parameters
                    .split(';')
                    .skip(1)
                    .all(|parameter| match parameter.split_once('=') {
                        Some(("proto", name)) => name == "io.prometheus.client.metricfamily",
                        Some(("encoding", name)) => name == "delimited",
                        _ => true,
                    });
            if is_ours {
                return Ok(Format::Protobuf);
            }
            Err(Error::ContentType {
                found: found.chars().take(100).collect(),
                wanted: "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited",
            })
        }
        _ => Ok(Format::Text),
    }
}

/// The gateway's time, or what the parameter says instead.
fn now_ms(head: &Head<'_>) -> Result<i64, Error> {
    let now_ms = head.app.pipeline.clock.now_ms();
    let Some(text) = head.parameter("timestamp") else {
        return Ok(now_ms);
    };
    match text.trim().parse() {
        // What VictoriaMetrics makes of it.
        Ok(at_ms) if at_ms <= 0 => Ok(now_ms),
        Ok(at_ms) => Ok(at_ms),
        Err(_) => {
            let text: String = text.chars().take(40).collect();
            Err(Error::Parameter(format!(
                "timestamp is {text:?}, not a whole number of Unix milliseconds"
            )))
        }
    }
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "TextFailure")]
pub(crate) struct Failure<'a> {
    /// A sentence for people, which may change.
    error: String,
    #[schemars(with = "CodeName")]
    code: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<BadLine<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    errors_omitted: Option<u64>,
}

/// A refusal with the number that an editor shows.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct BadLine<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
    #[serde(flatten)]
    told: Told<'a>,
}

fn refused_lines(format: Format, what: &str, code: Code, refusals: &Refusals) -> Response {
    let refused = refusals.refused();
    let total = refused + refusals.received();
    let things = format.things();
    let were = if refused == 1 { "was" } else { "were" };
    let told = refusals.told();
    let line = |told: &Told<'_>| match format {
        Format::Text | Format::OpenMetrics => Some(u64::from(told.index()) + 1),
        Format::Protobuf => None,
    };
    let first = told
        .first()
        .map_or_else(String::new, |first| match line(first) {
            Some(number) if !first.message().starts_with("line ") => {
                format!("; line {number}: {}", first.message())
            }
            Some(_) => format!("; {}", first.message()),
            None => format!("; the first is {first}"),
        });
    let errors = told
        .into_iter()
        .map(|told| BadLine {
            line: line(&told),
            told,
        })
        .collect();
    let omitted = refusals.omitted();
    let body = Failure {
        error: format!("{refused} of {total} {things} {were} refused{what}{first}"),
        code: code.as_str(),
        errors,
        errors_omitted: (omitted > 0).then_some(omitted),
    };
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}

#[cfg(test)]
mod tests;
