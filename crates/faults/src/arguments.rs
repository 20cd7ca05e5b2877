//! The command line, and what of it scenarios may look at.

use std::path::PathBuf;

use clap::Parser;

/// Break what can break, under a load that numbers every sample, and account for each one.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
pub(crate) struct Arguments {
    /// Scenarios: all whose names begin with one of these words. `list` lists them instead. Without
    /// a word: all.
    pub scenarios: Vec<String>,
    /// Only the few that every test run includes.
    #[arg(long)]
    pub quick: bool,
    /// How often scenarios with random moments are run, each time with another seed.
    #[arg(long, env = "FAULT_ROUNDS", default_value = "1")]
    pub rounds: u64,
    /// The seed of the first round; each further one has the next number. Without it, a new one.
    #[arg(long, env = "FAULT_SEED")]
    pub seed: Option<u64>,
    /// Where the table, as Markdown and as JSON, and the folders of failed rounds are put; without
    /// it, a new folder under `.build/faults`.
    #[arg(long)]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub knobs: Knobs,
}

/// What scenarios may look at.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Knobs {
    /// The binary that is broken.
    #[arg(
        long,
        env = "TEST_SLUICE_BINARY",
        default_value = "target/release/sluice"
    )]
    pub binary: PathBuf,
    /// How long outages of scenarios that take a time last; without it, seconds.
    #[arg(long)]
    pub minutes: Option<f64>,
    /// Samples a second of `outage`.
    #[arg(long, default_value = "20000")]
    pub rate: u64,
    /// The spool of `outage`.
    #[arg(long, default_value = "1GiB")]
    pub spool: String,
}
