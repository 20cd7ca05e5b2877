//! Every public route asks, and refuses as its protocol's clients expect it.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::{Method, Request};
use service::http::Peer;
use service::rejections::{Query, Rejections};

use super::{KEY, key};
use crate::fake::{FakeBuffer, NOW_MS, Server};
use crate::pushgateway::fake::FakeTable;
use crate::{Beside, Config};

fn server() -> Server {
    server_with(None)
}

fn server_with(rejections: Option<Arc<Rejections>>) -> Server {
    let mut config = Config::default();
    config.access.required = true;
    config.access.keys.insert("ci".to_owned(), key(KEY));
    let mut bound = key("slc_bound");
    bound.tenant = Some("acme".to_owned());
    config.access.keys.insert("bound".to_owned(), bound);
    let mut free = key("slc_free");
    free.any_tenant = true;
    config.access.keys.insert("free".to_owned(), free);
    for protocol in ["json", "pushgateway", "recent"] {
        let mut only = key(&format!("slc_{protocol}"));
        only.protocols = vec![protocol.to_owned()];
        config.access.keys.insert(protocol.to_owned(), only);
    }
    let beside = Beside {
        routes: Router::new()
            .route("/api/v1/recent/samples", get(|| async { "all tenants'" }))
            .route("/api/v1/archive/samples", get(|| async { "all tenants'" }))
            .route("/prometheus/api/v1/query", get(|| async { "all tenants'" }))
            .route("/something/else", get(|| async { "else" })),
        groups: Some(FakeTable::default().groups()),
        rejections,
        ..Beside::default()
    };
    let clock = Arc::new(model::ManualClock::new(NOW_MS));
    Server::start_beside(&config, FakeBuffer::default().into(), clock, beside)
}

const ROUTES: [(Method, &str); 42] = [
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
    (Method::GET, "/api/v1/archive/samples"),
    (Method::GET, "/prometheus/api/v1/query"),
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
    for (key, expected) in [
        (KEY, 403),
        ("slc_bound", 403),
        ("slc_json", 403),
        ("slc_recent", 200),
        ("slc_free", 200),
    ] {
        for path in [
            "/api/v1/recent/samples",
            "/api/v1/archive/samples",
            "/prometheus/api/v1/query",
        ] {
            let request = Request::get(path)
                .header("x-api-key", key)
                .body(Body::empty())
                .unwrap();
            assert_eq!(
                server.send(request).await.status.as_u16(),
                expected,
                "{key} {path}"
            );
        }
    }
}

#[test]
fn where_nobody_has_a_tenant_everybody_sees_what_all_sent() {
    let mut config = crate::config::AccessConfig::default();
    config.keys.insert("ci".to_owned(), key(KEY));
    let is_allowed = |config: &crate::config::AccessConfig| {
        let access = crate::access::Access::of(config, None).unwrap();
        let grant = access.key(KEY, NOW_MS).unwrap();
        access.allows(&grant, crate::access::shapes::RECENT).is_ok()
    };
    assert!(is_allowed(&config));
    let mut bound = key("slc_bound");
    bound.tenant = Some("acme".to_owned());
    config.keys.insert("bound".to_owned(), bound);
    assert!(!is_allowed(&config));
}

#[tokio::test(start_paused = true)]
async fn the_list_of_groups_is_the_pushgateways() {
    let server = server();
    for (method, key, is_refused) in [
        (Method::GET, "slc_pushgateway", false),
        (Method::HEAD, "slc_pushgateway", false),
        (Method::POST, "slc_pushgateway", true),
        (Method::GET, "slc_json", true),
        (Method::POST, "slc_json", false),
    ] {
        let request = Request::builder()
            .method(&method)
            .uri("/api/v1/metrics")
            .header("x-api-key", key)
            .body(Body::empty())
            .unwrap();
        let answer = server.send(request).await;
        assert_eq!(answer.status == 403, is_refused, "{method} {key}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_not_let_in_is_noted_by_its_address_alone() {
    let record = Arc::new(Rejections::new(1 << 20));
    let server = server_with(Some(Arc::clone(&record)));
    let request = Request::post("/tenants/acme/metrics")
        .header("x-api-key", "wrong")
        .header("sluice-source", "billing")
        .extension(Peer::of("192.0.2.7:4711".parse().unwrap()))
        .body(Body::empty())
        .unwrap();
    assert_eq!(server.send(request).await.status, 401);
    let found = record.answer(&Query::default()).rejections;
    let [entry] = found.as_slice() else {
        panic!("{found:?}");
    };
    assert!(entry.summary.contains("192.0.2.7"), "{}", entry.summary);
    assert!(!entry.summary.contains("billing"), "{}", entry.summary);
    assert!(!entry.summary.contains("acme"), "{}", entry.summary);
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
