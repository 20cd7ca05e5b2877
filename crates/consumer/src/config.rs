//! The section `consumer` of the settings.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service::units::{Period, Size};

/// How the stores are fed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Each store reads the buffer as its own consumer group, `<group_prefix>-<store name>`. A new prefix reads
    /// everything that the buffer still has.
    pub group_prefix: String,
    /// The topic for records that cannot be read and for samples that a store refused for good.
    pub dead_letter_topic: String,
    /// How many bytes of decoded records one store may hold in memory. Above it reading pauses, below half of it
    /// reading goes on; one fetch may overshoot it.
    pub max_buffered: Size,
    /// How often offsets are committed at most. Stores that write whole files commit after each file at once.
    pub commit_interval: Period,
    /// How long partitions that go to another consumer may wait for writes in flight and their commit. What is not
    /// written by then is left to the other one.
    pub handover_timeout: Period,
    /// How long a shutdown may take to write and commit what is in memory. What is not written by then is read again
    /// by the next start.
    pub shutdown_timeout: Period,
    /// How long the group waits for a consumer that does not answer before others get its partitions.
    pub session_timeout: Period,
    /// A name that stays the same across restarts of this process (static membership): a restart that is shorter than
    /// `session_timeout` then moves no partitions. Each process needs its own.
    pub instance_id: Option<String>,
    /// How long a partition waits, when the spread of a metric name has changed, until what its series had in other
    /// partitions is written. Past that it goes on, and a store may get samples out of order.
    pub order_patience: Period,
    /// Percent of the retention that is left to the oldest record that a store does not have: below it the log warns with
    /// store and partition, below a fifth of it the log has an error. `0` says nothing.
    pub headroom_warning: u8,
    /// The first wait after a store did not take a batch for a passing reason; each further one is twice as long.
    pub retry_min: Period,
    /// The longest wait between two tries. They go on for as long as the buffer keeps the data.
    pub retry_max: Period,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            group_prefix: "sluice".to_owned(),
            dead_letter_topic: "metrics-dead-letter".to_owned(),
            max_buffered: Size::mib(32),
            commit_interval: Period::secs(1),
            handover_timeout: Period::secs(5),
            shutdown_timeout: Period::secs(20),
            session_timeout: Period::secs(10),
            instance_id: None,
            order_patience: Period::secs(3600),
            headroom_warning: 25,
            retry_min: Period::millis(100),
            retry_max: Period::secs(30),
        }
    }
}

impl Config {
    /// The name of the reader that feeds this store: a Kafka consumer group, a cursor of the embedded log.
    #[must_use]
    pub fn group(&self, store: &str) -> String {
        format!("{}-{store}", self.group_prefix)
    }

    /// Checks what one value alone cannot say.
    ///
    /// # Errors
    /// The key, relative to the section, and what is wrong with it.
    pub fn check(&self) -> Result<(), (String, String)> {
        let bad = |key: &str, why: &str| Err((key.to_owned(), why.to_owned()));
        if self.group_prefix.is_empty() {
            return bad("group_prefix", "must not be empty");
        }
        if self.dead_letter_topic.is_empty() {
            return bad("dead_letter_topic", "must not be empty");
        }
        if self.instance_id.as_deref() == Some("") {
            return bad("instance_id", "must not be empty; leave it out instead");
        }
        if self.max_buffered < Size::mib(1) {
            return bad("max_buffered", "must be at least 1MiB");
        }
        for (key, period) in [
            ("commit_interval", self.commit_interval),
            ("handover_timeout", self.handover_timeout),
            ("shutdown_timeout", self.shutdown_timeout),
            ("session_timeout", self.session_timeout),
            ("retry_min", self.retry_min),
        ] {
            if period.0.is_zero() {
                return bad(key, "must be longer than nothing");
            }
        }
        if !(Period::secs(1)..=Period::secs(300)).contains(&self.session_timeout) {
            return bad("session_timeout", "must be from 1s to 5m");
        }
        if self.handover_timeout > Period::secs(120) {
            // librdkafka gives a member up after 5m without a poll, and the buffer waits twice as long as this.
            let why = "must be at most 2m, or the group gives this consumer up before it ends";
            return bad("handover_timeout", why);
        }
        if self.headroom_warning > 100 {
            return bad("headroom_warning", "is a percentage, at most 100");
        }
        if self.retry_max < self.retry_min {
            return bad("retry_max", "must not be shorter than consumer.retry_min");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
