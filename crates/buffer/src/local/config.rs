//! Settings of the embedded log.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service::units::{Period, Size};

/// Settings of the embedded log; how long it keeps records is `buffer.retention`.
///
/// Every record is fsynced before it is acknowledged, together with all others that wait at that
/// moment; there is no setting that weakens this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Bytes of records that the log keeps, counted before compression; at least 64MiB. At the limit
    /// records that every reader has read make room, oldest first. If none is left, new records
    /// are refused with 503: unread ones are never dropped for room. The write-ahead journal takes
    /// up to about 200 MiB of disk beside it.
    pub max_size: Size,
    /// Bytes of records that wait for the disk; at least 4MiB. At the limit new ones are refused with 503.
    pub max_queue: Size,
    /// Bytes of dead letters that are kept, counted before compression; at least 1MiB. At the
    /// limit the oldest are dropped, logged and counted.
    pub dead_letters_max_size: Size,
    /// How long dead letters are kept; at least 1m.
    pub dead_letters_retention: Period,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_size: Size::mib(16 * 1024),
            max_queue: Size::mib(32),
            dead_letters_max_size: Size::mib(256),
            dead_letters_retention: Period(Duration::from_hours(7 * 24)),
        }
    }
}

impl Config {
    /// Checks what the types cannot say.
    ///
    /// # Errors
    /// The key within this section, and why its value cannot be.
    pub fn check(&self) -> Result<(), (String, String)> {
        for (key, value, least) in [
            ("max_size", self.max_size, Size::mib(64)),
            ("max_queue", self.max_queue, Size::mib(4)),
            (
                "dead_letters_max_size",
                self.dead_letters_max_size,
                Size::mib(1),
            ),
        ] {
            if value < least {
                return Err((
                    key.to_owned(),
                    format!("{value} is too small, at least {least} is needed"),
                ));
            }
        }
        if self.dead_letters_retention < Period::secs(60) {
            return Err((
                "dead_letters_retention".to_owned(),
                format!(
                    "{} is too short, at least 1m is needed",
                    self.dead_letters_retention
                ),
            ));
        }
        Ok(())
    }
}

/// Sizes that are not settings: the product of memory and speed, and small in tests.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tuning {
    /// Bytes of records in memory before they become a table file. About ten times this is what the
    /// process needs for the log while the disk is the bottleneck: memtables, the one that is being
    /// written, a round, and what the allocator keeps of them.
    pub(super) memtable_bytes: u64,
    /// Bytes of records per segment, the step in which the log forgets.
    pub(super) segment_bytes: u64,
    /// The other end of a segment: milliseconds since its first record.
    pub(super) segment_age_ms: i64,
    /// Bytes of records per write and fsync.
    pub(super) round_bytes: usize,
    /// Bytes of records that a reader takes at once.
    pub(super) chunk_bytes: usize,
    /// Time between two looks for what has expired.
    pub(super) pass_every: Duration,
    /// Time before a failed log is opened again; doubles up to 30 times of it.
    pub(super) reopen_after: Duration,
}

impl Tuning {
    /// What fits these settings.
    pub(super) fn of(config: &Config, retention: Duration) -> Self {
        let retention_ms = i64::try_from(retention.as_millis()).unwrap_or(i64::MAX);
        Self {
            memtable_bytes: 8 << 20,
            // Small enough that a step is a small part of the whole, large enough that there are few.
            segment_bytes: (config.max_size.0 / 64).clamp(1 << 20, 8 << 20),
            segment_age_ms: (retention_ms / 96).max(1000),
            round_bytes: 4 << 20,
            chunk_bytes: 1 << 20,
            pass_every: Duration::from_secs(10),
            reopen_after: Duration::from_secs(1),
        }
    }
}
