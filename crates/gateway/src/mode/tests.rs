//! What senders see of each mode.

use axum::body::Body;
use http::Request;

use super::Mode;
use crate::Config;
use crate::fake::{FakeBuffer, NOW_MS, Server, batch, sample};

fn server(mode: Mode) -> Server {
    let config = Config {
        mode,
        ..Config::default()
    };
    Server::start(&config, FakeBuffer::default())
}

fn body() -> String {
    batch(&[sample("up", NOW_MS, 1.0, "a")])
}

#[tokio::test(start_paused = true)]
async fn a_read_only_gateway_takes_nothing_and_asks_to_come_again() {
    let server = server(Mode::ReadOnly);
    let answer = server.post(body()).await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.json()["code"], "read_only");
    assert_eq!(
        answer.json()["error"],
        "this gateway takes no samples at present (emergency.mode: read_only); keep them and send them again"
    );
    assert!(answer.header("retry-after").is_some());
    for path in [
        "/api/v1/write",
        "/v1/metrics",
        "/write",
        "/api/v1/import/prometheus",
    ] {
        let request = Request::post(path).body(Body::from("up 1")).unwrap();
        assert_eq!(server.send(request).await.status, 503, "{path}");
    }
    assert!(server.buffer.published.lock().unwrap().is_empty());
    let health = Request::get("/health").body(Body::empty()).unwrap();
    assert_eq!(server.send(health).await.status, 200, "it is there");
}

#[tokio::test(start_paused = true)]
async fn back_from_read_only_everything_is_taken_again() {
    let server = server(Mode::ReadOnly);
    assert_eq!(server.post(body()).await.status, 503);
    assert_eq!(server.gateway.mode().set(Mode::Normal), Mode::ReadOnly);
    assert_eq!(server.post(body()).await.status, 200);
    assert_eq!(server.buffer.confirmed().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_draining_gateway_takes_what_comes_and_ends_the_connection() {
    let server = server(Mode::Normal);
    let answer = server.post(body()).await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("connection")),
        (200, None)
    );
    server.gateway.mode().set(Mode::Drain);
    let answer = server.post(body()).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("connection"), Some("close"));
    let mut request = Request::post("/metrics").body(Body::from(body())).unwrap();
    *request.version_mut() = http::Version::HTTP_2;
    let answer = server.send(request).await;
    assert_eq!(
        answer.header("connection"),
        None,
        "HTTP/2 has no such header"
    );
    assert_eq!(server.buffer.confirmed().len(), 3);
}
