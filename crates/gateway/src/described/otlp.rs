//! OpenTelemetry's metrics over HTTP and gRPC.

use model::Code;
use serde_json::json;
use service::openapi::{Answer, Api, Content, Parameter, Shape};

use super::examples::{body_of, of_path};
use super::{ENCODINGS, Failures, durable, encoded, failures, posted, pushing};
use crate::protocol::otlp::grpc::EXPORT;

/// Answered with 503, so that senders repeat: see OTLP's list of what is repeated.
const REPEATED: [Code; 2] = [Code::RequestTimeout, Code::Internal];

pub(super) fn api() -> Api {
    posted(&["/v1/metrics"], &over_http()).and(posted(&[EXPORT], &over_grpc()))
}

fn over_http() -> service::openapi::Operation {
    let partial = json!({
        "type": "object",
        "properties": { "partialSuccess": {
            "type": "object",
            "required": ["rejectedDataPoints", "errorMessage"],
            "properties": {
                "rejectedDataPoints": { "type": "string", "pattern": "^[0-9]+$" },
                "errorMessage": { "type": "string" },
            },
        } },
    });
    let status = json!({
        "type": "object", "required": ["code", "message"],
        "properties": {
            "code": { "type": "integer", "description": "Of gRPC." },
            "message": { "type": "string", "description": "A sentence, with the code of this API at its end." },
        },
    });
    let failed = failures(&Failures {
        name: "Otlp",
        content: Content::written(status),
        without: &REPEATED,
        has_samples: false,
        examples: Vec::new(),
    });
    let failed = failed
        .into_iter()
        .map(|answer| answer.with(Content::new("application/x-protobuf", Shape::bytes())));
    pushing("pushOtlp", "OpenTelemetry metrics over HTTP")
        .about(
            "An `ExportMetricsServiceRequest`, in protobuf or in OTLP's JSON. Refused data points are a partial success, which nobody \
             repeats; a stalled body (`request_timeout`) and a defect of ours (`internal`) are 503 here, which senders do repeat.",
        )
        .takes(encoded(&ENCODINGS))
        .even_without_body()
        .reads(Content::new("application/x-protobuf", Shape::bytes()))
        .reads(
            Content::written(json!({
                "type": "object",
                "properties": { "resourceMetrics": { "type": "array", "items": { "type": "object" } } },
            }))
            .examples(of_path("/v1/metrics")),
        )
        .answers(
            durable(200, "Stored, but for the points that a partial success counts.")
                .with(Content::written(partial).examples(body_of("/v1/metrics")))
                .with(Content::new("application/x-protobuf", Shape::bytes())),
        )
        .answers_all(failed)
}

fn over_grpc() -> service::openapi::Operation {
    let grpc = || Content::new("application/grpc+proto", Shape::bytes());
    let status = |answer: Answer| {
        answer
            .header(
                "grpc-status",
                Shape::text(),
                "Where the call failed: gRPC's code.",
            )
            .header("grpc-message", Shape::text(), "Why, percent-encoded.")
    };
    pushing("pushOtlpGrpc", "OpenTelemetry metrics over gRPC")
        .about(
            "The unary call `MetricsService/Export`, over HTTP/2. As in gRPC, a call that failed is a 200 whose `grpc-status` says why.",
        )
        .takes(Parameter::header(
            "grpc-encoding",
            Shape::text(),
            "`identity`, `gzip`, `deflate` or `zstd`: how the message is compressed, where its flag says that it is.",
        ))
        .reads(Content::new("application/grpc", Shape::bytes()))
        .answers(status(
            durable(200, "The message, with `grpc-status` in the trailers; or a failure, with it in the header.").with(grpc()),
        ))
        .answers(status(
            Answer::new(415, "It is no call of gRPC.").with(grpc()),
        ))
}
