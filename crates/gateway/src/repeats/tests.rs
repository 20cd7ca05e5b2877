//! Requests that come again, as senders meet it.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use buffer::PublishError;
use http::{Request, StatusCode};

use crate::config::{Config, IdempotencyConfig};
use crate::fake::{Answer, FakeBuffer, NOW_MS, Server, Then, batch, sample};

fn request(key: &str, body: &str) -> Request<Body> {
    Request::post("/metrics")
        .header("content-type", "application/json")
        .header("idempotency-key", key)
        .header("sluice-source", "job")
        .body(Body::from(body.to_owned()))
        .unwrap()
}

fn one(host: &str) -> String {
    batch(&[sample("up", NOW_MS, 1.0, host)])
}

fn is_repeat(answer: &Answer) -> bool {
    answer.header("idempotency-replayed") == Some("true")
}

#[tokio::test]
async fn a_repeat_gets_the_same_answer_and_is_not_stored_again() {
    let server = Server::start(&Config::default(), FakeBuffer::default());
    let bad = serde_json::json!({"metric_name": "", "timestamp": NOW_MS, "value": 1, "labels": {}});
    let body = batch(&[sample("up", NOW_MS, 1.0, "a"), bad]);
    let first = server.send(request("k1", &body)).await;
    assert!(!is_repeat(&first));
    let again = server.send(request("k1", &body)).await;
    assert!(is_repeat(&again));
    assert_eq!((again.status, &again.body), (first.status, &first.body));
    for header in ["sluice-durability", "content-type"] {
        assert_eq!(again.header(header), first.header(header), "{header}");
        assert!(again.header(header).is_some());
    }
    assert_eq!(server.buffer.confirmed().len(), 1);
    let other = server.send(request("k2", &body)).await;
    assert!(!is_repeat(&other));
    assert_eq!(server.buffer.confirmed().len(), 2);
}

#[tokio::test]
async fn a_key_is_one_senders_and_for_one_body() {
    let server = Server::start(&Config::default(), FakeBuffer::default());
    assert_eq!(server.send(request("k", &one("a"))).await.status, 200);
    let reused = server.send(request("k", &one("b"))).await;
    assert_eq!(reused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(reused.json()["code"], "idempotency_key_reused");
    let mut others = request("k", &one("b"));
    let other = http::HeaderValue::from_static("other job");
    others.headers_mut().insert("sluice-source", other);
    assert_eq!(server.send(others).await.status, 200);
    for bad in ["", &"k".repeat(256)] {
        let answer = server.send(request(bad, &one("a"))).await;
        assert_eq!(answer.status, 400);
        assert_eq!(answer.json()["code"], "idempotency_key_invalid");
    }
}

#[tokio::test]
async fn what_failed_may_be_tried_again() {
    let buffer = FakeBuffer::default();
    let fail = Then::Fail(PublishError::QueueFull);
    buffer.next.lock().unwrap().push_back(fail);
    let server = Server::start(&Config::default(), buffer);
    let first = server.send(request("k", &one("a"))).await;
    assert_eq!(first.status, StatusCode::SERVICE_UNAVAILABLE);
    let again = server.send(request("k", &one("a"))).await;
    assert_eq!(again.status, 200);
    assert!(!is_repeat(&again));
    let refused = server.send(request("r", "{}")).await;
    assert_eq!(refused.status, 400);
    assert!(!is_repeat(&server.send(request("r", "{}")).await));
}

#[tokio::test(start_paused = true)]
async fn a_repeat_waits_for_the_first_that_is_on_its_way() {
    let delay = Duration::from_secs(3);
    let server = Server::start(
        &Config::default(),
        FakeBuffer::that(Then::ConfirmAfter(delay)),
    );
    let body = one("a");
    let (first, again) = tokio::join!(
        server.send(request("k", &body)),
        server.send(request("k", &body))
    );
    assert_eq!(
        (first.status, again.status),
        (StatusCode::OK, StatusCode::OK)
    );
    assert_eq!(u8::from(is_repeat(&first)) + u8::from(is_repeat(&again)), 1);
    assert_eq!(server.buffer.confirmed().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_came_too_late_is_the_answer_to_the_next_attempt() {
    // Longer than a request may take: the sender is told 503, and the records become durable all the same.
    let delay = Duration::from_secs(14);
    let server = Server::start(
        &Config::default(),
        FakeBuffer::that(Then::ConfirmAfter(delay)),
    );
    let first = server.send(request("k", &one("a"))).await;
    assert_eq!(first.status, StatusCode::SERVICE_UNAVAILABLE);
    let again = server.send(request("k", &one("a"))).await;
    assert_eq!(again.status, StatusCode::OK);
    assert!(is_repeat(&again));
    assert_eq!(server.buffer.confirmed().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_repeat_of_what_is_never_answered_is_asked_to_come_back() {
    let server = Server::start(&Config::default(), FakeBuffer::that(Then::Never));
    let first = server.send(request("k", &one("a"))).await;
    assert_eq!(first.status, StatusCode::SERVICE_UNAVAILABLE);
    let again = server.send(request("k", &one("a"))).await;
    assert_eq!(again.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(again.header("retry-after").is_some());
    assert_eq!(server.buffer.published.lock().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_sender_that_hung_up_finds_its_answer_when_it_comes_again() {
    let delay = Duration::from_secs(2);
    let server = Arc::new(Server::start(
        &Config::default(),
        FakeBuffer::that(Then::ConfirmAfter(delay)),
    ));
    let sent = server.send(request("k", &one("a")));
    let gone = tokio::time::timeout(Duration::from_secs(1), sent).await;
    assert!(gone.is_err());
    let again = server.send(request("k", &one("a"))).await;
    assert_eq!(again.status, StatusCode::OK);
    assert!(is_repeat(&again));
    assert_eq!(server.buffer.confirmed().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_remembered_for_as_long_as_the_setting_says() {
    let server = Server::start(&Config::default(), FakeBuffer::default());
    server.send(request("k", &one("a"))).await;
    tokio::time::advance(Duration::from_secs(299)).await;
    assert!(is_repeat(&server.send(request("k", &one("a"))).await));
    tokio::time::advance(Duration::from_secs(1)).await;
    assert!(!is_repeat(&server.send(request("k", &one("a"))).await));
}

#[tokio::test]
async fn bodies_are_known_again_where_a_setting_says_so_and_samples_have_their_own_times() {
    let idempotency = IdempotencyConfig {
        bodies: true,
        ..IdempotencyConfig::default()
    };
    let config = Config {
        idempotency,
        ..Config::default()
    };
    let server = Server::start(&config, FakeBuffer::default());
    assert!(!is_repeat(&server.post(one("a")).await));
    assert!(is_repeat(&server.post(one("a")).await));
    assert!(!is_repeat(&server.post(one("b")).await));
    assert_eq!(server.buffer.confirmed().len(), 2);
    for _ in 0..2 {
        let text = Request::post("/api/v1/import/prometheus");
        let answer = server.send(text.body(Body::from("up 1\n")).unwrap()).await;
        assert!(!is_repeat(&answer), "its time is when it came");
    }
    assert_eq!(server.buffer.confirmed().len(), 4);
}

#[tokio::test]
async fn without_the_setting_the_header_says_nothing() {
    let idempotency = IdempotencyConfig {
        enabled: false,
        ..IdempotencyConfig::default()
    };
    let config = Config {
        idempotency,
        ..Config::default()
    };
    let server = Server::start(&config, FakeBuffer::default());
    for _ in 0..2 {
        assert!(!is_repeat(&server.send(request("k", &one("a"))).await));
    }
    assert_eq!(server.buffer.confirmed().len(), 2);
}

#[tokio::test]
async fn calls_of_grpc_are_answered_again_with_their_trailers() {
    let server = Server::start(&Config::default(), FakeBuffer::default());
    let call = || {
        Request::post("/opentelemetry.proto.collector.metrics.v1.MetricsService/Export")
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .header("idempotency-key", "k")
            .body(Body::from(grpc()))
            .unwrap()
    };
    let (_, status) = server.call(call()).await;
    assert_eq!(status, "0");
    let (answer, status) = server.call(call()).await;
    assert_eq!(status, "0");
    assert!(is_repeat(&answer));
    assert_eq!(server.buffer.confirmed().len(), 1);
}

/// A gauge with one point in the frame of gRPC.
fn grpc() -> Vec<u8> {
    fn field(number: u8, content: &[u8]) -> Vec<u8> {
        let mut bytes = vec![number << 3 | 2, u8::try_from(content.len()).unwrap()];
        bytes.extend_from_slice(content);
        bytes
    }
    let mut point = vec![3 << 3 | 1];
    point.extend_from_slice(&(u64::try_from(NOW_MS).unwrap() * 1_000_000).to_le_bytes());
    point.push(4 << 3 | 1);
    point.extend_from_slice(&1.5_f64.to_le_bytes());
    let gauge = field(5, &field(1, &point));
    let metric = field(2, &[field(1, b"up"), gauge].concat());
    let message = field(1, &field(2, &metric));
    let mut frame = vec![0];
    frame.extend_from_slice(&u32::try_from(message.len()).unwrap().to_be_bytes());
    frame.extend_from_slice(&message);
    frame
}
