//! `ClickHouse`, over its HTTP interface: a row per sample, the columns of the Parquet archive.
//!
//! A batch is one `INSERT` in `RowBinary`. The table is created when it is missing, sorted by metric, series and time,
//! and collapses repeats by that; columns of an existing table are checked before the first row, because `RowBinary`
//! says no types and would be read as something else.

mod answer;
mod config;
mod rows;
mod table;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderName};
use reqwest::Url;

pub use config::{Compression, Config, LabelColumn};
pub(crate) use rows::json as labels_as_json;

use crate::endpoint::{Answer, Meaning, OpenError, Poster};
use crate::{Batch, Batching, Lanes, Write, WriteError};

/// A `ClickHouse` table. Clones share their connections.
#[derive(Debug, Clone)]
pub struct ClickHouse {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    config: Config,
    lanes: NonZeroUsize,
    poster: Poster,
    insert: Url,
    /// Whether the table has been found to be as it should.
    is_ready: AtomicBool,
}

impl ClickHouse {
    /// Sets the client up; nothing is sent. `store` is the store's name, for metrics and logs.
    ///
    /// # Errors
    /// When a setting or a certificate file cannot be used.
    pub fn new(config: Config, store: &str) -> Result<Self, OpenError> {
        config
            .check()
            .map_err(|(key, why)| OpenError::setting(key, why))?;
        let lanes = config.batches().lanes()?;
        let poster = Poster::open(&config.endpoint(), &protocol(), store)?;
        let mut insert = poster.url().clone();
        insert
            .query_pairs_mut()
            .append_pair("query", &table::insert(&config))
            .extend_pairs(&config.settings);
        Ok(Self {
            shared: Arc::new(Shared {
                config,
                lanes,
                poster,
                insert,
                is_ready: AtomicBool::new(false),
            }),
        })
    }
}

fn protocol() -> [(HeaderName, &'static str); 1] {
    [(CONTENT_TYPE, "application/octet-stream")]
}

impl Shared {
    /// Makes sure that rows will be read as what they are.
    async fn prepare(&self) -> Result<(), WriteError> {
        let url = self.poster.url();
        if self.config.create_table {
            let create = table::create(&self.config).into_bytes();
            self.poster.ask(url, create, answer::meaning).await?;
        }
        let columns = table::columns(&self.config).into_bytes();
        let found = self.poster.ask(url, columns, answer::meaning).await?;
        if let Err(why) = table::check(&self.config, &found) {
            return Err(self.poster.misconfigured(WriteError::Retryable {
                message: why,
                retry_after: None,
            }));
        }
        self.is_ready.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// What an answer means; one that is about the table lets it be looked at again.
    fn meaning(&self, answer: &Answer) -> Meaning {
        let meaning = answer::meaning(answer);
        if matches!(meaning, Meaning::Misconfigured(_)) {
            self.is_ready.store(false, Ordering::Relaxed);
        }
        meaning
    }
}

impl Write for ClickHouse {
    fn lanes(&self) -> Lanes {
        Lanes::BySeries(self.shared.lanes)
    }

    fn batching(&self) -> Batching {
        self.shared.config.batches().batching()
    }

    /// Nothing to undo: the table collapses rows of the same series and time.
    async fn resume(&self, _partition: i32, _offset: i64) -> Result<(), WriteError> {
        Ok(())
    }

    async fn write(&self, batch: &Batch) -> Result<(), WriteError> {
        let shared = &self.shared;
        if !shared.is_ready.load(Ordering::Relaxed) {
            shared.prepare().await?;
        }
        let rows = rows::rows(batch, shared.config.labels)?;
        if rows.is_empty() {
            return Ok(());
        }
        let (encoding, body) = match shared.config.compression {
            Compression::None => (None, rows),
            Compression::Gzip => (Some("gzip"), codec::deflate::gzip_fast(&rows)),
            Compression::Zstd => match zstd::bulk::compress(&rows, 1) {
                Ok(body) => (Some("zstd"), body),
                // Out of memory, at most; the rows as they are mean the same.
                Err(_) => (None, rows),
            },
        };
        let headers: Vec<(HeaderName, &'static str)> = encoding
            .map(|encoding| (CONTENT_ENCODING, encoding))
            .into_iter()
            .collect();
        let meaning = |answer: &Answer| shared.meaning(answer);
        shared
            .poster
            .write_with(&shared.insert, &headers, body, meaning)
            .await
    }
}

/// Reads an answer, for the fuzz targets alone: an exception, or the columns of a table.
pub(crate) fn fuzzed_answer(answer: &Answer) {
    let _meaning = answer::meaning(answer);
    let _fits = table::check(&Config::default(), &answer.words).is_ok();
}

#[cfg(test)]
mod tests;
