//! What probes and scrapers get.

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use http_body_util::BodyExt;
use tower::ServiceExt;

use super::router;
use crate::health::Health;
use crate::telemetry::install_metrics;

async fn ask(router: &Router, method: &str, path: &str) -> (u16, String) {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .body(Body::empty())
        .unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

fn setup() -> (Health, Router) {
    let health = Health::new();
    let router = router(health.clone(), install_metrics(&[]));
    (health, router)
}

#[tokio::test]
async fn ready_is_when_every_condition_is_met() {
    let (health, router) = setup();
    let topic = health.condition("topic", "not looked up yet");
    assert_eq!(
        ask(&router, "GET", "/readyz").await,
        (503, r#"{"reasons":[{"condition":"topic","reason":"not looked up yet"}],"status":"not ready"}"#.to_owned())
    );
    topic.ready();
    assert_eq!(
        ask(&router, "GET", "/readyz").await,
        (200, r#"{"reasons":[],"status":"ready"}"#.to_owned())
    );
}

#[tokio::test]
async fn alive_does_not_depend_on_ready() {
    let (health, router) = setup();
    let _condition = health.condition("topic", "gone");
    assert_eq!(ask(&router, "GET", "/livez").await, (200, "ok".to_owned()));
}

#[tokio::test]
async fn metrics_are_for_prometheus() {
    let (_, router) = setup();
    let request = Request::get("/metrics").body(Body::empty()).unwrap();
    let response = router.oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(
        response.headers()["content-type"],
        "text/plain; version=0.0.4; charset=utf-8"
    );
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let text = String::from_utf8(body.to_vec()).unwrap();
    assert!(
        text.contains("# TYPE process_start_time_seconds gauge"),
        "{text}"
    );
}

#[tokio::test]
async fn the_root_lists_what_there_is_and_so_does_a_wrong_path() {
    let (_, router) = setup();
    let (status, index) = ask(&router, "GET", "/").await;
    assert_eq!(status, 200);
    for (path, _) in super::PATHS {
        assert!(index.contains(path), "{index}");
        // The others are merged into this router by the process.
        if !path.starts_with("/api/") {
            assert_eq!(ask(&router, "GET", path).await.0, 200);
        }
    }
    assert_eq!(
        ask(&router, "GET", "/ready").await,
        (404, r#"{"code":"not_found","error":"there is no /ready here, only /livez, /readyz, /metrics, /api/v1/rejections, /api/v1/cardinality, /api/v1/heat"}"#.to_owned())
    );
    assert_eq!(
        ask(&router, "POST", "/livez").await,
        (
            405,
            r#"{"code":"method_not_allowed","error":"only GET is allowed here"}"#.to_owned()
        )
    );
}
