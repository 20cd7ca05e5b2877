//! What is known of names from what was sent, and from what was said about families.

use std::time::Duration;

use axum::body::Body;
use http::Request;
use tower::ServiceExt as _;

use crate::config::Config;
use crate::fake::{FakeBuffer, NOW_MS, Server, batch, sample};

async fn sent(config: &Config) -> Server {
    let server = Server::start(config, FakeBuffer::default());
    let rows = [
        sample("cpu", NOW_MS, 1.0, "a"),
        sample("cpu", NOW_MS, 1.0, "b"),
        sample("disk", NOW_MS, 1.0, "a"),
    ];
    let request = Request::post("/tenants/team-a/metrics")
        .header("content-type", "application/json")
        .header("sluice-source", "agent-7");
    let request = request.body(Body::from(batch(&rows))).unwrap();
    assert_eq!(server.send(request).await.status, 200);
    server
}

#[tokio::test(start_paused = true)]
async fn a_name_is_known_with_its_series_rates_tenants_and_senders() {
    let config = Config::default();
    let server = sent(&config).await;
    // The heat shows a window when it is over.
    tokio::time::sleep(config.partitioning.heat.window.0 + Duration::from_secs(1)).await;
    let (names, known) = server.gateway.names().known(&|name| name == "cpu");
    assert_eq!((names.len(), known), (1, 2));
    let cpu = &names[0];
    assert_eq!((cpu.series, cpu.lanes), (Some(2), Some(1)));
    assert!(cpu.samples_per_s.is_some_and(|rate| rate >= 0.0));
    assert_eq!(cpu.tenants, ["team-a"]);
    assert_eq!(cpu.senders, ["agent-7"]);
    assert!(server.gateway.names().note().is_none());
}

#[tokio::test(start_paused = true)]
async fn what_is_not_counted_is_said() {
    let mut config = Config::default();
    config.cardinality.enabled = false;
    let server = sent(&config).await;
    let names = server.gateway.names();
    assert!(names.note().unwrap().contains("cardinality.enabled"));
    config.partitioning.heat.enabled = false;
    let server = sent(&config).await;
    let names = server.gateway.names();
    assert!(names.note().unwrap().contains("partitioning.heat.enabled"));
    assert_eq!(names.known(&|_| true), (Vec::new(), 0));
}

#[tokio::test(start_paused = true)]
async fn a_body_is_explained_to_the_operator_as_to_its_sender() {
    let mut config = Config::default();
    let key = crate::KeyConfig {
        sha256: crate::hash_key("secret"),
        tenant: Some("team-a".to_owned()),
        ..crate::KeyConfig::default()
    };
    config.access.required = true;
    config.access.keys.insert("agent".to_owned(), key);
    let server = Server::start(&config, FakeBuffer::default());
    let asked = || {
        let request = Request::post("/api/v1/explain").header("x-scope-orgid", "team-b");
        let body = batch(&[sample("cpu", NOW_MS, 1.0, "a")]);
        request.body(Body::from(body)).unwrap()
    };
    assert_eq!(server.send(asked()).await.status, 401);
    let answer = server.gateway.explain().oneshot(asked()).await.unwrap();
    assert_eq!(answer.status(), 200);
}
