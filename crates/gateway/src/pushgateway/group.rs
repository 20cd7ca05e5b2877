//! A group as all gateways share it, and what follows from it at a time.
//!
//! It is kept as a protobuf message, so that a later version may add fields and an older one passes over them.

use std::time::Duration;

use prost::Message;

use super::path::GroupLabels;

/// A group of pushed metrics.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Group {
    /// Tells this state of the group from every other: of any gateway, at any time.
    #[prost(bytes = "vec", tag = "1")]
    pub id: Vec<u8>,
    /// Whose it is.
    #[prost(string, optional, tag = "2")]
    pub tenant: Option<String>,
    /// What the path says, sorted by name.
    #[prost(message, repeated, tag = "3")]
    pub labels: Vec<Label>,
    /// When the last push was taken, 0 when none was. Unix milliseconds, as all times here.
    #[prost(int64, tag = "4")]
    pub push_ms: i64,
    /// When the last push was refused, 0 when none was.
    #[prost(int64, tag = "5")]
    pub failure_ms: i64,
    /// How long after its last push it ends; 0 for never, none for what the gateway's settings say.
    #[prost(uint64, optional, tag = "6")]
    pub ttl_ms: Option<u64>,
    /// How long after a push the next one is due; 0 for whenever.
    #[prost(uint64, tag = "7")]
    pub expect_every_ms: u64,
    /// Sorted by name.
    #[prost(message, repeated, tag = "8")]
    pub families: Vec<Family>,
}

/// A name and a value.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Message)]
pub(crate) struct Label {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(string, tag = "2")]
    pub value: String,
}

/// The series of one metric family: what a POST replaces together.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Family {
    #[prost(string, tag = "1")]
    pub name: String,
    /// [`model::MetricType::wire`].
    #[prost(uint32, tag = "2")]
    pub kind: u32,
    #[prost(string, tag = "3")]
    pub unit: String,
    #[prost(string, tag = "4")]
    pub help: String,
    #[prost(message, repeated, tag = "5")]
    pub series: Vec<Series>,
    /// When it was pushed.
    #[prost(int64, tag = "6")]
    pub push_ms: i64,
}

/// A series with its last sample.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Series {
    /// The metric name: a classic histogram's with `_bucket`.
    #[prost(string, tag = "1")]
    pub name: String,
    /// Sorted by name, without empty values; those of the group among them.
    #[prost(message, repeated, tag = "2")]
    pub labels: Vec<Label>,
    /// The value, when it is a number.
    #[prost(double, tag = "3")]
    pub value: f64,
    /// The `Histogram` message of remote write, when it is a native histogram.
    #[prost(bytes = "vec", optional, tag = "4")]
    pub histogram: Option<Vec<u8>>,
    /// The sample's time when the sender said one; then it is not repeated.
    #[prost(int64, optional, tag = "5")]
    pub at_ms: Option<i64>,
    /// When the counter behind it started, 0 when unknown.
    #[prost(int64, tag = "6")]
    pub start_ms: i64,
}

/// What the key puts between names and values: no byte of any UTF-8 text.
const SEPARATOR: u8 = 0xff;

/// Where a group is in the table.
pub(crate) fn key(tenant: Option<&str>, labels: &GroupLabels) -> Vec<u8> {
    let mut key = tenant.unwrap_or_default().as_bytes().to_vec();
    for text in labels.iter().flat_map(|(name, value)| [name, value]) {
        key.push(SEPARATOR);
        key.extend_from_slice(text.as_bytes());
    }
    key
}

impl Group {
    /// A group that nothing was pushed to yet.
    pub(crate) fn new(tenant: Option<&str>, labels: &GroupLabels) -> Self {
        Self {
            tenant: tenant.map(str::to_owned),
            labels: labels
                .iter()
                .map(|(name, value)| Label {
                    name: name.clone(),
                    value: value.clone(),
                })
                .collect(),
            ..Self::default()
        }
    }

    /// When somebody last pushed to it, whatever came of it.
    pub(crate) fn touched_ms(&self) -> i64 {
        self.push_ms.max(self.failure_ms)
    }

    /// Whether the last push was taken.
    pub(crate) fn is_healthy(&self) -> bool {
        self.push_ms >= self.failure_ms
    }

    /// When the group ends, if it does. `default_ttl` is the setting, which says nothing about a group that is
    /// expected to be pushed to again: being overdue must stay visible.
    pub(crate) fn ends_ms(&self, default_ttl: Duration) -> Option<i64> {
        let ttl_ms = self.ttl_ms.unwrap_or(if self.expect_every_ms == 0 {
            u64::try_from(default_ttl.as_millis()).unwrap_or(u64::MAX)
        } else {
            0
        });
        let ttl_ms = i64::try_from(ttl_ms).unwrap_or(i64::MAX);
        (ttl_ms > 0).then(|| self.touched_ms().saturating_add(ttl_ms))
    }

    /// When the next push is due, if one is.
    pub(crate) fn due_ms(&self) -> Option<i64> {
        let every_ms = i64::try_from(self.expect_every_ms).unwrap_or(i64::MAX);
        (every_ms > 0).then(|| self.push_ms.saturating_add(every_ms))
    }

    /// Whether a push is missing; none when none is expected.
    pub(crate) fn is_overdue(&self, at_ms: i64) -> Option<bool> {
        self.due_ms().map(|due_ms| due_ms < at_ms)
    }

    /// All series of all families.
    pub(crate) fn series(&self) -> impl Iterator<Item = &Series> {
        self.families.iter().flat_map(|family| &family.series)
    }

    /// The family of this name.
    pub(crate) fn family(&self, name: &str) -> Option<&Family> {
        let found = self
            .families
            .binary_search_by(|family| family.name.as_str().cmp(name));
        self.families.get(found.ok()?)
    }
}

#[cfg(test)]
mod tests;
