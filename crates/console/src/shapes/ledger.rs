//! The loss ledger as a balance: both sides, what is between them, and whether that can be all.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is to be said of a balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LedgerState {
    /// Both sides came out equal, to the sample, within the last seconds, and no reading says otherwise. The only one that is
    /// green.
    Balanced,
    /// What is missing on the right can be what is in the buffer and was not read yet, or what just moves.
    Waiting,
    /// More came out than went in: records were read again after a restart. Stores collapse repeats.
    Repeated,
    /// Samples are missing that nothing accounts for.
    Missing,
    /// One of the sides is in other processes, or not known yet; `note` says so.
    Partial,
}

/// Where every sample is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ledger {
    /// The worst of the balances below; partial where there is none that can be made here.
    pub state: LedgerState,
    /// received = accepted + rejected; absent where there is no gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<GatewayLedger>,
    /// accepted = written + dead-lettered + skipped + still buffered, per store; absent where there are no stores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stores: Option<Vec<StoreLedger>>,
    /// What is not known here, and who knows it.
    pub notes: Vec<String>,
}

/// What came.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GatewayLedger {
    /// Whether it balances.
    pub state: LedgerState,
    /// Decided on.
    pub received: u64,
    /// Durable in the buffer.
    pub accepted: u64,
    /// Refused, or not confirmed.
    pub rejected: u64,
    /// received - accepted - rejected where it is sure that this is none that passes: 0 else.
    pub difference: i64,
}

/// What became of it at one store: accepted + carried over = written + dead-lettered + skipped + in memory + unread.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StoreLedger {
    /// Its name.
    pub store: String,
    /// Whether it balances.
    pub state: LedgerState,
    /// Durable in the buffer since this process started; absent where other processes put something there too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<u64>,
    /// Samples that were in the buffer when this process started; absent until all of them were read. Never lowered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carried_over: Option<u64>,
    /// Read from the buffer, without what was given back to be read again.
    pub consumed: u64,
    /// In the store.
    pub written: u64,
    /// Refused by the store for good.
    pub dead_lettered: u64,
    /// The store has no form for them.
    pub skipped: u64,
    /// Read, and not in the store yet: consumed - written - dead-lettered - skipped.
    pub in_memory: u64,
    /// In the buffer, and not read yet: accepted + carried over - consumed. Absent where `accepted` or `carried_over` is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread: Option<i64>,
    /// Records in the buffer that were not read yet: what `unread` may be.
    pub unread_records: u64,
    /// What is missing (above 0) or too much (below): 0 where something can explain it.
    pub difference: i64,
    /// What to know about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}
