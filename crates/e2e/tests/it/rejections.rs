//! "Why is my data missing?": one question, answered with what gateways and stores refused.

use anyhow::ensure;
use serde_json::{Value, json};
use testkit::kafka::{Kafka, Record};
use testkit::{Prometheus, eventually};

use crate::push::{now_ms, push};
use crate::sluice::{PATIENCE, Sluice, Topics, reqwest_client};

/// The summaries of what is answered, the newest first.
fn ask(sluice: &Sluice, query: &str) -> anyhow::Result<Vec<String>> {
    let answer = sluice.admin(&format!("/api/v1/rejections?{query}"))?;
    let rejections = answer["rejections"].as_array().cloned().unwrap_or_default();
    let summary = |shown: &Value| shown["summary"].as_str().unwrap_or_default().to_owned();
    Ok(rejections.iter().map(summary).collect())
}

fn sample(name: &str, at_ms: i64, value: f64) -> Value {
    json!({"metric_name": name, "timestamp": at_ms, "value": value, "labels": {"host": "a"}})
}

/// Sends a sample that the gateway refuses, and one that Prometheus refuses after the 2xx.
async fn send(sluice: &Sluice, prometheus: &Prometheus) {
    let (url, at_ms) = (sluice.url("/metrics"), now_ms());
    push(&url, &json!({"metrics": [sample("late", at_ms, 1.0)]}))
        .await
        .unwrap();
    eventually(PATIENCE, async || {
        let found = prometheus.query("late", now_ms());
        if found.len() == 1 { Ok(()) } else { Err(found) }
    })
    .await;
    let seconds = at_ms / 1000;
    let old_ms = at_ms - 2 * 3600 * 1000;
    let body = json!({"metrics": [sample("late", old_ms, 5.0), sample("early", seconds, 5.0)]});
    push(&url, &body).await.unwrap();
}

async fn check(asked: &Sluice) {
    eventually(PATIENCE, async || -> anyhow::Result<()> {
        let late = ask(asked, "metric=late&source=127.0.0.1")?;
        ensure!(late.len() == 1, "{late:?}");
        ensure!(
            late[0].starts_with(
                "1 sample of late from 127.0.0.1 was accepted, and then refused for good by store main (too_old): "
            ),
            "{late:?}"
        );
        Ok(())
    })
    .await;
    assert_eq!(
        ask(asked, "metric=late&late=false").unwrap(),
        Vec::<String>::new()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_answers_with_what_it_refused_and_with_what_a_store_refused_elsewhere() {
    let prometheus = Prometheus::start();
    let topics = Topics::new("rejections", 2);
    let write_url = prometheus.write_url();
    let stores = [
        ("SLUICE_STORES__MAIN__TYPE", "remote_write"),
        ("SLUICE_STORES__MAIN__URL", &write_url),
    ];
    let gateway = Sluice::start("gateway", &topics.settings());
    let consumer = Sluice::start("consumer", &topics.with(&stores));
    send(&gateway, &prometheus).await;
    check(&gateway).await;
    let early = ask(&gateway, "metric=early").unwrap();
    assert!(
        early[0]
            .starts_with("1 sample of early from 127.0.0.1 was refused by the gateway (json): "),
        "{early:?}"
    );
    // The consumer knows only of its own part.
    let both = ask(&consumer, "").unwrap();
    assert!(
        both.len() == 1 && both[0].contains("store main"),
        "{both:?}"
    );
    let refused = consumer.admin("/api/v1/rejections?limit=none").unwrap_err();
    assert!(refused.to_string().contains("limit=none"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standalone_answers_with_both_and_remembers_the_late_ones() {
    let prometheus = Prometheus::start();
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().display().to_string();
    let write_url = prometheus.write_url();
    let settings = [
        ("SLUICE_DATA_DIR", data_dir.as_str()),
        ("SLUICE_STORES__MAIN__TYPE", "remote_write"),
        ("SLUICE_STORES__MAIN__URL", write_url.as_str()),
    ];
    let sluice = Sluice::start("standalone", &settings);
    send(&sluice, &prometheus).await;
    eventually(PATIENCE, async || {
        let all = ask(&sluice, "").unwrap();
        if all.len() == 2 { Ok(()) } else { Err(all) }
    })
    .await;
    sluice.process.kill();
    let sluice = sluice.again();
    let late = ask(&sluice, "metric=late").unwrap();
    assert!(
        late.len() == 1 && late[0].contains("store main"),
        "{late:?}"
    );
}

/// A header of a record as text.
fn header(record: &Record, name: &str) -> Option<String> {
    let (_, value) = record.headers.iter().find(|(found, _)| found == name)?;
    Some(String::from_utf8(value.clone()).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_samples_land_in_their_topic_with_the_bytes_that_were_sent() {
    let topics = Topics::new("refused", 2);
    let refused = format!("{}-refused", topics.samples);
    let gateway = Sluice::start(
        "gateway",
        &topics.with(&[("SLUICE_REJECTIONS__TOPIC", &refused)]),
    );
    let at_ms = now_ms();
    let good = sample("fine", at_ms, 1.0);
    // Spaces that nobody would write again.
    let bad = format!(
        r#"{{ "metric_name":"early",  "timestamp": {}, "value": 5.0 , "labels":{{}}}}"#,
        at_ms / 1000
    );
    let body = format!(r#"{{"metrics":[{good},{bad},{good}]}}"#);
    let client = reqwest_client().unwrap();
    let sends = [
        ("/metrics", "application/json", body, 200),
        (
            "/api/v1/import/prometheus",
            "text/plain",
            "fine 1\nnot a line {\n".to_owned(),
            400,
        ),
    ];
    for (path, content_type, body, status) in sends {
        let answer = client
            .post(gateway.url(path))
            .header("content-type", content_type)
            .header("sluice-source", "batch-7")
            .body(body)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status().as_u16(), status, "{path}");
    }
    let records = eventually(PATIENCE, async || {
        let mut records = Kafka::shared().read(&refused);
        records.sort_by_key(|record| header(record, "protocol"));
        if records.len() == 2 {
            Ok(records)
        } else {
            Err(records)
        }
    })
    .await;
    let expected = [
        (
            Some("early"),
            bad.as_str(),
            "json",
            "application/json",
            "timestamp_in_seconds",
        ),
        (Some("not"), "not a line {", "text", "text/plain", ""),
    ];
    for (record, (key, value, protocol, content_type, reason)) in records.iter().zip(expected) {
        assert_eq!(record.key.as_deref(), key.map(str::as_bytes), "{record:?}");
        assert_eq!(record.value.as_deref(), Some(value.as_bytes()));
        for (name, value) in [
            ("protocol", protocol),
            ("content-type", content_type),
            ("index", "1"),
            ("original", "part"),
            ("source", "batch-7"),
        ] {
            assert_eq!(
                header(record, name).as_deref(),
                Some(value),
                "{name} {record:?}"
            );
        }
        let found = header(record, "reason").unwrap();
        assert!(found.starts_with(reason) && !found.is_empty(), "{record:?}");
        assert!(!header(record, "message").unwrap().is_empty());
        assert!(header(record, "sluice-version").is_some());
        assert_eq!(header(record, "tenant"), None);
    }
}
