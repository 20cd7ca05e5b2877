//! The listener as browsers and scripts see it.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http_body_util::BodyExt as _;
use service::health::Health;
use service::tasks::Tasks;
use service::telemetry::install_metrics;
use tower::ServiceExt as _;

use super::Console;
use crate::engine::tests::about;
use crate::names::{KnownNames, Search};
use crate::shapes::{Name, Names, Overview, Role};

struct Knows;

impl KnownNames for Knows {
    fn names(&self, search: &Search) -> (Vec<Name>, usize) {
        let name = Name {
            metric_name: "<script>alert(1)</script>".to_owned(),
            ..Name::default()
        };
        let names = search.is_about(&name.metric_name).then_some(name);
        (names.into_iter().collect(), 1)
    }
}

fn setup() -> (Console, Router, Tasks) {
    let tasks = Tasks::new();
    let metrics = install_metrics(&[crate::CATALOGUE]);
    let clock = Arc::new(|| 1_700_000_000_000);
    let console = Console::start(
        about(Role::Standalone),
        Health::new(),
        metrics,
        clock,
        &tasks,
    );
    let others = Router::new().route("/metrics", get(|| async { "up 1" }));
    let listen = "127.0.0.1:8081".parse().unwrap();
    let nowhere = |_: &Request| -> Response { (StatusCode::NOT_FOUND, "nowhere").into_response() };
    let router = console.router(others, listen, &[], || "the list".to_owned(), nowhere);
    (console, router, tasks)
}

async fn ask(router: &Router, request: Request) -> (u16, Response) {
    let response = router.clone().oneshot(request).await.unwrap();
    (response.status().as_u16(), response)
}

async fn text(response: Response) -> String {
    let body = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(body.to_vec()).unwrap()
}

fn to(path: &str) -> Request {
    Request::get(path).body(Body::empty()).unwrap()
}

#[tokio::test]
async fn a_script_gets_the_list_of_paths_and_no_page() {
    let (_console, router, _tasks) = setup();
    let (status, response) = ask(&router, to("/")).await;
    assert_eq!(status, 200);
    assert_eq!(text(response).await, "the list");
}

#[tokio::test]
async fn an_overview_is_json_that_nobody_keeps_and_browsers_keep_to_themselves() {
    let (_console, router, _tasks) = setup();
    let (status, response) = ask(&router, to("/api/v1/overview")).await;
    assert_eq!(status, 200);
    let headers = response.headers();
    assert_eq!(headers["cache-control"], "no-store");
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert_eq!(headers["x-frame-options"], "DENY");
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'self';"), "{policy}");
    let overview: Overview = serde_json::from_str(&text(response).await).unwrap();
    assert_eq!(overview.process.role, Role::Standalone);
}

#[tokio::test]
async fn a_stream_begins_with_the_history_and_ends_with_the_process() {
    let (_console, router, tasks) = setup();
    let (status, response) = ask(&router, to("/api/v1/live")).await;
    assert_eq!(status, 200);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut body = response.into_body();
    let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
    let first = String::from_utf8(first.to_vec()).unwrap();
    assert!(
        first.starts_with("retry: 2000\n\nevent: history\ndata: {"),
        "{first}"
    );
    let second = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert!(second.starts_with(b"event: snapshot\ndata: {"));
    assert!(tasks.stop(Duration::from_secs(5)).await.is_empty());
    assert!(body.frame().await.is_none());
}

#[tokio::test]
async fn one_console_too_many_is_asked_to_come_back() {
    let (_console, router, _tasks) = setup();
    let mut open = Vec::new();
    for _ in 0..super::MAX_CONSOLES {
        let (status, response) = ask(&router, to("/api/v1/live")).await;
        assert_eq!(status, 200);
        open.push(response);
    }
    let (status, response) = ask(&router, to("/api/v1/live")).await;
    assert_eq!(status, 503);
    assert_eq!(response.headers()["retry-after"], "5");
    assert!(
        text(response)
            .await
            .contains("16 consoles are open already")
    );
    // A place is free as soon as one closes.
    open.pop();
    assert_eq!(ask(&router, to("/api/v1/live")).await.0, 200);
}

#[tokio::test]
async fn names_are_found_once_somebody_knows_them() {
    let (console, router, _tasks) = setup();
    assert_eq!(ask(&router, to("/api/v1/names")).await.0, 404);
    console.knows(Knows);
    let (status, response) = ask(&router, to("/api/v1/names?search=SCRIPT&limit=5")).await;
    assert_eq!(status, 200);
    let names: Names = serde_json::from_str(&text(response).await).unwrap();
    assert_eq!(names.names[0].metric_name, "<script>alert(1)</script>");
    assert_eq!(ask(&router, to("/api/v1/names?limit=0")).await.0, 400);
}

#[tokio::test]
async fn what_is_mounted_later_is_there_from_then_on() {
    let (console, router, _tasks) = setup();
    assert_eq!(ask(&router, to("/api/v1/explain")).await.0, 404);
    console.mount(Router::new().route("/api/v1/explain", post(|| async { "explained" })));
    console.mount(Router::new().route("/other", get(|| async { "other" })));
    let posted = Request::post("/api/v1/explain")
        .body(Body::empty())
        .unwrap();
    let (_, response) = ask(&router, posted).await;
    assert_eq!(text(response).await, "explained");
    assert_eq!(ask(&router, to("/other")).await.0, 200);
    assert_eq!(ask(&router, to("/api/v1/explain")).await.0, 405);
    let (status, response) = ask(&router, to("/nothing")).await;
    assert_eq!((status, text(response).await.as_str()), (404, "nowhere"));
}

#[tokio::test]
async fn a_wrong_method_is_refused_in_the_shape_of_all_errors() {
    let (_console, router, _tasks) = setup();
    let posted = Request::post("/metrics").body(Body::empty()).unwrap();
    let (status, response) = ask(&router, posted).await;
    assert_eq!(status, 405);
    assert!(
        text(response)
            .await
            .contains("\"code\":\"method_not_allowed\"")
    );
}

#[tokio::test]
async fn a_page_of_another_site_reaches_the_probes_and_nothing_else() {
    let (_console, router, _tasks) = setup();
    for (path, expected) in [("/metrics", 200), ("/api/v1/overview", 403), ("/", 403)] {
        let request = Request::get(path).header("origin", "http://evil.example");
        let (status, response) = ask(&router, request.body(Body::empty()).unwrap()).await;
        assert_eq!(status, expected, "{path}");
        if expected == 403 {
            assert!(text(response).await.contains("\"code\":\"origin_refused\""));
        }
    }
}
