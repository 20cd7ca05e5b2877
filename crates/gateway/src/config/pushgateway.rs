//! What an operator can set about groups of pushed metrics.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service::units::{Period, Size};

use super::{BadSetting, bad};

/// Section `pushgateway`: the groups that batch jobs push to `/metrics/job/…`, which all gateways on a buffer share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PushgatewayConfig {
    /// The compacted topic that holds the groups when `buffer.kind` is `kafka`; without this setting it is called as
    /// the samples' topic, with `-groups` behind.
    pub topic: Option<String>,
    /// How long after its last push a group ends, where neither the push says so (`?ttl=`) nor when the next one is
    /// due (`?expect_every=`); `0s` keeps groups until they are deleted.
    pub ttl: Period,
    /// How often the last values of each group are stored again, so that queries that look back some minutes
    /// find them; `0s` stores only what is pushed.
    pub repeat: Period,
    /// Groups at a time. A push that would make another one gets 503.
    pub max_groups: usize,
    /// Bytes of one group with its names, labels and values. A push that would make it larger gets 413.
    pub max_group: Size,
    /// Bytes of all groups together. A push that would make them larger gets 503.
    pub max_size: Size,
}

impl Default for PushgatewayConfig {
    fn default() -> Self {
        Self {
            topic: None,
            ttl: Period::secs(0),
            repeat: Period::secs(60),
            max_groups: 10_000,
            // Below the largest message that brokers take by default.
            max_group: Size(512 << 10),
            max_size: Size::mib(64),
        }
    }
}

/// Faster would only store the same values more often.
const SHORTEST_REPEAT: Period = Period::secs(5);

impl PushgatewayConfig {
    /// Checks the bounds.
    ///
    /// # Errors
    /// The first key that is out of bounds, and why.
    pub fn check(&self) -> Result<(), BadSetting> {
        if !self.repeat.0.is_zero() && self.repeat < SHORTEST_REPEAT {
            let why = format!("is {}; at least {SHORTEST_REPEAT}, or 0s", self.repeat);
            return bad("repeat", &why);
        }
        if self.repeat.0 > Duration::from_secs(3600) {
            let why = format!("is {}; at most 1h, or 0s", self.repeat);
            return bad("repeat", &why);
        }
        if self.max_group > self.max_size {
            let why = format!(
                "is {}, but all groups together may have {} (pushgateway.max_size)",
                self.max_group, self.max_size
            );
            return bad("max_group", &why);
        }
        if self.topic.as_deref().is_some_and(str::is_empty) {
            return bad("topic", "is empty");
        }
        Ok(())
    }
}
