//! Quotas of a running process: reloaded from a file, over HTTP and StatsD, with tenants' topics in a real Kafka.

use std::net::UdpSocket;
use std::path::Path;

use serde_json::{Value, json};
use testkit::http::{Answer, request};
use testkit::kafka::{Kafka, Record, unique};
use testkit::{eventually, free_port};

use crate::push::now_ms;
use crate::sluice::{PATIENCE, Sluice, Topics};

fn hosts(metric: &str, hosts: std::ops::Range<usize>) -> Value {
    let at_ms = now_ms();
    let samples: Vec<Value> = hosts
        .map(|host| {
            json!({"metric_name": metric, "timestamp": at_ms, "value": 1, "labels": {"host": format!("h{host}")}})
        })
        .collect();
    json!({ "metrics": samples })
}

fn push(sluice: &Sluice, headers: &[(&str, &str)], body: &Value) -> Answer {
    let json = [("Content-Type", "application/json")];
    let headers = [&json, headers].concat();
    let body = body.to_string();
    request(
        sluice.http_port(),
        "POST",
        "/metrics",
        &headers,
        body.as_bytes(),
    )
    .unwrap()
}

fn body(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap()
}

fn write(path: &Path, quotas: &Value) {
    // YAML reads JSON.
    let settings = json!({"quotas": quotas, "reload": {"interval": "100ms"}});
    std::fs::write(path, settings.to_string()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn quotas_change_with_their_file_and_an_explosion_of_labels_is_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sluice.yaml");
    write(&file, &json!({"sources": {"job": {"active_series": 100}}}));
    let statsd_port = free_port();
    let (data_dir, file_text) = (
        folder.path().join("data").display().to_string(),
        file.display().to_string(),
    );
    let statsd = format!("127.0.0.1:{statsd_port}");
    let sluice = Sluice::start(
        "standalone",
        &[
            ("SLUICE_DATA_DIR", &data_dir),
            ("SLUICE_CONFIG", &file_text),
            ("SLUICE_STATSD__LISTEN", &statsd),
            ("SLUICE_STATSD__FLUSH_INTERVAL", "1s"),
        ],
    );
    let job = [("Sluice-Source", "job")];
    assert_eq!(
        body(&push(&sluice, &job, &hosts("x", 0..100)))["metrics_received"],
        100
    );
    let exploded = body(&push(&sluice, &job, &hosts("x", 50..250)));
    assert_eq!(
        (&exploded["metrics_received"], &exploded["metrics_rejected"]),
        (&json!(50), &json!(150))
    );
    assert_eq!(exploded["errors"][0]["code"], "series_limit");
    let other = [("Sluice-Source", "other")];
    assert_eq!(
        body(&push(&sluice, &other, &hosts("x", 0..300)))["metrics_received"],
        300
    );

    let report = testkit::http::get(sluice.admin_port(), "/api/v1/cardinality?limit=3").unwrap();
    let report = body(&report);
    assert_eq!(report["metrics"][0]["metric_name"], "x", "{report:#}");
    let sources = report["sources"].as_array().unwrap();
    assert_eq!(
        (&sources[0]["source"], &sources[1]["source"]),
        (&json!("other"), &json!("job"))
    );

    // A file that cannot be changes nothing; one that can, does without a restart.
    write(&file, &json!({"sources": {"job": {"active_series": 1.5}}}));
    eventually(PATIENCE, async || {
        let failed = sluice.metric("sluice_settings_reloads_total", "refused");
        failed
            .is_ok_and(|count| count >= 1.0)
            .then_some(())
            .ok_or("not tried")
    })
    .await;
    assert_eq!(push(&sluice, &job, &hosts("x", 200..201)).status, 400);
    let limits = json!({
        "metrics": {"exploding_*": {"active_series": 10}},
        "sources": {"slow": {"requests_per_second": 0.001, "requests_burst": 1}},
    });
    write(&file, &limits);
    eventually(PATIENCE, async || {
        let answer = push(&sluice, &job, &hosts("x", 100..200));
        (answer.status == 200).then_some(()).ok_or(answer.text())
    })
    .await;
    let slow = [("Sluice-Source", "slow")];
    assert_eq!(push(&sluice, &slow, &hosts("x", 0..1)).status, 200);
    let limited = push(&sluice, &slow, &hosts("x", 0..1));
    assert_eq!(limited.status, 429);
    assert!(limited.header("retry-after").is_some());

    // StatsD goes the same way.
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    for host in 0..50 {
        let line = format!("exploding_gauge:1|g|#host:h{host}\nquiet_gauge:1|g|#host:h{host}");
        socket.send_to(line.as_bytes(), &statsd).unwrap();
    }
    eventually(PATIENCE, async || {
        let stored = |name: &str| {
            let found = sluice.get(&format!("/api/v1/recent/series?metric_name={name}"));
            found.map_or(0, |found| found["series"].as_array().map_or(0, Vec::len))
        };
        let found = (stored("exploding_gauge"), stored("quiet_gauge"));
        (found == (10, 50)).then_some(()).ok_or(found)
    })
    .await;
    let refused = sluice.metric("sluice_gateway_samples_rejected_total", "series_limit");
    assert!(refused.unwrap() > 150.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_after_a_lost_answer_is_stored_once() {
    let folder = tempfile::tempdir().unwrap();
    let sluice = Sluice::standalone(folder.path());
    let key = [("Idempotency-Key", "8e03978e-40d5-43dd-bc93-6894a57f9324")];
    let batch = hosts("once", 0..3);
    let first = push(&sluice, &key, &batch);
    let again = push(&sluice, &key, &batch);
    assert_eq!((first.status, first.body), (200, again.body.clone()));
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert!(again.header("sluice-durability").is_some());
    let accepted = sluice
        .metric("sluice_gateway_samples_accepted_total", "json")
        .unwrap();
    assert!((accepted - 3.0).abs() < 0.1, "{accepted}");
    assert_eq!(push(&sluice, &key, &hosts("other", 0..3)).status, 422);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenants_records_go_to_its_own_topic_and_all_others_do_not() {
    let topics = Topics::new("shared", 4);
    let own = unique("own");
    let topic = [("SLUICE_KAFKA__TENANT_TOPICS__A", own.as_str())];
    let gateway = Sluice::start("gateway", &topics.with(&topic));
    for tenant in ["a", "b"] {
        let answer = push(&gateway, &[("X-Scope-OrgID", tenant)], &hosts(tenant, 0..2));
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    let keys = |topic: &str| {
        let records = Kafka::shared().read(topic);
        let key = |record: Record| String::from_utf8(record.key.unwrap()).unwrap();
        records.into_iter().map(key).collect::<Vec<_>>()
    };
    assert_eq!(keys(&own), ["a"]);
    assert_eq!(keys(&topics.samples), ["b"]);
}
