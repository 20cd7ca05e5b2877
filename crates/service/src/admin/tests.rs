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
async fn a_wrong_path_is_told_what_there_is() {
    let request = Request::get("/ready").body(Body::empty()).unwrap();
    let response = super::not_found(&request);
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let text = String::from_utf8(body.to_vec()).unwrap();
    assert!(
        text.contains(
            "there is no /ready here; /docs lists what there is, such as /livez, /readyz"
        ),
        "{text}"
    );
    for (path, _) in super::PATHS {
        assert!(
            text.contains(path) && super::index().contains(path),
            "{path}"
        );
    }
}
