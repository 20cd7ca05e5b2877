//! Quotas as senders meet them, through the HTTP API.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use buffer::PublishError;
use http::{Request, StatusCode};
use serde_json::json;

use crate::Beside;
use crate::config::{Config, MetricQuotaConfig, QuotaConfig, QuotasConfig};
use crate::fake::{Answer, FakeBuffer, NOW_MS, Server, Then, batch, sample};
use crate::pushgateway::fake::FakeTable;

fn config(quotas: QuotasConfig) -> Config {
    quotas.check().unwrap();
    Config {
        quotas,
        ..Config::default()
    }
}

fn server(quotas: QuotasConfig) -> Server {
    Server::start(&config(quotas), FakeBuffer::default())
}

async fn push(server: &Server, tenant: &str, source: &str, body: String) -> Answer {
    let mut request = Request::post("/metrics")
        .header("content-type", "application/json")
        .header("sluice-source", source);
    if !tenant.is_empty() {
        request = request.header("x-scope-orgid", tenant);
    }
    server.send(request.body(Body::from(body)).unwrap()).await
}

/// A body with series of one metric, one for each host.
fn hosts(metric: &str, hosts: std::ops::Range<usize>) -> String {
    let samples: Vec<_> = hosts
        .map(|host| sample(metric, NOW_MS, 1.0, &format!("host-{host}")))
        .collect();
    batch(&samples)
}

fn limited(quota: QuotaConfig) -> QuotasConfig {
    QuotasConfig {
        tenants: [("a".to_owned(), quota)].into(),
        ..QuotasConfig::default()
    }
}

#[tokio::test(start_paused = true)]
async fn a_tenant_beyond_its_requests_gets_429_until_its_time_comes_and_others_do_not() {
    let server = server(limited(QuotaConfig {
        requests_per_second: Some(0.5),
        requests_burst: Some(2.0),
        ..QuotaConfig::default()
    }));
    let push = |tenant| push(&server, tenant, "s", hosts("up", 0..1));
    assert_eq!(push("a").await.status, StatusCode::OK);
    assert_eq!(push("a").await.status, StatusCode::OK);
    let refused = push("a").await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(
        refused.json(),
        json!({
            "error": "tenant \"a\" may send 0.5 requests per second and has sent more; send it again in 2.0 s",
            "code": "rate_limited",
        })
    );
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((2..=4).contains(&wait), "{wait}");
    assert_eq!(push("b").await.status, StatusCode::OK);
    assert_eq!(push("").await.status, StatusCode::OK);
    tokio::time::advance(Duration::from_secs(2)).await;
    assert_eq!(push("a").await.status, StatusCode::OK);
    assert_eq!(push("a").await.status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test(start_paused = true)]
async fn deleting_a_group_is_a_request_as_well() {
    let config = config(limited(QuotaConfig {
        requests_per_second: Some(1.0),
        requests_burst: Some(1.0),
        ..QuotaConfig::default()
    }));
    let beside = Beside {
        groups: Some(FakeTable::default().groups()),
        ..Beside::default()
    };
    let clock = Arc::new(model::ManualClock::new(NOW_MS));
    let server = Server::start_beside(&config, FakeBuffer::default().into(), clock, beside);
    for is_refused in [false, true] {
        let request = Request::delete("/metrics/job/x")
            .header("x-scope-orgid", "a")
            .body(Body::empty())
            .unwrap();
        let status = server.send(request).await.status;
        assert_eq!(status == StatusCode::TOO_MANY_REQUESTS, is_refused);
    }
}

#[tokio::test(start_paused = true)]
async fn another_window_goes_on_from_the_half_that_it_is() {
    let window = |secs| QuotasConfig {
        window: service::units::Period::secs(secs),
        ..QuotasConfig::default()
    };
    let server = server(window(600));
    let quotas = server.gateway.quotas();
    let half = || quotas.0.rules.read().half();
    tokio::time::advance(Duration::from_secs(3000)).await;
    assert_eq!(half(), 10);
    quotas.replace(&window(600));
    assert_eq!(half(), 10);
    quotas.replace(&window(6000));
    assert_eq!(half(), 11);
    tokio::time::advance(Duration::from_secs(3000)).await;
    assert_eq!(half(), 12);
    quotas.replace(&window(60));
    assert_eq!(half(), 13);
}

#[tokio::test(start_paused = true)]
async fn a_rate_is_refused_before_the_body_is_read() {
    let server = server(QuotasConfig {
        default_source: QuotaConfig {
            requests_per_second: Some(1.0),
            requests_burst: Some(1.0),
            ..QuotaConfig::default()
        },
        ..QuotasConfig::default()
    });
    let sent = || {
        let pending = futures::stream::pending::<Result<bytes::Bytes, std::io::Error>>();
        Request::post("/metrics")
            .header("content-type", "application/json")
            .header("sluice-source", "job")
            .header("expect", "100-continue")
            .body(Body::from_stream(pending))
            .unwrap()
    };
    assert_eq!(
        push(&server, "", "job", hosts("up", 0..1)).await.status,
        StatusCode::OK
    );
    let answer = server.send(sent()).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(
        answer.text().contains("source \\\"job\\\""),
        "{}",
        answer.text()
    );
}

#[tokio::test(start_paused = true)]
async fn samples_beyond_a_tenants_rate_are_waited_off_and_none_is_dropped() {
    let server = server(limited(QuotaConfig {
        samples_per_second: Some(10.0),
        samples_burst: Some(10.0),
        ..QuotaConfig::default()
    }));
    // Larger than the burst, and taken whole.
    let answer = push(&server, "a", "s", hosts("up", 0..60)).await;
    assert_eq!(
        answer.json(),
        json!({"status": "success", "metrics_received": 60})
    );
    let answer = push(&server, "a", "s", hosts("up", 0..1)).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(
        answer.text().contains("10 samples per second"),
        "{}",
        answer.text()
    );
    tokio::time::advance(Duration::from_millis(5_200)).await;
    let answer = push(&server, "a", "s", hosts("up", 0..1)).await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn samples_beyond_a_metrics_rate_are_refused_and_others_beside_them_stored() {
    let server = server(QuotasConfig {
        metrics: [(
            "noisy_*".to_owned(),
            MetricQuotaConfig {
                samples_per_second: Some(2.0),
                samples_burst: Some(2.0),
                ..MetricQuotaConfig::default()
            },
        )]
        .into(),
        ..QuotasConfig::default()
    });
    let noisy = |host| sample("noisy_total", NOW_MS, 1.0, host);
    let quiet = sample("quiet", NOW_MS, 1.0, "a");
    let body = batch(&[noisy("a"), noisy("b"), noisy("c"), quiet]);
    let answer = push(&server, "", "s", body).await;
    assert_eq!(
        answer.json(),
        json!({
            "status": "partial", "metrics_received": 3, "metrics_rejected": 1,
            "errors": [{
                "index": 2, "metric_name": "noisy_total", "code": "quota_exceeded",
                "message": "metric \"noisy_total\" may have 2 samples per second, and more came",
            }],
        })
    );
    // Nothing else is in it: it may be sent again later.
    let answer = push(&server, "", "s", batch(&[noisy("a")])).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(answer.header("retry-after").is_some());
    tokio::time::advance(Duration::from_secs(1)).await;
    let answer = push(&server, "", "s", batch(&[noisy("a")])).await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn metrics_that_are_not_on_the_list_are_refused_by_name() {
    let server = server(limited(QuotaConfig {
        metric_names: Some(vec!["up".to_owned(), "http_*".to_owned()]),
        ..QuotaConfig::default()
    }));
    let body = batch(&[
        sample("up", NOW_MS, 1.0, "a"),
        sample("http_requests", NOW_MS, 1.0, "a"),
        sample("upper", NOW_MS, 1.0, "a"),
    ]);
    for _ in 0..3 {
        let answer = push(&server, "a", "s", body.clone()).await;
        assert_eq!(
            answer.json()["errors"],
            json!([{
                "index": 2, "metric_name": "upper", "code": "metric_not_allowed",
                "message": "tenant \"a\" may not send metric \"upper\"; quotas have a list of metric_names",
            }])
        );
    }
    let answer = push(&server, "b", "s", body).await;
    assert_eq!(answer.json()["metrics_received"], 3);
}

#[tokio::test]
async fn a_label_explosion_of_one_job_is_stopped_and_hurts_nobody_else() {
    let server = server(QuotasConfig {
        default_source: QuotaConfig {
            active_series: Some(100),
            ..QuotaConfig::default()
        },
        ..QuotasConfig::default()
    });
    // Known series of the job before it explodes, and of another sender, with the same metric name.
    let answer = push(&server, "", "job", hosts("x", 0..50)).await;
    assert_eq!(answer.json()["metrics_received"], 50);
    for round in 0..20 {
        let answer = push(
            &server,
            "",
            "job",
            hosts("x", round * 100..round * 100 + 100),
        )
        .await;
        let received = answer.json()["metrics_received"].as_u64().unwrap_or(0);
        let expected = if round == 0 { 100 } else { 0 };
        assert_eq!(received, expected, "round {round}: {}", answer.text());
        let other = push(&server, "", "other", hosts("x", 5000..5100)).await;
        assert_eq!(other.json()["metrics_received"], 100);
    }
    let answer = push(&server, "", "job", hosts("x", 99..101)).await;
    assert_eq!(
        answer.json()["errors"],
        json!([{
            "index": 1, "metric_name": "x", "code": "series_limit",
            "message": "the series is new, and source \"job\" has 100 active series already, the limit is 100",
        }])
    );
    // What it sent before still passes.
    let answer = push(&server, "", "job", hosts("x", 0..100)).await;
    assert_eq!(answer.json()["metrics_received"], 100);
}

#[tokio::test]
async fn a_histogram_is_let_in_whole_or_not_at_all() {
    let server = server(limited(QuotaConfig {
        active_series: Some(5),
        ..QuotaConfig::default()
    }));
    let histogram = |name: &str| {
        json!({
            "metric_name": name, "timestamp": NOW_MS, "labels": {}, "type": "histogram",
            "value": {"buckets": {"1": 1, "+Inf": 2}, "sum": 1.5, "count": 2},
        })
    };
    let answer = push(&server, "a", "s", batch(&[histogram("h")])).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let answer = push(&server, "a", "s", batch(&[histogram("i")])).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    // The one that was begun has given its room back.
    let answer = push(&server, "a", "s", batch(&[sample("up", NOW_MS, 1.0, "a")])).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let answer = push(&server, "a", "s", batch(&[sample("up", NOW_MS, 1.0, "b")])).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_metric_with_too_many_series_is_refused_new_ones_and_others_are_not() {
    let server = server(QuotasConfig {
        metrics: [(
            "*".to_owned(),
            MetricQuotaConfig {
                active_series: Some(10),
                ..MetricQuotaConfig::default()
            },
        )]
        .into(),
        ..QuotasConfig::default()
    });
    let answer = push(&server, "a", "s", hosts("x", 0..20)).await;
    assert_eq!(answer.json()["metrics_rejected"], 10);
    let answer = push(&server, "a", "s", hosts("y", 0..10)).await;
    assert_eq!(answer.json()["metrics_received"], 10);
    let answer = push(&server, "b", "s", hosts("x", 0..10)).await;
    assert_eq!(
        answer.json()["metrics_received"],
        10,
        "each tenant has its own"
    );
}

#[tokio::test]
async fn a_reload_lets_in_what_was_refused_and_refuses_what_was_let_in() {
    let strict = limited(QuotaConfig {
        active_series: Some(1),
        ..QuotaConfig::default()
    });
    let server = server(strict.clone());
    let quotas = server.gateway.quotas();
    let received = async |hosts_: std::ops::Range<usize>| {
        let answer = push(&server, "a", "s", hosts("x", hosts_)).await;
        answer.json()["metrics_received"].as_u64().unwrap_or(0)
    };
    assert_eq!(received(0..3).await, 1);
    quotas.replace(&QuotasConfig::default());
    assert_eq!(received(0..3).await, 3);
    quotas.replace(&strict);
    assert_eq!(
        received(0..3).await,
        1,
        "known to the gateway, but not to the limit"
    );
}

#[tokio::test]
async fn the_good_part_of_a_text_body_is_stored_and_the_answer_is_400() {
    let server = server(limited(QuotaConfig {
        active_series: Some(1),
        ..QuotaConfig::default()
    }));
    let request = Request::post("/api/v1/import/prometheus")
        .header("x-scope-orgid", "a")
        .body(Body::from("up{host=\"a\"} 1\nup{host=\"b\"} 1\n"))
        .unwrap();
    let answer = server.send(request).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(answer.json()["code"], "series_limit");
    assert_eq!(server.buffer.confirmed().len(), 1);
}

#[tokio::test]
async fn what_the_buffer_did_not_take_counts_as_known_when_it_comes_again() {
    let quotas = limited(QuotaConfig {
        active_series: Some(2),
        ..QuotaConfig::default()
    });
    let buffer = FakeBuffer::default();
    buffer
        .next
        .lock()
        .unwrap()
        .push_back(Then::Fail(PublishError::QueueFull));
    let server = Server::start(&config(quotas), buffer);
    let answer = push(&server, "a", "s", hosts("x", 0..2)).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    let answer = push(&server, "a", "s", hosts("x", 0..2)).await;
    assert_eq!(answer.json()["metrics_received"], 2);
}

#[tokio::test]
async fn the_report_names_who_makes_most_series() {
    let server = server(limited(QuotaConfig {
        active_series: Some(1000),
        ..QuotaConfig::default()
    }));
    push(&server, "a", "job", hosts("many", 0..500)).await;
    push(&server, "a", "job", hosts("many", 0..500)).await;
    push(&server, "b", "agent", hosts("few", 0..5)).await;
    let report = server.gateway.quotas().cardinality(10).unwrap();
    let near = |value: &serde_json::Value, expected: f64| {
        let found = value.as_f64().unwrap();
        assert!(
            (found - expected).abs() <= 2.0 + expected * 0.1,
            "{report:#}"
        );
    };
    near(&report["active_series"], 505.0);
    near(&report["tenants"][0]["active_series"], 500.0);
    assert_eq!(report["tenants"][0]["limit"], 1000);
    assert_eq!(report["tenants"][0]["counted_against_limit"], 500);
    assert_eq!(report["metrics"][0]["metric_name"], "many");
    assert_eq!(report["metrics"][0]["tenant"], "a");
    assert_eq!(report["metrics"][0]["source"], "job");
    near(&report["metrics"][1]["active_series"], 5.0);
    assert_eq!(report["labels"][0]["label"], "host");
    near(&report["labels"][0]["values"], 500.0);
}
