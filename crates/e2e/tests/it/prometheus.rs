//! A real Prometheus as the store: classic names only, and it refuses what is too old.

use std::time::Duration;

use serde_json::json;
use testkit::kafka::Kafka;
use testkit::{Prometheus, eventually};

use crate::push::{now_ms, push};
use crate::sluice::{PATIENCE, Sluice, Topics};

/// The value of the only series that an expression gives now.
fn query(prometheus: &Prometheus, expression: &str) -> Result<f64, String> {
    let found = prometheus.query(expression, now_ms());
    match found.as_slice() {
        [series] => Ok(series.samples[0].1),
        _ => Err(format!("{found:?}")),
    }
}

fn is(found: Result<f64, String>, expected: f64) -> Result<(), String> {
    if found == Ok(expected) {
        Ok(())
    } else {
        Err(format!("{found:?}"))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_escaped_and_refused_samples_become_dead_letters_beside_good_ones() {
    let prometheus = Prometheus::start();
    let topics = Topics::new("prometheus", 3);
    let write_url = prometheus.write_url();
    let stores = [
        ("SLUICE_STORES__MAIN__TYPE", "remote_write"),
        ("SLUICE_STORES__MAIN__URL", &write_url),
        ("SLUICE_STORES__MAIN__NAMES", "underscores"),
    ];
    let gateway = Sluice::start("gateway", &topics.settings());
    let consumer = Sluice::start("consumer", &topics.with(&stores));

    let at_ms = now_ms();
    let sample = |name: &str, at_ms: i64, value: f64| json!({"metric_name": name, "timestamp": at_ms, "value": value, "labels": {"net.host": "a"}});
    let url = gateway.url("/metrics");
    push(
        &url,
        &json!({"metrics": [sample("http.requests", at_ms, 1.0)]}),
    )
    .await
    .unwrap();
    eventually(PATIENCE, async || {
        is(query(&prometheus, "http_requests{net_host=\"a\"}"), 1.0)
    })
    .await;

    // Two hours old: Prometheus refuses it for this series. The sample beside it is fine.
    let old_ms = at_ms - 2 * 3600 * 1000;
    let mixed = json!({"metrics": [sample("http.requests", old_ms, 5.0), sample("http.errors", at_ms, 2.0)]});
    push(&url, &mixed).await.unwrap();
    eventually(PATIENCE, async || {
        is(query(&prometheus, "http_errors"), 2.0)
    })
    .await;
    eventually(PATIENCE, async || {
        let dead = consumer
            .metric("sluice_consumer_samples_dead_lettered_total", "")
            .unwrap();
        if dead == 1.0 { Ok(()) } else { Err(dead) }
    })
    .await;
    let letters = Kafka::shared().read(&topics.dead);
    assert_eq!(letters.len(), 1);
    let header = |name: &str| {
        let (_, value) = letters[0]
            .headers
            .iter()
            .find(|(header, _)| header == name)
            .expect("the header is there");
        String::from_utf8(value.clone()).unwrap()
    };
    assert_eq!(letters[0].key.as_deref(), Some(b"http.requests".as_slice()));
    assert_eq!(header("store"), "main");
    assert_eq!(header("source-topic"), topics.samples);
    assert_eq!(header("source"), "127.0.0.1");
    assert_eq!(header("reason"), "too_old");
    assert!(
        header("message").contains("too old sample"),
        "{}",
        header("message")
    );
    let source: (i32, i64) = (
        header("source-partition").parse().unwrap(),
        header("source-offset").parse().unwrap(),
    );
    let records = Kafka::shared().read(&topics.samples);
    assert!(
        records
            .iter()
            .any(|record| (record.partition, record.offset) == source)
    );
    let written = consumer
        .metric("sluice_consumer_samples_written_total", "")
        .unwrap();
    assert_eq!(written, 2.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_down_for_a_while_misses_nothing() {
    let prometheus = Prometheus::start();
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().display().to_string();
    let write_url = prometheus.write_url();
    let settings = [
        ("SLUICE_DATA_DIR", data_dir.as_str()),
        ("SLUICE_STORES__TSDB__TYPE", "remote_write"),
        ("SLUICE_STORES__TSDB__URL", write_url.as_str()),
    ];
    let sluice = Sluice::start("standalone", &settings);
    prometheus.process().pause();
    let at_ms = now_ms();
    for number in 0..20 {
        let body = json!({"metrics": [{"metric_name": "patient", "timestamp": at_ms + number, "value": number, "labels": {}}]});
        push(&sluice.url("/metrics"), &body).await.unwrap();
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    prometheus.process().resume();
    eventually(PATIENCE, async || {
        is(query(&prometheus, "count_over_time(patient[5m])"), 20.0)
    })
    .await;
}
