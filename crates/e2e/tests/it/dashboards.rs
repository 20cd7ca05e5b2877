//! Dashboards and alert rules on what real processes export: every query gives an answer, every rule can be evaluated.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use testkit::{Prometheus, eventually};

use crate::push::{now_ms, push};
use crate::sluice::{PATIENCE, Sluice, Topics, reqwest_client};

/// Panels that show something only while something is wrong, or in a set-up that this story does not have.
const EMPTY_WHEN_ALL_IS_WELL: &[&str] = &[
    "Sluice / Consumer: Archive",
    "Sluice / Consumer: Archive: since its object store was up to date",
    "Sluice / Consumer: Partitions that wait for each other",
    "Sluice / Consumer: Attempts that are made again",
    "Sluice / Consumer: Expired unread",
    "Sluice / Consumer: Samples that were not written",
    "Sluice / Consumer: Until a store has caught up",
    "Sluice / Gateway: Errors of the Kafka client",
    "Sluice / Gateway: Fallback cluster",
    "Sluice / Gateway: Handshakes that failed",
    "Sluice / Gateway: Not let in",
    "Sluice / Gateway: Passed over",
    "Sluice / Gateway: Repeats",
    "Sluice / Gateway: Topics that differ from the settings",
    "Sluice / Gateway: Until a certificate expires",
    "Sluice / Overview: Clocks and settings",
    "Sluice / Overview: Samples refused by stores",
    "Sluice / Tenants and senders: Not let in",
    "Sluice / Tenants and senders: Receipts of refused samples",
    "Sluice / Tenants and senders: Refused by a quota",
];

fn dashboards() -> Vec<Value> {
    let folder = testkit::repository().join("monitoring/dashboards");
    let files = std::fs::read_dir(folder).unwrap();
    files
        .map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap())
        .map(|text| serde_json::from_str(&text).unwrap())
        .collect()
}

/// As Grafana fills it in, with everything chosen.
fn filled(expression: &str) -> String {
    expression
        .replace("$__rate_interval", "20s")
        .replace("$__range", "1h")
        .replace("$job", ".*")
        .replace("$instance", ".*")
        .replace("$store", ".*")
        .replace("$tenant", ".*")
}

/// Scrapes these admin ports each second, and evaluates the rules that are shipped.
fn scraping(ports: &[u16]) -> Prometheus {
    let targets: Vec<String> = ports
        .iter()
        .map(|port| format!("'127.0.0.1:{port}'"))
        .collect();
    let rules = testkit::repository().join("monitoring/alerts.yaml");
    Prometheus::start_with(&format!(
        "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\n\
         rule_files: ['{}']\n\
         scrape_configs:\n  - job_name: sluice\n    static_configs:\n      - targets: [{}]\n",
        rules.display(),
        targets.join(", ")
    ))
}

/// Titles of panels of which some query gives nothing.
fn empty_panels(prometheus: &Prometheus) -> BTreeSet<String> {
    let mut empty = BTreeSet::new();
    for dashboard in dashboards() {
        for panel in dashboard["panels"].as_array().unwrap() {
            let title = panel["title"].as_str().unwrap();
            let queries = panel["targets"].as_array().map_or(&[][..], Vec::as_slice);
            let answered = queries
                .iter()
                .map(|query| filled(query["expr"].as_str().unwrap()))
                .filter(|query| !prometheus.query(query, now_ms()).is_empty())
                .count();
            if answered == 0 && !queries.is_empty() {
                empty.insert(format!("{}: {title}", dashboard["title"].as_str().unwrap()));
            }
        }
    }
    empty
}

#[tokio::test(flavor = "multi_thread")]
async fn every_panel_has_an_answer_and_every_rule_can_be_evaluated() {
    let store = Prometheus::start();
    let topics = Topics::new("dashboards", 3);
    let write_url = store.write_url();
    let stores = [
        ("SLUICE_STORES__MAIN__TYPE", "remote_write"),
        ("SLUICE_STORES__MAIN__URL", &write_url),
        ("SLUICE_STATSD__LISTEN", "off"),
    ];
    let gateway = Sluice::start(
        "gateway",
        &topics.with(&[
            ("SLUICE_STATSD__LISTEN", "off"),
            ("SLUICE_PARTITIONING__HEAT__WINDOW", "5s"),
        ]),
    );
    let consumer = Sluice::start("consumer", &topics.with(&stores));
    let prometheus = scraping(&[gateway.admin_port(), consumer.admin_port()]);

    let url = gateway.url("/metrics");
    eventually(PATIENCE, async || {
        let at_ms = now_ms();
        let good = |name: &str| json!({"metric_name": name, "timestamp": at_ms, "value": 1, "labels": {"host": at_ms.to_string()}});
        let bad = json!({"metric_name": "late", "timestamp": at_ms / 1000, "value": 1, "labels": {}});
        let body = json!({"metrics": [good("a"), good("b"), bad]});
        push(&url, &body).await.unwrap();
        assert!(push(&url, &json!({"no": "batch"})).await.is_err());
        let unexpected: Vec<String> = empty_panels(&prometheus)
            .into_iter()
            .filter(|title| !EMPTY_WHEN_ALL_IS_WELL.contains(&title.as_str()))
            .collect();
        if unexpected.is_empty() {
            Ok(())
        } else {
            Err(unexpected)
        }
    })
    .await;

    let url = format!("http://127.0.0.1:{}/api/v1/rules", prometheus.port());
    let answer = reqwest_client().unwrap().get(url).send().await.unwrap();
    let rules: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    let mut seen = 0;
    for group in rules["data"]["groups"].as_array().unwrap() {
        for rule in group["rules"].as_array().unwrap() {
            assert_eq!(rule["health"], "ok", "{rule}");
            // Those are about the machine that runs this: its clock, and how long its Kafka takes.
            let is_of_the_machine = ["SluiceClockSet", "SluiceSpooling"]
                .iter()
                .any(|name| rule["name"] == *name);
            assert!(is_of_the_machine || rule["state"] != "firing", "{rule}");
            seen += 1;
        }
    }
    assert!(seen > 20, "{rules}");
}
