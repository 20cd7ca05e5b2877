//! What a sample costs the consumer: a topic full of records, drained into a store that keeps nothing.
//!
//! The topic is filled with records as the gateway makes them, then `sluice consumer` is started on it for each
//! version of remote write, with a receiver in a process of its own. What counts is the processor time of the
//! consumer from its start until its ledger says that everything is written.

mod fill;
mod receiver;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::{Args, ValueEnum};
use testkit::kafka::unique;
use testkit::{Kafka, KafkaOptions, Launch, Process, free_port, usage};

use crate::outcome::{Kind, Outcome};
use fill::Shape;

/// How long a process may take to become ready on a busy machine.
const START: Duration = Duration::from_secs(60);
/// How often the consumer is asked how far it is. Each question costs it some 100 µs.
const ASK: Duration = Duration::from_millis(100);

#[derive(Debug, Clone, Args)]
pub(crate) struct Arguments {
    /// The binary to start.
    #[arg(long, default_value = "target/dist/sluice")]
    binary: PathBuf,
    /// Samples in the topic.
    #[arg(long, default_value = "5000000")]
    samples: u64,
    /// Metric names.
    #[arg(long, default_value = "50")]
    names: u32,
    /// Hosts: series of each name.
    #[arg(long, default_value = "1000")]
    hosts: u32,
    /// Samples of one record: how many the gateway finds in one coalescing window for one name.
    #[arg(long, default_value = "100")]
    record: u32,
    /// Partitions of the topic.
    #[arg(long, default_value = "8")]
    partitions: u32,
    /// Which versions of remote write, one after the other.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Version::V1, Version::V2])]
    versions: Vec<Version>,
    /// A setting of the consumer, such as `SLUICE_STORES__NULL__MAX_SAMPLES=5000`; may be repeated.
    #[arg(long)]
    set: Vec<String>,
    /// The receiver decodes what it gets, counts every sample once, and checks that those of a series come in order.
    /// It then competes with the consumer for the processor.
    #[arg(long)]
    verify: bool,
    /// How long the receiver takes to answer, in milliseconds.
    #[arg(long, default_value = "0")]
    takes: u64,
    /// How often each version is drained.
    #[arg(long, default_value = "1")]
    repeat: u32,
    /// Appends the results to this file, a line of JSON each.
    #[arg(long)]
    output: Option<PathBuf>,
    /// Runs a command for each consumer with its process id behind it, such as a profiler.
    #[arg(long)]
    beside: Option<String>,
    #[arg(long, hide = true)]
    receive: Option<SocketAddr>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Version {
    #[value(name = "1.0")]
    V1,
    #[value(name = "2.0")]
    V2,
}

impl Version {
    fn number(self) -> &'static str {
        match self {
            Self::V1 => "1.0",
            Self::V2 => "2.0",
        }
    }
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    if let Some(address) = arguments.receive {
        let takes = Duration::from_millis(arguments.takes);
        return receiver::run(address, arguments.verify, takes).await;
    }
    let kafka = Kafka::start(&KafkaOptions::default());
    let topic = unique("drain");
    let shape = Shape {
        samples: arguments.samples,
        names: arguments.names,
        hosts: arguments.hosts,
        record: arguments.record,
    };
    let filled = fill::fill(&kafka.brokers(), &topic, arguments.partitions, &shape).await?;
    eprintln!(
        "{} samples in {} records, {:.1} bytes per sample before compression",
        filled.samples,
        filled.records,
        filled.bytes as f64 / filled.samples as f64
    );
    for version in &arguments.versions {
        for _ in 0..arguments.repeat {
            let brokers = kafka.brokers();
            let outcome = drain(&arguments, &brokers, &topic, *version, filled.samples)?;
            print(&outcome);
            if let Some(path) = &arguments.output {
                let mut file = File::options().create(true).append(true).open(path)?;
                writeln!(file, "{}", serde_json::to_string(&outcome)?)?;
            }
        }
    }
    Ok(())
}

fn print(outcome: &Outcome) {
    let cpu_s = outcome.cpu_s.unwrap_or(f64::NAN);
    println!(
        "{}: {:.2} M samples per CPU-second ({:.2} s of processor time, {:.2} s elapsed, {} requests, peak {} MiB{})",
        outcome.scenario,
        outcome.samples as f64 / cpu_s / 1e6,
        cpu_s,
        outcome.elapsed_s,
        outcome.requests,
        outcome.rss_peak_bytes.unwrap_or(0) >> 20,
        outcome
            .lost
            .map_or_else(String::new, |lost| format!(", {lost} samples lost")),
    );
}

/// Drains the topic once, as a consumer group of its own.
fn drain(
    arguments: &Arguments,
    brokers: &str,
    topic: &str,
    version: Version,
    samples: u64,
) -> anyhow::Result<Outcome> {
    let receiver_port = free_port();
    let receiver = start_receiver(receiver_port, arguments)?;
    let url = format!("http://127.0.0.1:{receiver_port}/api/v1/write");
    let (group, partitions) = (unique("drain"), arguments.partitions.to_string());
    let settings = [
        ("SLUICE_KAFKA__BROKERS", brokers),
        ("SLUICE_KAFKA__TOPIC", topic),
        ("SLUICE_KAFKA__PARTITIONS", &partitions),
        ("SLUICE_KAFKA__REPLICATION", "1"),
        ("SLUICE_CONSUMER__GROUP_PREFIX", &group),
        ("SLUICE_STORES__NULL__TYPE", "remote_write"),
        ("SLUICE_STORES__NULL__URL", &url),
        ("SLUICE_STORES__NULL__VERSION", version.number()),
    ];
    let admin = free_port();
    let binary = arguments
        .binary
        .canonicalize()
        .with_context(|| format!("{} is not built", arguments.binary.display()))?;
    let mut launch = Launch::new("consumer", &binary)
        .arg("consumer")
        .env("SLUICE_ADMIN__LISTEN", format!("127.0.0.1:{admin}"));
    for (key, value) in settings {
        launch = launch.env(key, value);
    }
    for setting in &arguments.set {
        let (key, value) = setting
            .split_once('=')
            .with_context(|| format!("{setting:?} is not KEY=VALUE"))?;
        launch = launch.env(key, value);
    }
    let consumer = launch.start();
    let started = Instant::now();
    consumer.wait_until_ready(admin, "/livez", START);
    let beside = arguments.beside.as_ref().map(|command| {
        std::process::Command::new("sh")
            .args(["-c", &format!("{command} {}", consumer.pid())])
            .spawn()
    });
    let rss = wait_until_written(&consumer, admin, samples, started)?;
    let elapsed = started.elapsed();
    let cpu = usage::cpu_time(consumer.pid())?;
    let peak_bytes = usage::peak_resident_bytes(consumer.pid())?;
    consumer.terminate();
    consumer.wait_for_exit(START);
    if let Some(child) = beside {
        child?.wait()?;
    }
    let seen = receiver::ask(receiver_port)?;
    drop(receiver);
    ensure!(
        seen.disorder == 0,
        "{} series came out of order",
        seen.disorder
    );
    let parameters = [
        ("protocol", format!("remote-write-{}", version.number())),
        ("names", arguments.names.to_string()),
        (
            "series",
            (u64::from(arguments.names) * u64::from(arguments.hosts)).to_string(),
        ),
        ("record", arguments.record.to_string()),
        ("partitions", partitions.clone()),
    ];
    Ok(Outcome {
        scenario: format!("drain-remote-write-{}", version.number()),
        subject: "consumer".to_owned(),
        kind: Kind::Sluice,
        parameters: parameters
            .map(|(key, value)| (key.to_owned(), value))
            .into(),
        samples,
        requests: seen.requests,
        elapsed_s: elapsed.as_secs_f64(),
        cpu_s: Some(cpu.as_secs_f64()),
        rss_idle_bytes: None,
        rss_peak_bytes: Some(peak_bytes),
        rss,
        latency_us: Vec::new(),
        disk_bytes_per_sample: None,
        answers: BTreeMap::from([("204".to_owned(), seen.requests)]),
        answers_after_kafka: None,
        lost: arguments
            .verify
            .then(|| samples.saturating_sub(seen.samples)),
        note: format!(
            "{:.1} bytes per sample sent, {:.0} samples per request; processor time since the process started",
            seen.bytes as f64 / samples as f64,
            samples as f64 / seen.requests.max(1) as f64,
        ),
    })
}

fn start_receiver(port: u16, arguments: &Arguments) -> anyhow::Result<Process> {
    let mut launch = Launch::new("null-receiver", std::env::current_exe()?).args([
        "drain",
        "--receive",
        &format!("127.0.0.1:{port}"),
        "--takes",
        &arguments.takes.to_string(),
    ]);
    if arguments.verify {
        launch = launch.arg("--verify");
    }
    let receiver = launch.start();
    receiver.wait_for_port(port, START);
    Ok(receiver)
}

/// Answers how its memory grew meanwhile.
fn wait_until_written(
    consumer: &Process,
    admin: u16,
    samples: u64,
    started: Instant,
) -> anyhow::Result<Vec<(f64, u64)>> {
    let mut rss = Vec::new();
    let mut last = (0, Instant::now());
    loop {
        let written = written(admin)?;
        rss.push((
            started.elapsed().as_secs_f64(),
            usage::resident_bytes(consumer.pid())?,
        ));
        if written >= samples {
            return Ok(rss);
        }
        if written > last.0 {
            last = (written, Instant::now());
        }
        ensure!(
            last.1.elapsed() < START,
            "the consumer stands still at {written} of {samples} samples; see {}",
            log_of(consumer).display()
        );
        #[expect(
            clippy::disallowed_methods,
            reason = "a measurement has nothing else to do meanwhile"
        )]
        std::thread::sleep(ASK);
    }
}

fn log_of(process: &Process) -> &Path {
    process.log_path()
}

/// What the consumer's ledger says is written.
fn written(admin: u16) -> anyhow::Result<u64> {
    let text = testkit::http::get(admin, "/metrics")?.text();
    Ok(text
        .lines()
        .filter(|line| line.starts_with("sluice_consumer_samples_written_total"))
        .filter_map(|line| line.rsplit_once(' ')?.1.parse::<u64>().ok())
        .sum())
}
