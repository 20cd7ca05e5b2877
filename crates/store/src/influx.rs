//! `InfluxDB`'s line protocol: `InfluxDB` 1, 2 and 3, `VictoriaMetrics`, `QuestDB` and others.
//!
//! A sample is a line: the metric is the measurement, labels are tags, the value is one field. Writing a line again
//! replaces it, so repeats are harmless. Numbers that the protocol has no form for (NaN, the infinities, and with them
//! stale markers) are left out and counted; native histograms are written as classic ones.

mod answer;
mod config;
mod lines;

use std::num::NonZeroUsize;
use std::sync::Arc;

use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use reqwest::Url;

pub use config::Config;

use crate::bound::Bound;
use crate::endpoint::{Answer, OpenError, Poster};
use crate::{Batch, Batching, Lanes, LeftOut, Write, WriteError};
use lines::Lines;

/// A store that takes line protocol. Clones share their connections.
#[derive(Debug, Clone)]
pub struct Influx {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    config: Config,
    lanes: NonZeroUsize,
    poster: Poster,
    url: Url,
}

impl Influx {
    /// Sets the client up; nothing is sent. `store` is the store's name, for metrics and logs.
    ///
    /// # Errors
    /// When a setting or a certificate file cannot be used.
    pub fn new(config: Config, store: &str) -> Result<Self, OpenError> {
        config
            .check()
            .map_err(|(key, why)| OpenError::setting(key, why))?;
        let lanes = config.batches().lanes()?;
        let protocol = [
            (CONTENT_TYPE, "text/plain; charset=utf-8"),
            (CONTENT_ENCODING, "gzip"),
        ];
        let poster = Poster::open(&config.endpoint(), &protocol, store)?;
        let mut url = poster.url().clone();
        url.query_pairs_mut()
            .append_pair("precision", config.precision());
        Ok(Self {
            shared: Arc::new(Shared {
                config,
                lanes,
                poster,
                url,
            }),
        })
    }
}

impl Write for Influx {
    fn lanes(&self) -> Lanes {
        Lanes::BySeries(self.shared.lanes)
    }

    fn batching(&self) -> Batching {
        self.shared.config.batches().batching()
    }

    /// Nothing to undo: a line that is written again replaces itself.
    async fn resume(&self, _partition: i32, _offset: i64) -> Result<(), WriteError> {
        Ok(())
    }

    async fn write(&self, batch: &Batch) -> Result<(), WriteError> {
        let shared = &self.shared;
        let config = &shared.config;
        let mut lines = Lines::new(
            config.measurement.as_deref(),
            &config.field,
            Bound::of(batch),
        );
        for item in &batch.items {
            lines.push(item)?;
        }
        let text = lines.finish();
        if text.is_empty() {
            return Ok(());
        }
        let body = codec::deflate::gzip_fast(&text);
        shared
            .poster
            .write(&shared.url, body, answer::meaning)
            .await
    }

    fn left_out(&self, batch: &Batch) -> Option<LeftOut> {
        let samples = batch.items.iter().map(lines::left_out).sum();
        (samples > 0).then_some(LeftOut {
            reason: "not_finite",
            samples,
        })
    }
}

/// Reads an answer, for the fuzz targets alone.
pub(crate) fn fuzzed_answer(answer: &Answer) {
    let _meaning = answer::meaning(answer);
}

#[cfg(test)]
mod tests;
