//! OTLP/gRPC: `MetricsService/Export`, a unary call over HTTP/2.
//!
//! A unary call is a POST whose body is one message behind five bytes, answered with one message and trailers. That
//! is read here, in the same way as every other body: its room is taken before it is read, it is inflated under the
//! same limit, and the listener, the tenant and the ledger are the same.

use std::convert::Infallible;

use axum::body::Body;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bytes::{BufMut as _, Bytes, BytesMut};
use codec::catalogue::Trail;
use codec::{Decoded, Encoding};
use futures::stream;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use http_body::Frame;
use http_body_util::StreamBody;
use model::{Code, Limits, Refusal};

use super::status::Rpc;
use super::{Request, partial};
use crate::answer::Meant;
use crate::error::Error;
use crate::ingest::{Outcome, Policy};
use crate::protocol::{Head, Opened, Protocol};

/// The path of the call.
pub(crate) const EXPORT: &str = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";

const GRPC: HeaderValue = HeaderValue::from_static("application/grpc+proto");
const ACCEPTED: HeaderValue = HeaderValue::from_static("identity,gzip,deflate,zstd");

const GRPC_ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
const GRPC_ACCEPT_ENCODING: HeaderName = HeaderName::from_static("grpc-accept-encoding");
const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
const GRPC_DETAILS: HeaderName = HeaderName::from_static("grpc-status-details-bin");

/// More of a sentence does not fit into what clients accept as headers.
const MAX_MESSAGE_BYTES: usize = 2048;

/// OTLP/gRPC.
#[derive(Debug)]
pub(crate) struct OtlpGrpc(Request);

impl Protocol for OtlpGrpc {
    const NAME: &'static str = "otlp_grpc";

    fn open(head: &Head<'_>) -> Result<Opened<Self>, Error> {
        if !is_grpc(head) {
            return Err(Error::ContentType {
                found: head.media_type().chars().take(100).collect(),
                wanted: "application/grpc",
            });
        }
        let encoding = head.header(&GRPC_ENCODING);
        Ok(Opened {
            encoding: Encoding::parse(encoding.as_deref())?,
            policy: Policy::StoreTheGood,
            protocol: Self(Request::of(head)?),
        })
    }

    fn unwrap(&self, encoding: Encoding, body: Bytes) -> Result<(Encoding, Bytes), Refusal> {
        let (head, rest) = body.split_first_chunk::<5>().ok_or_else(|| {
            let message = format!(
                "the call's body has {} bytes, but a message begins with 5",
                body.len()
            );
            Refusal::new(Code::BodyInvalid, message)
        })?;
        let [flag, length @ ..] = *head;
        let announced = u32::from_be_bytes(length);
        if usize::try_from(announced) != Ok(rest.len()) {
            let message = format!(
                "the call's message announces {announced} bytes, but {} came; a unary call has one message",
                rest.len()
            );
            return Err(Refusal::new(Code::BodyInvalid, message));
        }
        let encoding = match flag {
            0 => Encoding::Identity,
            1 => encoding,
            _ => {
                let message = format!("the message's compressed flag is {flag}, not 0 or 1");
                return Err(Refusal::new(Code::BodyInvalid, message));
            }
        };
        Ok((encoding, body.slice(5..)))
    }

    fn decode<'a>(
        &self,
        body: &'a Bytes,
        limits: &Limits,
        trail: Trail<'_>,
    ) -> Result<Decoded<'a>, Refusal> {
        self.0.decode(body, limits, trail)
    }

    fn stored(&self, outcome: &Outcome) -> Response {
        let message = partial(&outcome.refusals);
        let message = codec::otlp::response(outcome.refusals.refused(), &message);
        let mut framed = BytesMut::with_capacity(message.len() + 5);
        framed.put_u8(0);
        framed.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
        framed.put_slice(&message);
        let mut trailers = HeaderMap::new();
        trailers.insert(GRPC_STATUS, HeaderValue::from_static("0"));
        let frames = [Frame::data(framed.freeze()), Frame::trailers(trailers)];
        let frames = stream::iter(frames.map(Ok::<_, Infallible>));
        answer(Body::new(StreamBody::new(frames)))
    }

    fn failed(head: &Head<'_>, error: &Error) -> Response {
        let rpc = Rpc::of(error);
        let mut response = answer(Body::empty());
        if !is_grpc(head) {
            *response.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        }
        let details = codec::otlp::status(rpc.code, &rpc.message, rpc.retry_after_secs);
        let headers = response.headers_mut();
        headers.insert(GRPC_STATUS, HeaderValue::from(rpc.code));
        headers.insert(GRPC_ACCEPT_ENCODING, ACCEPTED);
        for (name, text) in [
            (GRPC_MESSAGE, percent_encoded(&rpc.message)),
            (GRPC_DETAILS, STANDARD_NO_PAD.encode(details)),
        ] {
            if let Ok(value) = HeaderValue::try_from(text) {
                headers.insert(name, value);
            }
        }
        response.extensions_mut().insert(Meant(rpc.status));
        response
    }
}

fn is_grpc(head: &Head<'_>) -> bool {
    matches!(
        head.media_type().as_str(),
        "application/grpc" | "application/grpc+proto"
    )
}

fn answer(body: Body) -> Response {
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, GRPC);
    response
}

/// A sentence as a header may have it.
fn percent_encoded(text: &str) -> String {
    use std::fmt::Write as _;

    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes().take(MAX_MESSAGE_BYTES) {
        if (0x20..0x7f).contains(&byte) && byte != b'%' {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").unwrap_or_default();
        }
    }
    encoded
}
