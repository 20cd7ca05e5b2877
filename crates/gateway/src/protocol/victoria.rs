//! `POST /api/v1/import`: `VictoriaMetrics`' JSON lines, as its export writes them.

use std::sync::OnceLock;

use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use codec::Decoded;
use codec::victoria_json::LineNumbers;
use http::StatusCode;
use model::{Limits, Refusal};

use super::{Head, Opened, Protocol};
use crate::answer::status_of;
use crate::error::Error;
use crate::ingest::Outcome;

/// More labels than this are no series.
const MAX_EXTRA: usize = 30;

pub(crate) struct Victoria {
    extra: Vec<(String, String)>,
    /// Which line each sample came from; known once the body is decoded.
    lines: OnceLock<LineNumbers>,
}

impl Protocol for Victoria {
    const NAME: &'static str = "victoriametrics";

    fn open(head: &Head<'_>) -> Result<Opened<Self>, Error> {
        Ok(Opened {
            protocol: Self {
                extra: extra_labels(head)?,
                lines: OnceLock::new(),
            },
            encoding: head.encoding()?,
            policy: head.policy()?,
        })
    }

    fn decode<'a>(&self, body: &'a Bytes, limits: &Limits) -> Result<Decoded<'a>, Refusal> {
        let (decoded, lines) = codec::victoria_json::decode(body, &self.extra, limits.max_samples)?;
        self.lines.get_or_init(|| lines);
        Ok(decoded)
    }

    fn stored(&self, outcome: &Outcome) -> Response {
        let refusals = &outcome.refusals;
        if refusals.is_empty() {
            return StatusCode::NO_CONTENT.into_response();
        }
        let mut text = refusals.summary("sample");
        text.push('\n');
        let mut before = None;
        for refused in refusals.listed() {
            let line = self
                .lines
                .get()
                .map_or(0, |lines| lines.line_of(refused.index));
            // What is wrong with a series is wrong with all its samples.
            let this = (line, refused.refusal.message.as_str());
            if before != Some(this) {
                text.push_str(&format!("line {line}: {}\n", this.1));
            }
            before = Some(this);
        }
        (StatusCode::BAD_REQUEST, text).into_response()
    }

    fn failed(_head: &Head<'_>, error: &Error) -> Response {
        (status_of(error.code()), format!("{error}\n")).into_response()
    }
}

/// `extra_label=name=value`, any number of times.
fn extra_labels(head: &Head<'_>) -> Result<Vec<(String, String)>, Error> {
    let query = head.parts.uri.query().unwrap_or_default();
    let mut labels: Vec<(String, String)> = Vec::new();
    for (name, text) in form_urlencoded::parse(query.as_bytes()) {
        if name != "extra_label" {
            continue;
        }
        let pair = text.split_once('=').filter(|(name, _)| !name.is_empty());
        let Some((name, value)) = pair else {
            let text: String = text.chars().take(40).collect();
            let message = format!("extra_label is {text:?}; write extra_label=name=value");
            return Err(Error::Parameter(message));
        };
        // The last of a name counts.
        labels.retain(|(known, _)| known != name);
        labels.push((name.to_owned(), value.to_owned()));
    }
    if labels.len() > MAX_EXTRA {
        let found = labels.len();
        let message = format!("there are {found} extra labels, the limit is {MAX_EXTRA}");
        return Err(Error::Parameter(message));
    }
    Ok(labels)
}

#[cfg(test)]
mod tests;
