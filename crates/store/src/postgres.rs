//! `PostgreSQL`, partitioned by day or, where `TimescaleDB` is, as a hypertable.
//!
//! Two tables: the series, each once, and their samples, which name a series by a digest of its metric, labels and
//! tenant. A batch is one transaction: `COPY` into a table of the session, and from there into both, where a sample
//! that is there already is replaced. A commit that nobody heard of is therefore harmless.

mod answer;
mod config;
mod connect;
mod copy;
mod days;
mod table;
mod tls;

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use service::log_limit::LogLimit;

pub use config::Config;

use crate::endpoint::OpenError;
use crate::{Batch, Batching, Lanes, Write, WriteError, metrics};
use answer::Trouble;
use connect::{Connector, Session};
use copy::{Rows, SeriesId};
use days::Days;
use table::Table;

/// Days of one transaction at most. Each is a partition, whose locks come out of a memory that all transactions of the
/// server share; a batch that is too large for that memory never gets through.
const DAYS: usize = 50;

/// Series that are remembered to be in the database.
const KNOWN_SERIES: usize = 1 << 20;

/// Series that need not be sent.
#[derive(Debug, Default)]
struct Known {
    ids: hashbrown::HashSet<SeriesId, foldhash::fast::RandomState>,
    /// How often everything was forgotten: a transaction that began before says nothing about what is there after.
    forgotten: u64,
}

impl Known {
    fn clear(&mut self) {
        self.ids.clear();
        self.forgotten += 1;
    }

    /// Remembers the series of a transaction that began when everything had been forgotten so often.
    fn extend(&mut self, ids: &[SeriesId], forgotten: u64) {
        if forgotten != self.forgotten {
            return;
        }
        if self.ids.len() + ids.len() > KNOWN_SERIES {
            self.ids.clear();
        }
        self.ids.extend(ids);
    }
}

/// A database of `PostgreSQL`. Clones share their connections.
#[derive(Debug, Clone)]
pub struct Postgres {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    config: Config,
    /// The store's name, for metrics and logs.
    store: String,
    lanes: NonZeroUsize,
    table: Table,
    connector: Connector,
    /// Sessions that nobody uses now; at most as many as there are lanes.
    idle: Mutex<Vec<Session>>,
    /// Whether the tables have been found or made.
    is_ready: AtomicBool,
    days: Days,
    known: Mutex<Known>,
    misconfigured: LogLimit,
}

impl Postgres {
    /// Sets the client up; nothing is sent. `store` is the store's name, for metrics and logs.
    ///
    /// # Errors
    /// When a setting or a certificate file cannot be used.
    pub fn new(config: Config, store: &str) -> Result<Self, OpenError> {
        config
            .check()
            .map_err(|(key, why)| OpenError::setting(key, why))?;
        let lanes = config.batches().lanes()?;
        let shared = Shared {
            connector: Connector::new(&config)?,
            table: Table::new(&config),
            store: store.to_owned(),
            lanes,
            idle: Mutex::default(),
            is_ready: AtomicBool::new(false),
            days: Days::default(),
            known: Mutex::default(),
            misconfigured: LogLimit::new(),
            config,
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }
}

impl Shared {
    async fn write(&self, rows: &Rows<'_>) -> Result<(), Trouble> {
        let idle = self.lock_idle().pop();
        let session = match idle {
            Some(session) if !session.is_closed() => session,
            _ => {
                let session = self.connector.connect().await?;
                // Perhaps with another server, a replica to which the last commits never came.
                self.days.forget();
                self.known().clear();
                session
            }
        };
        let written = self.write_in(&session, rows).await;
        let is_over = match &written {
            Ok(()) => true,
            // The server is well and goes on: a batch that is split around a bad sample needs it often.
            Err(Trouble::Refused { .. }) => session.batch_execute("ROLLBACK").await.is_ok(),
            Err(_) => false,
        };
        // Any other session ends here, with whatever it was doing.
        if is_over {
            self.lock_idle().push(session);
        }
        written
    }

    async fn write_in(&self, session: &Session, rows: &Rows<'_>) -> Result<(), Trouble> {
        if !self.is_ready.load(Ordering::Relaxed) {
            let is_partitioned = self.table.prepare(session, &self.config).await?;
            self.days.reset(is_partitioned);
            self.known().clear();
            self.is_ready.store(true, Ordering::Relaxed);
        }
        let retention = self.config.retention.0;
        self.days
            .ensure(session, &self.table, rows.days(), retention)
            .await?;
        let (new_series, forgotten) = {
            let known = self.known();
            let new_series = rows.series_but(|id| known.ids.contains(id));
            (new_series, known.forgotten)
        };
        session.batch_execute(&self.table.begin()).await?;
        if let Some(series) = &new_series {
            session
                .copy(&self.table.copy_series(), series.body())
                .await?;
            session.batch_execute(&self.table.insert_series()).await?;
        }
        session
            .copy(&self.table.copy_samples(), rows.body())
            .await?;
        session.batch_execute(&self.table.insert_samples()).await?;
        session.batch_execute("COMMIT").await?;
        if let Some(series) = new_series {
            self.known().extend(series.ids(), forgotten);
        }
        Ok(())
    }

    fn lock_idle(&self) -> std::sync::MutexGuard<'_, Vec<Session>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn conclude(&self, trouble: Trouble) -> WriteError {
        match trouble {
            Trouble::Later(message) => WriteError::Retryable {
                message,
                retry_after: None,
            },
            Trouble::Refused { reason, message } => WriteError::Refused { reason, message },
            Trouble::Misconfigured(message) => {
                // Somebody may have dropped or changed something.
                self.is_ready.store(false, Ordering::Relaxed);
                if let Some(suppressed) = self.misconfigured.pass() {
                    tracing::error!(
                        store = self.store,
                        error = message,
                        suppressed,
                        "nothing reaches the store until a setting is repaired; the buffer keeps the samples meanwhile"
                    );
                }
                WriteError::Retryable {
                    message,
                    retry_after: None,
                }
            }
        }
    }
}

impl Write for Postgres {
    fn lanes(&self) -> Lanes {
        Lanes::BySeries(self.shared.lanes)
    }

    fn batching(&self) -> Batching {
        self.shared.config.batches().batching()
    }

    /// Nothing to undo: a sample that is written again replaces itself.
    async fn resume(&self, _partition: i32, _offset: i64) -> Result<(), WriteError> {
        Ok(())
    }

    async fn write(&self, batch: &Batch) -> Result<(), WriteError> {
        let shared = &self.shared;
        let rows = Rows::of(batch);
        if rows.is_empty() {
            return Ok(());
        }
        // More than one day is more than one sample, so the consumer can halve it.
        let days = rows.days().count();
        if days > DAYS {
            return Err(WriteError::Refused {
                reason: "too_large",
                message: format!("samples of {days} days, one transaction takes {DAYS}"),
            });
        }
        let started = Instant::now();
        let timeout = shared.config.timeout;
        let written = tokio::time::timeout(timeout.0, shared.write(&rows));
        let result = match written.await {
            Ok(written) => written.map_err(|trouble| shared.conclude(trouble)),
            // The session is dropped with what it was doing.
            Err(_) => Err(WriteError::Retryable {
                message: format!("the store did not answer within {timeout}"),
                retry_after: None,
            }),
        };
        metrics::request(&shared.store, &result, rows.body().len(), started.elapsed());
        result
    }
}

#[cfg(test)]
mod tests;
