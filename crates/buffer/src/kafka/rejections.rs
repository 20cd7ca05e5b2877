//! The topic of samples that gateways refused.
//!
//! It has a client of its own: whatever happens to it, or however much is refused, samples that are taken do not wait
//! behind it, and readiness does not depend on it.

use std::time::Duration;

use service::health::Condition;
use service::units::Size;

use super::config::Config;
use super::producer::Producer;
use super::topic::{Topic, TopicError};
use crate::{PublishError, Reject, Rejected};

/// Keeps refused samples in a topic. Clones share one client.
#[derive(Debug, Clone)]
pub struct Rejections {
    producer: Producer,
}

impl Rejections {
    /// Takes nothing yet, see [`Self::keep_ready`]. `max_queue` is what whoever holds this lets wait at most.
    #[must_use]
    pub fn new(config: &Config, topic: &str, max_queue: Size) -> Self {
        let config = Config {
            topic: topic.to_owned(),
            tenant_topics: std::collections::BTreeMap::new(),
            // Whoever holds this counts the bytes. With room for headers, librdkafka is not the one that is full first.
            max_queue: Size(max_queue.0.saturating_mul(2)),
            ..config.clone()
        };
        Self {
            producer: Producer::for_rejections(&config),
        }
    }

    /// Checks the topic, creating it if it is missing, and starts to take samples.
    ///
    /// # Errors
    /// Passing ones, all of them: try again.
    pub async fn prepare(&self, retention: Duration) -> Result<Topic, TopicError> {
        self.producer.prepare(retention).await
    }

    /// Prepares the topic, then keeps `condition` true to whether Kafka takes samples for it. Never ends: drop it at
    /// shutdown.
    pub async fn keep_ready(self, retention: Duration, condition: Condition) {
        self.producer.keep_ready(retention, condition).await;
    }
}

impl Reject for Rejections {
    fn reject(&self, rejected: &Rejected) -> impl Future<Output = Result<(), PublishError>> + Send {
        self.producer.keep(rejected)
    }
}

#[cfg(test)]
mod tests;
