//! The same bodies against Sluice and the alternatives, in one run before one broker.
//!
//! A figure is samples that *arrived* in Kafka per second of user and system time of the gateway's
//! processes, counted until Kafka stops growing, so that work after the answer is charged, too. Every
//! acknowledged sample is looked for in Kafka by its number.

mod honesty;
mod ledger;
mod measure;
mod records;
mod subject;
mod table;
mod topic;
mod usage;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use testkit::{Kafka, KafkaOptions};

use crate::load::Load;
use crate::output;
use crate::protocol::{Compression, Protocol};
use subject::{Places, Subject};

/// Send the same bodies to Sluice and to the alternatives that `scripts/peers` built.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Sluice's binary.
    #[arg(long, default_value = "target/dist/sluice")]
    binary: PathBuf,
    /// The folder that `scripts/peers` builds in.
    #[arg(long, env = "SLUICE_PEERS", default_value = ".build/peers")]
    peers: PathBuf,
    /// Only these; without it, everybody who is built. Ratios need `gateway` among them.
    #[arg(long, value_enum)]
    only: Vec<Subject>,
    /// Only these scenarios.
    #[arg(long, value_parser = scenario)]
    scenario: Vec<Scenario>,
    /// Seconds of sending that count, after the warm-up.
    #[arg(long, default_value = "15", value_parser = seconds)]
    duration: Duration,
    /// Seconds of sending before them.
    #[arg(long, default_value = "5", value_parser = seconds)]
    warm_up: Duration,
    /// Connections, each with one request in flight, instead of as many as the scenario has.
    #[arg(long)]
    connections: Option<NonZeroUsize>,
    /// A file that results are appended to, a line of JSON each.
    #[arg(long)]
    output: Option<PathBuf>,
}

/// What is sent in one comparison.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scenario {
    name: &'static str,
    protocol: Protocol,
    compression: Compression,
    batch: usize,
    connections: usize,
}

/// Whoever sends small batches is one of many.
const fn connections(batch: usize) -> usize {
    if batch < 100 { 64 } else { 8 }
}

const fn of(
    name: &'static str,
    protocol: Protocol,
    compression: Compression,
    batch: usize,
) -> Scenario {
    Scenario {
        name,
        protocol,
        compression,
        batch,
        connections: connections(batch),
    }
}

const SCENARIOS: [Scenario; 8] = [
    of("json-1000", Protocol::Json, Compression::Identity, 1000),
    of("json-10", Protocol::Json, Compression::Identity, 10),
    of("json-gzip-1000", Protocol::Json, Compression::Gzip, 1000),
    of("influx-1000", Protocol::Influx, Compression::Identity, 1000),
    of(
        "remote-write-1-1000",
        Protocol::RemoteWrite1,
        Compression::Snappy,
        1000,
    ),
    of("otlp-1000", Protocol::Otlp, Compression::Identity, 1000),
    of("otlp-gzip-1000", Protocol::Otlp, Compression::Gzip, 1000),
    of("otlp-100", Protocol::Otlp, Compression::Identity, 100),
];

impl Scenario {
    fn load(self, arguments: &Arguments) -> anyhow::Result<Load> {
        Ok(Load {
            protocol: self.protocol,
            compression: Some(self.compression),
            batch: NonZeroUsize::new(self.batch).context("a batch of none")?,
            duration: arguments.duration,
            warm_up: arguments.warm_up,
            connections: arguments
                .connections
                .or(NonZeroUsize::new(self.connections))
                .context("no connections")?,
            ..Load::default()
        })
    }
}

fn scenario(name: &str) -> Result<Scenario, String> {
    let found = SCENARIOS.into_iter().find(|known| known.name == name);
    found.ok_or_else(|| format!("the scenarios are {}", SCENARIOS.map(|s| s.name).join(", ")))
}

fn seconds(text: &str) -> Result<Duration, String> {
    text.parse()
        .map(Duration::from_secs)
        .map_err(|_| format!("{text:?} is not a number of seconds"))
}

/// Runs the subcommand: measures everybody in turn, and prints the table.
pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let places = Places {
        sluice: arguments.binary.clone(),
        built: arguments.peers.clone(),
        configured: testkit::repository().join("loadtest/peers"),
    };
    let scenarios = match arguments.scenario.as_slice() {
        [] => SCENARIOS.as_slice(),
        some => some,
    };
    let (there, missing) = programs(arguments, &places)?;
    let kafka = Kafka::start(&KafkaOptions::default());
    let mut outcomes = Vec::new();
    for scenario in scenarios {
        let load = scenario.load(arguments)?;
        for (subject, program) in &there {
            let Some(path) = subject.path(scenario.protocol, scenario.compression) else {
                continue;
            };
            eprintln!("{} → {} …", scenario.name, subject.name());
            let run = measure::Run {
                kafka: &kafka,
                places: &places,
                scenario: scenario.name,
                subject: *subject,
                program,
                path,
            };
            let outcome = run
                .measure(&load)
                .await
                .with_context(|| format!("{} with {}", subject.name(), scenario.name))?;
            if let Some(file) = &arguments.output {
                output::append(file, std::slice::from_ref(&outcome))?;
            }
            outcomes.push(outcome);
        }
    }
    println!("{}", table::table(&outcomes));
    for subject in missing {
        println!("Not built: {}.", subject.name());
    }
    Ok(())
}

type Programs = (Vec<(Subject, PathBuf)>, Vec<Subject>);

/// Who can be started, and who cannot. Who was asked for by name must be there.
fn programs(arguments: &Arguments, places: &Places) -> anyhow::Result<Programs> {
    let (mut there, mut missing) = (Vec::new(), Vec::new());
    let wanted = match arguments.only.as_slice() {
        [] => Subject::all(),
        some => some,
    };
    for &subject in wanted {
        match subject.program(places) {
            Some(program) => there.push((subject, program)),
            None if arguments.only.is_empty() && subject != Subject::Gateway => {
                eprintln!("no {}: {}", subject.name(), subject.how_to_build());
                missing.push(subject);
            }
            None => anyhow::bail!("no {}: {}", subject.name(), subject.how_to_build()),
        }
    }
    Ok((there, missing))
}
