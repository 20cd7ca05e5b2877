//! `POST /api/v1/import`: `VictoriaMetrics`' JSON lines, as its export writes them.

use std::sync::OnceLock;

use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use codec::Decoded;
use codec::catalogue::Trail;
use codec::parts::Part;
use codec::victoria_json::LineNumbers;
use http::StatusCode;
use model::{Limits, Refusal};

use super::extra::ExtraLabels;
use super::{Head, Opened, Protocol};
use crate::answer::status_of;
use crate::error::Error;
use crate::ingest::Outcome;

pub(crate) struct Victoria {
    extra: ExtraLabels,
    /// Which line each sample came from; known once the body is decoded.
    lines: OnceLock<LineNumbers>,
}

impl Protocol for Victoria {
    const NAME: &'static str = "victoriametrics";

    fn open(head: &Head<'_>) -> Result<Opened<Self>, Error> {
        Ok(Opened {
            protocol: Self {
                extra: ExtraLabels::of(head).map_err(Error::Parameter)?,
                lines: OnceLock::new(),
            },
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
        let (mut decoded, lines) = codec::victoria_json::decode(body, limits.max_samples)?;
        ExtraLabels::give(&extra, body, &mut decoded)?;
        self.lines.get_or_init(|| lines);
        Ok(decoded)
    }

    const PART_TYPE: &'static str = "application/json";

    fn parts<'a>(&self, body: &'a [u8], wanted: &[u32]) -> Vec<Part<'a>> {
        let Some(lines) = self.lines.get() else {
            return Vec::new();
        };
        // Many samples are of one line.
        let line = |index: &u32| lines.line_of(*index).saturating_sub(1);
        let mut numbers: Vec<u32> = wanted.iter().map(line).collect();
        numbers.dedup();
        let found = codec::parts::lines(body, &numbers);
        let part = |index: &u32| {
            let at = found.binary_search_by_key(&line(index), |(number, _)| *number);
            Some((*index, found.get(at.ok()?)?.1))
        };
        wanted.iter().filter_map(part).collect()
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

#[cfg(test)]
mod tests;
