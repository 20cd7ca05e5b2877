//! Hosts' agents: JSON batches, as scripts have always sent them.

use std::time::Duration;

use serde_json::{Value, json};

use crate::push::{Kind, Moment, Push, Sender, Via};
use crate::signal::{Count, Level};

const REGIONS: [&str; 3] = ["eu-west", "us-east", "ap-south"];
const ROLES: [&str; 4] = ["web", "db", "cache", "worker"];
const GIB: f64 = 1_073_741_824.0;

struct Host {
    name: String,
    region: &'static str,
    cpu: [(&'static str, Level); 3],
    memory: Level,
    disks: [(&'static str, Level); 2],
    network: [(&'static str, Count); 2],
    load: Level,
}

/// The agent of one host.
pub(crate) fn agent(number: usize, every: Duration, seed: u64) -> Sender {
    let mut host = None;
    Sender::new(Kind::Agents, every, seed, move |mut moment| {
        let host = host.get_or_insert_with(|| Host::new(number, &mut moment));
        let samples = host.samples(&mut moment);
        vec![Push {
            samples: u64::try_from(samples.len()).unwrap_or(u64::MAX),
            via: Via::Http {
                replaces: false,
                path: "/metrics".to_owned(),
                content_type: "application/json",
                body: json!({ "metrics": samples }).to_string(),
            },
            tenant: Some("platform"),
            source: host.name.clone(),
        }]
    })
}

impl Host {
    fn new(number: usize, moment: &mut Moment<'_>) -> Self {
        let rng = &mut *moment.rng;
        let role = ROLES.get(number % ROLES.len()).copied().unwrap_or("web");
        Self {
            name: format!("{role}-{:02}", number / ROLES.len() + 1),
            region: REGIONS
                .get(number % REGIONS.len())
                .copied()
                .unwrap_or("eu-west"),
            cpu: [
                ("user", Level::new(35.0, 30.0, rng)),
                ("system", Level::new(8.0, 6.0, rng)),
                ("iowait", Level::new(2.0, 3.0, rng)),
            ],
            memory: Level::new(9.0 * GIB, 4.0 * GIB, rng),
            disks: [
                ("/", Level::new(41.0, 1.0, rng)),
                ("/data", Level::new(63.0, 3.0, rng)),
            ],
            network: [
                ("receive", Count::new(4e6, 3e6, rng)),
                ("transmit", Count::new(6e6, 4e6, rng)),
            ],
            load: Level::new(2.5, 2.0, rng),
        }
    }

    fn samples(&mut self, moment: &mut Moment<'_>) -> Vec<Value> {
        let (now_ms, seconds) = (moment.now_ms, moment.seconds());
        let rng = &mut *moment.rng;
        let (host, region) = (&self.name, self.region);
        let sample = |name: &str,
                      kind: &str,
                      unit: &str,
                      help: &str,
                      value: f64,
                      label: Option<(&str, &str)>| {
            let mut labels = json!({ "host": host, "region": region });
            if let (Some(labels), Some((name, value))) = (labels.as_object_mut(), label) {
                labels.insert(name.to_owned(), value.into());
            }
            json!({ "metric_name": name, "timestamp": now_ms, "value": (value * 100.0).round() / 100.0,
                    "labels": labels, "type": kind, "unit": unit, "help": help })
        };
        let mut samples = Vec::new();
        for (mode, level) in &self.cpu {
            let value = level.at(seconds, rng).min(100.0);
            samples.push(sample(
                "cpu_usage_percent",
                "gauge",
                "percent",
                "Share of processor time.",
                value,
                Some(("mode", mode)),
            ));
        }
        let memory = self.memory.at(seconds, rng).round();
        samples.push(sample(
            "memory_used_bytes",
            "gauge",
            "bytes",
            "Memory in use.",
            memory,
            None,
        ));
        samples.push(sample(
            "memory_total_bytes",
            "gauge",
            "bytes",
            "Memory of the machine.",
            16.0 * GIB,
            None,
        ));
        for (mount, level) in &self.disks {
            let value = level.at(seconds, rng).min(100.0);
            samples.push(sample(
                "disk_used_percent",
                "gauge",
                "percent",
                "Share of a file system in use.",
                value,
                Some(("mount", mount)),
            ));
        }
        for (direction, count) in &mut self.network {
            let value = count.total(seconds, rng);
            samples.push(sample(
                "network_bytes_total",
                "counter",
                "bytes",
                "Bytes on the network.",
                value,
                Some(("direction", direction)),
            ));
        }
        let load = self.load.at(seconds, rng);
        samples.push(sample(
            "load1",
            "gauge",
            "",
            "Runnable tasks, averaged over a minute.",
            load,
            None,
        ));
        samples
    }
}
