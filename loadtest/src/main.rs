//! Load generator: what a sample costs the gateway, measured from outside.
//!
//! `run` loads a gateway that is already there; `suite` starts each kind of gateway itself, with a
//! real Kafka where it needs one, and prints one table. A figure is samples *acknowledged* per
//! second of user and system time of the gateway's process, as the kernel counts it, because that
//! moves less between machines and neighbours than wall-clock rates do.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool: its output is its result"
)]

mod body;
mod client;
mod drain;
mod outcome;
mod report;
mod run;
mod suite;

use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

#[derive(Debug, Parser)]
#[command(about, version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Load one gateway that is already running.
    Run {
        /// Its address.
        #[arg(long, default_value = "127.0.0.1:8080")]
        target: String,
        /// The process to measure; without it only the client's side is printed.
        #[arg(long)]
        pid: Option<i32>,
        #[command(flatten)]
        load: Load,
    },
    /// Start standalone, and a gateway with a real Kafka, load each, and print one table.
    Suite {
        /// The binary to start.
        #[arg(long, default_value = "target/release/sluice")]
        binary: std::path::PathBuf,
        #[command(flatten)]
        load: Load,
    },
    /// Fill a topic of a real Kafka, start a consumer on it, and measure what a sample costs it.
    Drain(drain::Arguments),
}

/// What is sent.
#[derive(Debug, Clone, Args)]
pub(crate) struct Load {
    /// Seconds that count, after the warm-up.
    #[arg(long, default_value = "10", value_parser = seconds)]
    duration: Duration,
    /// Seconds before them.
    #[arg(long, default_value = "3", value_parser = seconds)]
    warm_up: Duration,
    /// Connections, each with one request in flight.
    #[arg(long, default_value = "8")]
    connections: NonZeroUsize,
    /// Samples per request.
    #[arg(long, default_value = "1000")]
    batch: NonZeroUsize,
    /// Metric names; each connection has hosts of its own, so series = batch × connections.
    #[arg(long, default_value = "50")]
    names: NonZeroUsize,
    /// Requests per second over all connections, sent whether or not earlier ones were answered in
    /// time, with the latency counted from when each should have been sent; without it each
    /// connection sends as fast as it is answered.
    #[arg(long)]
    rate: Option<NonZeroU32>,
    /// How bodies are compressed.
    #[arg(long, value_enum, default_value_t = Compression::Identity)]
    compression: Compression,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Compression {
    Identity,
    Gzip,
}

fn seconds(text: &str) -> Result<Duration, String> {
    text.parse()
        .map(Duration::from_secs)
        .map_err(|_| format!("{text:?} is not a number of seconds"))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Run { target, pid, load } => {
            let row = run::measure("gateway", &target, pid, &load).await?;
            println!("{}", report::table(&[row]));
        }
        Command::Suite { binary, load } => {
            let rows = suite::run(&binary, &load).await?;
            println!("{}", report::table(&rows));
        }
        Command::Drain(arguments) => drain::run(arguments).await?,
    }
    Ok(())
}
