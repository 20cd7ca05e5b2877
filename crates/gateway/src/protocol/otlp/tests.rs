//! What senders of OTLP are answered, over HTTP and gRPC.

use axum::body::Body;
use base64::Engine as _;
use buffer::PublishError;
use bytes::Bytes;
use http::{Request, StatusCode};
use serde_json::{Value, json};
use service::units::Size;

use super::grpc::EXPORT;
use crate::fake::{Answer, FakeBuffer, NOW_MS, Server, Then};
use crate::{Config, HttpConfig, OtlpConfig, OtlpDelta};

const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";

fn body(points: &Value) -> Value {
    json!({"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": "load.average", "gauge": {"dataPoints": points}}]}]}]})
}

fn good() -> Value {
    body(&json!([{"timeUnixNano": (NOW_MS * 1_000_000).to_string(), "asDouble": 0.5}]))
}

fn mixed() -> Value {
    let at = (NOW_MS * 1_000_000).to_string();
    body(
        &json!([{"timeUnixNano": at, "asDouble": 0.5}, {"timeUnixNano": at}, {"timeUnixNano": NOW_MS.to_string(), "asInt": 1}]),
    )
}

fn protobuf(json: &Value) -> Vec<u8> {
    codec::otlp::to_protobuf(json.to_string().as_bytes()).unwrap()
}

fn framed(flag: u8, message: &[u8]) -> Vec<u8> {
    let mut framed = vec![flag];
    framed.extend_from_slice(&u32::try_from(message.len()).unwrap().to_be_bytes());
    framed.extend_from_slice(message);
    framed
}

fn server() -> Server {
    Server::start(&Config::default(), FakeBuffer::default())
}

async fn post(server: &Server, content_type: &str, body: impl Into<Body>) -> Answer {
    let request = Request::post("/v1/metrics").header("content-type", content_type);
    server.send(request.body(body.into()).unwrap()).await
}

async fn call(server: &Server, headers: &[(&str, &str)], body: Vec<u8>) -> (Answer, String) {
    let mut request = Request::post(EXPORT).header("te", "trailers");
    if !headers.iter().any(|(name, _)| *name == "content-type") {
        request = request.header("content-type", "application/grpc");
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::from(body)).unwrap();
    server.call(request).await
}

/// The trailer or header `grpc-status`, which the test server tells apart from the body.
fn text(answer: &Answer) -> String {
    String::from_utf8_lossy(&answer.body).into_owned()
}

#[tokio::test]
async fn success_is_an_empty_response_in_the_requests_encoding() {
    let server = server();
    let answer = post(&server, PROTOBUF, protobuf(&good())).await;
    assert_eq!((answer.status, &*answer.body), (StatusCode::OK, &b""[..]));
    assert_eq!(answer.header("content-type"), Some(PROTOBUF));
    assert_eq!(answer.header("sluice-durability"), Some("local"));
    let answer = post(
        &server,
        "application/json; charset=utf-8",
        good().to_string(),
    )
    .await;
    assert_eq!((answer.status, answer.text()), (StatusCode::OK, "{}"));
    assert_eq!(answer.header("content-type"), Some(JSON));
    let records = server.buffer.confirmed();
    assert_eq!(records.len(), 2);
    assert_eq!(&*records[0].key, b"load_average");
    assert_eq!(records[0].value, records[1].value);
}

#[tokio::test]
async fn an_empty_request_is_a_success() {
    let server = server();
    assert_eq!(post(&server, PROTOBUF, "").await.status, StatusCode::OK);
    assert_eq!(post(&server, JSON, "{}").await.status, StatusCode::OK);
}

#[tokio::test]
async fn refused_points_are_a_partial_success_even_when_all_are() {
    let server = server();
    let answer = post(&server, JSON, mixed().to_string()).await;
    assert_eq!(answer.status, StatusCode::OK);
    let partial = &answer.json()["partialSuccess"];
    assert_eq!(partial["rejectedDataPoints"], "2");
    let message = partial["errorMessage"].as_str().unwrap();
    assert!(
        message.starts_with(
            "2 of 3 data points were refused: 1 value_missing, 1 timestamp_in_seconds"
        ),
        "{message}"
    );
    assert!(
        message.contains("the first is point 1 (\"load.average\"): the data point has neither"),
        "{message}"
    );
    assert_eq!(server.buffer.confirmed().len(), 1);

    let answer = post(&server, PROTOBUF, protobuf(&mixed())).await;
    assert_eq!(answer.status, StatusCode::OK);
    // partial_success { rejected_data_points: 2, error_message: … }
    assert_eq!(answer.body.first(), Some(&0x0a));
    assert_eq!(
        answer.body.get(3..5).or(answer.body.get(2..4)),
        Some(&[8, 2][..])
    );
    assert!(text(&answer).contains("2 of 3 data points"));

    let none = body(&json!([{"asInt": 1}]));
    let answer = post(&server, JSON, none.to_string()).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.json()["partialSuccess"]["rejectedDataPoints"], "1");
}

#[tokio::test]
async fn compressed_bodies_are_inflated() {
    let server = server();
    let plain = protobuf(&good());
    let zstd = zstd_of(&plain);
    let request = Request::post("/v1/metrics")
        .header("content-type", PROTOBUF)
        .header("content-encoding", "zstd")
        .body(Body::from(zstd))
        .unwrap();
    assert_eq!(server.send(request).await.status, StatusCode::OK);
    assert_eq!(server.buffer.confirmed().len(), 1);
}

/// A zstd frame of one raw block.
fn zstd_of(plain: &[u8]) -> Vec<u8> {
    let length = u8::try_from(plain.len()).unwrap();
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0x20, length];
    let block = u32::from(length) << 3 | 1;
    frame.extend_from_slice(&block.to_le_bytes()[..3]);
    frame.extend_from_slice(plain);
    frame
}

#[tokio::test]
async fn failures_are_a_status_in_the_requests_encoding() {
    let server = server();
    let answer = post(&server, JSON, "{\"resourceMetrics\": 7}").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(answer.json()["code"], 3);
    let message = answer.json()["message"].as_str().unwrap().to_owned();
    assert!(
        message.contains("resourceMetrics is 7 at line 1"),
        "{message}"
    );
    assert!(message.ends_with("(body_invalid)"), "{message}");

    let answer = post(&server, PROTOBUF, "no protobuf").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(answer.header("content-type"), Some(PROTOBUF));
    // Status { code: 3, message: … }
    assert_eq!(answer.body.get(..3), Some(&[8, 3, 0x12][..]));

    let answer = post(&server, "text/plain", "x").await;
    assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert!(text(&answer).contains("send application/x-protobuf or application/json"));
    let request = Request::post("/v1/metrics")
        .header("content-type", JSON)
        .header("content-encoding", "br")
        .body(Body::empty())
        .unwrap();
    let answer = server.send(request).await;
    assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(answer.json()["code"], 12);
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_413_and_not_worth_repeating() {
    let http = HttpConfig {
        max_body: Size(10),
        ..HttpConfig::default()
    };
    let config = Config {
        http,
        ..Config::default()
    };
    let server = Server::start(&config, FakeBuffer::default());
    let answer = post(&server, JSON, good().to_string()).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(
        (answer.json()["code"].clone(), answer.header("retry-after")),
        (json!(8), None)
    );
    let (answer, status) = call(&server, &[], framed(0, &protobuf(&good()))).await;
    assert_eq!((answer.status, status.as_str()), (StatusCode::OK, "8"));
    assert!(!details(&answer).windows(9).any(|part| part == b"RetryInfo"));
}

#[tokio::test]
async fn our_faults_are_503_which_senders_repeat() {
    for error in [PublishError::QueueFull, PublishError::Closed] {
        let server = Server::start(&Config::default(), FakeBuffer::that(Then::Fail(error)));
        let answer = post(&server, JSON, good().to_string()).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(matches!(
            answer.header("retry-after"),
            Some("1" | "2" | "3" | "4")
        ));
        assert_eq!(answer.json()["code"], 14);
        let (answer, status) = call(&server, &[], framed(0, &protobuf(&good()))).await;
        assert_eq!((answer.status, status.as_str()), (StatusCode::OK, "14"));
        assert!(details(&answer).windows(9).any(|part| part == b"RetryInfo"));
    }
}

/// `grpc-status-details-bin`.
fn details(answer: &Answer) -> Vec<u8> {
    let details = answer.header("grpc-status-details-bin").unwrap();
    base64::engine::general_purpose::STANDARD_NO_PAD
        .decode(details)
        .unwrap()
}

#[tokio::test]
async fn a_unary_call_is_answered_with_a_message_and_trailers() {
    let server = server();
    let message = protobuf(&good());
    let (answer, status) = call(&server, &[], framed(0, &message)).await;
    assert_eq!((answer.status, status.as_str()), (StatusCode::OK, "0"));
    assert_eq!(answer.body, Bytes::from_static(&[0; 5]));
    assert_eq!(
        answer.header("content-type"),
        Some("application/grpc+proto")
    );
    let zstd = framed(1, &zstd_of(&message));
    let (_, status) = call(&server, &[("grpc-encoding", "zstd")], zstd).await;
    assert_eq!(status, "0");
    // A sender may leave single messages as they are.
    let (_, status) = call(&server, &[("grpc-encoding", "gzip")], framed(0, &message)).await;
    assert_eq!(status, "0");
    assert_eq!(server.buffer.confirmed().len(), 3);

    let (answer, status) = call(&server, &[], framed(0, &protobuf(&mixed()))).await;
    assert_eq!(status, "0");
    assert!(text(&answer).contains("2 of 3 data points"));
}

#[tokio::test]
async fn a_call_that_is_none_gets_its_status_in_the_header() {
    let server = server();
    let message = protobuf(&good());
    let mut short = framed(0, &message);
    short.pop();
    let two = [framed(0, &message), framed(0, &message)].concat();
    for (headers, body, expected_status, expected) in [
        (
            &[][..],
            framed(0, b"no protobuf"),
            "3",
            "no ExportMetricsServiceRequest",
        ),
        (&[], Vec::new(), "3", "0 bytes, but a message begins with 5"),
        (&[], short, "3", "a unary call has one message"),
        (&[], two, "3", "a unary call has one message"),
        (&[], framed(7, &message), "3", "flag is 7"),
        (
            &[("grpc-encoding", "gzip")],
            framed(1, &message),
            "3",
            "not valid gzip",
        ),
        (
            &[("grpc-encoding", "snappy")],
            framed(1, &message),
            "12",
            "snappy",
        ),
    ] {
        let (answer, status) = call(&server, headers, body).await;
        assert_eq!(
            (answer.status, status.as_str()),
            (StatusCode::OK, expected_status)
        );
        let message = answer.header("grpc-message").unwrap();
        assert!(message.contains(expected), "{message}");
        assert!(
            answer
                .header("grpc-accept-encoding")
                .unwrap()
                .contains("gzip")
        );
    }
    let (answer, _) = call(&server, &[("content-type", JSON)], message).await;
    assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(server.buffer.confirmed().len(), 0);
}

#[tokio::test]
async fn delta_points_are_added_up_over_requests_unless_that_is_refused() {
    let delta = |at_ms: i64| {
        json!({"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": "jobs", "sum": {
            "aggregationTemporality": 1, "isMonotonic": true,
            "dataPoints": [{"timeUnixNano": (at_ms * 1_000_000).to_string(), "asInt": 2}]}}]}]}]})
    };
    let otlp = OtlpConfig {
        gateway: Some("g7".to_owned()),
        ..OtlpConfig::default()
    };
    let config = Config {
        otlp,
        ..Config::default()
    };
    let server = Server::start(&config, FakeBuffer::default());
    for at_ms in [NOW_MS, NOW_MS + 1, NOW_MS + 1] {
        let answer = post(&server, JSON, delta(at_ms).to_string()).await;
        assert_eq!(answer.text(), "{}");
    }
    let records = server.buffer.confirmed();
    let totals: Vec<f64> = records
        .iter()
        .map(|record| only_value(&record.value))
        .collect();
    assert_eq!(totals, [2.0, 4.0, 4.0]);
    assert!(records[0].value.windows(2).any(|part| part == b"g7"));

    let otlp = OtlpConfig {
        delta: OtlpDelta::Refuse,
        ..OtlpConfig::default()
    };
    let config = Config {
        otlp,
        ..Config::default()
    };
    let server = Server::start(&config, FakeBuffer::default());
    let answer = post(&server, JSON, delta(NOW_MS).to_string()).await;
    let message = answer.json()["partialSuccess"]["errorMessage"].to_string();
    assert!(message.contains("1 temporality_invalid"), "{message}");
}

fn only_value(record: &Bytes) -> f64 {
    const RW2: &[u8] = b"application/x-protobuf;proto=io.prometheus.write.v2.Request";
    let block = codec::record::decode(Some(RW2), record).unwrap();
    let series = block.iter().next().unwrap();
    series.points()[0].value
}

#[tokio::test]
async fn nobody_loses_a_point_for_a_long_description() {
    let server = server();
    let mut body = good();
    let metric = &mut body["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][0];
    metric["description"] = "d".repeat(2000).into();
    let answer = post(&server, JSON, body.to_string()).await;
    assert_eq!(text(&answer), "{}");
    assert_eq!(server.buffer.confirmed().len(), 1);
}
