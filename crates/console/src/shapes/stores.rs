//! What goes out, store by store.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Use;

/// How a store is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StoreState {
    /// It has no partition yet.
    Starting,
    /// It takes what it gets.
    Ok,
    /// Its last attempt failed, and is made again.
    Retrying,
    /// It is slower than what comes, so reading waits for it.
    Behind,
}

/// A store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Store {
    /// Its name in the settings.
    pub name: String,
    /// Its type in the settings; `recent` is the window of what arrived lately, which is no store of anybody's.
    #[serde(rename = "type")]
    pub kind: String,
    /// How it is.
    pub state: StoreState,
    /// Samples read for it.
    pub consumed: u64,
    /// The same per second.
    pub consumed_per_s: f64,
    /// Samples that it has.
    pub written: u64,
    /// The same per second.
    pub written_per_s: f64,
    /// Samples that it refused for good.
    pub dead_lettered: u64,
    /// Records that nobody could read.
    pub records_dead_lettered: u64,
    /// Samples that it has no form for, or that were given back to be read again.
    pub skipped: u64,
    /// Attempts that are made again.
    pub retries: u64,
    /// The same per second.
    pub retries_per_s: f64,
    /// Half of the writes of the last minute took less; absent without any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write_p50_s: Option<f64>,
    /// One in a hundred took longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write_p99_s: Option<f64>,
    /// Records that it does not have yet, of all partitions that are read here.
    pub lag_records: u64,
    /// The age of the oldest of them; absent until known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lag_s: Option<f64>,
    /// How long until that expires; absent until known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headroom_s: Option<f64>,
    /// Partitions that are read here.
    pub partitions: usize,
    /// Memory of what was read for it.
    pub memory: Use,
    /// When it took something last, milliseconds since the Unix epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written_at_ms: Option<i64>,
    /// What it said last when it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<StoreError>,
}

/// What a store said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StoreError {
    /// When, milliseconds since the Unix epoch.
    pub at_ms: i64,
    /// Whether it is tried again; else the samples went to the dead letters.
    pub is_retryable: bool,
    /// Its words, or ours of it.
    pub message: String,
}
