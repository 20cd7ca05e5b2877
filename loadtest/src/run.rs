//! One measured run: connections that send, and the kernel's account of the process beside them.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use tokio::task::{JoinSet, LocalSet};
use tokio::time::{Instant, sleep, sleep_until};

use crate::client::{Client, Request};
use crate::ledger::Ledger;
use crate::load::Load;
use crate::measured::Measured;
use crate::outcome::{Kind, Outcome};
use crate::protocol::{Compression, Protocol};
use crate::quiet::{self, Sampler};
use crate::sender::{Seen, Shared, send};
use crate::source::Source;
use crate::{files, output, statsd, table};

/// How long the process may take to become ready.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// Quantiles of the latency that are kept.
const QUANTILES: [f64; 5] = [0.5, 0.9, 0.99, 0.999, 1.0];

/// Load one server that is already running.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Its address.
    #[arg(long, default_value = "127.0.0.1:8080")]
    target: String,
    /// Its admin address: waits there for `/readyz` before the load begins.
    #[arg(long)]
    admin: Option<String>,
    /// The process to measure; without it only the client's side is known.
    #[arg(long)]
    pid: Option<i32>,
    /// What the lines of results call what is sent.
    #[arg(long, default_value = "run")]
    scenario: String,
    /// What the lines of results call who gets it.
    #[arg(long, default_value = "gateway")]
    subject: String,
    /// Writes down which samples were acknowledged, for `verify`.
    #[arg(long)]
    ledger: Option<PathBuf>,
    /// Appends the outcome to this file, a line of JSON.
    #[arg(long)]
    output: Option<PathBuf>,
    #[command(flatten)]
    load: Load,
}

/// Who is loaded, and what else is known of it.
pub(crate) struct Subject<'a> {
    pub scenario: &'a str,
    pub name: &'a str,
    pub kind: Kind,
    pub target: &'a str,
    /// What is measured of it.
    pub processes: Measured,
    /// Where it takes StatsD, if not at `target`.
    pub statsd: Option<&'a str>,
    /// How many bytes it has stored so far: the run is over when they stop growing.
    pub stored_bytes: Option<&'a dyn Fn() -> u64>,
}

/// Runs the subcommand.
pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    if let Some(admin) = &arguments.admin {
        quiet::wait_until_ready(admin, READY_WITHIN).await?;
    }
    let subject = Subject {
        scenario: &arguments.scenario,
        name: &arguments.subject,
        kind: Kind::Sluice,
        target: &arguments.target,
        processes: arguments.pid.into_iter().collect(),
        statsd: None,
        stored_bytes: None,
    };
    let (outcome, ledger) = measure(&subject, &arguments.load).await?;
    if let Some(path) = &arguments.ledger {
        write_ledger(&ledger, path)?;
    }
    if let Some(path) = &arguments.output {
        output::append(path, std::slice::from_ref(&outcome))?;
    }
    println!("{}", table::table(&[outcome]));
    Ok(())
}

pub(crate) fn write_ledger(ledger: &Ledger, path: &Path) -> anyhow::Result<()> {
    let file = File::create(path).with_context(|| path.display().to_string())?;
    ledger.write(&mut BufWriter::new(file))
}

/// Loads `subject` and measures it. The future stays on its thread.
pub(crate) async fn measure(
    subject: &Subject<'_>,
    load: &Load,
) -> anyhow::Result<(Outcome, Ledger)> {
    load.check()?;
    if load.protocol == Protocol::Statsd {
        return statsd::measure(subject, load).await;
    }
    files::allow(load.all_connections() + 100)?;
    let local = LocalSet::new();
    local.run_until(measure_http(subject, load)).await
}

async fn measure_http(subject: &Subject<'_>, load: &Load) -> anyhow::Result<(Outcome, Ledger)> {
    let rss_idle_bytes = subject.processes.resident()?;
    let source = Source::new(load).await?;
    let request = Request::new(subject.target, load);
    let idle = idle_connections(subject.target, load).await?;
    let mut clients = Vec::with_capacity(load.connections.get());
    for _ in 0..load.connections.get() {
        clients.push(Client::connect(&request).await?);
    }
    let start = Instant::now();
    let counts_from = start + load.warm_up;
    let shared = Rc::new(Shared {
        load: load.clone(),
        request,
        source,
        start,
        until: counts_from + load.duration,
        sent: Cell::new(0),
        ledger: RefCell::new(Ledger {
            names: load.names.get() as u64,
            ..Ledger::default()
        }),
        seen: RefCell::new(Seen::new()?),
    });
    let sampler = Sampler::start(&subject.processes);
    let mut connections = JoinSet::new();
    for (number, client) in (0..).zip(clients) {
        connections.spawn_local(send(Rc::clone(&shared), number, client));
    }
    sleep_until(counts_from).await;
    let before = quiet::Used::now(&subject.processes)?;
    *shared.seen.borrow_mut() = Seen::new()?;
    while let Some(ended) = connections.join_next().await {
        ended??;
    }
    quiet::wait(&subject.processes, subject.stored_bytes).await?;
    let used = quiet::Used::now(&subject.processes)?.since(&before);
    drop(idle);
    let rss = sampler.stop();

    let shared = Rc::into_inner(shared).context("every connection has ended")?;
    let seen = shared.seen.into_inner();
    let ended = seen.last.max(shared.until.min(Instant::now()));
    let ended = if load.requests.is_some() {
        seen.last
    } else {
        ended
    };
    let outcome = Outcome {
        scenario: subject.scenario.to_owned(),
        subject: subject.name.to_owned(),
        kind: subject.kind,
        parameters: parameters(load),
        samples: seen.requests * load.batch.get() as u64,
        requests: seen.requests,
        elapsed_s: (ended - counts_from).as_secs_f64(),
        cpu_s: used.process.map(|cpu| cpu.as_secs_f64()),
        rss_idle_bytes,
        rss_peak_bytes: subject.processes.peak()?,
        rss,
        latency_us: QUANTILES
            .iter()
            .map(|quantile| (*quantile, seen.latency_us.value_at_quantile(*quantile)))
            .collect(),
        disk_bytes_per_sample: None,
        answers: seen.answers,
        answers_after_kafka: None,
        lost: None,
        note: format!("generator {:.1} CPU-s", used.generator.as_secs_f64()),
    };
    warn_of_refusals(&outcome);
    Ok((outcome, shared.ledger.into_inner()))
}

/// Connections that were used once and stay open as long as they are held.
async fn idle_connections(target: &str, load: &Load) -> anyhow::Result<Vec<Client>> {
    let request = Request::new(
        target,
        &Load {
            protocol: Protocol::Json,
            compression: Some(Compression::Identity),
            path: None,
            ..load.clone()
        },
    );
    let mut idle = Vec::with_capacity(load.idle_connections);
    for _ in 0..load.idle_connections {
        let mut client = Client::connect(&request).await?;
        client.body().extend_from_slice(br#"{"metrics": []}"#);
        let answer = client.post().await?;
        anyhow::ensure!(
            answer.status == 200,
            "a connection that is to be idle was answered {}",
            answer.status
        );
        idle.push(client);
    }
    if !idle.is_empty() {
        // Give the server time to let go of what the requests needed.
        sleep(Duration::from_secs(1)).await;
    }
    Ok(idle)
}

/// What tells this run from others.
pub(crate) fn parameters(load: &Load) -> BTreeMap<String, String> {
    let mut parameters = BTreeMap::from([
        ("protocol".to_owned(), load.protocol.name()),
        ("compression".to_owned(), load.compression().name()),
        ("batch".to_owned(), load.batch.to_string()),
        ("names".to_owned(), load.names.to_string()),
        ("series".to_owned(), load.series().to_string()),
        ("labels".to_owned(), load.labels.to_string()),
        ("connections".to_owned(), load.connections.to_string()),
    ]);
    let mut note = |key: &str, value: Option<String>| {
        if let Some(value) = value {
            parameters.insert(key.to_owned(), value);
        }
    };
    note("rate", load.rate.map(|rate| format!("{rate:.1}")));
    note("zipf", load.zipf.map(|exponent| exponent.to_string()));
    note("label_bytes", load.label_bytes.map(|len| len.to_string()));
    note(
        "idle_connections",
        (load.idle_connections > 0).then(|| load.idle_connections.to_string()),
    );
    note(
        "http",
        (load.http == crate::load::Http::Two).then(|| "2".to_owned()),
    );
    note("impatient", load.impatient.then(|| "true".to_owned()));
    note(
        "new_connections",
        load.new_connections.then(|| "true".to_owned()),
    );
    parameters
}

/// A run in which something was refused measures something else: that must not be overlooked.
fn warn_of_refusals(outcome: &Outcome) {
    let all: u64 = outcome.answers.values().sum();
    let refused = all - outcome.requests;
    if refused > 0 || all == 0 {
        eprintln!(
            "WARNING: {}, {}: {refused} of {all} requests were NOT acknowledged: {:?}",
            outcome.scenario, outcome.subject, outcome.answers
        );
    }
}
