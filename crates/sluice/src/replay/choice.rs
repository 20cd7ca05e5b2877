//! Which records a replay is about: from the options to offsets.

use clap::Args;

use super::drain::Wanted;
use super::plan::{Plan, parse_span};
use crate::settings::Settings;
use crate::tools::Usage;
use crate::tools::filter::{Chosen, Filter};
use crate::tools::source::Source;
use crate::tools::when::when;

/// Where to begin.
#[derive(Debug, Default, Args)]
#[group(required = true, multiple = false)]
pub struct Start {
    /// What was received from then on: how long ago (`24h`), a time in UTC (`2026-01-31T12:00:00Z`), or `earliest`.
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,
    /// These offsets of a partition, such as `3:1000..2000` or `3:1000..`; offset 2000 is not among them. May be given
    /// for several partitions.
    #[arg(long, value_name = "PARTITION:FROM..TO")]
    pub offsets: Vec<String>,
    /// What the consumer of this store has not committed yet.
    #[arg(long, value_name = "STORE")]
    pub from_consumer: Option<String>,
}

/// The options that choose records.
#[derive(Debug, Default, Args)]
pub struct Which {
    /// Where to begin.
    #[command(flatten)]
    pub start: Start,
    /// What was received before then; without it, everything that is there when the command starts.
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// With --until: how much further to look for records that came late, out of a gateway's spool.
    #[arg(
        long,
        value_name = "DURATION",
        default_value = "10m",
        requires = "until"
    )]
    pub slack: Option<String>,
}

/// What is to be read.
#[derive(Debug)]
pub(crate) struct Choice {
    pub(crate) plan: Plan,
    pub(crate) wanted: Wanted,
}

impl Which {
    /// The same as text: two replays with other texts are two replays.
    pub(crate) fn text(&self, chosen: &Chosen) -> String {
        format!("{self:?} {chosen:?}")
    }

    /// Asks the buffer where that is.
    pub(crate) async fn look(
        &self,
        source: &Source,
        settings: &Settings,
        chosen: &Chosen,
        now_ms: i64,
    ) -> anyhow::Result<Choice> {
        let filter = Filter::new(chosen).map_err(Usage::of)?;
        let until_ms = self.until_ms(now_ms)?;
        let bounds = source.bounds().await?;
        let ends = match until_ms {
            None => None,
            Some(until_ms) => {
                let late = until_ms.saturating_add(self.slack_ms()?);
                Some(source.at_time(late).await?)
            }
        };
        let end = |bounds: &buffer::Bounds| {
            let end = ends.as_ref().and_then(|ends| ends.get(&bounds.partition));
            end.copied().unwrap_or(bounds.end)
        };
        let mut from_ms = i64::MIN;
        let start = &self.start;
        let plan = if let Some(store) = &start.from_consumer {
            let group = settings.consumer.group(store);
            let committed = source.committed(&group).await?;
            if committed.is_empty() {
                return Err(Usage::of(format!(
                    "--from-consumer {store}: {group} has committed nothing in {}",
                    source.name()
                )));
            }
            let start = |bounds: &buffer::Bounds| {
                let committed = committed.get(&bounds.partition).copied();
                Some(committed.unwrap_or(bounds.start))
            };
            Plan::between(&bounds, start, end)
        } else if !start.offsets.is_empty() {
            let spans = start.offsets.iter().map(|text| parse_span(text));
            let spans: Vec<_> = spans
                .collect::<Result<_, _>>()
                .map_err(|why| Usage::of(format!("--offsets: {why}")))?;
            Plan::of(&bounds, &spans).map_err(Usage::of)?
        } else {
            let from = start.from.as_deref().unwrap_or("earliest");
            if from == "earliest" {
                Plan::between(&bounds, |bounds| Some(bounds.start), end)
            } else {
                from_ms = when(from, now_ms).map_err(|why| Usage::of(format!("--from: {why}")))?;
                if until_ms.is_some_and(|until_ms| until_ms <= from_ms) {
                    return Err(Usage::of("--until: is not after --from"));
                }
                let starts = source.at_time(from_ms).await?;
                Plan::between(
                    &bounds,
                    |bounds| starts.get(&bounds.partition).copied(),
                    end,
                )
            }
        };
        Ok(Choice {
            plan,
            wanted: Wanted {
                received_ms: (from_ms, until_ms.unwrap_or(i64::MAX)),
                filter,
            },
        })
    }

    fn until_ms(&self, now_ms: i64) -> anyhow::Result<Option<i64>> {
        let until = self.until.as_deref().map(|until| when(until, now_ms));
        until
            .transpose()
            .map_err(|why| Usage::of(format!("--until: {why}")))
    }

    fn slack_ms(&self) -> anyhow::Result<i64> {
        let slack = self.slack.as_deref().unwrap_or("10m");
        let slack: service::units::Period = slack
            .parse()
            .map_err(|why| Usage::of(format!("--slack: {why}")))?;
        Ok(i64::try_from(slack.0.as_millis()).unwrap_or(i64::MAX))
    }
}
