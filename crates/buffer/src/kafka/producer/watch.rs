//! Whether Kafka takes records now, for readiness.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rdkafka::metadata::Metadata;
use rdkafka::types::RDKafkaRespErr;
use service::health::Condition;

use super::super::config::Config;
use super::super::errors::{describe, describe_error};
use super::super::topic::{self, Topic, TopicError};
use super::{Producer, Purpose, State};

const CHECK_EVERY: Duration = Duration::from_secs(5);
const CHECK_TIMEOUT: Duration = Duration::from_secs(4);
const RETRY_MIN: Duration = Duration::from_millis(500);
const RETRY_MAX: Duration = Duration::from_secs(10);

/// One failed question may be a broker under load; the next one decides.
const FAILURES_UNTIL_NOT_READY: u32 = 2;

/// What a look at the topic found.
enum Seen {
    Fine,
    /// Nobody answered, or the topic cannot be written to, for this reason.
    Down(String),
    /// The topic is gone.
    Missing,
}

impl Producer {
    /// Checks the topics, creating them if they are missing, and starts to take records.
    ///
    /// # Errors
    /// Passing ones, all of them: try again.
    pub async fn prepare(&self, retention: Duration) -> Result<Topic, TopicError> {
        let config = &self.shared.config;
        let (mut found, dead_letters) = match &self.shared.purpose {
            Purpose::Table => (
                topic::ensure_table_topic(config, &config.topic).await?,
                None,
            ),
            Purpose::Rejections => (
                topic::ensure_rejections_topic(config, retention).await?,
                None,
            ),
            Purpose::Samples { dead_letters: None } => {
                (topic::ensure_topic(config, retention).await?, None)
            }
            Purpose::Samples {
                dead_letters: Some(name),
            } => {
                let found = topic::ensure_topic(config, retention).await?;
                let letters =
                    topic::ensure_dead_letter_topic(config, name, retention, &found).await?;
                (found, Some(letters))
            }
        };
        let own = match &self.shared.purpose {
            Purpose::Samples { .. } => self.prepare_own_topics(retention).await,
            Purpose::Table | Purpose::Rejections => (None, Ok(())),
        };
        // Records are cut before it is asked whose topic they are for.
        let (least_bytes, own) = own;
        let known = found.max_message_bytes.into_iter();
        found.max_message_bytes = known.chain(least_bytes).min();
        self.open(&found, dead_letters.as_ref())
            .map_err(|error| TopicError {
                topic: config.topic.clone(),
                reason: error.to_string(),
            })?;
        // One tenant's topic that cannot be had is said, and keeps back nobody else's records.
        own?;
        Ok(found)
    }

    /// Checks the topics of tenants that have their own, all of them whichever cannot be had. Answers the least that one
    /// of them takes, and what was wrong first.
    async fn prepare_own_topics(
        &self,
        retention: Duration,
    ) -> (Option<usize>, Result<(), TopicError>) {
        let (mut least, mut first) = (None, Ok(()));
        for name in self.shared.config.own_topics() {
            let config = Config {
                topic: name.to_owned(),
                ..self.shared.config.clone()
            };
            match topic::ensure_topic(&config, retention).await {
                Ok(found) => {
                    self.know_own_partitions(name, found.partitions);
                    least = least.into_iter().chain(found.max_message_bytes).min();
                }
                Err(error) => first = first.and(Err(error)),
            }
        }
        (least, first)
    }

    fn know_own_partitions(&self, topic: &str, partitions: i32) {
        self.shared
            .own_partitions
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(topic.to_owned(), partitions);
    }

    /// Prepares the producer, then keeps `condition` true to whether Kafka takes records. Never ends:
    /// drop it at shutdown.
    pub async fn keep_ready(self, retention: Duration, condition: Condition) {
        loop {
            self.prepare_until_done(retention, &condition).await;
            condition.ready();
            tracing::info!(topic = self.shared.config.topic, "kafka takes records");
            self.watch(&condition).await;
        }
    }

    async fn prepare_until_done(&self, retention: Duration, condition: &Condition) {
        let mut pause = RETRY_MIN;
        loop {
            match self.prepare(retention).await {
                Ok(_) => return,
                Err(error) => {
                    condition.not_ready(error.to_string());
                    tracing::warn!(
                        topic = error.topic,
                        reason = error.reason,
                        "kafka is not ready; trying again"
                    );
                }
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(RETRY_MAX);
        }
    }

    /// Ends when the topic is gone and has to be made again.
    async fn watch(&self, condition: &Condition) {
        let mut failures = 0;
        let mut before = self.shared.open.answers();
        loop {
            tokio::time::sleep(CHECK_EVERY).await;
            let seen = self.look().await;
            let now = self.shared.open.answers();
            let delivers = now.delivered > before.delivered;
            // Records that came back confirm what the look found.
            let returns = now.failed > before.failed;
            before = now;
            match seen {
                Seen::Missing => {
                    condition.not_ready("the topic is gone");
                    return;
                }
                Seen::Down(reason) if !delivers => {
                    failures += 1;
                    if returns || failures >= FAILURES_UNTIL_NOT_READY {
                        condition.not_ready(reason);
                    }
                }
                Seen::Fine | Seen::Down(_) => {
                    failures = 0;
                    condition.ready();
                }
            }
        }
    }

    /// Somebody may have added partitions, over which keys are spread from now on.
    fn follow_partitions(&self, topic: &str, metadata: &Metadata) {
        let found = metadata.topics().first();
        let found = found.map_or(0, |topic| topic.partitions().len());
        let Some(found) = i32::try_from(found).ok().filter(|found| *found > 0) else {
            return;
        };
        if *topic == self.shared.config.topic {
            self.shared.partitions.store(found, Ordering::Relaxed);
        } else {
            self.know_own_partitions(topic, found);
        }
    }

    async fn look(&self) -> Seen {
        let client = match &*self.read() {
            State::Open(client) => std::sync::Arc::clone(client),
            State::Unchecked | State::Closed => {
                return Seen::Down("the producer is closed".to_owned());
            }
        };
        let config = &self.shared.config;
        let topics = std::iter::once(config.topic.as_str()).chain(config.own_topics());
        let topics: Vec<String> = topics.map(str::to_owned).collect();
        let producer = self.clone();
        let looked = tokio::task::spawn_blocking(move || {
            if let Some((_, reason)) = client.client().fatal_error() {
                producer.replace(&client);
                return Seen::Down(format!("the kafka producer ended: {reason}"));
            }
            let mut first = Seen::Fine;
            for topic in topics {
                let (seen, answers) =
                    match client.client().fetch_metadata(Some(&topic), CHECK_TIMEOUT) {
                        Ok(metadata) => {
                            producer.follow_partitions(&topic, &metadata);
                            (judge(&metadata), true)
                        }
                        Err(error) => {
                            let reason = describe_error(&error);
                            let down = Seen::Down(format!("kafka does not answer: {reason}"));
                            (down, false)
                        }
                    };
                if matches!(first, Seen::Fine) {
                    first = seen;
                }
                // The topics behind one that has trouble are followed; each would wait as long for nobody.
                if !answers {
                    break;
                }
            }
            first
        });
        looked
            .await
            .unwrap_or_else(|error| Seen::Down(error.to_string()))
    }
}

fn judge(metadata: &Metadata) -> Seen {
    let Some(topic) = metadata.topics().first() else {
        return Seen::Down("kafka says nothing about the topic".to_owned());
    };
    match topic.error() {
        None => {}
        Some(RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) => return Seen::Missing,
        Some(error) => return Seen::Down(describe(error.into())),
    }
    let partitions = topic.partitions();
    let without_leader = partitions.iter().filter(|p| p.leader() < 0).count();
    // Some without a leader are the senders' business: their records are answered with 503 one by one.
    if without_leader == partitions.len() {
        return Seen::Down(format!("none of {without_leader} partitions has a leader"));
    }
    Seen::Fine
}

#[cfg(test)]
mod tests;
