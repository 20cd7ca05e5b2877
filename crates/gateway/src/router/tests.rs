//! What every route has in common, those of the caller included.

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::{Method, Request};

use crate::Config;
use crate::fake::{Answer, FakeBuffer, Server};

async fn panics() -> &'static str {
    panic!("a defect");
}

async fn ask(method: Method, path: &str) -> Answer {
    let extra = Router::new()
        .route("/api/v1/recent/series", get(async || "recent"))
        .route("/defect", get(panics));
    let server = Server::start_with(&Config::default(), FakeBuffer::default(), extra);
    let request = Request::builder().method(method).uri(path);
    server.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn health_is_a_word() {
    let answer = ask(Method::GET, "/health").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.text(), r#"{"status":"healthy"}"#);
    assert_eq!(ask(Method::HEAD, "/health").await.status, 200);
}

#[tokio::test]
async fn an_unknown_path_says_where_to_push() {
    let answer = ask(Method::GET, "/nothing").await;
    assert_eq!(answer.status, 404);
    assert_eq!(
        answer.text(),
        r#"{"error":"there is nothing at /nothing; metrics are pushed with POST /metrics","code":"not_found"}"#
    );
    assert_eq!(answer.header("content-type"), Some("application/json"));
}

#[tokio::test]
async fn a_scrape_of_the_public_port_is_shown_to_the_admin_port() {
    let answer = ask(Method::GET, "/metrics").await;
    assert_eq!(answer.status, 405);
    assert_eq!(answer.header("allow"), Some("POST"));
    assert_eq!(
        answer.text(),
        r#"{"error":"GET is not possible at /metrics; metrics are pushed here with POST, and the gateway's own are at /metrics of the admin port","code":"method_not_allowed"}"#
    );
}

#[tokio::test]
async fn a_route_of_the_caller_is_served_under_the_same_rules() {
    let answer = ask(Method::GET, "/api/v1/recent/series").await;
    assert_eq!((answer.status.as_u16(), answer.text()), (200, "recent"));
    let answer = ask(Method::DELETE, "/api/v1/recent/series").await;
    assert_eq!(answer.status, 405);
    assert_eq!(answer.json()["code"], "method_not_allowed");
    assert_eq!(answer.header("allow"), Some("GET,HEAD"));
}

#[tokio::test]
async fn a_panic_is_answered_and_costs_one_request() {
    let answer = ask(Method::GET, "/defect").await;
    assert_eq!(answer.status, 500);
    assert_eq!(answer.json()["code"], "internal");
}
