//! One sender that does nearly everything wrong, as there is one in every fleet.

use std::time::Duration;

use rand::RngExt as _;
use serde_json::{Value, json};

use crate::push::{Kind, Push, Sender, Via};

/// How many of the others' intervals are between two of its pushes.
const RARER: u32 = 2;

/// Good samples beside bad ones, a label that is new each time, and now and then a body that nobody can read.
pub(crate) fn script(every: Duration, seed: u64) -> Sender {
    let mut turn = 0_u32;
    Sender::new(Kind::Legacy, every * RARER, seed, move |moment| {
        turn = turn.wrapping_add(1);
        let now_ms = moment.now_ms;
        let request = format!("{:08x}", moment.rng.random::<u32>());
        let good = json!({ "metric_name": "legacy_queue_length", "timestamp": now_ms,
            "value": moment.rng.random_range(0..500), "labels": { "host": "legacy-01" } });
        // Each request its own series: what cardinality is about.
        let exploding = json!({ "metric_name": "legacy_request_seconds", "timestamp": now_ms,
            "value": moment.rng.random_range(0.01..3.0), "labels": { "host": "legacy-01", "request_id": request } });
        let mut metrics = vec![good, exploding, wrong(turn, now_ms)];
        let mut body = json!({ "metrics": metrics }).to_string();
        if turn.is_multiple_of(8) {
            // Cut off, as by a script whose disk is full.
            body.truncate(body.len() / 2);
            metrics.clear();
        }
        vec![Push {
            samples: u64::try_from(metrics.len()).unwrap_or(u64::MAX),
            via: Via::Http {
                replaces: false,
                path: "/metrics".to_owned(),
                content_type: "application/json",
                body,
            },
            tenant: Some("legacy"),
            source: "legacy-01".to_owned(),
        }]
    })
}

/// A sample that is refused: another way each time.
fn wrong(turn: u32, now_ms: i64) -> Value {
    let labels = json!({ "host": "legacy-01" });
    match turn % 5 {
        0 => {
            json!({ "metric_name": "legacy_temperature", "timestamp": now_ms / 1000, "value": 21.5, "labels": labels })
        }
        1 => {
            json!({ "metric_name": "legacy_temperature", "timestamp": now_ms, "value": "21,5", "labels": labels })
        }
        2 => {
            json!({ "metric_name": "legacy\ntemperature", "timestamp": now_ms, "value": 21.5, "labels": labels })
        }
        3 => {
            json!({ "metric_name": "legacy_temperature", "timestamp": now_ms, "value": 21.5, "labels": { "port": 8080 } })
        }
        _ => {
            json!({ "metric_name": "legacy_temperature", "timestamp": now_ms + 7_200_000, "value": 21.5, "labels": labels })
        }
    }
}
