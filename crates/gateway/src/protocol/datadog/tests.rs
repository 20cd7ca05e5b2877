//! What the agent and the API's clients read as success, and what as a reason to drop or to wait.

use axum::body::Body;
use buffer::PublishError;
use http::Request;
use serde_json::json;

use crate::Config;
use crate::fake::{Answer, FakeBuffer, Server, Then};

const V1: &str =
    r#"{"series":[{"metric":"x","points":[[1700000000,1]],"type":"gauge","host":"h"}]}"#;

async fn post(server: &Server, path: &str, media_type: &str, body: impl Into<Body>) -> Answer {
    let request = Request::post(path)
        .header("content-type", media_type)
        .header("dd-api-key", "abc");
    server.send(request.body(body.into()).unwrap()).await
}

fn server() -> Server {
    Server::start(&Config::default(), FakeBuffer::default())
}

async fn json(path: &str, body: &str) -> (u16, serde_json::Value) {
    let answer = post(&server(), path, "application/json", body.to_owned()).await;
    (answer.status.as_u16(), answer.json())
}

#[tokio::test]
async fn v1_is_202_and_ok_without_the_word_errors() {
    for path in [
        "/api/v1/series",
        "/datadog/api/v1/series",
        "/api/v1/series?api_key=abc",
    ] {
        assert_eq!(
            json(path, V1).await,
            (202, json!({"status": "ok"})),
            "{path}"
        );
    }
    let body = r#"{"series":[{"metric":"x","points":[[1700000000,[1,2]]]}]}"#;
    assert_eq!(
        json("/api/v1/distribution_points", body).await,
        (202, json!({"status": "ok"}))
    );
}

#[tokio::test]
async fn v2_is_202_with_no_errors_in_json_and_protobuf() {
    let body =
        r#"{"series":[{"metric":"x","points":[{"timestamp":1700000000,"value":1}],"type":1}]}"#;
    assert_eq!(
        json("/api/v2/series", body).await,
        (202, json!({"errors": []}))
    );
    // MetricPayload { series { metric: "x", points { value: 1, timestamp: 1700000000 } } }
    let message = b"\x0a\x14\x12\x01x\x22\x0f\x09\0\0\0\0\0\0\xf0\x3f\x10\x80\xe2\xcf\xaa\x06";
    let server = server();
    let answer = post(
        &server,
        "/api/v2/series",
        "application/x-protobuf",
        message.to_vec(),
    )
    .await;
    assert_eq!(
        (answer.status.as_u16(), answer.json()),
        (202, json!({"errors": []}))
    );
    assert_eq!(server.buffer.confirmed().len(), 1);
}

#[tokio::test]
async fn bad_points_are_400_with_their_reasons_and_the_good_ones_stored() {
    let server = server();
    let body =
        r#"{"series":[{"metric":"x","points":[[1700000000,1],[1700000000,"a"],[99999999999,1]]}]}"#;
    let answer = post(&server, "/api/v1/series", "application/json", body).await;
    assert_eq!(answer.status, 400);
    assert_eq!(
        answer.json(),
        json!({"errors": [
            "2 of 3 points were refused; the others are stored",
            "\"x\": a point's value is the string \"a\", not a number",
            "\"x\": timestamp 99999999999000 is 98299999999 s ahead of the gateway's clock, the limit is 600 s",
        ]})
    );
    assert_eq!(server.buffer.confirmed().len(), 1);
}

#[tokio::test]
async fn a_body_that_cannot_be_read_says_why() {
    assert_eq!(
        json("/api/v2/series", "{}").await,
        (400, json!({"errors": ["the body has no field series"]}))
    );
    let answer = post(&server(), "/api/v1/series", "application/x-protobuf", "").await;
    assert_eq!(answer.status, 415);
}

#[tokio::test]
async fn a_fault_of_ours_makes_the_agent_wait() {
    let buffer = FakeBuffer::that(Then::Fail(PublishError::QueueFull));
    let server = Server::start(&Config::default(), buffer);
    let answer = post(&server, "/api/v1/series", "application/json", V1).await;
    assert_eq!(answer.status, 503);
    assert!(matches!(
        answer.header("retry-after"),
        Some("1" | "2" | "3" | "4")
    ));
    assert!(answer.json()["errors"][0].is_string());
}

#[tokio::test]
async fn what_is_no_metric_is_taken_so_that_the_agent_stays_healthy() {
    for path in [
        "/api/v1/check_run",
        "/api/v1/events",
        "/intake/?api_key=abc",
        "/intake",
        "/api/v1/metadata",
        "/datadog/intake/",
        "/tenants/acme/datadog/api/v1/check_run",
    ] {
        assert_eq!(
            json(path, "{}").await,
            (202, json!({"status": "ok"})),
            "{path}"
        );
    }
    let request = Request::get("/api/v1/validate")
        .body(Body::empty())
        .unwrap();
    let answer = server().send(request).await;
    assert_eq!(
        (answer.status.as_u16(), answer.json()),
        (200, json!({"valid": true}))
    );
}

#[tokio::test]
async fn an_old_agent_s_metrics_are_refused_aloud() {
    let (status, answer) = json("/intake/", r#"{"metrics":[["x",1,1,{}]]}"#).await;
    assert_eq!(status, 400);
    assert_eq!(answer["errors"][0], "1 of 1 point was refused");
}
