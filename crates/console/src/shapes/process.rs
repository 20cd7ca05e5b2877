//! What is running, whether it is ready, and what waits between its ways in and out.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// All of it.
    Standalone,
    /// HTTP in, buffer out.
    Gateway,
    /// Buffer in, stores out.
    Consumer,
}

/// What is running.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Process {
    /// What it does.
    pub role: Role,
    /// Its version.
    pub version: String,
    /// The machine's name.
    pub hostname: String,
    /// When it started, milliseconds since the Unix epoch.
    pub started_at_ms: i64,
    /// How long ago that was.
    pub uptime_s: f64,
    /// Cores that it uses: 1.0 is all of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_cores: Option<f64>,
    /// Memory that it has in RAM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// How many consoles look at it.
    pub consoles: usize,
}

/// What `/readyz` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Readiness {
    /// Whether it should get traffic.
    pub is_ready: bool,
    /// Why not.
    pub reasons: Vec<Reason>,
}

/// A condition that is not met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// Which.
    pub condition: String,
    /// Why.
    pub reason: String,
}

/// What is between the gateway and the stores, as far as this process knows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Buffer {
    /// `kafka` or `local`, the embedded log.
    pub kind: String,
    /// How long it keeps records.
    pub retention_s: f64,
    /// What waits for Kafka's answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<Use>,
    /// What waits on this disk until Kafka takes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spool: Option<Waiting>,
    /// What the embedded log keeps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<Waiting>,
}

/// How much of a bound is used.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Use {
    /// In use.
    pub used_bytes: f64,
    /// The bound.
    pub limit_bytes: f64,
}

/// What is kept on a disk.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Waiting {
    /// In use.
    pub used_bytes: f64,
    /// The bound.
    pub limit_bytes: f64,
    /// The age of the oldest record.
    pub oldest_s: f64,
    /// How many records there are, where they are counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub records: Option<u64>,
}
