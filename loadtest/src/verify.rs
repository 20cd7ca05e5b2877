//! Accounts for every sample that was acknowledged.

mod drained;
mod query;
mod tally;

use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use buffer::kafka::{Config, Member, Reader};
use buffer::local::{DataDir, Log, Start};
use clap::Args;
use service::health::Health;

use crate::ledger::Ledger;
use tally::Tally;
pub(crate) use tally::Verdict;

/// What the buffer keeps; the topic's own setting counts.
const RETENTION: Duration = Duration::from_hours(24);

/// Account for every sample that a run's ledger says was acknowledged; exits with 1 if one is missing.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// What `run --ledger` wrote.
    #[arg(long)]
    ledger: PathBuf,
    #[command(flatten)]
    place: Place,
    /// The topic, with `--kafka`.
    #[arg(long, default_value = "metrics")]
    topic: String,
}

/// Where to look.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Place {
    /// Reads the topic of these brokers, from the first record to the last.
    #[arg(long, value_name = "BROKERS")]
    kafka: Option<String>,
    /// Reads the embedded log in this data directory; `sluice standalone` must be stopped.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Reads the Parquet files in this folder.
    #[arg(long, value_name = "DIR")]
    archive: Option<PathBuf>,
    /// Asks VictoriaMetrics, or what speaks Prometheus' query API, at this URL.
    #[arg(long, value_name = "URL")]
    query: Option<String>,
}

/// Runs the subcommand.
pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let file = std::fs::File::open(&arguments.ledger)
        .with_context(|| arguments.ledger.display().to_string())?;
    let ledger = Ledger::read(BufReader::new(file))?;
    let place = &arguments.place;
    let verdict = if let Some(brokers) = &place.kafka {
        kafka(brokers, &arguments.topic, &ledger).await?
    } else if let Some(dir) = &place.data_dir {
        log(dir, &ledger).await?
    } else if let Some(dir) = &place.archive {
        archive(dir, &ledger)?
    } else {
        let url = place.query.as_deref().context("where to look")?;
        query::verify(url, &ledger).await?
    };
    println!("{verdict}");
    Ok(if verdict.missing == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Looks in a topic.
pub(crate) async fn kafka(brokers: &str, topic: &str, ledger: &Ledger) -> anyhow::Result<Verdict> {
    let config = Config {
        brokers: brokers.to_owned(),
        topic: topic.to_owned(),
        ..Config::default()
    };
    let group = format!(
        "sluice-loadtest-verify-{}-{}",
        std::process::id(),
        service::clock::now_ms()
    );
    let reader = Reader::new(&config, &Member::of(group), RETENTION)?;
    let mut tally = Tally::new(ledger);
    drained::all(reader, &mut tally).await?;
    Ok(tally.verdict(ledger))
}

/// Looks in the embedded log of a process that has ended.
pub(crate) async fn log(data_dir: &Path, ledger: &Ledger) -> anyhow::Result<Verdict> {
    let lock = DataDir::lock(data_dir)?;
    let log = Log::open(
        &lock.dir().join("log"),
        &buffer::local::Config::default(),
        RETENTION,
        Arc::new(service::clock::now_ms),
        Health::new().condition("log", "opening"),
    )?;
    // A reader that is not remembered: nothing changes for those that are.
    let reader = log.reader("verify", Start::At(0)).await?;
    let mut tally = Tally::new(ledger);
    drained::all(reader, &mut tally).await?;
    log.close().await;
    Ok(tally.verdict(ledger))
}

fn archive(dir: &Path, ledger: &Ledger) -> anyhow::Result<Verdict> {
    let mut tally = Tally::new(ledger);
    store::parquet::read_values(dir, |value| tally.see(value))?;
    Ok(tally.verdict(ledger))
}
