//! OpenTelemetry's metrics over HTTP (`POST /v1/metrics`, protobuf and JSON) and gRPC: one decoder, one way.
//!
//! Answers follow the OTLP specification: refused data points are a partial success, which nobody repeats, and only
//! a fault of ours is one that a sender comes back from.

pub(crate) mod grpc;
mod status;

use std::sync::Arc;
use std::time::Duration;

use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use codec::Decoded;
use codec::catalogue::Trail;
use codec::otlp::{Deltas, Options, Translation, decode_with};
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use model::{Limits, Refusal};
use serde_json::json;

use super::{Head, Opened, Protocol, Rehearsal};
use crate::config::OtlpConfig;
use crate::error::Error;
use crate::ingest::{Outcome, Policy};
use crate::origin::origin;
use crate::refusals::Refusals;
use status::Rpc;

/// What the sums of an explained request may take.
const REHEARSED_BYTES: usize = 16 << 20;

/// What all requests of OTLP share.
#[derive(Debug)]
pub(crate) struct Shared {
    options: Options,
    deltas: Deltas,
}

impl Shared {
    pub(crate) fn new(config: &OtlpConfig) -> Self {
        Self {
            options: config.options(),
            deltas: Deltas::new(config.delta_max_memory.bytes(), config.delta_expire_after.0),
        }
    }

    /// The same with sums of its own, which begin and end with one request.
    fn apart(&self) -> Self {
        Self {
            options: self.options.clone(),
            deltas: Deltas::new(REHEARSED_BYTES, Duration::from_secs(60)),
        }
    }
}

/// What one request brings to the translation.
#[derive(Debug)]
struct Request {
    shared: Arc<Shared>,
    tenant: Option<Arc<str>>,
    now_ms: i64,
}

impl Request {
    fn of(head: &Head<'_>) -> Result<Self, Error> {
        let shared = &head.app.otlp;
        // A point that is only explained must not count in the sums of those that are stored.
        let is_rehearsal = head.parts.extensions.get::<Rehearsal>().is_some();
        Ok(Self {
            shared: if is_rehearsal {
                Arc::new(shared.apart())
            } else {
                Arc::clone(shared)
            },
            tenant: origin(head)?.tenant,
            now_ms: head.app.pipeline.clock.now_ms(),
        })
    }

    fn decode<'a>(
        &self,
        body: &'a Bytes,
        limits: &Limits,
        trail: Trail<'_>,
    ) -> Result<Decoded<'a>, Refusal> {
        let translation = Translation {
            options: &self.shared.options,
            deltas: &self.shared.deltas,
            tenant: self.tenant.as_deref(),
            now_ms: self.now_ms,
        };
        let mut decoded = decode_with(body, translation, limits.max_samples, trail)?;
        decoded.drop_long_metadata(limits.max_metadata_bytes);
        Ok(decoded)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spelling {
    Protobuf,
    Json,
}

/// OTLP/HTTP.
#[derive(Debug)]
pub(crate) struct OtlpHttp {
    spelling: Spelling,
    request: Request,
}

impl Spelling {
    fn of(head: &Head<'_>) -> Option<Self> {
        match head.media_type().as_str() {
            "application/x-protobuf" | "application/protobuf" => Some(Self::Protobuf),
            "application/json" => Some(Self::Json),
            _ => None,
        }
    }

    fn answer(self, status: StatusCode, protobuf: Vec<u8>, json: &serde_json::Value) -> Response {
        let (content_type, body) = match self {
            Self::Protobuf => ("application/x-protobuf", protobuf),
            Self::Json => ("application/json", json.to_string().into_bytes()),
        };
        let content_type = [(CONTENT_TYPE, HeaderValue::from_static(content_type))];
        (status, content_type, body).into_response()
    }
}

impl Protocol for OtlpHttp {
    const NAME: &'static str = "otlp_http";

    fn open(head: &Head<'_>) -> Result<Opened<Self>, Error> {
        let Some(spelling) = Spelling::of(head) else {
            return Err(Error::ContentType {
                found: head.media_type().chars().take(100).collect(),
                wanted: "application/x-protobuf or application/json",
            });
        };
        Ok(Opened {
            encoding: head.encoding()?,
            policy: Policy::StoreTheGood,
            protocol: Self {
                spelling,
                request: Request::of(head)?,
            },
        })
    }

    fn prepare(&self, body: Bytes) -> Result<Bytes, Refusal> {
        match self.spelling {
            Spelling::Protobuf => Ok(body),
            Spelling::Json => codec::otlp::to_protobuf(&body).map(Bytes::from),
        }
    }

    fn decode<'a>(
        &self,
        body: &'a Bytes,
        limits: &Limits,
        trail: Trail<'_>,
    ) -> Result<Decoded<'a>, Refusal> {
        self.request.decode(body, limits, trail)
    }

    fn stored(&self, outcome: &Outcome) -> Response {
        let refused = outcome.refusals.refused();
        let message = partial(&outcome.refusals);
        let json = if refused == 0 {
            json!({})
        } else {
            // JSON writes 64-bit integers as text.
            json!({"partialSuccess": {
                "rejectedDataPoints": refused.to_string(), "errorMessage": message
            }})
        };
        let protobuf = codec::otlp::response(refused, &message);
        self.spelling.answer(StatusCode::OK, protobuf, &json)
    }

    fn failed(head: &Head<'_>, error: &Error) -> Response {
        let rpc = Rpc::of(error);
        let protobuf = codec::otlp::status(rpc.code, &rpc.message, rpc.retry_after_secs);
        let json = json!({"code": rpc.code, "message": rpc.message});
        let is_json = head.media_type().contains("json");
        let spelling = if is_json {
            Spelling::Json
        } else {
            Spelling::Protobuf
        };
        let mut response = spelling.answer(rpc.status, protobuf, &json);
        if let Some(seconds) = rpc.retry_after_secs {
            response
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// What a partial success says: how many, why, and the first of them.
fn partial(refusals: &Refusals) -> String {
    if refusals.is_empty() {
        return String::new();
    }
    let mut message = format!(
        "{} of {} data points were refused",
        refusals.refused(),
        refusals.refused() + refusals.received()
    );
    for (at, (code, count)) in refusals.counts().iter().enumerate() {
        let separator = if at == 0 { ": " } else { ", " };
        message.push_str(separator);
        message.push_str(&format!("{count} {}", code.as_str()));
    }
    if let Some(first) = refusals.first() {
        message.push_str(&format!(
            "; the first is point {} ({:?}): {}",
            first.index,
            first.metric_name.chars().take(100).collect::<String>(),
            first.refusal.message
        ));
    }
    message
}

#[cfg(test)]
mod tests;
