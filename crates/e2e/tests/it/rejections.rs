//! "Why is my data missing?": one question, answered with what gateways and stores refused.

use anyhow::ensure;
use serde_json::{Value, json};
use testkit::{Prometheus, eventually};

use crate::push::{now_ms, push};
use crate::sluice::{PATIENCE, Sluice, Topics};

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
