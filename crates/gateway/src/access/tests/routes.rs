//! Every public route asks, and refuses as its protocol's clients expect it.

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::{Method, Request};

use super::{KEY, key};
use crate::fake::{FakeBuffer, NOW_MS, Server};
use crate::pushgateway::fake::FakeTable;
use crate::{Beside, Config};

fn server() -> Server {
    let mut config = Config::default();
    config.access.required = true;
    config.access.keys.insert("ci".to_owned(), key(KEY));
    let mut bound = key("slc_bound");
    bound.tenant = Some("acme".to_owned());
    config.access.keys.insert("bound".to_owned(), bound);
    let beside = Beside {
        routes: Router::new()
            .route("/api/v1/recent/samples", get(|| async { "all tenants'" }))
            .route("/something/else", get(|| async { "else" })),
        groups: Some(FakeTable::default().groups()),
        ..Beside::default()
    };
    let clock = std::sync::Arc::new(model::ManualClock::new(NOW_MS));
    Server::start_beside(&config, FakeBuffer::default().into(), clock, beside)
}

const ROUTES: [(Method, &str); 40] = [
    (Method::POST, "/metrics"),
    (Method::POST, "/api/v1/metrics"),
    (Method::POST, "/write"),
    (Method::POST, "/api/v2/write"),
    (Method::POST, "/api/v3/write_lp"),
    (Method::GET, "/ping"),
    (Method::GET, "/ready"),
    (Method::GET, "/query?q=SHOW+DATABASES"),
    (Method::POST, "/query"),
    (Method::POST, "/api/v1/write"),
    (Method::POST, "/api/v1/push"),
    (Method::POST, "/receive"),
    (Method::POST, "/api/v1/receive"),
    (Method::POST, "/api/prom/push"),
    (Method::POST, "/api/v1/prom/remote/write"),
    (Method::POST, "/prometheus/api/v1/write"),
    (Method::PUT, "/api/v1/import/prometheus"),
    (Method::POST, "/api/v1/import/prometheus/metrics/job/x"),
    (Method::POST, "/v1/metrics"),
    (Method::POST, "/api/v1/import"),
    (Method::POST, "/api/put"),
    (Method::POST, "/opentsdb/api/put"),
    (Method::POST, "/api/v1/series"),
    (Method::POST, "/api/v2/series"),
    (Method::POST, "/api/beta/sketches"),
    (Method::POST, "/datadog/api/v1/check_run"),
    (Method::POST, "/intake/"),
    (Method::POST, "/tenants/acme/intake"),
    (Method::GET, "/api/v1/metrics"),
    (Method::GET, "/-/ready"),
    (Method::GET, "/-/healthy"),
    (Method::GET, "/metrics/job/x"),
    (Method::PUT, "/metrics/job/x"),
    (Method::POST, "/metrics/job/x/instance/y"),
    (Method::DELETE, "/metrics/job/x"),
    (Method::PUT, "/metrics/job@base64/eA=="),
    (Method::POST, "/tenants/acme/api/v1/write"),
    (Method::POST, "/tenants/acme/metrics"),
    (Method::GET, "/api/v1/recent/samples"),
    (Method::GET, "/something/else"),
];

#[tokio::test(start_paused = true)]
async fn every_route_asks() {
    let server = server();
    for (method, path) in ROUTES {
        let request = Request::builder().method(&method).uri(path);
        let answer = server.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, 401, "{method} {path}");
        let challenge = answer.header("www-authenticate");
        assert_eq!(challenge, Some(r#"Bearer realm="sluice""#), "{path}");
        let wrong = Request::builder()
            .method(&method)
            .uri(path)
            .header("x-api-key", "wrong");
        let answer = server.send(wrong.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, 401, "{method} {path}");
    }
    let health = Request::get("/health").body(Body::empty()).unwrap();
    assert_eq!(server.send(health).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn each_protocol_refuses_in_its_own_words() {
    let server = server();
    let why = "a credential is needed here: an API key, a user and password, a token, or a client certificate";
    for (path, expected) in [
        (
            "/metrics",
            format!(r#"{{"error":"{why}","code":"unauthenticated"}}"#),
        ),
        ("/write?db=x", format!(r#"{{"error":"{why}"}}"#)),
        (
            "/api/v2/write",
            format!(r#"{{"code":"unauthorized","message":"{why}"}}"#),
        ),
        (
            "/api/v3/write_lp",
            format!(r#"{{"data":null,"error":"{why}"}}"#),
        ),
        ("/api/v1/write", format!("{why}\n")),
        ("/api/v1/import", format!("{why}\n")),
        ("/metrics/job/x", format!("{why}\n")),
        (
            "/api/put",
            format!(r#"{{"error":{{"code":401,"message":"{why}"}}}}"#),
        ),
        ("/api/v2/series", format!(r#"{{"errors":["{why}"]}}"#)),
    ] {
        let answer = server
            .send(Request::post(path).body(Body::empty()).unwrap())
            .await;
        assert_eq!(
            (answer.status.as_u16(), answer.text()),
            (401, expected.as_str()),
            "{path}"
        );
    }
    let json = Request::post("/v1/metrics").header("content-type", "application/json");
    let answer = server.send(json.body(Body::empty()).unwrap()).await;
    assert_eq!(
        (answer.status.as_u16(), answer.json()["code"].as_u64()),
        (401, Some(16))
    );
}

#[tokio::test(start_paused = true)]
async fn an_rpc_is_refused_with_its_own_status() {
    let server = server();
    let call = |key: Option<&str>, tenant: &str| {
        let request = Request::post(crate::protocol::otlp::grpc::EXPORT)
            .header("content-type", "application/grpc")
            .header("x-scope-orgid", tenant);
        let request = match key {
            Some(key) => request.header("authorization", format!("Bearer {key}")),
            None => request,
        };
        request.body(Body::from(vec![0; 5])).unwrap()
    };
    for (key, tenant, expected) in [
        (None, "", "16"),
        (Some("wrong"), "", "16"),
        (Some("slc_bound"), "other", "7"),
        (Some("slc_bound"), "acme", "0"),
    ] {
        let (answer, status) = server.call(call(key, tenant)).await;
        assert_eq!(
            (answer.status.as_u16(), status.as_str()),
            (200, expected),
            "{key:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn datadogs_agent_learns_whether_its_key_is_good() {
    let server = server();
    for (key, expected) in [(KEY, 200), ("wrong", 403)] {
        for prefix in ["", "/datadog"] {
            let request = Request::get(format!("{prefix}/api/v1/validate"))
                .header("dd-api-key", key)
                .body(Body::empty())
                .unwrap();
            assert_eq!(
                server.send(request).await.status.as_u16(),
                expected,
                "{key}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_all_tenants_sent_is_not_shown_to_one_of_them() {
    let server = server();
    for (key, expected) in [(KEY, 200), ("slc_bound", 403)] {
        let request = Request::get("/api/v1/recent/samples")
            .header("x-api-key", key)
            .body(Body::empty())
            .unwrap();
        assert_eq!(
            server.send(request).await.status.as_u16(),
            expected,
            "{key}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_path_that_is_not_there_is_not_there_for_anybody() {
    let request = Request::get("/nothing").body(Body::empty()).unwrap();
    assert_eq!(server().send(request).await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn what_is_for_operators_is_not_here() {
    let server = Server::start(&Config::default(), FakeBuffer::default());
    for (path, expected) in [
        ("/livez", 404),
        ("/readyz", 404),
        ("/debug", 404),
        ("/metrics", 405),
    ] {
        let request = Request::get(path).body(Body::empty()).unwrap();
        assert_eq!(
            server.send(request).await.status.as_u16(),
            expected,
            "{path}"
        );
    }
}
