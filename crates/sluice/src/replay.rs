//! `sluice replay`: a part of the buffer once more into a store, to fill a new one or to mend one.
//!
//! The pipeline is the consumer's: in order per series, retried for as long as it takes. What is different is that the
//! part has an end, that commits are a file on disk, and that what a store refuses is counted instead of buried: it stays
//! in the buffer. Nobody's place in the buffer changes by it.

pub(crate) mod bar;
mod choice;
mod count;
mod drain;
mod pace;
mod plan;
mod positions;
mod report;
mod run;
mod state;
mod tally;
mod target;

use std::path::PathBuf;

use clap::Args;

pub use choice::{Start, Which};

use crate::tools::filter::Chosen;
use crate::tools::{Tool, block_on};

const AFTER_HELP: &str = "\
Fill a new store with the last 24 hours:
  sluice replay --to http://new:8428/api/v1/write --from 24h
Mend one after an outage, slowly enough for its users:
  sluice replay --config consumer.yaml --to main --from 2026-01-31T12:00Z --until 2026-01-31T13:30Z --rate 50000
Exactly what a log line names:
  sluice replay --config consumer.yaml --to main --offsets 3:1000..2000

Stopped or killed, the same command goes on where it was. Exit codes: 0 the store has everything that was chosen,
2 it has not (refused, expired, or stopped before the end; the last lines say which), 64 an option or a setting is
wrong, 1 anything else.";

/// The options of `sluice replay`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Arguments {
    /// Which buffer, and which stores there are.
    #[command(flatten)]
    pub tool: Tool,
    /// The store: its name in the settings, a remote-write URL, or parquet:DIR for a new archive.
    #[arg(long, value_name = "STORE", required_unless_present = "dry_run")]
    pub to: Option<String>,
    /// Which records.
    #[command(flatten)]
    pub which: Which,
    /// Which series.
    #[command(flatten)]
    pub chosen: Chosen,
    /// Samples per second at most, so that the store has time for others.
    #[arg(long, value_name = "SAMPLES", value_parser = clap::value_parser!(u64).range(1..))]
    pub rate: Option<u64>,
    /// Write nothing: read what is chosen and say how much it is.
    #[arg(long)]
    pub dry_run: bool,
    /// The file that remembers how far it is; without it, one in the folder `replay` of `data_dir`.
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,
    /// Begin anew where an unfinished replay is remembered.
    #[arg(long)]
    pub restart: bool,
}

/// How a command ended, when it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Everything was done.
    Complete,
    /// Something was left, and has been said.
    Incomplete,
}

/// Replays, or counts.
///
/// # Errors
/// When an option is wrong, or the buffer or the store cannot be used.
pub fn replay(arguments: &Arguments) -> anyhow::Result<Outcome> {
    let settings = arguments.tool.load()?;
    block_on(async {
        if arguments.dry_run {
            return count::count(&settings, arguments).await;
        }
        run::run(&settings, arguments).await
    })
}
