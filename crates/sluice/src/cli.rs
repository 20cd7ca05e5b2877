//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::settings::Role;

const AFTER_HELP: &str = "\
Start here:
  sluice standalone
  curl -d '{\"metrics\":[{\"metric_name\":\"up\",\"timestamp\":'$(date +%s000)',\"value\":1,\"labels\":{}}]}' \\
    localhost:8080/metrics
  curl 'localhost:8080/api/v1/recent/samples?metric_name=up'

Settings come from the defaults, then the file, then the environment: http.max_body in the file is
SLUICE_HTTP__MAX_BODY in the environment. docs/configuration.md lists them all.

Exit codes: 0 stopped as asked, 64 an option or a setting is wrong (one line says which), 1 anything
else. Some commands have more, which their own --help says.";

/// Takes metrics over HTTP, makes them durable in Kafka (or an embedded log), and writes them to
/// time-series stores. A 2xx means that the buffer has every sample on disk or on all replicas.
#[derive(Debug, Parser)]
#[command(name = "sluice", version, after_help = AFTER_HELP, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Everything in one process with one data directory: gateway, embedded log, Parquet archive.
    Standalone(Settings),
    /// HTTP in, Kafka out. Stateless: run as many as you like behind a load balancer.
    Gateway(Settings),
    /// Kafka in, stores out. Run at most one per partition.
    Consumer(Settings),
    /// Write a part of the buffer once more into a store: to fill a new one, or to mend one after an outage.
    Replay(Box<crate::replay::Arguments>),
    /// Show what arrives, decoded: as a table on a terminal, as JSON lines in a pipe.
    Tail(Box<crate::tail::Arguments>),
    /// Describe, create and check the topics that the settings name.
    Topic(crate::topic::Arguments),
    /// List, show, mend and send again what stores refused for good.
    Dlq(crate::dlq::Arguments),
    /// Send what a small made-up fleet would, to a Sluice on this machine, so that there is something to look at.
    Demo(crate::demo::Arguments),
    /// Read the settings as a command would, say what is wrong with them, and print them.
    CheckConfig {
        /// The command whose defaults apply.
        #[arg(long, value_enum, default_value_t = Role::Standalone)]
        role: Role,
        /// Where settings come from.
        #[command(flatten)]
        settings: Settings,
    },
    /// Print the SHA-256 of an API key, for access.keys: of the line on standard input, or of a new key.
    HashKey {
        /// Make a new key, of 256 random bits, and print it too.
        #[arg(long)]
        new: bool,
    },
    /// Print the argon2id hash of the password on standard input, for access.users.
    HashPassword,
}

/// Where settings come from.
#[derive(Debug, Args)]
pub struct Settings {
    /// A YAML file of settings; without it the defaults and the environment apply.
    #[arg(long, value_name = "FILE", env = "SLUICE_CONFIG")]
    pub config: Option<PathBuf>,
}
