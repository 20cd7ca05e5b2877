//! The partitions as columns, because there may be thousands: the place in a list is the partition's number.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// By partition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Partitions {
    /// How many there are.
    pub count: usize,
    /// What this process's gateway gives them, before compression; absent where nothing of it is counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_per_s: Option<Vec<f64>>,
    /// The samples in that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub samples_per_s: Option<Vec<f64>>,
    /// How many times as much the one with most gets as one gets on average.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skew: Option<f64>,
    /// How far each store is; absent where there are no stores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stores: Option<Vec<StorePartitions>>,
}

/// How far a store is; null for what another process reads, or nobody knows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StorePartitions {
    /// Its name.
    pub store: String,
    /// Records that it does not have yet.
    pub lag_records: Vec<Option<f64>>,
    /// The age of the oldest of them.
    pub lag_s: Vec<Option<f64>>,
    /// How long until that expires.
    pub headroom_s: Vec<Option<f64>>,
}
