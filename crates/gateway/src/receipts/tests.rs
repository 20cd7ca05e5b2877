//! What is counted and remembered of refusals, through the routes that senders use.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use http::StatusCode;
use metrics_util::debugging::{DebugValue, DebuggingRecorder};
use model::ManualClock;
use service::rejections::{Query, Rejections, Shown};
use tower::ServiceExt as _;

use super::Sources;
use crate::config::Config;
use crate::fake::{FakeBuffer, NOW_MS, Server, Then};
use crate::ingest::Origin;
use crate::router::Beside;

/// Sends bodies to a gateway and answers what it remembers.
async fn remembered(requests: &[(&str, &str, &str, StatusCode)]) -> Vec<Shown> {
    let record = Arc::new(Rejections::new(1 << 20));
    let beside = Beside {
        rejections: Some(Arc::clone(&record)),
        ..Beside::default()
    };
    let buffer = Arc::new(FakeBuffer::that(Then::Confirm));
    let clock = Arc::new(ManualClock::new(NOW_MS));
    let server = Server::start_beside(&Config::default(), buffer, clock, beside);
    for (path, source, body, status) in requests {
        let request = Request::post(*path)
            .header("sluice-source", *source)
            .header("content-type", "text/plain")
            .body(Body::from((*body).to_owned()))
            .unwrap();
        let response = server.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), *status, "{path} {body}");
    }
    let mut found = record.answer(&Query::default()).rejections;
    found.reverse();
    found
}

fn summaries(found: &[Shown]) -> Vec<&str> {
    found.iter().map(|shown| shown.summary.as_str()).collect()
}

#[tokio::test]
async fn each_refused_sample_is_remembered_with_its_name_and_its_bytes() {
    let bad = r#"{"metric_name":"cpu", "timestamp":1700000000, "value":1, "labels":{}}"#;
    let good = format!(r#"{{"metric_name":"up","timestamp":{NOW_MS},"value":1,"labels":{{}}}}"#);
    let body = format!(r#"{{"metrics":[{good},{bad},{bad}]}}"#);
    let found = remembered(&[("/metrics", "web-01", &body, StatusCode::OK)]).await;
    let [entry] = found.as_slice() else {
        panic!("{found:?}");
    };
    assert!(
        entry.summary.starts_with(
            "2 samples of cpu from web-01 were refused by the gateway (json): timestamp"
        ),
        "{}",
        entry.summary
    );
    assert_eq!(entry.sample, bad);
    assert_eq!(entry.reason, "timestamp_in_seconds");
}

#[tokio::test]
async fn lines_are_remembered_as_they_were_sent() {
    let found = remembered(&[
        (
            "/api/v1/import/prometheus",
            "a",
            "up 1\nbad line {",
            StatusCode::BAD_REQUEST,
        ),
        (
            "/write",
            "b",
            "cpu value=1\ncpu value=",
            StatusCode::BAD_REQUEST,
        ),
        (
            "/api/v1/import",
            "c",
            "{\"metric\":7}\n",
            StatusCode::BAD_REQUEST,
        ),
    ])
    .await;
    let samples: Vec<&str> = found.iter().map(|shown| shown.sample.as_str()).collect();
    assert_eq!(samples, ["bad line {", "cpu value=", "{\"metric\":7}"]);
}

#[tokio::test]
async fn a_request_that_is_refused_as_a_whole_is_remembered_with_its_source_and_path() {
    let found = remembered(&[
        ("/metrics", "a", "{", StatusCode::BAD_REQUEST),
        ("/metrics", "a", "{", StatusCode::BAD_REQUEST),
        ("/metrics?strict=yes", "b", "{}", StatusCode::BAD_REQUEST),
        ("/wrong", "b", "{}", StatusCode::NOT_FOUND),
    ])
    .await;
    let told: Vec<(&str, &str, u64)> = found
        .iter()
        .map(|shown| (shown.reason.as_str(), shown.sample.as_str(), shown.count))
        .collect();
    assert_eq!(
        told,
        [
            ("body_invalid", "POST /metrics", 2),
            ("parameter_invalid", "POST /metrics", 1),
            ("not_found", "POST /wrong", 1),
        ]
    );
    assert!(
        summaries(&found)[0].starts_with("2 requests from a were refused by the gateway (json): "),
        "{:?}",
        summaries(&found)
    );
}

#[tokio::test]
async fn of_a_batch_that_is_all_or_nothing_the_good_ones_are_remembered_too() {
    let good = format!(r#"{{"metric_name":"up","timestamp":{NOW_MS},"value":1,"labels":{{}}}}"#);
    let body = format!(r#"{{"metrics":[{good},7,{good}]}}"#);
    let sent = ("/metrics?strict=true", "a", &*body, StatusCode::BAD_REQUEST);
    let found = remembered(&[sent]).await;
    let told: Vec<(&str, u64)> = found
        .iter()
        .map(|shown| (shown.reason.as_str(), shown.count))
        .collect();
    assert_eq!(told, [("sample_invalid", 1), ("batch_refused", 2)]);
}

#[tokio::test]
async fn past_those_that_are_told_refusals_are_counted_without_their_names() {
    let bad = vec![r#"{"metric_name":"cpu","timestamp":1700000000000,"labels":{}}"#; 250];
    let body = format!(r#"{{"metrics":[{}]}}"#, bad.join(","));
    let found = remembered(&[("/metrics", "a", &body, StatusCode::BAD_REQUEST)]).await;
    let told: Vec<(&str, u64)> = found
        .iter()
        .map(|shown| (shown.metric_name.as_str(), shown.count))
        .collect();
    assert_eq!(told, [("cpu", 100), ("", 150)]);
}

#[test]
fn samples_are_counted_by_source_and_reason() {
    let recorder = DebuggingRecorder::new();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    metrics::with_local_recorder(&recorder, || {
        runtime.block_on(remembered(&[(
            "/metrics",
            "web-01",
            r#"{"metrics":[7,8]}"#,
            StatusCode::BAD_REQUEST,
        )]));
    });
    let counted = recorder.snapshotter().snapshot().into_vec();
    let found = counted.iter().find_map(|(key, _, _, value)| {
        let key = key.key();
        let is_it = key.name() == "sluice_gateway_samples_rejected_by_source_total";
        is_it.then(|| {
            let labels: Vec<&str> = key.labels().map(metrics::Label::value).collect();
            (labels.join(" "), matches!(value, DebugValue::Counter(2)))
        })
    });
    assert_eq!(found, Some(("web-01 sample_invalid".to_owned(), true)));
}

#[test]
fn only_so_many_sources_have_a_label_of_their_own() {
    let sources = Sources::new(2);
    let label = |name: &str| {
        sources.label(&Origin {
            tenant: None,
            source: Some(name.into()),
        })
    };
    assert_eq!(
        ["a", "b", "c", "a", "d", "b"].map(label),
        ["a", "b", "other", "a", "other", "b"]
    );
    assert_eq!(sources.label(&Origin::default()), "unknown");
}
