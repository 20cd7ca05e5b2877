//! What the fleet sends is what it says: every body but the old script's is understood whole.

use std::time::Duration;

use crate::push::{Kind, Push, Via};
use crate::{Options, fleet};

const NOW_MS: i64 = 1_700_000_000_000;

fn options() -> Options {
    Options {
        url: String::new(),
        statsd: Some(String::new()),
        hosts: 5,
        interval: Duration::from_secs(2),
        seed: 7,
    }
}

fn pushes(rounds: i64) -> Vec<(Kind, Push)> {
    let mut senders = fleet(&options(), NOW_MS);
    let mut all = Vec::new();
    for round in 0..rounds {
        for sender in &mut senders {
            let kind = sender.kind;
            all.extend(
                sender
                    .push(NOW_MS + round * 2000)
                    .into_iter()
                    .map(|push| (kind, push)),
            );
        }
    }
    all
}

#[test]
fn the_same_seed_makes_the_same_fleet() {
    let (one, other) = (pushes(3), pushes(3));
    assert!(one.len() > 3 * 15);
    assert_eq!(one, other);
}

#[test]
fn every_kind_sends_and_names_are_not_doubled() {
    let first = pushes(1);
    let mut kinds: Vec<_> = first.iter().map(|(kind, _)| *kind).collect();
    kinds.dedup();
    assert_eq!(kinds.len(), 7, "{kinds:?}");
    let mut sources: Vec<_> = first.iter().map(|(_, push)| push.source.as_str()).collect();
    let count = sources.len();
    sources.sort_unstable();
    sources.dedup();
    assert_eq!(sources.len(), count);
}

#[test]
fn counters_only_grow() {
    let mut last = 0.0;
    for (kind, push) in pushes(20) {
        let Via::Http { body, .. } = push.via else {
            continue;
        };
        if kind != Kind::Agents || push.source != "web-01" {
            continue;
        }
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        let metrics = body["metrics"].as_array().unwrap();
        let received = metrics
            .iter()
            .find(|sample| sample["metric_name"] == "network_bytes_total")
            .unwrap();
        let value = received["value"].as_f64().unwrap();
        assert!(value > last, "{value} after {last}");
        last = value;
    }
    assert!(last > 0.0);
}
