//! The settings of section `spool`, and where a spool is.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use model::Clock;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service::units::{Period, Size};

/// Records that Kafka does not take, kept in `data_dir` until it does.
///
/// While Kafka confirms in time nothing is written here. Otherwise requests are answered as stored once their
/// records are fsynced, with `Sluice-Durability: spool`, and the records go to Kafka when it takes them again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// `false` for fleets without disks of their own: what Kafka does not take is answered with 503 then, and
    /// `data_dir` is not needed.
    pub enabled: bool,
    /// Bytes of records that may wait, counted before compression; at least 16MiB. Beyond it requests are answered
    /// with 503. The write-ahead journal takes up to about 200 MiB of disk beside it.
    pub max_size: Size,
    /// How long a record may wait while Kafka takes none; past that it is given up, logged and counted. Unless set,
    /// half of `buffer.retention`. Records keep the time of their arrival, by which Kafka forgets them, so more than
    /// three quarters of the retention would leave consumers too little of it.
    pub max_age: Option<Period>,
    /// How long Kafka may take to confirm a record before it is kept here as well; at least 50ms. Past
    /// `kafka.delivery_timeout` Kafka has failed to, whatever is set here.
    pub after: Period,
    /// Of the bytes that are on their way to Kafka while a backlog drains, the share that may be of the backlog;
    /// more than 0 and less than 1. The rest is left to fresh records. Where Kafka is not busy, the backlog is not
    /// held back.
    pub backlog_share: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            enabled: true,
            max_size: Size::mib(1024),
            max_age: None,
            after: Period::secs(1),
            backlog_share: 0.5,
        }
    }
}

impl Config {
    /// Checks what the types cannot say.
    ///
    /// # Errors
    /// The key within this section, and why its value cannot be.
    pub fn check(&self, retention: Period) -> Result<(), (String, String)> {
        let wrong = |key: &str, why: String| Err((key.to_owned(), why));
        if self.max_size < Size::mib(16) {
            let why = format!(
                "{} is too small, at least 16MiB is needed; to do without, set spool.enabled to false",
                self.max_size
            );
            return wrong("max_size", why);
        }
        let longest = Period(retention.0 / 4 * 3);
        if let Some(max_age) = self.max_age {
            if max_age < Period::secs(1) {
                return wrong(
                    "max_age",
                    format!("{max_age} is too short, at least 1s is needed"),
                );
            }
            if max_age > longest {
                let why = format!(
                    "is {max_age}, but may be at most {longest}, three quarters of buffer.retention ({retention}): \
                     records keep the time of their arrival, by which Kafka forgets them"
                );
                return wrong("max_age", why);
            }
        }
        if self.after < Period::millis(50) {
            let why = format!("{} is too short, at least 50ms is needed", self.after);
            return wrong("after", why);
        }
        if !(self.backlog_share > 0.0 && self.backlog_share < 1.0) {
            let why = format!(
                "is {}, but must be more than 0 and less than 1, such as 0.5",
                self.backlog_share
            );
            return wrong("backlog_share", why);
        }
        Ok(())
    }

    /// How long a record may wait while Kafka takes none.
    #[must_use]
    pub fn max_age(&self, retention: Duration) -> Duration {
        self.max_age.map_or(retention / 2, |max_age| max_age.0)
    }
}

/// Where a spool is, and what surrounds it.
#[derive(Clone)]
pub struct Place {
    /// A folder of its own.
    pub dir: PathBuf,
    /// How long the upstream keeps records.
    pub retention: Duration,
    /// Bytes of records that may be on their way to the upstream.
    pub window_bytes: usize,
    /// Unix time.
    pub clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Place")
            .field("dir", &self.dir)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
