//! The JSON of `/api/v1/overview`, `/api/v1/live` and `/api/v1/names`: what a role does not have is absent, not zero.
//!
//! Fields are added, never renamed or given another meaning. Units are in the names: `_per_s`, `_s`, `_bytes`, `_ms`.

mod gateway;
mod ledger;
mod names;
mod partitions;
mod process;
mod stores;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use gateway::{Gateway, Protocol, Records, Refusal, Requests, Samples, Status, Tenant};
pub use ledger::{GatewayLedger, Ledger, LedgerState, StoreLedger};
pub use names::{Name, Names};
pub use partitions::{Partitions, StorePartitions};
pub use process::{Buffer, Process, Readiness, Reason, Role, Use, Waiting};
pub use stores::{Store, StoreError, StoreState};

/// Everything at one moment. Counters are since the process started, rates over the time since the snapshot before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Overview {
    /// When, milliseconds since the Unix epoch.
    pub at_ms: i64,
    /// Over how many seconds its rates were taken.
    pub interval_s: f64,
    /// What is running.
    pub process: Process,
    /// Whether it should get traffic.
    pub readiness: Readiness,
    /// What comes in; absent where there is no gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<Gateway>,
    /// What is between.
    pub buffer: Buffer,
    /// By partition; absent until there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partitions: Option<Partitions>,
    /// What goes out; absent where there are no stores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stores: Option<Vec<Store>>,
    /// Where every sample is.
    pub ledger: Ledger,
    /// The same moment as one more point of the [`History`].
    pub point: BTreeMap<String, f64>,
}

/// The last minutes, by column: the first event of `/api/v1/live`.
///
/// A column's name is what it shows, such as `accepted`, or that and of what, such as `protocol:json`. Where it has no
/// value it has null.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct History {
    /// The time of each row.
    pub at_ms: Vec<i64>,
    /// As many values as there are rows.
    pub columns: BTreeMap<String, Vec<Option<f64>>>,
}

#[cfg(test)]
mod tests;
