//! Prometheus remote write.

use serde_json::json;
use service::openapi::{Answer, Api, Content, Operation, Parameter, Shape};

use super::{Failures, durable, encoded, failures, posted, pushing, strict};

/// Where it is; the first is Prometheus' own, the others those of Mimir, Thanos, Cortex and VictoriaMetrics.
const PATHS: [&str; 7] = [
    "/api/v1/write",
    "/api/v1/push",
    "/receive",
    "/api/v1/receive",
    "/api/prom/push",
    "/api/v1/prom/remote/write",
    "/prometheus/api/v1/write",
];

pub(super) fn api() -> Api {
    let about = "Versions 1.0 and 2.0, by the parameter `proto` of the content type. Snappy in block format, or zstd, as VictoriaMetrics' \
                 agent sends it; what is not said is snappy. Good samples beside bad ones are stored, and the answer is 400, as the \
                 specification wants it: its first line says everything.";
    let operation: Operation = pushing("pushRemoteWrite", "Prometheus remote write")
        .about(about)
        .takes(strict())
        .takes(encoded(&["snappy", "zstd", "gzip", "deflate", "identity"]))
        .takes(Parameter::query(
            "get_vm_proto_version",
            Shape::text(),
            "Asks whether zstd may be sent, as older agents of VictoriaMetrics do; the body is empty then, and the answer is `1`.",
        ))
        .reads(Content::new("application/x-protobuf", Shape::bytes()))
        .answers(durable(200, "Whether zstd may be sent: `1`.").with(Content::text()))
        .answers(with_written(durable(204, "All of it is stored.")))
        .answers_all(
            failures(&Failures {
                name: "RemoteWrite",
                content: Content::text(),
                without: &[],
                has_samples: true, examples: Vec::new(),
            }),
        );
    posted(&PATHS, &operation)
}

fn with_written(answer: Answer) -> Answer {
    let count = || Shape::Written(json!({ "type": "integer", "minimum": 0 }));
    ["Samples", "Histograms", "Exemplars"]
        .into_iter()
        .fold(answer, |answer, what| match what {
            "Samples" => answer.header(
                "X-Prometheus-Remote-Write-Samples-Written",
                count(),
                "Version 2.0: how many were written.",
            ),
            "Histograms" => answer.header(
                "X-Prometheus-Remote-Write-Histograms-Written",
                count(),
                "The same of native histograms.",
            ),
            _ => answer.header(
                "X-Prometheus-Remote-Write-Exemplars-Written",
                count(),
                "The same of exemplars.",
            ),
        })
}
