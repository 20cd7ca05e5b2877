//! A million samples through two gateways, Kafka and two consumers into VictoriaMetrics.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Series, VictoriaMetrics, eventually};
use tokio::task::JoinSet;

use crate::push::{now_ms, push};
use crate::sluice::{Sluice, Topics};

const NAMES: usize = 50;
const HOSTS: usize = 200;
const TIMES: usize = 100;
const TOTAL: usize = NAMES * HOSTS * TIMES;
const SENDERS: usize = 8;

/// What a consumer counts, in its metrics and in its last words.
const CONSUMED: [&str; 4] = ["consumed", "written", "dead_lettered", "skipped"];

/// A value that says which sample it is, within the 15 digits that the store keeps.
fn value(name: usize, host: usize, time: usize) -> f64 {
    (name * 1_000_000 + host * 1000 + time) as f64 + 0.25
}

fn body(hosts: impl Iterator<Item = usize>, time: usize, start_ms: i64) -> Value {
    let at_ms = start_ms + 1000 * i64::try_from(time).unwrap();
    let metrics: Vec<Value> = hosts
        .flat_map(|host| (0..NAMES).map(move |name| (host, name)))
        .map(|(host, name)| {
            json!({"metric_name": format!("million_{name}"), "timestamp": at_ms, "value": value(name, host, time),
                   "labels": {"host": format!("h{host}"), "region": "eu"}})
        })
        .collect();
    json!({ "metrics": metrics })
}

/// How many of the samples are in the store; panics at one that is wrong or there twice.
fn found(stored: &[Series], start_ms: i64) -> usize {
    let number = |series: &Series, label: &str, prefix: &str| -> usize {
        series
            .label(label)
            .strip_prefix(prefix)
            .unwrap()
            .parse()
            .unwrap()
    };
    let mut count = 0;
    for series in stored {
        let (name, host) = (
            number(series, "__name__", "million_"),
            number(series, "host", "h"),
        );
        assert_eq!(series.labels.len(), 3, "{:?}", series.labels);
        let mut seen = HashSet::new();
        for &(at_ms, found) in &series.samples {
            let time = usize::try_from((at_ms - start_ms) / 1000).unwrap();
            assert_eq!(
                found,
                value(name, host, time),
                "million_{name} h{host} at {at_ms}"
            );
            assert!(
                seen.insert(at_ms),
                "million_{name} h{host} at {at_ms} is there twice"
            );
        }
        count += seen.len();
    }
    count
}

/// Samples that a consumer said it wrote when it stopped.
fn last_words(log: &str, field: &str) -> u64 {
    let lines = log
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines
        .filter_map(|line| {
            line["fields"][field]
                .as_u64()
                .or_else(|| line[field].as_u64())
        })
        .sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_million_samples_arrive_as_they_were_pushed_while_a_consumer_restarts() {
    let store = VictoriaMetrics::start();
    let topics = Topics::new("million", 12);
    let kafka = topics.settings();
    let write_url = store.write_url();
    let consumer = topics.with(&[
        ("SLUICE_STORES__MAIN__TYPE", "remote_write"),
        ("SLUICE_STORES__MAIN__URL", &write_url),
    ]);
    let gateways = [
        Sluice::start("gateway", &kafka),
        Sluice::start("gateway", &kafka),
    ];
    let steady = Sluice::start("consumer", &consumer);
    let restarted = Sluice::start("consumer", &consumer);

    let start_ms = now_ms() - 1000 * i64::try_from(TIMES).unwrap();
    let mut senders = JoinSet::new();
    for sender in 0..SENDERS {
        let url = gateways[sender % gateways.len()].url("/metrics");
        senders.spawn(async move {
            for time in 0..TIMES {
                let body = body((sender..HOSTS).step_by(SENDERS), time, start_ms);
                let answer = push(&url, &body).await.unwrap();
                assert_eq!(answer["status"], "success");
            }
        });
    }
    let in_store = || found(&store.export("{__name__=~\"million_.*\"}"), start_ms);
    let patience = Duration::from_secs(240);
    eventually(patience, async || match in_store() {
        count if count > TOTAL / 4 => Ok(()),
        count => Err(count),
    })
    .await;
    restarted.process.terminate();
    assert!(
        restarted
            .process
            .wait_for_exit(Duration::from_secs(60))
            .success()
    );
    let log = restarted.process.log();
    let before = |what| last_words(&log, what);
    let before: HashMap<_, _> = CONSUMED.map(|what| (what, before(what))).into();
    let restarted = restarted.again();
    while let Some(sender) = senders.join_next().await {
        sender.unwrap();
    }
    eventually(patience, async || match in_store() {
        TOTAL => Ok(()),
        count => Err(count),
    })
    .await;

    let mut ledger = HashMap::new();
    for name in ["received", "accepted", "rejected"] {
        let metric = format!("sluice_gateway_samples_{name}_total");
        let mut sum = 0.0;
        for gateway in &gateways {
            sum += gateway.metric(&metric, "").unwrap();
        }
        ledger.insert(name, sum);
    }
    // What is written a second time may still be on its way when everything is there already.
    let consumed = eventually(patience, async || {
        let counts = CONSUMED.map(|what| {
            let metric = format!("sluice_consumer_samples_{what}_total");
            let now = steady.metric(&metric, "").unwrap() + restarted.metric(&metric, "").unwrap();
            (what, now + before[what] as f64)
        });
        let [consumed, written, dead_lettered, skipped] = counts.map(|(_, count)| count);
        if consumed == written + dead_lettered + skipped {
            Ok(counts)
        } else {
            Err(counts)
        }
    })
    .await;
    ledger.extend(consumed);
    println!("ledger of {TOTAL} samples pushed: {ledger:?}");
    assert_eq!(ledger["received"], ledger["accepted"] + ledger["rejected"]);
    assert_eq!(ledger["accepted"], TOTAL as f64);
    assert_eq!(ledger["dead_lettered"], 0.0);
    // What was in flight at the hand-over may be read, and then also written, twice.
    assert!(ledger["written"] >= ledger["accepted"]);
}
