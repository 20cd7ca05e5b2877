//! Load generator and verifier: what a sample costs, measured from outside.
//!
//! `run` loads a server that is already there; `suite` starts what each scenario needs, with a real
//! Kafka; `compare` sends the same bodies to Sluice and to others; `verify` accounts for every sample
//! that was acknowledged. A figure is samples *acknowledged* per second of user and system time of the
//! process, as the kernel counts it, because that moves less between machines and neighbours than
//! wall-clock rates do.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool: its output is its result"
)]

mod bodies;
mod client;
mod compare;
mod drain;
mod files;
mod ledger;
mod limits;
mod load;
mod measured;
mod outcome;
mod output;
mod protocol;
mod quiet;
mod report;
mod run;
mod scenario;
mod sender;
mod source;
mod statsd;
mod suite;
mod table;
mod udp;
mod verify;

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(about, version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Drain(drain::Arguments),
    Limits(limits::Arguments),
    Report(report::Arguments),
    Run(Box<run::Arguments>),
    Statsd(udp::Arguments),
    Suite(suite::Arguments),
    Compare(compare::Arguments),
    Verify(verify::Arguments),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<std::process::ExitCode> {
    match Cli::parse().command {
        Command::Drain(arguments) => drain::run(arguments).await?,
        Command::Limits(arguments) => limits::run(arguments).await?,
        Command::Report(arguments) => report::run(&arguments)?,
        Command::Run(arguments) => run::run(&arguments).await?,
        Command::Statsd(arguments) => println!("{}", udp::run(&arguments)?),
        Command::Suite(arguments) => suite::run(&arguments).await?,
        Command::Compare(arguments) => compare::run(&arguments).await?,
        Command::Verify(arguments) => return verify::run(&arguments).await,
    }
    Ok(std::process::ExitCode::SUCCESS)
}
