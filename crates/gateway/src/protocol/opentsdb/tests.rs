//! The answers of `/api/put`, as `OpenTSDB`'s senders read them.

use std::time::Duration;

use buffer::PublishError;
use http::Request;
use serde_json::json;

use crate::Config;
use crate::fake::{Answer, FakeBuffer, NOW_MS, Server, Then};

const GOOD: &str =
    r#"{"metric":"sys.cpu.nice","timestamp":1700000000,"value":18,"tags":{"host":"web01"}}"#;
const BAD: &str = r#"{"metric":"sys.cpu.nice","timestamp":1700000000,"value":"x"}"#;

async fn post(server: &Server, path: &str, body: &str) -> Answer {
    let request = Request::post(path).header("content-type", "application/json");
    server
        .send(request.body(body.to_owned().into()).unwrap())
        .await
}

async fn answer(query: &str, body: &str) -> (u16, String) {
    let server = Server::start(&Config::default(), FakeBuffer::default());
    let answer = post(&server, &format!("/api/put{query}"), body).await;
    (answer.status.as_u16(), answer.text().to_owned())
}

#[tokio::test]
async fn success_is_204_unless_a_report_is_asked_for() {
    assert_eq!(answer("", GOOD).await, (204, String::new()));
    assert_eq!(
        answer("?sync&sync_timeout=60000", GOOD).await,
        (204, String::new())
    );
    assert_eq!(
        answer("?summary", &format!("[{GOOD},{GOOD}]")).await,
        (200, r#"{"failed":0,"success":2}"#.to_owned())
    );
    assert_eq!(
        answer("?details", GOOD).await,
        (200, r#"{"errors":[],"failed":0,"success":1}"#.to_owned())
    );
}

#[tokio::test]
async fn bad_points_are_400_and_the_good_ones_stored() {
    let server = Server::start(&Config::default(), FakeBuffer::default());
    let body = format!("[{GOOD},{BAD}]");
    let answer = post(&server, "/opentsdb/api/put", &body).await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.header("sluice-durability"), Some("local"));
    assert_eq!(
        answer.json(),
        json!({"error": {
            "code": 400,
            "message": "One or more data points had errors: value is the string \"x\", not a number",
            "details": "Append \"details\" to the put request to see each of them",
        }})
    );
    assert_eq!(server.buffer.confirmed().len(), 1);
}

#[tokio::test]
async fn details_repeat_the_bad_points() {
    let late = format!(
        r#"{{"metric":"x","timestamp":{},"value":1}}"#,
        NOW_MS + 3_600_000
    );
    let (status, text) = answer("?details", &format!("[{BAD},{GOOD},{late}]")).await;
    assert_eq!(status, 400);
    let expected = format!(
        r#"{{"errors":[{{"datapoint":{BAD},"error":"value is the string \"x\", not a number"}},{{"datapoint":{late},"error":"timestamp 1700003600000 is 3600 s ahead of the gateway's clock, the limit is 600 s"}}],"failed":2,"success":1}}"#
    );
    assert_eq!(text, expected);
    let (status, text) = answer("?summary", &format!("[{BAD},{GOOD}]")).await;
    assert_eq!(
        (status, text.as_str()),
        (400, r#"{"failed":1,"success":1}"#)
    );
}

#[tokio::test]
async fn a_body_that_is_no_json_has_opentsdb_s_error_shape() {
    let (status, text) = answer("", "{").await;
    assert_eq!(status, 400);
    assert_eq!(
        text,
        r#"{"error":{"code":400,"message":"the body breaks off within the JSON at line 1, column 1"}}"#
    );
}

#[tokio::test]
async fn a_fault_of_ours_is_503_with_a_time_to_wait() {
    let buffer = FakeBuffer::that(Then::Fail(PublishError::QueueFull));
    let server = Server::start(&Config::default(), buffer);
    let answer = tokio::time::timeout(Duration::from_secs(10), post(&server, "/api/put", GOOD));
    let answer = answer.await.unwrap();
    assert_eq!(answer.status, 503);
    assert!(matches!(
        answer.header("retry-after"),
        Some("1" | "2" | "3" | "4")
    ));
    assert_eq!(answer.json()["error"]["code"], 503);
}
