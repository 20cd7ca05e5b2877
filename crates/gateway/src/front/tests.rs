//! That who comes by the short way gets what the router would have answered.

use axum::body::Body;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use service::http::fuzzing::converse;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::Instant;
use tower::ServiceExt as _;

use super::Direct;
use crate::config::{AccessConfig, Config, KeyConfig};
use crate::fake::{FakeBuffer, NOW_MS, Server, Then, batch, sample};
use crate::hash_key;
use crate::protocol::otlp::grpc::EXPORT;
use crate::router::pushed;

fn paths() -> Vec<&'static str> {
    pushed(Direct::default()).0.into_keys().collect()
}

fn request(method: Method, path: &str, body: &str) -> Request<Body> {
    let request = Request::builder().method(method).uri(path);
    let request = request.header("content-type", "application/json");
    request.body(Body::from(body.to_owned())).unwrap()
}

type Seen = (StatusCode, HeaderMap, String);

async fn seen(response: axum::response::Response) -> Seen {
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let mut headers = parts.headers;
    // A router's answers say it, and else the connection does.
    headers.remove("content-length");
    headers.remove("retry-after");
    (
        parts.status,
        headers,
        String::from_utf8_lossy(&body).into_owned(),
    )
}

/// What both answer.
async fn both(
    server: &Server,
    method: Method,
    path: &str,
    body: &str,
    key: Option<&str>,
) -> [Seen; 2] {
    let request = || {
        let mut request = request(method.clone(), path, body);
        if let Some(key) = key {
            let bearer = format!("Bearer {key}").parse().unwrap();
            request.headers_mut().insert("authorization", bearer);
        }
        request
    };
    let front = server.router.clone().oneshot(request()).await.unwrap();
    let router = server.router.routes().clone();
    let routed = router.oneshot(request()).await.unwrap();
    [seen(front).await, seen(routed).await]
}

#[tokio::test(start_paused = true)]
async fn every_path_is_answered_as_the_router_answers_it() {
    let server = Server::start(&Config::default(), FakeBuffer::default());
    let good = batch(&[sample("up", NOW_MS, 1.0, "a")]);
    for path in paths() {
        for body in [good.as_str(), "", "{", "up 1"] {
            for query in ["", "?strict=true", "?strict=perhaps"] {
                let path = format!("{path}{query}");
                let [front, routed] = both(&server, Method::POST, &path, body, None).await;
                assert_eq!(front, routed, "{path} {body}");
                assert_ne!(front.0, StatusCode::NOT_FOUND, "{path}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn other_methods_and_other_paths_are_the_routers() {
    let server = Server::start(&Config::default(), FakeBuffer::default());
    for method in [Method::GET, Method::PUT, Method::HEAD, Method::OPTIONS] {
        for path in paths() {
            let [front, routed] = both(&server, method.clone(), path, "", None).await;
            assert_eq!(front, routed, "{method} {path}");
            assert_eq!(front.0, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
        }
    }
    for path in ["/metrics/", "//metrics", "/Metrics", "/metric%73"] {
        let [front, routed] = both(&server, Method::POST, path, "{}", None).await;
        assert_eq!(front, routed, "{path}");
        assert_eq!(front.0, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_comes_past_the_guard() {
    let access = AccessConfig {
        required: true,
        keys: [(
            "agents".to_owned(),
            KeyConfig {
                sha256: hash_key("the-key"),
                ..KeyConfig::default()
            },
        )]
        .into(),
        ..AccessConfig::default()
    };
    let config = Config {
        access,
        ..Config::default()
    };
    let server = Server::start(&config, FakeBuffer::default());
    let body = batch(&[sample("up", NOW_MS, 1.0, "a")]);
    for path in paths() {
        for key in [None, Some("another-key"), Some("the-key")] {
            let [front, routed] = both(&server, Method::POST, path, &body, key).await;
            assert_eq!(front, routed, "{path} {key:?}");
            // gRPC says it elsewhere than in the status.
            if path != EXPORT {
                let is_challenged = front.1.contains_key("www-authenticate");
                assert_eq!(is_challenged, key != Some("the-key"), "{path} {key:?}");
            }
        }
    }
}

/// Where a connection's timer keeps the deadline, and not one of the request's own.
#[tokio::test(start_paused = true)]
async fn a_connection_is_told_in_time_that_the_buffer_does_not_answer() {
    let config = Config::default();
    let server = Server::start(&config, FakeBuffer::that(Then::Never));
    let (mut client, io) = tokio::io::duplex(1 << 16);
    let conversation = async {
        let body = batch(&[sample("up", NOW_MS, 1.0, "a")]);
        let request = format!(
            "POST /metrics HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        // The second one finds a connection whose timer has fired for the first.
        for _ in 0..2 {
            let asked = Instant::now();
            client.write_all(request.as_bytes()).await.unwrap();
            let mut answer = vec![0; 4096];
            let len = client.read(&mut answer).await.unwrap();
            let answer = String::from_utf8_lossy(&answer[..len]).into_owned();
            assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
            let late = asked.elapsed().checked_sub(config.http.request_timeout.0);
            let late = late.expect("not before its time");
            assert!(late.as_millis() <= 2, "{late:?}");
        }
        drop(client);
    };
    let (ended, ()) = tokio::join!(converse(io, None, server.router.clone()), conversation);
    assert_eq!(ended, "done");
}
