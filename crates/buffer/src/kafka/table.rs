//! A table in Kafka: a compacted topic that every process reads from its beginning.
//!
//! Puts go through a [`Producer`] of their own, with everything that it promises. The follower
//! belongs to no group, commits nothing and reads on after whatever Kafka goes through.

mod follow;

pub(super) use follow::{Consumer, context};

use std::time::Duration;

use bytes::Bytes;
use rdkafka::config::FromClientConfigAndContext;
use service::health::Condition;
use service::units::Size;
use tokio::sync::mpsc;

use super::config::Config;
use super::errors::ClientError;
use super::producer::Producer;
use super::topic::{Topic, TopicError};
use crate::{Change, DrainError, Follow, Publish as _, PublishError, table};

/// Changes that wait for the follower's owner; librdkafka holds another two megabytes.
const WAITING: usize = 16;

/// Bytes of entries that may wait for Kafka's answer.
const MAX_QUEUE: Size = Size::mib(16);

/// Changes a table. Clones share one client.
#[derive(Debug, Clone)]
pub struct Table {
    producer: Producer,
}

/// Follows a table. Dropping it ends its client.
#[derive(Debug)]
pub struct Follower {
    changes: mpsc::Receiver<Result<Change, DrainError>>,
}

impl Table {
    /// A table in the topic of this name. Kafka need not be there: nothing is taken before the topic was
    /// checked, see [`Self::keep_ready`], and the follower waits for it.
    ///
    /// # Errors
    /// When librdkafka refuses the settings, which [`Config::check`] finds earlier.
    ///
    /// # Panics
    /// When the system has no thread left.
    pub fn open(config: &Config, topic: &str) -> Result<(Self, Follower), ClientError> {
        let config = Config {
            topic: topic.to_owned(),
            partitions: 1,
            max_queue: MAX_QUEUE.min(config.max_queue),
            ..config.clone()
        };
        let consumer =
            follow::Consumer::from_config_and_context(&config.follower(), follow::context())?;
        let (sender, changes) = mpsc::channel(WAITING);
        let producer = Producer::for_table(&config);
        std::thread::Builder::new()
            .name("kafka-table".to_owned())
            .spawn(move || follow::run(&consumer, &config.topic, &sender))
            .expect("the system has a thread left for each table");
        Ok((Self { producer }, Follower { changes }))
    }

    /// Checks the topic, creating it if it is missing, and starts to take entries.
    ///
    /// # Errors
    /// Passing ones, all of them: try again.
    pub async fn prepare(&self) -> Result<Topic, TopicError> {
        self.producer.prepare(Duration::MAX).await
    }

    /// Prepares the table, then keeps `condition` true to whether Kafka takes entries. Never ends: drop it at
    /// shutdown.
    pub async fn keep_ready(self, condition: Condition) {
        self.producer.keep_ready(Duration::MAX, condition).await;
    }

    /// Ends it after what is on its way, at most after `deadline`. The follower goes on.
    pub async fn close(self, deadline: Duration) {
        self.producer.flush(deadline).await;
        self.producer.close().await;
    }
}

impl crate::Table for Table {
    fn put(
        &self,
        key: Bytes,
        value: Option<Bytes>,
    ) -> impl Future<Output = Result<(), PublishError>> + Send {
        let sent = table::check_size(&key, value.as_ref(), self.producer.max_record_bytes())
            .map(|()| self.producer.put(&key, value.as_deref()));
        async move { sent?.await }
    }
}

impl Follow for Follower {
    async fn next(&mut self) -> Result<Change, DrainError> {
        let next = self.changes.recv().await;
        next.unwrap_or_else(|| Err(DrainError::Fatal("the follower has ended".to_owned())))
    }
}

#[cfg(test)]
mod tests;
