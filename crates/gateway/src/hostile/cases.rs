//! Types, parameters, methods, paths; good samples beside bad ones.

use axum::body::Body;
use http::Request;

use super::{Case, body, with};

const GOOD: &str = r#"{"metric_name":"up","timestamp":1700000000000,"value":1,"labels":{}}"#;
const BAD: &str = r#"{"metric_name":"up","timestamp":1700000000,"value":1,"labels":{}}"#;

fn batch(samples: &[&str]) -> String {
    format!("{{\"metrics\":[{}]}}", samples.join(","))
}

fn request(method: &str, uri: &str, body: impl Into<Body>) -> Request<Body> {
    Request::builder()
        .method(method)
        .uri(uri)
        .body(body.into())
        .unwrap()
}

fn typed(content_type: &str) -> Request<Body> {
    Request::post("/metrics")
        .header("content-type", content_type)
        .body(Body::from(batch(&[GOOD])))
        .unwrap()
}

pub(super) fn all() -> Vec<Case> {
    vec![
        body(
            "one bad sample among good ones (which are stored)",
            batch(&[GOOD, BAD, GOOD]),
            200,
            "timestamp_in_seconds",
        ),
        with(
            "the same with `?strict=true`",
            request("POST", "/metrics?strict=true", batch(&[GOOD, BAD, GOOD])),
            400,
            "batch_refused: timestamp_in_seconds",
        ),
        with(
            "`?strict=yes`",
            request("POST", "/metrics?strict=yes", batch(&[GOOD])),
            400,
            "parameter_invalid",
        ),
        body(
            "the same sample twice, which stores collapse",
            batch(&[GOOD, GOOD]),
            200,
            "",
        ),
        with(
            "`Content-Type: application/xml`",
            typed("application/xml"),
            415,
            "content_type_unsupported",
        ),
        with(
            "`Content-Type: application/x-protobuf`",
            typed("application/x-protobuf"),
            415,
            "content_type_unsupported",
        ),
        with(
            "`Content-Type: text/plain`, which is read as JSON",
            typed("text/plain; charset=utf-8"),
            200,
            "",
        ),
        with(
            "PUT",
            request("PUT", "/metrics", batch(&[GOOD])),
            405,
            "method_not_allowed",
        ),
        with(
            "GET (a scrape of the wrong port)",
            request("GET", "/metrics", ""),
            405,
            "method_not_allowed",
        ),
        with(
            "another path",
            request("POST", "/metric", batch(&[GOOD])),
            404,
            "not_found",
        ),
    ]
}
