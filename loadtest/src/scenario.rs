//! Scenario files: what is started, with which settings, and what is sent to it.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::Path;

use anyhow::Context;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::load::Load;

/// What takes the samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Serve {
    /// A gateway in front of a real Kafka.
    Gateway,
    /// One process with its embedded log and archive.
    Standalone,
}

impl Serve {
    /// The subcommand, and how results call it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Standalone => "standalone",
        }
    }
}

/// A file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    scenario: String,
    /// For people.
    #[serde(rename = "about")]
    _about: String,
    #[serde(default = "gateway")]
    serve: Serve,
    /// Settings of the process, by their keys: `kafka.partitions`.
    #[serde(default)]
    settings: BTreeMap<String, Value>,
    /// Processes behind a load balancer, each with as many connections as the load says; one stands alone.
    #[serde(default = "one")]
    gateways: Value,
    /// Cores that each may use, as in a container with a limit.
    #[serde(default)]
    cores: Option<f64>,
    #[serde(default)]
    load: Map<String, Value>,
    /// A key of the load or of the settings, or `gateways`, and its values one after another.
    #[serde(default)]
    sweep: BTreeMap<String, Vec<Value>>,
    /// Measures the maximum first, then sends at this part of it.
    #[serde(default)]
    rate_of_maximum: Option<f64>,
    /// Whether every acknowledged sample is looked for afterwards.
    #[serde(default = "yes")]
    verify: bool,
}

const fn gateway() -> Serve {
    Serve::Gateway
}

fn one() -> Value {
    Value::from(1)
}

const fn yes() -> bool {
    true
}

/// How many processes take the samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Gateways {
    pub count: NonZeroUsize,
    /// Cores that each may use.
    pub cores: Option<f64>,
    /// Whether a load balancer is before them; also before the only one of a sweep.
    pub is_balanced: bool,
}

/// One run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scenario {
    pub name: String,
    pub serve: Serve,
    /// Processes, behind a load balancer if the scenario sweeps them.
    pub gateways: Gateways,
    pub settings: BTreeMap<String, String>,
    pub load: Load,
    /// What this run is a point of, and its value there.
    pub sweep: Option<(String, String)>,
    pub rate_of_maximum: Option<f64>,
    pub verify: bool,
}

/// The runs of a file.
pub(crate) fn read(path: &Path) -> anyhow::Result<Vec<Scenario>> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    parse(&text).with_context(|| path.display().to_string())
}

fn parse(text: &str) -> anyhow::Result<Vec<Scenario>> {
    let file: File = serde_saphyr::from_str(text)?;
    anyhow::ensure!(file.sweep.len() <= 1, "one thing is swept at a time");
    let Some((key, values)) = file.sweep.first_key_value() else {
        return Ok(vec![file.run(None)?]);
    };
    values
        .iter()
        .map(|value| file.run(Some((key, value))))
        .collect()
}

impl File {
    fn run(&self, point: Option<(&String, &Value)>) -> anyhow::Result<Scenario> {
        let (mut settings, mut load) = (self.settings.clone(), self.load.clone());
        let mut gateways = &self.gateways;
        if let Some((key, value)) = point {
            if key == "gateways" {
                gateways = value;
            } else if key.contains('.') {
                settings.insert(key.clone(), value.clone());
            } else {
                load.insert(key.clone(), value.clone());
            }
        }
        let mut load: Load = serde_json::from_value(Value::Object(load)).context("load")?;
        load.check()?;
        let gateways = self.gateways(gateways)?;
        // More gateways are for more senders.
        load.connections = load.connections.saturating_mul(gateways.count);
        Ok(Scenario {
            name: self.scenario.clone(),
            serve: self.serve,
            gateways,
            settings: settings
                .iter()
                .map(|(key, value)| (key.clone(), plain(value)))
                .collect(),
            load,
            sweep: point.map(|(key, value)| (key.clone(), plain(value))),
            rate_of_maximum: self.rate_of_maximum,
            verify: self.verify,
        })
    }

    fn gateways(&self, count: &Value) -> anyhow::Result<Gateways> {
        let count: NonZeroUsize =
            serde_json::from_value(count.clone()).context("gateways: a number, 1 or more")?;
        let is_fleet = count.get() > 1 || self.sweep.contains_key("gateways");
        anyhow::ensure!(
            !is_fleet || self.serve == Serve::Gateway,
            "gateways: only gateways can share a topic"
        );
        Ok(Gateways {
            count,
            cores: self.cores,
            is_balanced: is_fleet,
        })
    }
}

/// Text without its quotes.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The variable that sets `kafka.partitions`.
pub(crate) fn variable(key: &str) -> String {
    format!("SLUICE_{}", key.to_uppercase().replace('.', "__"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_of_the_repository_can_be_run() {
        let folder = testkit::repository().join("loadtest/scenarios");
        let mut names = Vec::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let runs = read(&path).unwrap();
            let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
            assert_eq!(runs[0].name, stem, "a file is called like its scenario");
            names.push(stem);
        }
        for wanted in ["json-1000", "remote-write-2-1000", "standalone", "json-1"] {
            assert!(names.iter().any(|name| name == wanted), "{wanted}");
        }
    }

    #[test]
    fn a_sweep_is_a_run_per_value() {
        let text = "{scenario: s, about: a, load: {batch: 10, compression: gzip, duration: 2.5}, sweep: {names: [1, 100]}}";
        let runs = parse(text).unwrap();
        let names: Vec<_> = runs.iter().map(|run| run.load.names.get()).collect();
        assert_eq!(names, [1, 100]);
        assert_eq!(runs[1].sweep, Some(("names".to_owned(), "100".to_owned())));
        assert_eq!(runs[0].load.batch.get(), 10);
        let text = "{scenario: s, about: a, sweep: {kafka.partitions: [8, 64]}}";
        let runs = parse(text).unwrap();
        assert_eq!(runs[1].settings["kafka.partitions"], "64");
        assert_eq!(variable("kafka.partitions"), "SLUICE_KAFKA__PARTITIONS");
    }

    #[test]
    fn a_key_that_nobody_knows_is_refused() {
        for text in [
            "{scenario: s, about: a, load: {bacth: 10}}",
            "{scenario: s, about: a, sweeps: {}}",
            "{scenario: s, about: a, load: {zipf: -1}}",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
