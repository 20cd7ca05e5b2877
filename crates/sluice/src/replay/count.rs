//! `sluice replay --dry-run`: how much it would be, by reading it.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use buffer::{Consumed, DrainError, Piece, ReadRanges as _};

use super::bar::{Bar, Look, clock};
use super::choice::Choice;
use super::drain::Wanted;
use super::plan::{Plan, Span};
use super::report::missing;
use super::{Arguments, Outcome};
use crate::settings::Settings;
use crate::tools::output::{has_watcher, put, say};
use crate::tools::source::{Pieces, Source};
use crate::tools::when::shown;

/// So many names are listed, those with the most samples.
const NAMES: usize = 20;

/// So many names are told apart; the samples of others are in the sums alone.
const MAX_NAMES: usize = 1_000_000;

/// Between two lines on a terminal.
const REDRAW: Duration = Duration::from_millis(250);

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Count {
    pub(crate) records: u64,
    pub(crate) samples: u64,
    bytes: u64,
    undecodable: u64,
    expired: u64,
    received_ms: Option<(i64, i64)>,
    sampled_ms: Option<(i64, i64)>,
    by_name: HashMap<String, u64>,
}

pub(crate) async fn count(settings: &Settings, arguments: &Arguments) -> anyhow::Result<Outcome> {
    let source = Source::open(settings)?;
    let now_ms = service::clock::now_ms();
    let choice = arguments
        .which
        .look(&source, settings, &arguments.chosen, now_ms)
        .await?;
    say(&missing(&choice.plan));
    let Choice { plan, wanted } = choice;
    let counted = if plan.spans.is_empty() {
        Count::default()
    } else {
        let ranges: Vec<_> = plan.spans.iter().map(Span::range).collect();
        read(source.read(&ranges).await?, &plan, &wanted).await?
    };
    source.close().await;
    put(&counted.text(&plan, arguments.rate))?;
    Ok(Outcome::Complete)
}

async fn read(mut pieces: Pieces, plan: &Plan, wanted: &Wanted) -> anyhow::Result<Count> {
    let (mut count, mut bar) = (Count::default(), Bar::default());
    let (mut left, mut seen, mut drawn) = (plan.spans.len(), 0_u64, Instant::now());
    let is_watched = has_watcher();
    while left > 0 {
        match pieces.next().await {
            Ok(Piece::Records(records)) => {
                seen += records.len() as u64;
                for record in &records {
                    count.add(record, wanted);
                }
            }
            Ok(Piece::Ended { .. }) => left -= 1,
            Ok(Piece::Expired { from, to, .. }) => {
                count.expired += u64::try_from(to.saturating_sub(from)).unwrap_or(0);
            }
            // Passing; the client tries again by itself.
            Err(DrainError::Unavailable(_)) => {}
            Err(error) => return Err(error.into()),
        }
        if is_watched && drawn.elapsed() >= REDRAW {
            drawn = Instant::now();
            let look = Look {
                done: seen,
                total: plan.records(),
                samples: count.samples,
            };
            say(&format!("\r\x1b[K{}", bar.line(drawn, look)));
        }
    }
    if is_watched {
        say("\r\x1b[K");
    }
    Ok(count)
}

fn widen(range: &mut Option<(i64, i64)>, at_ms: i64) {
    let (first, last) = range.unwrap_or((at_ms, at_ms));
    *range = Some((first.min(at_ms), last.max(at_ms)));
}

impl Count {
    /// Counts what is wanted of a record.
    pub(crate) fn add(&mut self, record: &Consumed, wanted: &Wanted) {
        let (from, until) = wanted.received_ms;
        if !(from..until).contains(&record.received_at_ms)
            || !wanted.filter.has_tenant(record.tenant.as_deref())
        {
            return;
        }
        let Ok(block) = codec::record::decode(record.content_type.as_deref(), &record.value) else {
            self.undecodable += 1;
            return;
        };
        let before = self.samples;
        for view in block.iter().filter(|view| wanted.filter.has_series(*view)) {
            let samples = (view.points().len() + view.histograms().len()) as u64;
            self.samples += samples;
            for point in view.points() {
                widen(&mut self.sampled_ms, point.at_ms);
            }
            for histogram in view.histograms() {
                widen(&mut self.sampled_ms, histogram.at_ms);
            }
            if let Some(count) = self.by_name.get_mut(view.name()) {
                *count += samples;
            } else if self.by_name.len() < MAX_NAMES {
                self.by_name.insert(view.name().to_owned(), samples);
            }
        }
        if self.samples > before {
            self.records += 1;
            self.bytes += record.value.len() as u64;
            widen(&mut self.received_ms, record.received_at_ms);
        }
    }

    fn text(&self, plan: &Plan, rate: Option<u64>) -> String {
        let mut text = String::new();
        let mut line = |name: &str, value: String| {
            writeln!(text, "{name:<12} {value}").unwrap_or_default();
        };
        let read = plan.records();
        line(
            "offsets",
            format!("{read} in {} partitions", plan.spans.len()),
        );
        line(
            "records",
            format!("{} of {} bytes", self.records, self.bytes),
        );
        line("samples", self.samples.to_string());
        line("names", self.by_name.len().to_string());
        for (name, range) in [("received", self.received_ms), ("sampled", self.sampled_ms)] {
            if let Some((first, last)) = range {
                line(name, format!("{} to {}", shown(first), shown(last)));
            }
        }
        if self.undecodable > 0 {
            line("undecodable", format!("{} records", self.undecodable));
        }
        if self.expired > 0 {
            line(
                "expired",
                format!("{} records, while they were counted", self.expired),
            );
        }
        if let Some(rate) = rate {
            let takes = Duration::from_secs(self.samples / rate.max(1));
            line("takes", format!("{} at {rate} samples/s", clock(takes)));
        }
        let mut names: Vec<_> = self.by_name.iter().collect();
        names.sort_by(|(one, ones), (other, others)| others.cmp(ones).then(one.cmp(other)));
        if !names.is_empty() {
            writeln!(text, "\n{:>12}  name", "samples").unwrap_or_default();
        }
        for (name, samples) in names.iter().take(NAMES) {
            writeln!(text, "{samples:>12}  {name}").unwrap_or_default();
        }
        if names.len() > NAMES {
            writeln!(text, "{:>12}  and {} more names", "", names.len() - NAMES)
                .unwrap_or_default();
        }
        text
    }
}

#[cfg(test)]
mod tests;
