//! Prometheus remote write, 1.0 and 2.0, and what VictoriaMetrics' agent makes of 1.0.
//!
//! The answer to a request with good and bad samples is 400: the good ones are stored, and a sender of this protocol
//! sends nothing again that got one. Its first line says everything, because Prometheus logs no more.

use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use codec::catalogue::Trail;
use codec::parts::Part;
use codec::remote_write::{Version, receive};
use codec::{Decoded, Encoding};
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, StatusCode};
use model::{Counts, Limits, Refusal};

use super::{Head, Opened, Protocol};
use crate::answer::status_of;
use crate::error::Error;
use crate::ingest::{Outcome, Policy};
use crate::refusals::Refusals;

/// How version 2.0 says what was written, in success and in failure.
const WRITTEN: [HeaderName; 3] = [
    HeaderName::from_static("x-prometheus-remote-write-samples-written"),
    HeaderName::from_static("x-prometheus-remote-write-histograms-written"),
    HeaderName::from_static("x-prometheus-remote-write-exemplars-written"),
];

const WANTED_TYPE: &str =
    "application/x-protobuf, with proto=io.prometheus.write.v2.Request for version 2.0";

/// Refusals that have a line each.
const LINES: usize = 10;

pub(crate) enum RemoteWrite {
    Push(Version),
    /// `vmagent` up to 1.115 asks whether it may send zstd, with an empty body.
    Handshake,
}

impl Protocol for RemoteWrite {
    const NAME: &'static str = "remote_write";

    fn open(head: &Head<'_>) -> Result<Opened<Self>, Error> {
        if head.parameter("get_vm_proto_version").is_some() {
            return Ok(Opened {
                protocol: Self::Handshake,
                encoding: Encoding::Identity,
                policy: Policy::StoreTheGood,
            });
        }
        let version = version(head)?;
        Ok(Opened {
            protocol: Self::Push(version),
            encoding: encoding(head, version)?,
            policy: head.policy()?,
        })
    }

    fn decode<'a>(
        &self,
        body: &'a Bytes,
        limits: &Limits,
        trail: Trail<'_>,
    ) -> Result<Decoded<'a>, Refusal> {
        match self {
            Self::Push(version) => receive::decode_with(*version, body, limits, trail),
            Self::Handshake => Ok(Decoded::default()),
        }
    }

    const PART_TYPE: &'static str = "application/x-protobuf;proto=prometheus.WriteRequest";

    fn parts<'a>(&self, body: &'a [u8], wanted: &[u32]) -> Vec<Part<'a>> {
        match self {
            Self::Push(Version::V1) => codec::parts::series(body, wanted),
            // A series of 2.0 is nothing without the symbols of its request.
            Self::Push(Version::V2) | Self::Handshake => Vec::new(),
        }
    }

    fn stored(&self, outcome: &Outcome) -> Response {
        let Self::Push(version) = self else {
            return "1".into_response();
        };
        let response = if outcome.refusals.is_empty() {
            StatusCode::NO_CONTENT.into_response()
        } else {
            (StatusCode::BAD_REQUEST, report(&outcome.refusals)).into_response()
        };
        with_written(response, *version, outcome.stored)
    }

    fn failed(head: &Head<'_>, error: &Error) -> Response {
        let text = match error {
            Error::Batch(refusals) => format!("{error}\n{}", lines(refusals)),
            error => format!("{error}\n"),
        };
        let response = (status_of(error.code()), text).into_response();
        with_written(
            response,
            version(head).unwrap_or(Version::V1),
            Counts::default(),
        )
    }
}

/// What `Content-Type` says the body is.
fn version(head: &Head<'_>) -> Result<Version, Error> {
    let text = head.header(&CONTENT_TYPE).unwrap_or_default();
    let unknown = || Error::ContentType {
        found: text.chars().take(100).collect(),
        wanted: WANTED_TYPE,
    };
    if !matches!(head.media_type().as_str(), "" | "application/x-protobuf") {
        return Err(unknown());
    }
    let message = text
        .split(';')
        .skip(1)
        .filter_map(|parameter| parameter.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("proto"))
        .map(|(_, value)| value.trim().trim_matches('"'));
    match message {
        None | Some("prometheus.WriteRequest") => Ok(Version::V1),
        Some("io.prometheus.write.v2.Request") => Ok(Version::V2),
        Some(_) => Err(unknown()),
    }
}

/// Snappy, said or not; zstd, which VictoriaMetrics' agent prefers. Its queue may hold blocks of the one that it
/// sends under the name of the other, so both are read as what they begin like. Senders of 1.0 that compress with
/// something else are served too; to those of 2.0, the specification wants 415.
fn encoding(head: &Head<'_>, version: Version) -> Result<Encoding, Error> {
    let text = head.header(&CONTENT_ENCODING).unwrap_or_default();
    let found = text.trim();
    if found.is_empty()
        || ["snappy", "zstd"]
            .iter()
            .any(|it| found.eq_ignore_ascii_case(it))
    {
        return Ok(Encoding::Snappy);
    }
    match Encoding::parse(Some(found)) {
        Ok(encoding) if version == Version::V1 => Ok(encoding),
        _ => Err(Error::WireEncoding {
            found: found.chars().take(100).collect(),
            wanted: "snappy (block format)",
        }),
    }
}

fn with_written(mut response: Response, version: Version, stored: Counts) -> Response {
    if version == Version::V2 {
        let counts = [stored.floats, stored.histograms, stored.exemplars];
        for (name, count) in WRITTEN.into_iter().zip(counts) {
            response
                .headers_mut()
                .insert(name, HeaderValue::from(count));
        }
    }
    response
}

/// How many samples were refused and why, in one line, then the first of them.
fn report(refusals: &Refusals) -> String {
    let (refused, received) = (refusals.refused(), refusals.received());
    let mut text = if received == 0 {
        format!("all {refused} samples were refused")
    } else {
        let total = refused + received;
        format!("{refused} of {total} samples were refused and the others stored")
    };
    let mut separator = ": ";
    for (code, count) in refusals.counts() {
        text.push_str(&format!("{separator}{count} {}", code.as_str()));
        separator = ", ";
    }
    text.push_str("; the first is ");
    text.push_str(&lines(refusals));
    text
}

fn lines(refusals: &Refusals) -> String {
    let mut text = String::new();
    let told = refusals.told();
    for refused in told.iter().take(LINES) {
        text.push_str(&format!("{refused}\n"));
    }
    let more = refusals
        .refused()
        .saturating_sub(told.len().min(LINES) as u64);
    if more > 0 {
        text.push_str(&format!("and {more} more\n"));
    }
    text
}

#[cfg(test)]
mod tests;
