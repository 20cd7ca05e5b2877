//! Bodies that are no batch, uncompressed and compressed.

use axum::body::Body;
use bytes::Bytes;
use futures::stream;
use http::Request;

use super::packed::{gzip, zstd_spaces};
use super::{Case, body, with};

const GOOD: &str =
    r#"{"metrics":[{"metric_name":"up","timestamp":1700000000000,"value":1,"labels":{}}]}"#;

fn good_with(field: &str, text: &str) -> String {
    GOOD.replace(&format!("\"{field}\":1"), &format!("\"{field}\":{text}"))
}

fn encoded(encoding: &str, bytes: impl Into<Body>) -> Request<Body> {
    Request::post("/metrics")
        .header("content-encoding", encoding)
        .body(bytes.into())
        .unwrap()
}

pub(super) fn all() -> Vec<Case> {
    let mut all = json();
    all.extend(sizes());
    all.extend(compressed());
    all
}

fn json() -> Vec<Case> {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let deep_label = GOOD.replace("{}", &format!("{{\"a\":{deep}}}"));
    let not_utf8 = GOOD.replace("up", "u?p").into_bytes();
    let not_utf8: Vec<u8> = not_utf8
        .into_iter()
        .map(|byte| if byte == b'?' { 0xff } else { byte })
        .collect();
    let lone_surrogate = GOOD.replace("up", r"\ud800");
    vec![
        body("nothing", "", 400, "body_invalid"),
        body("text that is not JSON", "cpu_usage 42", 400, "body_invalid"),
        body(
            "JSON that breaks off",
            GOOD.split_at(60).0,
            400,
            "body_invalid",
        ),
        body("`null`", "null", 400, "body_invalid"),
        body(
            "a list of samples without `metrics` around it",
            "[]",
            400,
            "body_invalid",
        ),
        body("an object without `metrics`", "{}", 400, "body_invalid"),
        body(
            "`metrics` that is an object",
            r#"{"metrics":{}}"#,
            400,
            "body_invalid",
        ),
        body(
            "`metrics` that is `null`",
            r#"{"metrics":null}"#,
            400,
            "body_invalid",
        ),
        body(
            "`metrics` twice",
            r#"{"metrics":[],"metrics":[]}"#,
            400,
            "body_invalid",
        ),
        body(
            "two batches, one behind the other",
            format!("{GOOD}{GOOD}"),
            400,
            "body_invalid",
        ),
        body(
            "a value `NaN`, which JSON does not have",
            good_with("value", "NaN"),
            400,
            "body_invalid",
        ),
        body(
            "a value `Infinity`",
            good_with("value", "Infinity"),
            400,
            "body_invalid",
        ),
        body(
            "a number with a leading zero",
            good_with("value", "01"),
            400,
            "body_invalid",
        ),
        body(
            "a comma behind the last sample",
            GOOD.replace("}]", "},]"),
            400,
            "body_invalid",
        ),
        body("single quotes", GOOD.replace('"', "'"), 400, "body_invalid"),
        body("100,000 brackets", deep, 400, "body_invalid"),
        body(
            "a label value 100,000 brackets deep",
            deep_label,
            400,
            "batch_refused: labels_invalid",
        ),
        body("bytes that are not UTF-8", not_utf8, 400, "body_invalid"),
        body(
            "half of a surrogate pair",
            lone_surrogate,
            400,
            "batch_refused: metric_name_invalid",
        ),
    ]
}

fn sizes() -> Vec<Case> {
    let too_long = vec![b' '; (16 << 20) + 1];
    let piece = Bytes::from(vec![b' '; 1 << 20]);
    let pieces = vec![piece; 17].into_iter().map(Ok::<_, std::io::Error>);
    let many = format!("{{\"metrics\":[{}0]}}", "0,".repeat(500_000));
    vec![
        body(
            "a body of 16 MiB and a byte",
            too_long,
            413,
            "body_too_large",
        ),
        body(
            "17 MiB in chunks of unknown number",
            Body::from_stream(stream::iter(pieces)),
            413,
            "body_too_large",
        ),
        body("500,001 samples", many, 413, "too_many_samples"),
        with(
            "2 KiB of zstd that inflate to 64 MiB and a byte",
            encoded("zstd", zstd_spaces((64 << 20) + 1)),
            413,
            "inflated_too_large",
        ),
    ]
}

fn compressed() -> Vec<Case> {
    let packed = gzip(GOOD.as_bytes());
    let truncated = packed[..packed.len() - 20].to_vec();
    let mut damaged = packed.clone();
    let checksum = packed.len() - 6;
    damaged[checksum] ^= 1;
    let followed = [packed.as_slice(), b"and more"].concat();
    let members = [gzip(&GOOD.as_bytes()[..40]), gzip(&GOOD.as_bytes()[40..])].concat();
    vec![
        with(
            "gzip that breaks off",
            encoded("gzip", truncated),
            400,
            "body_corrupt",
        ),
        with(
            "gzip with a wrong checksum",
            encoded("gzip", damaged),
            400,
            "body_corrupt",
        ),
        with(
            "gzip with something behind it",
            encoded("gzip", followed),
            400,
            "body_corrupt",
        ),
        with(
            "`Content-Encoding: gzip` on plain JSON",
            encoded("gzip", GOOD),
            400,
            "body_corrupt",
        ),
        with(
            "`Content-Encoding: zstd` on plain JSON",
            encoded("zstd", GOOD),
            400,
            "body_corrupt",
        ),
        with(
            "gzip without saying so",
            super::post(packed.clone()),
            400,
            "body_corrupt",
        ),
        with(
            "`Content-Encoding: br`",
            encoded("br", GOOD),
            415,
            "encoding_unsupported",
        ),
        with(
            "`Content-Encoding: gzip, gzip`",
            encoded("gzip, gzip", GOOD),
            415,
            "encoding_unsupported",
        ),
        with(
            "two gzip members, which is allowed",
            encoded("GZIP", members),
            200,
            "",
        ),
    ]
}
