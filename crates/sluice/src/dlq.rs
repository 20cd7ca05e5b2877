//! `sluice dlq`: the dead letters, what is in them, and mended ones back into the buffer.
//!
//! Letters stay where they are until they expire: sending one again copies it. That is harmless, because series and
//! timestamp identify a sample.

mod fix;
mod letters;
mod list;
mod resend;
mod show;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::replay::Outcome;
use crate::tools::filter::Chosen;
use crate::tools::sample::Format;
use crate::tools::{Tool, block_on};

const AFTER_HELP: &str = "\
What was refused, and why:
  sluice dlq list --config consumer.yaml
  sluice dlq show --config consumer.yaml --reason out_of_order --limit 3
Mend the store and send everything again that it refused for one reason:
  sluice dlq resend --config consumer.yaml --store main --reason labels_invalid --dry-run
Mend the samples themselves, by options or by hand:
  sluice dlq resend --config consumer.yaml 0:17 --drop-label request_id
  sluice dlq show --config consumer.yaml --output json 0:17 > letter.json
  sluice dlq resend --config consumer.yaml --input letter.json

Exit codes: 0 done, 2 something could not be sent again (the last lines say what), 64 an option or a setting is wrong,
1 anything else.";

/// The options of `sluice dlq`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub action: Action,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Count dead letters by store, reason and metric name.
    List {
        /// Which buffer.
        #[command(flatten)]
        tool: Tool,
        /// Which letters.
        #[command(flatten)]
        which: Which,
    },
    /// Show dead letters: where they are from, why, and their samples.
    Show {
        /// Which buffer.
        #[command(flatten)]
        tool: Tool,
        /// Which letters.
        #[command(flatten)]
        which: Which,
        /// The newest so many.
        #[arg(long, default_value_t = 20)]
        limit: usize,
        /// Text for people, or one JSON object per letter, which `resend --input` takes.
        #[arg(long, value_enum, default_value_t = Format::Table)]
        output: Format,
    },
    /// Put the samples of dead letters back into the buffer, for every store; mended, if that is asked for.
    Resend(Box<Resend>),
}

/// Which letters.
#[derive(Debug, Clone, Default, Args)]
pub struct Which {
    /// These letters, as `list` and `show` name them (partition:offset); without any, all.
    #[arg(value_name = "ID")]
    pub ids: Vec<String>,
    /// Only of this store.
    #[arg(long)]
    pub store: Option<String>,
    /// Only for this reason.
    #[arg(long)]
    pub reason: Option<String>,
    /// Only what was buried since then: how long ago (`2h`), or a time in UTC.
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Only of these series.
    #[command(flatten)]
    pub chosen: Chosen,
}

/// The options of `sluice dlq resend`.
#[derive(Debug, Args)]
pub struct Resend {
    /// Which buffer.
    #[command(flatten)]
    pub tool: Tool,
    /// Which letters.
    #[command(flatten)]
    pub which: Which,
    /// Every letter, where neither ids nor other options say which.
    #[arg(long)]
    pub all: bool,
    /// Letters from a file that `show --output json` wrote and somebody mended; `-` is standard input.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["ids", "all"])]
    pub input: Option<PathBuf>,
    /// How samples are mended.
    #[command(flatten)]
    pub mending: Mending,
    /// Send nothing: say what would be sent.
    #[arg(long)]
    pub dry_run: bool,
}

/// How samples are mended.
#[derive(Debug, Clone, Default, Args)]
pub struct Mending {
    /// Leave this label out.
    #[arg(long = "drop-label", value_name = "NAME")]
    pub drop_labels: Vec<String>,
    /// Give this label this value.
    #[arg(long = "set-label", value_name = "NAME=VALUE")]
    pub set_labels: Vec<String>,
    /// Another metric name.
    #[arg(long, value_name = "NAME")]
    pub rename: Option<String>,
}

/// Does it.
///
/// # Errors
/// When an option is wrong, or the buffer cannot be read or written.
pub fn dlq(arguments: &Arguments) -> anyhow::Result<Outcome> {
    match &arguments.action {
        Action::List { tool, which } => {
            let settings = tool.load()?;
            block_on(list::list(&settings, which))
        }
        Action::Show {
            tool,
            which,
            limit,
            output,
        } => {
            let settings = tool.load()?;
            block_on(show::show(&settings, which, *limit, *output))
        }
        Action::Resend(resend) => {
            let settings = resend.tool.load()?;
            block_on(resend::resend(&settings, resend))
        }
    }
}
