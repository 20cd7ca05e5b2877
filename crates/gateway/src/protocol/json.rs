//! `POST /metrics`: a JSON batch.

use axum::response::Response;
use bytes::Bytes;
use codec::Decoded;
use codec::catalogue::Trail;
use codec::parts::Part;
use model::{Limits, Refusal};

use super::{Head, Opened, Protocol};
use crate::answer;
use crate::error::Error;
use crate::ingest::Outcome;

/// Beside JSON: what clients send that were not told what they send (`curl -d` says the last).
const TYPES: [&str; 4] = [
    "",
    "application/json",
    "text/plain",
    "application/x-www-form-urlencoded",
];

pub(crate) struct Json;

impl Protocol for Json {
    const NAME: &'static str = "json";

    fn open(head: &Head<'_>) -> Result<Opened<Self>, Error> {
        let policy = head.policy()?;
        if !head.is_plainly("application/json") {
            let found = head.media_type();
            if !TYPES.contains(&found.as_str()) {
                return Err(Error::ContentType {
                    found: found.chars().take(100).collect(),
                    wanted: "application/json",
                });
            }
        }
        Ok(Opened {
            protocol: Self,
            encoding: head.encoding()?,
            policy,
        })
    }

    fn decode<'a>(
        &self,
        body: &'a Bytes,
        limits: &Limits,
        trail: Trail<'_>,
    ) -> Result<Decoded<'a>, Refusal> {
        codec::json::decode_with(body, limits.max_samples, trail)
    }

    const PART_TYPE: &'static str = "application/json";

    fn parts<'a>(&self, body: &'a [u8], wanted: &[u32]) -> Vec<Part<'a>> {
        codec::parts::elements(body, wanted)
    }

    fn stored(&self, outcome: &Outcome) -> Response {
        answer::stored(outcome)
    }

    fn failed(_head: &Head<'_>, error: &Error) -> Response {
        answer::failed(error)
    }
}

#[cfg(test)]
mod tests;
