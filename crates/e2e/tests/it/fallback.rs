//! Kafka is away for long: an operator sends samples to another cluster, stores get them, and the way back loses nothing.

use std::path::Path;

use serde_json::{Value, json};
use testkit::kafka::{Kafka, KafkaOptions, unique};
use testkit::{VictoriaMetrics, eventually};

use crate::push::now_ms;
use crate::sluice::{PATIENCE, Sluice, Topics, reqwest_client};

/// YAML reads JSON.
fn write(path: &Path, fallback: &Value, phrase: Option<&str>) {
    let settings = json!({
        "emergency": {"fallback": fallback, "use_fallback": phrase},
        "reload": {"interval": "100ms"},
    });
    std::fs::write(path, settings.to_string()).unwrap();
}

/// A sender of numbered samples.
struct Sender {
    client: reqwest::Client,
    url: String,
    name: String,
    acknowledged: Vec<f64>,
    next: u32,
}

impl Sender {
    /// Pushes until a sample is acknowledged as this says.
    async fn until(&mut self, durability: &str) {
        let until = tokio::time::Instant::now() + PATIENCE;
        loop {
            let found = self.push().await;
            if found == durability {
                return;
            }
            assert!(
                tokio::time::Instant::now() < until,
                "{found} instead of {durability}"
            );
        }
    }

    async fn push(&mut self) -> String {
        self.next += 1;
        let value = f64::from(self.next);
        let body = json!({"metrics": [
            {"metric_name": self.name, "timestamp": now_ms(), "value": value, "labels": {}}
        ]});
        let request = self.client.post(&self.url).body(body.to_string());
        let answer = request.send().await.unwrap();
        if answer.status() != 200 {
            return answer.status().to_string();
        }
        self.acknowledged.push(value);
        let durability = answer.headers().get("sluice-durability").unwrap();
        durability.to_str().unwrap().to_owned()
    }

    /// Waits until the store has everything that was acknowledged.
    async fn all_in(&self, store: &VictoriaMetrics) {
        eventually(PATIENCE, async || {
            let found = store.export(&self.name);
            let found: Vec<f64> = found
                .iter()
                .flat_map(|series| series.samples.iter().map(|point| point.1))
                .collect();
            let missing = self.acknowledged.iter();
            let missing: Vec<&f64> = missing.filter(|value| !found.contains(value)).collect();
            if missing.is_empty() {
                Ok(())
            } else {
                Err(format!("{missing:?} of {}", self.acknowledged.len()))
            }
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn samples_go_to_another_cluster_when_told_so_and_stores_miss_none() {
    let kafka = Kafka::start(&KafkaOptions::default());
    let other = Kafka::shared();
    let topics = Topics::on(&kafka, "fallback", 4);
    let fallback = json!({
        "brokers": other.brokers(), "topic": unique("fallback-other"), "partitions": 2, "replication": 1,
    });
    let phrase = format!("write to {}", other.brokers());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sluice.yaml");
    write(&file, &fallback, None);
    let store = VictoriaMetrics::start();
    let (config, url) = (file.display().to_string(), store.write_url());
    let settings = topics.with(&[
        ("SLUICE_CONFIG", &config),
        ("SLUICE_STORES__MAIN__TYPE", "remote_write"),
        ("SLUICE_STORES__MAIN__URL", &url),
    ]);
    let gateway = Sluice::start("gateway", &settings);
    let consumer = Sluice::start("consumer", &settings);
    let mut sender = Sender {
        client: reqwest_client().unwrap(),
        url: gateway.url("/metrics"),
        name: unique("fallback_story").replace('-', "_"),
        acknowledged: Vec::new(),
        next: 0,
    };
    sender.until("kafka").await;
    sender.all_in(&store).await;
    eventually(PATIENCE, async || {
        match gateway.metric("sluice_fallback_ready", "").unwrap() {
            1.0 => Ok(()),
            found => Err(found),
        }
    })
    .await;

    kafka.with_broker(0, testkit::Process::kill);
    sender.until("spool").await;
    // Not by mistake.
    write(&file, &fallback, Some("yes"));
    let line = gateway
        .process
        .wait_for_line("settings not reloaded", PATIENCE);
    assert!(line.contains(&phrase), "{line}");
    sender.until("spool").await;
    assert_eq!(gateway.metric("sluice_fallback_active", "").unwrap(), 0.0);

    write(&file, &fallback, Some(&phrase));
    sender.until("fallback").await;
    assert_eq!(gateway.metric("sluice_fallback_active", "").unwrap(), 1.0);
    assert_eq!(gateway.readiness().unwrap().0, 200);
    // What was in the spool, too, and all of it reaches the store while the first cluster is away.
    sender.all_in(&store).await;

    kafka.restart_broker(0);
    write(&file, &fallback, None);
    sender.until("kafka").await;
    assert_eq!(gateway.metric("sluice_fallback_active", "").unwrap(), 0.0);
    sender.all_in(&store).await;
    drop(consumer);
}
