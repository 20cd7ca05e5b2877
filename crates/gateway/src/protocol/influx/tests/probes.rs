//! What clients ask before they write.

use http::{Method, Request};

use super::*;

#[tokio::test(start_paused = true)]
async fn a_ping_is_answered_without_a_body_or_with_the_version() {
    let server = server();
    for method in [Method::GET, Method::HEAD] {
        let request = Request::builder().method(method).uri("/ping");
        let answer = server.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!((answer.status.as_u16(), answer.text()), (204, ""));
        assert_eq!(answer.header("x-influxdb-version"), Some("1.8.0"));
    }
    let answer = get(&server, "/ping?verbose=true").await;
    assert_eq!(
        (answer.status.as_u16(), answer.text()),
        (200, r#"{"version":"1.8.0"}"#)
    );
    assert_eq!(get(&server, "/ping?verbose=false").await.status, 204);
    assert_eq!(get(&server, "/ready").await.text(), r#"{"status":"ready"}"#);
}

#[tokio::test(start_paused = true)]
async fn a_database_can_be_made_and_none_is_listed() {
    let server = server();
    for (statement, result) in [
        ("CREATE DATABASE \"telegraf\"", r#"{"statement_id":0}"#),
        ("create  database a", r#"{"statement_id":0}"#),
        (
            "CREATE RETENTION POLICY \"a\" ON \"b\" DURATION 1h REPLICATION 1",
            r#"{"statement_id":0}"#,
        ),
        (
            "SHOW DATABASES",
            r#"{"series":[{"columns":["name"],"name":"databases"}],"statement_id":0}"#,
        ),
        ("SHOW MEASUREMENTS", r#"{"statement_id":0}"#),
        (
            "CREATE DATABASE \"a;b\"; SHOW SERIES;",
            r#"{"statement_id":0},{"statement_id":1}"#,
        ),
        (
            "SELECT * FROM cpu",
            r#"{"error":"metrics are only written here; query the store that they are drained into","statement_id":0}"#,
        ),
        (
            "DROP DATABASE a",
            r#"{"error":"metrics are only written here; query the store that they are drained into","statement_id":0}"#,
        ),
    ] {
        let query: String = form_urlencoded::Serializer::new(String::new())
            .append_pair("db", "x")
            .append_pair("q", statement)
            .finish();
        let wanted = format!("{{\"results\":[{result}]}}");
        let answer = get(&server, &format!("/query?{query}")).await;
        assert_eq!(
            (answer.status.as_u16(), answer.text()),
            (200, wanted.as_str()),
            "{statement}"
        );
        let answer = post(&server, &format!("/query?{query}"), "").await;
        assert_eq!(answer.text(), wanted);
        let answer = post(&server, "/query", query).await;
        assert_eq!(answer.text(), wanted);
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(answer.header("x-influxdb-version"), Some("1.8.0"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_query_without_a_statement_or_without_end_is_refused() {
    let server = server();
    let answer = get(&server, "/query").await;
    assert_eq!(
        (answer.status.as_u16(), answer.text()),
        (400, r#"{"error":"missing required parameter \"q\""}"#)
    );
    let answer = post(&server, "/query", "q=".repeat(40_000)).await;
    assert_eq!(answer.status, 413);
    let answer = post(&server, "/query", vec![0xff; 100]).await;
    assert_eq!(answer.status, 400);
}
