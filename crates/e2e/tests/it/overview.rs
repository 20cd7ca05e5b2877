//! What each role shows of itself on its admin listener, and that it agrees with `/metrics`.

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use testkit::{eventually, free_port};

use crate::push::{now_ms, push};
use crate::sluice::{PATIENCE, Sluice, Topics, reqwest_client};

fn sample(name: &str, at_ms: i64) -> Value {
    json!({"metric_name": name, "timestamp": at_ms, "value": 1.5, "labels": {"host": "a"}, "type": "gauge"})
}

/// Forty good samples in four requests, and one that is refused.
async fn send(sluice: &Sluice) {
    for request in 0..4 {
        let at_ms = now_ms() + request;
        let mut metrics: Vec<Value> = (0..10)
            .map(|at| sample(&format!("cpu_{at}_percent"), at_ms))
            .collect();
        if request == 0 {
            metrics.push(sample("in_seconds", at_ms / 1000));
        }
        let body = json!({ "metrics": metrics });
        push(&sluice.url("/metrics"), &body).await.unwrap();
    }
}

/// Numbers of the snapshot, and the metrics that say the same.
const SAME: [(&str, &str, &str); 5] = [
    (
        "/gateway/samples/received",
        "sluice_gateway_samples_received_total",
        "",
    ),
    (
        "/gateway/samples/accepted",
        "sluice_gateway_samples_accepted_total",
        "",
    ),
    (
        "/gateway/samples/rejected",
        "sluice_gateway_samples_rejected_total",
        "",
    ),
    (
        "/gateway/requests/total",
        "sluice_gateway_requests_total",
        "",
    ),
    (
        "/stores/0/consumed",
        "sluice_consumer_samples_consumed_total",
        "archive",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn the_overview_of_a_standalone_agrees_with_its_metrics_and_its_ledger_balances() {
    let data = testkit::run_dir("overview");
    let sluice = Sluice::standalone(&data.join("data"));
    send(&sluice).await;
    eventually(PATIENCE, async || -> anyhow::Result<()> {
        let shown = sluice.admin("/api/v1/overview")?;
        for (path, metric, labels) in SAME {
            let found = shown.pointer(path).and_then(Value::as_f64);
            let found = found.with_context(|| format!("{path} in {shown}"))?;
            let expected = sluice.metric(metric, labels)?;
            ensure!(found == expected, "{path}: {found}, not {expected}");
        }
        ensure!(shown["gateway"]["samples"]["accepted"] == 40, "{shown}");
        let ledger = &shown["ledger"];
        ensure!(ledger["state"] == "balanced", "{ledger}");
        ensure!(ledger["stores"][0]["consumed"] == 40, "{ledger}");
        ensure!(
            shown["gateway"]["refusals"][0]["code"] == "timestamp_in_seconds",
            "{shown}"
        );
        Ok(())
    })
    .await;
    eventually(PATIENCE, async || -> anyhow::Result<()> {
        let names = sluice.admin("/api/v1/names?search=CPU&limit=3")?;
        ensure!(
            names["matching"] == 10 && names["names"].as_array().map(Vec::len) == Some(3),
            "{names}"
        );
        let first = &names["names"][0];
        ensure!(first["type"] == "gauge" && first["series"] == 1, "{first}");
        ensure!(first["senders"] == json!(["127.0.0.1"]), "{first}");
        Ok(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_gets_history_and_snapshots_until_the_process_stops() {
    let data = testkit::run_dir("live");
    let sluice = Sluice::standalone(&data.join("data"));
    let url = format!("http://127.0.0.1:{}/api/v1/live", sluice.admin_port());
    let mut stream = reqwest_client().unwrap().get(url).send().await.unwrap();
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    let mut text = String::new();
    while text.matches("event: snapshot\n").count() < 3 {
        let chunk = stream.chunk().await.unwrap().expect("the stream goes on");
        text.push_str(&String::from_utf8_lossy(&chunk));
    }
    assert!(
        text.starts_with("retry: 2000\n\nevent: history\ndata: {\"at_ms\":["),
        "{text}"
    );
    sluice.process.terminate();
    // It ends as an answer ends, and is not cut off.
    while stream.chunk().await.unwrap().is_some() {}
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_may_have_a_body_explained_where_senders_need_a_key() {
    let hash = "0".repeat(64);
    let access = [
        ("SLUICE_ACCESS__REQUIRED", "true"),
        ("SLUICE_ACCESS__KEYS__AGENT__SHA256", hash.as_str()),
    ];
    let sluice = Sluice::start("standalone", &access);
    let body = json!({"metrics": [sample("cpu", now_ms()), sample("in_seconds", now_ms() / 1000)]});
    let ask = async |port: u16, origin: &str| {
        let url = format!("http://127.0.0.1:{port}/api/v1/explain");
        let request = reqwest_client().unwrap().post(url).header("origin", origin);
        let request = request
            .header("content-type", "application/json")
            .body(body.to_string());
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let body: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        (status, body)
    };
    let own = format!("http://127.0.0.1:{}", sluice.admin_port());
    assert_eq!(ask(sluice.http_port(), &own).await.0, 401);
    let (status, told) = ask(sluice.admin_port(), &own).await;
    assert_eq!(
        (status, &told["accepted"], &told["rejected"]),
        (200, &json!(1), &json!(1)),
        "{told}"
    );
    let (status, refused) = ask(sluice.admin_port(), "http://evil.example").await;
    assert_eq!((status, &refused["code"]), (403, &json!("origin_refused")));
    // Nothing of it was stored or counted.
    assert_eq!(
        sluice
            .metric("sluice_gateway_samples_received_total", "")
            .unwrap(),
        0.0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_and_a_consumer_show_their_own_part_and_who_has_the_other() {
    let topics = Topics::new("overview", 4);
    let nobody = format!("http://127.0.0.1:{}/api/v1/write", free_port());
    let stores = [
        ("SLUICE_STORES__MAIN__TYPE", "remote_write"),
        ("SLUICE_STORES__MAIN__URL", nobody.as_str()),
    ];
    let gateway = Sluice::start("gateway", &topics.settings());
    let consumer = Sluice::start("consumer", &topics.with(&stores));
    send(&gateway).await;
    eventually(PATIENCE, async || -> anyhow::Result<()> {
        let shown = gateway.admin("/api/v1/overview")?;
        ensure!(
            shown["process"]["role"] == "gateway" && shown.get("stores").is_none(),
            "{shown}"
        );
        let partitions = &shown["partitions"];
        ensure!(
            partitions["count"] == 4 && partitions.get("stores").is_none(),
            "{partitions}"
        );
        ensure!(
            partitions["bytes_per_s"].as_array().map(Vec::len) == Some(4),
            "{partitions}"
        );
        let ledger = &shown["ledger"];
        ensure!(
            ledger["state"] == "balanced" && ledger["gateway"]["accepted"] == 40,
            "{ledger}"
        );
        ensure!(
            ledger["notes"][0].to_string().contains("consumers"),
            "{ledger}"
        );
        Ok(())
    })
    .await;
    eventually(PATIENCE, async || -> anyhow::Result<()> {
        let shown = consumer.admin("/api/v1/overview")?;
        ensure!(shown.get("gateway").is_none(), "{shown}");
        let store = &shown["stores"][0];
        ensure!(
            store["type"] == "remote_write" && store["state"] == "retrying",
            "{store}"
        );
        ensure!(store["last_error"]["is_retryable"] == true, "{store}");
        ensure!(
            store["partitions"] == 4 && store["retries"].as_u64() > Some(0),
            "{store}"
        );
        let lag = shown["partitions"]["stores"][0]["lag_records"].as_array();
        let lag: f64 = lag.into_iter().flatten().filter_map(Value::as_f64).sum();
        ensure!(lag > 0.0, "{shown}");
        let ledger = &shown["ledger"]["stores"][0];
        ensure!(
            ledger["state"] == "partial" && ledger["in_memory"] == 40,
            "{ledger}"
        );
        Ok(())
    })
    .await;
    // It knows no names.
    assert!(consumer.admin("/api/v1/names").is_err());
    assert!(gateway.admin("/api/v1/names").is_ok());
}
