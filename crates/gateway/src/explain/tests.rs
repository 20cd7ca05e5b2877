//! What is told about bodies of every protocol, and that nothing of them is stored.

use std::collections::BTreeMap;

use axum::body::Body;
use http::{Request, Uri};
use serde_json::{Value, json};

use crate::config::{Config, QuotaConfig};
use crate::fake::{Answer, FakeBuffer, NOW_MS, Server, batch, sample};
use crate::protocol::tests::{cases, expected};

/// The same request, to be explained.
fn asked(request: Request<Body>) -> Request<Body> {
    let (mut parts, body) = request.into_parts();
    let path: String = form_urlencoded::byte_serialize(parts.uri.to_string().as_bytes()).collect();
    parts.uri = Uri::try_from(format!("/api/v1/explain?path={path}")).unwrap();
    Request::from_parts(parts, body)
}

fn json_body(path: &str, body: impl Into<Body>) -> Request<Body> {
    let request = Request::post(path).header("content-type", "application/json");
    request.body(body.into()).unwrap()
}

async fn explained(server: &Server, body: impl Into<Body>) -> Value {
    let answer = server.send(json_body("/api/v1/explain", body)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

fn samples(report: &Value) -> &[Value] {
    report["samples"].as_array().unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_is_told_of_every_protocol_is_what_would_be_stored() {
    let mut config = Config::default();
    config.influx.database_label = String::new();
    for case in cases() {
        let server = Server::start(&config, FakeBuffer::default());
        let answer = server.send(asked(case.request)).await;
        assert_eq!(answer.status, 200, "{}: {answer:?}", case.name);
        let report = answer.json();
        let mut rows: Vec<_> = samples(&report)
            .iter()
            .map(|told| {
                assert_eq!(told["verdict"], "accepted", "{}", case.name);
                let labels: BTreeMap<String, String> =
                    serde_json::from_value(told["labels"].clone()).unwrap();
                (
                    told["metric_name"].as_str().unwrap().to_owned(),
                    labels,
                    told["timestamp"].as_i64().unwrap(),
                    told["value"].as_f64().unwrap().to_bits(),
                )
            })
            .filter(|row| expected().iter().any(|wanted| wanted.0 == row.0))
            .collect();
        rows.sort();
        assert_eq!(rows, expected(), "{}", case.name);
        assert_eq!(report["answer"]["status"], case.status, "{}", case.name);
        assert_eq!(report["stored"], true, "{}", case.name);
        assert!(server.buffer.confirmed().is_empty(), "{}", case.name);
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_sample_is_told_with_its_code_and_what_was_sent_beside_the_good_ones() {
    let server = Server::start(&Config::default(), FakeBuffer::default());
    let bad = json!({"metric_name": "cpu", "timestamp": NOW_MS / 1000, "value": 1, "labels": {}});
    let body = batch(&[sample("cpu", NOW_MS, 1.5, "web-01"), bad.clone()]);
    let report = explained(&server, body).await;
    assert_eq!(report["objects"], 2);
    assert_eq!(report["accepted"], 1);
    assert_eq!(report["rejected"], 1);
    let [good, bad_one] = samples(&report) else {
        panic!("{report}");
    };
    assert_eq!(
        (&good["verdict"], &good["value"]),
        (&json!("accepted"), &json!(1.5))
    );
    assert_eq!(bad_one["verdict"], "refused");
    assert_eq!(bad_one["index"], 1);
    assert!(
        bad_one["message"].as_str().unwrap().contains("seconds"),
        "{bad_one}"
    );
    let original = bad_one["original"].as_str().unwrap();
    assert_eq!(serde_json::from_str::<Value>(original).unwrap(), bad);
    assert_eq!(report["answer"]["status"], 200);
    assert_eq!(report["records"][0]["metric_name"], "cpu");
    assert_eq!(report["records"][0]["samples"], 1);
    assert!(report["records"][0]["bytes"].as_u64().unwrap() > 10);

    let strict = json_body(
        "/api/v1/explain?path=%2Fmetrics%3Fstrict%3Dtrue",
        batch(&[sample("cpu", NOW_MS, 1.5, "web-01"), bad]),
    );
    let report = server.send(strict).await.json();
    assert_eq!(report["stored"], false);
    assert_eq!(report["answer"]["status"], 400);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_cannot_be_read_is_explained_too() {
    let server = Server::start(&Config::default(), FakeBuffer::default());
    let report = explained(&server, "{\"metrics\": [").await;
    assert_eq!(report["stored"], false);
    assert_eq!(report["refusal"]["code"], "body_invalid", "{report}");
    assert_eq!(report["answer"]["status"], 400);
    let answer = report["answer"]["body"].as_str().unwrap();
    assert!(answer.contains("\"code\":\"body_invalid\""), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn a_metric_that_a_tenant_may_not_send_is_refused_and_limits_are_told() {
    let mut config = Config::default();
    config.quotas.tenants.insert(
        "acme".to_owned(),
        QuotaConfig {
            metric_names: Some(vec!["cpu_*".to_owned()]),
            ..QuotaConfig::default()
        },
    );
    let server = Server::start(&config, FakeBuffer::default());
    let body = batch(&[
        sample("cpu_usage", NOW_MS, 1.0, "web-01"),
        sample("memory", NOW_MS, 1.0, "web-01"),
    ]);
    let path = "/api/v1/explain?path=/tenants/acme/metrics";
    let report = server.send(json_body(path, body)).await.json();
    assert_eq!(report["tenant"], "acme", "{report}");
    assert_eq!(samples(&report)[1]["code"], "metric_not_allowed");
    let labels = report["limits"].as_array().unwrap().iter();
    let mut labels = labels.filter(|limit| limit["setting"] == "limits.max_labels");
    assert_eq!(
        labels.next(),
        Some(&json!({"setting": "limits.max_labels", "limit": 30, "found": 1}))
    );
}

#[tokio::test(start_paused = true)]
async fn nothing_that_was_explained_is_counted_against_anybody() {
    let mut config = Config::default();
    config.quotas.default.active_series = Some(1);
    let server = Server::start(&config, FakeBuffer::default());
    for host in ["a", "b", "c"] {
        let body = batch(&[sample("cpu", NOW_MS, 1.0, host)]);
        let report = explained(&server, body).await;
        assert_eq!(report["accepted"], 1);
    }
    let answer = server.post(batch(&[sample("cpu", NOW_MS, 1.0, "d")])).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[tokio::test(start_paused = true)]
async fn a_path_that_nothing_is_read_at_is_an_error_that_says_so() {
    let server = Server::start(&Config::default(), FakeBuffer::default());
    let ask = async |path: &str| -> Answer {
        let path = format!("/api/v1/explain?path={path}");
        server.send(json_body(&path, "{}")).await
    };
    for path in ["nowhere", "/nowhere", "/metrics/job/backup", "//%20"] {
        let answer = ask(path).await;
        assert_eq!(answer.status, 400, "{path}");
        let text = answer.json()["error"].as_str().unwrap().to_owned();
        assert!(text.contains("path"), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn only_so_many_samples_are_shown_and_the_others_counted() {
    let server = Server::start(&Config::default(), FakeBuffer::default());
    let all: Vec<_> = (0..1500)
        .map(|number| sample(&format!("m_{number}"), NOW_MS, 1.0, "web-01"))
        .collect();
    let report = explained(&server, batch(&all)).await;
    assert_eq!(report["accepted"], 1500);
    assert_eq!(samples(&report).len(), 1000);
    assert_eq!(report["samples_omitted"], 500);
    assert_eq!(report["records_omitted"], 500);
}

#[tokio::test(start_paused = true)]
async fn an_explained_delta_is_not_in_the_sum_that_is_stored() {
    let delta = r#"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[
        {"name":"jobs","sum":{"isMonotonic":true,"aggregationTemporality":1,"dataPoints":[
            {"startTimeUnixNano":"1699999990000000000","timeUnixNano":"1700000000000000000","asInt":"5"}]}}]}]}]}"#;
    let server = Server::start(&Config::default(), FakeBuffer::default());
    for _ in 0..3 {
        let report = server
            .send(json_body("/api/v1/explain?path=/v1/metrics", delta))
            .await
            .json();
        assert_eq!(samples(&report)[0]["value"], 5.0, "{report}");
    }
    let answer = server.send(json_body("/v1/metrics", delta)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let stored = server.buffer.confirmed();
    let jobs = stored.iter().find(|record| record.key.starts_with(b"jobs"));
    let jobs = jobs.unwrap();
    let content_type = jobs.content_type.as_str().as_bytes();
    let block = codec::record::decode(Some(content_type), &jobs.value).unwrap();
    let points: Vec<f64> = block
        .iter()
        .flat_map(|series| {
            series
                .points()
                .iter()
                .map(|point| point.value)
                .collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(points, [5.0]);
}

#[tokio::test(start_paused = true)]
async fn large_labels_are_shown_only_so_often() {
    let server = Server::start(&Config::default(), FakeBuffer::default());
    let label = "x".repeat(2000);
    let one = |number: i64| {
        let labels: serde_json::Map<_, _> = (0..30)
            .map(|label_number| (format!("l{label_number}"), json!(label)))
            .collect();
        json!({"metric_name": "cpu", "timestamp": NOW_MS - number, "value": 1, "labels": labels})
    };
    let all: Vec<_> = (0..200).map(one).collect();
    let report = explained(&server, batch(&all)).await;
    assert_eq!(report["accepted"], 200);
    let shown = samples(&report).len() as u64;
    assert!((10..100).contains(&shown), "{shown}");
    assert_eq!(report["samples_omitted"].as_u64().unwrap() + shown, 200);
}
