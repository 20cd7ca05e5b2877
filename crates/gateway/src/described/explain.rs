//! `POST /api/v1/explain`, as the description has it.

use service::openapi::{Answer, Api, Content, Operation, Parameter, Shape};

use super::examples::{body_of, of_path};
use super::json::own;
use super::{LOOK, encoded, failures, posted, sender};
use crate::explain::{PATH, Report};

pub(super) fn api() -> Api {
    posted(&[PATH], &operation())
}

/// The operation, wherever it is served.
pub(crate) fn operation() -> Operation {
    Operation::new("explain", LOOK, "What would become of a body, sample by sample")
        .about(
            "Headers and body are those of the real request. It goes the same way by the same code, up to the buffer: nothing is stored, \
             counted, remembered, or taken from a quota. The answer is 200 whatever the body is.",
        )
        .takes(
            Parameter::query(
                "path",
                Shape::matching("^/[!-~]*$"),
                "Where the body would be posted, with that path's own parameters; without it, `/metrics`.",
            )
            .such_as("/api/v1/import/prometheus?strict=true"),
        )
        .takes_all(sender())
        .takes(encoded(&["identity", "gzip", "deflate", "zstd", "snappy"]))
        .even_without_body()
        .reads(Content::new("application/json", Shape::bytes()).examples(of_path("/metrics")))
        .reads(Content::new("text/plain", Shape::text()))
        .reads(Content::new("application/x-protobuf", Shape::bytes()))
        .answers(
            Answer::new(200, "What it would come to.")
                .with(Content::json::<Report>().examples(body_of(PATH))),
        )
        .answers_all(failures(&own("Own")))
}
