//! `sluice tail`: what arrives, decoded, as it arrives.
//!
//! Reads beside everybody else and changes nothing. A running standalone, which has its log to itself, is asked on its
//! admin listener, where it shows the same.

mod remote;
mod serve;

use std::time::{Duration, Instant};

use buffer::{Consumed, DrainError, OffsetRange, Piece, ReadRanges as _};
use clap::Args;

pub(crate) use serve::{Tails, router};

use crate::replay::Outcome;
use crate::settings::{BufferKind, Settings};
use crate::tools::filter::{Chosen, Filter};
use crate::tools::output::{has_reader_with_eyes, is_gone, put, say};
use crate::tools::sample::{Format, HEADER, Origin, Style};
use crate::tools::source::{Pieces, Source};
use crate::tools::when::when;
use crate::tools::{Tool, Usage, block_on};

const AFTER_HELP: &str = "\
  sluice tail --name 'http_*' --label host=web-01
  sluice tail --since 5m --no-follow --output json | jq -r .metric_name | sort | uniq -c | sort -rn
  sluice tail --role standalone --limit 10";

/// How late it is noticed that nobody looks any more, when nothing comes.
const LOOK: Duration = Duration::from_secs(1);

/// The options of `sluice tail`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Arguments {
    /// Which buffer.
    #[command(flatten)]
    pub tool: Tool,
    /// Which series.
    #[command(flatten)]
    pub chosen: Chosen,
    /// Begin with what was received since then: how long ago (`5m`), a time in UTC, or `earliest`; without it, with what
    /// comes.
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// End after this many samples.
    #[arg(long, value_name = "SAMPLES")]
    pub limit: Option<u64>,
    /// End with what is there, instead of waiting for more.
    #[arg(long)]
    pub no_follow: bool,
    /// How samples are written; without it, a table for a terminal and JSON lines for anything else.
    #[arg(long, value_enum)]
    pub output: Option<Format>,
}

/// Shows what arrives until nobody looks any more.
///
/// # Errors
/// When an option is wrong, or the buffer cannot be read.
pub fn tail(arguments: &Arguments) -> anyhow::Result<Outcome> {
    let settings = arguments.tool.load()?;
    let filter = Filter::new(&arguments.chosen).map_err(Usage::of)?;
    block_on(async {
        let is_local = settings.buffer.kind == BufferKind::Local;
        if is_local && remote::is_running(&settings) {
            return remote::tail(&settings, arguments).await;
        }
        own(&settings, arguments, filter).await
    })?;
    Ok(Outcome::Complete)
}

impl Arguments {
    fn style(&self) -> Style {
        let is_watched = has_reader_with_eyes();
        let default = if is_watched {
            Format::Table
        } else {
            Format::Json
        };
        let environment = service::settings::environment();
        let wants_none = environment
            .iter()
            .any(|(name, value)| name == "NO_COLOR" && !value.is_empty());
        Style {
            format: self.output.unwrap_or(default),
            has_colours: is_watched && !wants_none,
        }
    }
}

async fn own(settings: &Settings, arguments: &Arguments, filter: Filter) -> anyhow::Result<()> {
    let source = Source::open(settings)?;
    let now_ms = service::clock::now_ms();
    let (since, no_follow) = (arguments.since.as_deref(), arguments.no_follow);
    let (from_ms, ranges) = ranges(&source, since, no_follow, now_ms).await?;
    let shown = if ranges.is_empty() {
        Ok(())
    } else {
        let pieces = source.read(&ranges).await?;
        let printer = Printer {
            style: arguments.style(),
            filter,
            from_ms,
            left: arguments.limit.unwrap_or(u64::MAX),
        };
        show(pieces, printer, ranges.len()).await
    };
    source.close().await;
    shown
}

/// What to read, and from which time on a record is shown.
async fn ranges(
    source: &Source,
    since: Option<&str>,
    no_follow: bool,
    now_ms: i64,
) -> anyhow::Result<(i64, Vec<OffsetRange>)> {
    let bounds = source.bounds().await?;
    let from_ms = match since {
        None | Some("earliest") => i64::MIN,
        Some(since) => when(since, now_ms).map_err(|why| Usage::of(format!("--since: {why}")))?,
    };
    let starts = match since {
        Some("earliest") => bounds
            .iter()
            .map(|known| (known.partition, known.start))
            .collect(),
        Some(_) => source.at_time(from_ms).await?,
        None => std::collections::BTreeMap::new(),
    };
    let ranges = bounds.iter().map(|known| OffsetRange {
        partition: known.partition,
        from: starts.get(&known.partition).copied().unwrap_or(known.end),
        to: no_follow.then_some(known.end),
    });
    let is_something = |range: &OffsetRange| range.to.is_none_or(|to| range.from < to);
    Ok((from_ms, ranges.filter(is_something).collect()))
}

/// Turns records into text.
#[derive(Debug)]
struct Printer {
    style: Style,
    filter: Filter,
    from_ms: i64,
    /// Samples that may still be shown.
    left: u64,
}

impl Printer {
    fn text(&mut self, records: &[Consumed]) -> String {
        let mut text = String::new();
        for record in records {
            if self.left == 0 {
                break;
            }
            if record.received_at_ms < self.from_ms
                || !self.filter.has_tenant(record.tenant.as_deref())
            {
                continue;
            }
            let origin = Origin {
                partition: record.partition,
                offset: record.offset,
                received_at_ms: record.received_at_ms,
                tenant: record.tenant.as_deref(),
                sender: record.source.as_deref(),
            };
            match codec::record::decode(record.content_type.as_deref(), &record.value) {
                Ok(block) => {
                    let (filter, left) = (&self.filter, self.left);
                    let shown = self.style.record(&mut text, origin, &block, filter, left);
                    self.left = self.left.saturating_sub(shown);
                }
                Err(error) if self.filter.has_every_series() => {
                    self.style
                        .undecodable(&mut text, origin, &error.to_string());
                }
                Err(_) => {}
            }
        }
        text
    }
}

async fn show(mut pieces: Pieces, mut printer: Printer, mut open: usize) -> anyhow::Result<()> {
    if printer.style.format == Format::Table && !put(HEADER)? {
        return Ok(());
    }
    let mut troubled: Option<Instant> = None;
    let mut looks = tokio::time::interval(LOOK);
    while open > 0 && printer.left > 0 {
        // Nobody may write for hours: whoever reads may go meanwhile.
        let next = tokio::select! {
            next = pieces.next() => next,
            _ = tokio::signal::ctrl_c() => return Ok(()),
            _ = looks.tick() => {
                if is_gone() {
                    return Ok(());
                }
                continue;
            }
        };
        match next {
            Ok(Piece::Records(records)) => {
                let text = printer.text(&records);
                if !text.is_empty() && !put(&text)? {
                    return Ok(());
                }
            }
            Ok(Piece::Ended { .. }) => open -= 1,
            Ok(Piece::Expired {
                partition,
                from,
                to,
            }) => {
                say(&format!(
                    "sluice: offsets {from}..{to} of partition {partition} expired before they were shown\n"
                ));
            }
            Err(DrainError::Unavailable(why)) => {
                if troubled.is_none_or(|at| at.elapsed().as_secs() >= 10) {
                    troubled = Some(Instant::now());
                    say(&format!("sluice: {why}; trying again\n"));
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
