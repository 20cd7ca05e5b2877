//! What a gateway does that has more than it can take: through the HTTP API, for this crate's tests.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures::StreamExt as _;
use futures::future::join_all;
use futures::stream::FuturesUnordered;
use http::{Request, StatusCode};
use service::units::Size;

use crate::config::{Config, HttpConfig};
use crate::fake::{Answer, FakeBuffer, NOW_MS, Server, Then, batch, sample};

/// Room for a hundred bodies.
const ROOM: u64 = 100 * BODY_BYTES;

const BODY_BYTES: u64 = 1000;

fn config() -> Config {
    Config {
        http: HttpConfig {
            max_in_flight: Size(ROOM),
            ..HttpConfig::default()
        },
        ..Config::default()
    }
}

fn server(answered_after: Duration) -> Server {
    let buffer = FakeBuffer::that(Then::ConfirmAfter(answered_after));
    Server::start(&config(), buffer)
}

fn body() -> String {
    let body = batch(&[sample("up", NOW_MS, 1.0, "a")]);
    format!(
        "{body:<width$}",
        width = usize::try_from(BODY_BYTES).unwrap()
    )
}

fn request(tenant: &str) -> Request<Body> {
    Request::post("/metrics")
        .header("content-type", "application/json")
        .header("x-scope-orgid", tenant)
        .body(Body::from(body()))
        .unwrap()
}

fn count(answers: &[Answer], status: StatusCode) -> usize {
    answers
        .iter()
        .filter(|answer| answer.status == status)
        .count()
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_one_tenant_turns_away_none_of_another() {
    let server = server(Duration::from_secs(3));
    let flood = join_all((0..1000).map(|_| server.send(request("flood"))));
    let others = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        join_all((0..20).map(|number| server.send(request(&format!("t{}", number % 4))))).await
    };
    let (flood, others) = tokio::join!(flood, others);
    assert_eq!(count(&others, StatusCode::OK), 20);
    assert_eq!(count(&flood, StatusCode::OK), 50, "half of the room");
    assert_eq!(count(&flood, StatusCode::SERVICE_UNAVAILABLE), 950);
    let refused = flood.iter().find(|answer| answer.status != StatusCode::OK);
    let refused = refused.unwrap();
    assert_eq!(refused.json()["code"], "overloaded");
    assert!(refused.text().contains("its share"), "{}", refused.text());
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_is_refused_at_once_and_from_the_header() {
    let server = server(Duration::from_secs(3));
    let held = (0..50).map(|_| server.send(request("flood")));
    let mut held: FuturesUnordered<_> = held.collect();
    let refused = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let started = tokio::time::Instant::now();
        let mut request = request("flood");
        *request.body_mut() = Body::new(SizedPending);
        let answer = server.send(request).await;
        (answer, started.elapsed())
    };
    let (refused, _) = tokio::join!(refused, async { while held.next().await.is_some() {} });
    let (answer, elapsed) = refused;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(elapsed < Duration::from_millis(100), "{elapsed:?}");
}

/// A body that announces its size and never comes.
struct SizedPending;

impl http_body::Body for SizedPending {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, std::io::Error>>> {
        std::task::Poll::Pending
    }

    fn size_hint(&self) -> http_body::SizeHint {
        http_body::SizeHint::with_exact(BODY_BYTES)
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_sender_keeps_nobody_out() {
    let server = server(Duration::from_millis(1));
    let slow = (0..200).map(|number| {
        let mut request = request(&format!("slow-{number}"));
        *request.body_mut() = Body::new(SizedPending);
        server.send(request)
    });
    let slow = join_all(slow);
    let others = async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        join_all((0..20).map(|_| server.send(request("quick")))).await
    };
    let (slow, others) = tokio::join!(slow, others);
    assert_eq!(count(&others, StatusCode::OK), 20);
    // Of those that were let in, a quarter of the bytes may come slowly; the others are told to come back.
    assert_eq!(count(&slow, StatusCode::REQUEST_TIMEOUT), 25);
    assert_eq!(count(&slow, StatusCode::SERVICE_UNAVAILABLE), 175);
}

#[tokio::test(start_paused = true)]
async fn the_wait_grows_with_the_senders_attempts() {
    let buffer = FakeBuffer::that(Then::Fail(buffer::PublishError::QueueFull));
    let server = Server::start(&config(), buffer);
    let wait = async |attempt: &str| {
        let mut request = request("a");
        let attempt = attempt.parse().unwrap();
        request.headers_mut().insert("retry-attempt", attempt);
        let answer = server.send(request).await;
        answer
            .header("retry-after")
            .unwrap()
            .parse::<u32>()
            .unwrap()
    };
    assert!((1..=2).contains(&wait("0").await));
    assert!((4..=10).contains(&wait("2").await));
    assert!((15..=30).contains(&wait("60").await));
    assert!((1..=2).contains(&wait("nonsense").await));
}

#[tokio::test(start_paused = true)]
async fn a_body_of_very_many_names_keeps_others_out_until_its_records_are_there() {
    let mut config = config();
    config.http.max_in_flight = Size(1 << 20);
    let buffer = FakeBuffer::that(Then::ConfirmAfter(Duration::from_secs(3)));
    let server = Server::start(&config, buffer);
    let names: Vec<_> = (0..2000)
        .map(|number| sample(&format!("m{number}"), NOW_MS, 1.0, "a"))
        .collect();
    let mut many = request("many");
    *many.body_mut() = Body::from(batch(&names));
    let other = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        server.send(request("other")).await
    };
    let (many, other) = tokio::join!(server.send(many), other);
    assert_eq!(many.status, StatusCode::OK, "{}", many.text());
    assert_eq!(other.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(server.send(request("other")).await.status, StatusCode::OK);
}
