//! Counts what a sample costs, and fails when that is not what was accepted.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool: its output is its result"
)]

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use clap::{Parser, Subcommand};
use guard::baseline::{ACCEPT, Baseline, Cost};
use guard::count;
use guard::paths::{PATHS, Path, find};

#[derive(Debug, Parser)]
#[command(about, version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    /// Accept what is measured.
    #[arg(long)]
    accept: bool,
    /// Measure these paths alone.
    #[arg(long)]
    path: Vec<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Do so many rounds of a path and nothing else: for a profiler.
    Run {
        /// The path.
        path: String,
        /// How many.
        #[arg(long, default_value = "20")]
        rounds: usize,
    },
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("guard: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<()> {
    // Before any thread is there, so that it holds for all.
    count::pin()?;
    if let Some(Command::Run { path, rounds }) = cli.command {
        count::run(named(&path)?, rounds);
        return Ok(());
    }
    let paths: Vec<Path> = if cli.path.is_empty() {
        PATHS.into()
    } else {
        let named = cli.path.iter().map(|name| named(name));
        named.collect::<Result<_, _>>()?
    };
    let binary = std::env::current_exe()?;
    let mut costs = BTreeMap::new();
    for path in paths {
        let cost = Cost {
            instructions: count::instructions(&binary, path)?,
            allocations: count::allocations(path),
        };
        costs.insert(path.name.to_owned(), cost);
    }
    let measured = Baseline(costs);
    let mut accepted = Baseline::load().unwrap_or_default();
    println!("{}", accepted.table(&measured));
    if cli.accept {
        accepted.0.extend(measured.0);
        // Of a path that is no more nothing is left.
        accepted.0.retain(|name, _| find(name).is_some());
        return accepted.store();
    }
    let differences = accepted.differences(&measured);
    ensure!(
        differences.is_empty(),
        "the cost of a sample has changed by more than the tolerance:\n  {}\nIf it is meant to be so, \
         accept it with `{ACCEPT}` and say why in the commit.",
        differences.join("\n  ")
    );
    Ok(())
}

fn named(name: &str) -> anyhow::Result<Path> {
    let names: Vec<_> = PATHS.iter().map(|path| path.name).collect();
    find(name).with_context(|| format!("there is no path {name:?}; there are {}", names.join(", ")))
}
