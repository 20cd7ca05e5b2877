//! The store that a replay fills, behind what is chosen and how fast it may go.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use store::{Batch, Batching, Lanes, LeftOut, Write, WriteError};

use super::pace::Pace;
use super::tally::Tally;
use crate::settings::Settings;
use crate::tools::Usage;
use crate::tools::filter::Filter;

/// Where samples go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// A store of the settings.
    Named(String),
    /// A remote-write URL.
    Url(String),
    /// A new archive in this folder.
    Archive(PathBuf),
}

impl Target {
    /// Of the option `--to`.
    pub(crate) fn parse(text: &str) -> Self {
        if let Some(dir) = text.strip_prefix("parquet:") {
            Self::Archive(dir.into())
        } else if text.contains("://") {
            Self::Url(text.to_owned())
        } else {
            Self::Named(text.to_owned())
        }
    }

    /// The settings of the store.
    pub(crate) fn config(&self, settings: &Settings) -> anyhow::Result<store::Config> {
        let config: store::Config = match self {
            Self::Named(name) => {
                let config = settings.stores.get(name).ok_or_else(|| {
                    let known: Vec<&str> = settings.stores.keys().map(String::as_str).collect();
                    Usage::of(format!(
                        "--to {name}: the settings have no store of this name, they have [{}]; a URL or parquet:DIR does \
                         without",
                        known.join(", ")
                    ))
                })?;
                if matches!(config, store::Config::Parquet(_)) {
                    return Err(Usage::of(format!(
                        "--to {name}: is an archive that a consumer fills; what is in it already would be in it twice. \
                         Give the replay a folder of its own: --to parquet:DIR"
                    )));
                }
                config.clone()
            }
            Self::Url(url) => {
                let config = serde_json::json!({ "type": "remote_write", "url": url });
                serde_json::from_value(config).context("--to")?
            }
            Self::Archive(dir) => {
                // Full speed fills files sooner; the last ones wait no longer than this.
                let config =
                    serde_json::json!({ "type": "parquet", "dir": dir, "close_after": "15s" });
                serde_json::from_value(config).context("--to")?
            }
        };
        config
            .check()
            .map_err(|(key, why)| Usage::of(format!("--to: {key}: {why}")))?;
        Ok(config)
    }
}

/// A store that gets the chosen series, at a pace.
#[derive(Debug)]
pub(crate) struct Chosen<W> {
    pub(crate) store: W,
    pub(crate) filter: Filter,
    pub(crate) pace: Pace,
    pub(crate) tally: Arc<Tally>,
}

impl<W: Write> Chosen<W> {
    async fn put(&self, batch: &Batch) -> Result<(), WriteError> {
        let samples = batch.samples();
        self.pace.wait(samples).await;
        self.store.write(batch).await?;
        let left_out = self.store.left_out(batch);
        let skipped = left_out.map_or(0, |left| left.samples);
        self.tally.wrote(samples.saturating_sub(skipped));
        self.tally.left_out(left_out);
        Ok(())
    }

    /// What is chosen of a batch, if not all of it is.
    fn chosen(&self, batch: &Batch) -> Option<Batch> {
        if self.filter.has_every_series() {
            return None;
        }
        let items = batch.items.iter();
        let chosen = items.filter(|item| self.filter.has_series(item.view()));
        Some(Batch {
            lane: batch.lane,
            items: chosen.cloned().collect(),
        })
    }
}

impl<W: Write> Write for Chosen<W> {
    fn lanes(&self) -> Lanes {
        self.store.lanes()
    }

    fn batching(&self) -> Batching {
        let batching = self.store.batching();
        Batching {
            max_samples: batching.max_samples.min(self.pace.max_samples()),
            ..batching
        }
    }

    async fn resume(&self, partition: i32, offset: i64) -> Result<(), WriteError> {
        self.store.resume(partition, offset).await
    }

    async fn write(&self, batch: &Batch) -> Result<(), WriteError> {
        match self.chosen(batch) {
            None => self.put(batch).await,
            Some(chosen) if chosen.items.is_empty() => Ok(()),
            Some(chosen) => self.put(&chosen).await,
        }
    }

    fn left_out(&self, batch: &Batch) -> Option<LeftOut> {
        match self.chosen(batch) {
            None => self.store.left_out(batch),
            Some(chosen) => self.store.left_out(&chosen),
        }
    }
}

#[cfg(test)]
mod tests;
