//! Runs scenario files: starts what each needs, loads it, looks for what was acknowledged.

mod kafka;
mod server;

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::outcome::{Kind, Outcome};
use crate::run::{Subject, measure};
use crate::scenario::{self, Scenario, Serve};
use crate::verify::{self, Verdict};
use crate::{files, output, table};
use kafka::Broker;
use server::Server;

/// Open files beside the connections, of us and of what we start.
const FILES_BESIDE: usize = 1000;

/// Start what each scenario needs, load it, and print one table.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Scenario files; without any, all of the repository.
    files: Vec<PathBuf>,
    /// Runs only scenarios whose name fits; `*` is anything.
    #[arg(long)]
    only: Option<String>,
    /// The binary to start.
    #[arg(long, default_value = "target/dist/sluice")]
    binary: PathBuf,
    /// Seconds that count, instead of what the files say.
    #[arg(long)]
    duration: Option<f64>,
    /// Seconds before them, instead of what the files say.
    #[arg(long)]
    warm_up: Option<f64>,
    /// Does not look for what was acknowledged.
    #[arg(long)]
    no_verify: bool,
    /// Appends outcomes to this file, a line of JSON each.
    #[arg(long)]
    output: Option<PathBuf>,
}

/// Runs the subcommand.
pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let scenarios = scenarios(arguments)?;
    let connections = scenarios
        .iter()
        .map(|scenario| scenario.load.all_connections());
    files::allow(connections.max().unwrap_or(0) + FILES_BESIDE)?;
    let mut broker = Broker::default();
    let mut outcomes = Vec::new();
    for (number, scenario) in scenarios.iter().enumerate() {
        let point = scenario.sweep.as_ref();
        let point = point.map_or_else(String::new, |(key, value)| format!(" {key}={value}"));
        eprintln!(
            "{}{point} ({} of {}) …",
            scenario.name,
            number + 1,
            scenarios.len()
        );
        let outcome = one(arguments, scenario, &mut broker).await?;
        if let Some(path) = &arguments.output {
            output::append(path, std::slice::from_ref(&outcome))?;
        }
        outcomes.push(outcome);
    }
    println!("{}", table::table(&outcomes));
    let lost: u64 = outcomes.iter().filter_map(|outcome| outcome.lost).sum();
    anyhow::ensure!(lost == 0, "{lost} acknowledged samples are missing");
    Ok(())
}

fn scenarios(arguments: &Arguments) -> anyhow::Result<Vec<Scenario>> {
    let mut paths = arguments.files.clone();
    if paths.is_empty() {
        for entry in std::fs::read_dir(testkit::repository().join("loadtest/scenarios"))? {
            paths.push(entry?.path());
        }
        paths.sort();
    }
    let mut scenarios = Vec::new();
    for path in paths {
        for mut scenario in scenario::read(&path)? {
            let wanted = arguments.only.as_deref();
            if wanted.is_some_and(|wanted| !fits(wanted, &scenario.name)) {
                continue;
            }
            if let Some(seconds) = arguments.duration {
                scenario.load.duration = Duration::try_from_secs_f64(seconds)?;
            }
            if let Some(seconds) = arguments.warm_up {
                scenario.load.warm_up = Duration::try_from_secs_f64(seconds)?;
            }
            scenarios.push(scenario);
        }
    }
    anyhow::ensure!(!scenarios.is_empty(), "no scenario is called so");
    Ok(scenarios)
}

/// Whether a name fits a pattern with `*`.
fn fits(pattern: &str, name: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(behind) = name.strip_prefix(start) else {
        return false;
    };
    let mut cuts = (0..=behind.len()).filter_map(|at| behind.get(at..));
    cuts.any(|behind| fits(rest, behind))
}

async fn one(
    arguments: &Arguments,
    scenario: &Scenario,
    broker: &mut Broker,
) -> anyhow::Result<Outcome> {
    let topic = match scenario.serve {
        Serve::Gateway => Some(broker.topic(&scenario.name)),
        Serve::Standalone => None,
    };
    let server = Server::start(&arguments.binary, scenario, topic.as_ref())?;
    let stored_bytes = || topic.as_ref().map_or(0, kafka::Topic::bytes);
    let subject = Subject {
        scenario: &scenario.name,
        name: scenario.serve.name(),
        kind: Kind::Sluice,
        target: &server.target,
        processes: server.pids(),
        statsd: Some(&server.statsd),
        stored_bytes: Some(&stored_bytes),
    };
    let mut load = scenario.load.clone();
    let mut before = None;
    if let Some(part) = scenario.rate_of_maximum {
        let (maximum, ledger) = measure(&subject, &load).await?;
        load.rate = Some(maximum.requests as f64 / maximum.elapsed_s * part);
        before = Some(ledger);
    }
    let (mut outcome, mut ledger) = measure(&subject, &load).await?;
    if let Some(before) = before {
        ledger.add(&before);
    }
    let has_answers = scenario.load.protocol.has_answers();
    outcome.answers_after_kafka = topic.as_ref().map(|_| has_answers);
    if let Some((key, _)) = &scenario.sweep {
        let key = key.rsplit('.').next().unwrap_or(key);
        outcome
            .parameters
            .insert("sweep".to_owned(), key.to_owned());
    }
    let data_dir = server.data_dir.clone();
    if scenario.gateways.is_balanced {
        let count = scenario.gateways.count.to_string();
        outcome.parameters.insert("gateways".to_owned(), count);
    }
    match &topic {
        Some(topic) => {
            drop(server);
            let partitions = scenario.settings.get("kafka.partitions");
            let partitions = partitions.map_or(server::PARTITIONS, String::as_str);
            outcome
                .parameters
                .insert("partitions".to_owned(), partitions.to_owned());
            let samples = ledger.acknowledged.count() + ledger.unknown.count();
            if samples > 0 && has_answers {
                outcome.disk_bytes_per_sample = Some(topic.bytes() as f64 / samples as f64);
            }
        }
        None => server.stop(),
    }
    if scenario.verify && !arguments.no_verify && has_answers {
        let verdict = match &topic {
            Some(topic) => verify::kafka(&topic.brokers, &topic.name, &ledger).await?,
            None => verify::log(&data_dir, &ledger).await?,
        };
        tell(&verdict, &mut outcome);
    }
    Ok(outcome)
}

fn tell(verdict: &Verdict, outcome: &mut Outcome) {
    outcome.lost = Some(verdict.missing);
    if verdict.missing > 0 {
        eprintln!("LOST: {verdict}");
    }
    if verdict.doubled > 0 {
        outcome.note += &format!(", {} samples are there twice", verdict.doubled);
    }
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn patterns_fit_names() {
        for (pattern, name, does) in [
            ("json-1", "json-1", true),
            ("json-1", "json-10", false),
            ("json-*", "json-10", true),
            ("*-1000", "remote-write-1-1000", true),
            ("*write*", "remote-write-1-1000", true),
            ("*otlp", "otlp-1000", false),
        ] {
            assert_eq!(fits(pattern, name), does, "{pattern} {name}");
        }
    }
}
