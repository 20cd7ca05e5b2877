//! Stores beside remote write and the archive: what is pushed is found in each, bit for bit and once.

use serde_json::json;
use testkit::{ClickHouse, InfluxDb, Kafka, Postgres, eventually};

use crate::push::push;
use crate::sluice::{PATIENCE, Sluice, Topics};

const AT_MS: i64 = 1_700_000_000_000;

/// `sluice standalone` with one store, called `main`.
fn standalone(settings: &[(&str, &str)]) -> Sluice {
    Sluice::start("standalone", settings)
}

/// Pushes some samples, one of them twice and one that Influx has no form for.
async fn push_some(sluice: &Sluice) {
    let body = json!({"metrics": [
        {"metric_name": "cpu_usage", "timestamp": AT_MS, "value": 0.1, "labels": {"host": "web 1", "zone": "é,=\""}},
        {"metric_name": "cpu_usage", "timestamp": AT_MS, "value": 0.1, "labels": {"host": "web 1", "zone": "é,=\""}},
        {"metric_name": "cpu_usage", "timestamp": AT_MS + 1000, "value": 5e-324, "labels": {"host": "web 1", "zone": "é,=\""}},
    ]});
    let answer = push(&sluice.url("/metrics"), &body).await.unwrap();
    assert_eq!(answer["status"], "success", "{answer}");
    let stale = testkit::http::request(
        sluice.http_port(),
        "POST",
        "/api/v1/import/prometheus",
        &[],
        format!("gone NaN {AT_MS}\n").as_bytes(),
    )
    .unwrap();
    assert_eq!(stale.status, 204, "{}", stale.text());
}

/// Waits until everything that was consumed is accounted for.
async fn settled(sluice: &Sluice, written: f64, skipped: f64) {
    eventually(PATIENCE, async || {
        let sum = |name: &str| sluice.metric(name, "store=\"main\"").unwrap();
        let found = (
            sum("sluice_consumer_samples_written_total"),
            sum("sluice_consumer_samples_skipped_total"),
        );
        if found == (written, skipped) {
            Ok(())
        } else {
            Err(found)
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_pushed_is_found_in_influxdb() {
    let server = InfluxDb::start();
    let sluice = standalone(&[
        ("SLUICE_STORES__MAIN__TYPE", "influx"),
        ("SLUICE_STORES__MAIN__URL", &server.write_url("metrics")),
    ]);
    push_some(&sluice).await;
    // It waits until somebody has made the database.
    eventually(PATIENCE, async || {
        let retries = sluice.metric("sluice_store_requests_total", "retryable");
        match retries.unwrap() {
            0.0 => Err("no request yet"),
            _ => Ok(()),
        }
    })
    .await;
    server.create_database("metrics");
    settled(&sluice, 3.0, 1.0).await;
    let rows = server.query("metrics", "SELECT * FROM /.*/");
    assert_eq!(
        rows,
        [
            json!({"name": "cpu_usage", "time": AT_MS, "host": "web 1", "zone": "é,=\"", "value": 0.1}),
            json!({"name": "cpu_usage", "time": AT_MS + 1000, "host": "web 1", "zone": "é,=\"", "value": 5e-324}),
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_pushed_is_found_in_clickhouse() {
    let server = ClickHouse::new_release();
    let sluice = standalone(&[
        ("SLUICE_STORES__MAIN__TYPE", "clickhouse"),
        ("SLUICE_STORES__MAIN__URL", &server.url()),
        ("SLUICE_STORES__MAIN__MAX_AGE", "100ms"),
    ]);
    push_some(&sluice).await;
    settled(&sluice, 4.0, 0.0).await;
    let query = "SELECT metric, labels['zone'], toUnixTimestamp64Milli(time), value FROM metrics FINAL ORDER BY 1, 3";
    assert_eq!(
        server.query(query),
        format!(
            "cpu_usage\té,=\"\t{AT_MS}\t0.1\ncpu_usage\té,=\"\t{}\t5e-324\ngone\t\t{AT_MS}\tnan\n",
            AT_MS + 1000
        )
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_pushed_is_found_in_postgres() {
    let server = Postgres::start();
    let sluice = standalone(&[
        ("SLUICE_STORES__MAIN__TYPE", "postgres"),
        ("SLUICE_STORES__MAIN__URL", &server.url()),
        ("SLUICE_STORES__MAIN__PASSWORD", "secret"),
    ]);
    push_some(&sluice).await;
    settled(&sluice, 4.0, 0.0).await;
    let query = "SELECT metric, labels->>'zone', round(extract(epoch from time) * 1000), value FROM metrics_view ORDER BY 1, 3";
    assert_eq!(
        server.query(query),
        format!(
            "cpu_usage|é,=\"|{AT_MS}|0.1\ncpu_usage|é,=\"|{}|5e-324\ngone||{AT_MS}|NaN\n",
            AT_MS + 1000
        )
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_pushed_is_mirrored_to_another_topic_in_the_other_format() {
    let topics = Topics::new("mirror", 3);
    let kafka = Kafka::shared();
    let copy = format!("{}-copy", topics.samples);
    let settings = [
        ("SLUICE_STORES__MAIN__TYPE", "kafka"),
        ("SLUICE_STORES__MAIN__BROKERS", &kafka.brokers()),
        ("SLUICE_STORES__MAIN__TOPIC", &copy),
        ("SLUICE_STORES__MAIN__PARTITIONS", "5"),
        ("SLUICE_STORES__MAIN__REPLICATION", "1"),
        ("SLUICE_STORES__MAIN__FORMAT", "json"),
    ];
    let gateway = Sluice::start("gateway", &topics.settings());
    let consumer = Sluice::start("consumer", &topics.with(&settings));
    push_some(&gateway).await;
    settled(&consumer, 4.0, 0.0).await;
    let records = kafka.read(&copy);
    let mut values: Vec<serde_json::Value> = records
        .iter()
        .map(|record| serde_json::from_slice(record.value.as_deref().unwrap()).unwrap())
        .collect();
    values.sort_by_key(ToString::to_string);
    let labels = json!({"host": "web 1", "zone": "é,=\""});
    let cpu = |at_ms: i64, value: f64| json!({"metric_name": "cpu_usage", "timestamp": at_ms, "value": value, "labels": labels});
    assert_eq!(
        values,
        [
            cpu(AT_MS, 0.1),
            cpu(AT_MS, 0.1),
            cpu(AT_MS + 1000, 5e-324),
            json!({"metric_name": "gone", "timestamp": AT_MS, "value": "NaN", "labels": {}}),
        ]
    );
    // A consumer of the copy takes it as samples.
    assert!(
        records
            .iter()
            .all(|record| record.key.as_deref() == Some(b"cpu_usage")
                || record.key.as_deref() == Some(b"gone"))
    );
}

#[test]
fn a_topic_is_not_mirrored_to_itself() {
    let topics = Topics::new("mirror-loop", 1);
    let brokers = Kafka::shared().brokers();
    let settings = [
        ("SLUICE_STORES__MAIN__TYPE", "kafka"),
        ("SLUICE_STORES__MAIN__BROKERS", brokers.as_str()),
        ("SLUICE_STORES__MAIN__TOPIC", topics.samples.as_str()),
    ];
    let consumer = Sluice::start_unready("consumer", &topics.with(&settings));
    assert_eq!(consumer.process.wait_for_exit(PATIENCE).code(), Some(64));
    let log = consumer.process.log();
    assert!(log.contains("stores.main.topic"), "{log}");
}
