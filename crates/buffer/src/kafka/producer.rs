//! Records into Kafka, answered when every in-sync replica has them.
//!
//! Idempotent and ordered per key. Nothing is dropped without an answer: a record that Kafka did not
//! confirm within `kafka.delivery_timeout` goes back to its sender as [`PublishError::Unconfirmed`].
//! Until the topic was checked (and created, if it was missing) no record is taken, because a lenient
//! broker would create it with one partition.

mod client;
mod delivery;
mod headers;
mod limits;
mod placement;
mod records;
mod watch;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::OwnedHeaders;
use rdkafka::producer::BaseRecord;
use service::clock::now_ms;
use service::log_limit::LogLimit;
use tokio::sync::oneshot;

use self::client::Client;
use self::delivery::{Answer, Confirmation, Context, Delivery, Open};
use self::limits::{DEFAULT_RECORD_BYTES, Limits};
use super::config::Config;
use super::errors::{self, ClientError};
use super::topic::Topic;
use crate::{
    BuryDead, DeadLetter, Durability, Original, Publish, PublishError, Record, Rejected, metrics,
};

/// At most one new client in this time.
const REPLACE_PAUSE: Duration = Duration::from_secs(1);

/// Takes records for one topic, and dead letters for another. Clones share one client.
#[derive(Clone)]
pub struct Producer {
    shared: Arc<Shared>,
}

struct Shared {
    config: Config,
    purpose: Purpose,
    state: RwLock<State>,
    limits: RwLock<Limits>,
    open: Arc<Open>,
    replacing: AtomicBool,
    /// Of the topic; 0 until it was checked.
    partitions: AtomicI32,
    /// Of the topics that tenants have for themselves, those that were checked.
    own_partitions: RwLock<BTreeMap<String, i32>>,
}

/// What the producer's topics are.
enum Purpose {
    /// Samples, and their dead letters if they have a topic.
    Samples { dead_letters: Option<String> },
    /// The last record of each key.
    Table,
    /// Samples that were refused.
    Rejections,
}

enum State {
    /// The topic was not checked yet.
    Unchecked,
    Open(Arc<Client>),
    Closed,
}

impl std::fmt::Debug for Producer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Producer")
            .field("topic", &self.shared.config.topic)
            .field("open_records", &self.shared.open.records())
            .finish_non_exhaustive()
    }
}

impl Producer {
    /// A producer that takes nothing yet: see [`Self::keep_ready`] and [`Self::open`].
    #[must_use]
    pub fn new(config: &Config) -> Self {
        Self::with_dead_letters(config, None)
    }

    /// The same, with a topic for dead letters.
    #[must_use]
    pub fn with_dead_letters(config: &Config, topic: Option<&str>) -> Self {
        metrics::kafka_queue_limit(config.max_queue.bytes());
        let purpose = Purpose::Samples {
            dead_letters: topic.map(str::to_owned),
        };
        Self::with_purpose(config, purpose, Open::shown())
    }

    /// A producer for another cluster, or another topic, than the one that the gauges of the queue are about.
    #[must_use]
    pub fn beside(config: &Config, dead_letters: Option<&str>) -> Self {
        let purpose = Purpose::Samples {
            dead_letters: dead_letters.map(str::to_owned),
        };
        Self::with_purpose(config, purpose, Open::default())
    }

    /// A producer for a table, whose topic is the one of `config`.
    pub(super) fn for_table(config: &Config) -> Self {
        Self::with_purpose(config, Purpose::Table, Open::default())
    }

    /// A producer for refused samples, whose topic is the one of `config`.
    pub(super) fn for_rejections(config: &Config) -> Self {
        Self::with_purpose(config, Purpose::Rejections, Open::default())
    }

    fn with_purpose(config: &Config, purpose: Purpose, open: Open) -> Self {
        let shared = Shared {
            config: config.clone(),
            purpose,
            state: RwLock::new(State::Unchecked),
            limits: RwLock::new(Limits {
                record: DEFAULT_RECORD_BYTES,
                dead_letter: DEFAULT_RECORD_BYTES,
            }),
            open: Arc::new(open),
            replacing: AtomicBool::new(false),
            partitions: AtomicI32::new(0),
            own_partitions: RwLock::default(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Starts to take records, for topics that were checked. Connects in the background. When it is open
    /// already, it follows a changed limit of a topic.
    ///
    /// # Errors
    /// When librdkafka refuses the settings, which [`Config::check`] finds earlier.
    pub fn open(&self, topic: &Topic, dead_letters: Option<&Topic>) -> Result<(), ClientError> {
        let limits = Limits::of(topic, dead_letters);
        self.shared
            .partitions
            .store(topic.partitions, Ordering::Relaxed);
        if self.limits() == limits && matches!(*self.read(), State::Open(_)) {
            return Ok(());
        }
        let client = self.client(limits)?;
        self.swap(client, limits);
        Ok(())
    }

    fn client(&self, limits: Limits) -> Result<Client, ClientError> {
        let config = self
            .shared
            .config
            .producer(limits.message_max_bytes(), limits.batch_bytes());
        let context = Context::new(&self.shared.open);
        Client::new(&config, context)
    }

    /// The old client, if any, finishes what it has in the background; what cannot be finished is answered.
    fn swap(&self, client: Client, limits: Limits) {
        let mut state = self.write();
        if matches!(*state, State::Closed) {
            return;
        }
        *self
            .shared
            .limits
            .write()
            .unwrap_or_else(PoisonError::into_inner) = limits;
        let old = std::mem::replace(&mut *state, State::Open(Arc::new(client)));
        drop(state);
        let patience = self.shared.config.delivery_timeout.0;
        retire(old, patience);
    }

    /// How many a topic has; 0 while that is not known.
    fn partitions_of(&self, topic: &str) -> i32 {
        if *topic == self.shared.config.topic {
            return self.shared.partitions.load(Ordering::Relaxed);
        }
        let own = self.shared.own_partitions.read();
        let own = own.unwrap_or_else(PoisonError::into_inner);
        own.get(topic).copied().unwrap_or_default()
    }

    fn limits(&self) -> Limits {
        *self
            .shared
            .limits
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Replaces a client that an error ended for good, in the background. Its records are answered, the next
    /// ones have a new client with a new producer id.
    fn replace(&self, ended: &Arc<Client>) {
        if self.shared.replacing.swap(true, Ordering::AcqRel) {
            return;
        }
        let (producer, ended) = (self.clone(), Arc::clone(ended));
        std::thread::spawn(move || {
            let is_current = match &*producer.read() {
                State::Open(client) => Arc::ptr_eq(client, &ended),
                State::Unchecked | State::Closed => false,
            };
            if is_current {
                producer.replace_now(&ended);
                // What ended it may end the next one as well.
                std::thread::park_timeout(REPLACE_PAUSE);
            }
            producer.shared.replacing.store(false, Ordering::Release);
        });
    }

    fn replace_now(&self, ended: &Client) {
        static LIMIT: LogLimit = LogLimit::new();
        let reason = ended.client().fatal_error().map(|(_, reason)| reason);
        let limits = self.limits();
        let result = self.client(limits).map(|client| {
            metrics::kafka_producer_restarted();
            self.swap(client, limits);
        });
        let Some(suppressed) = LIMIT.pass() else {
            return;
        };
        match result {
            Ok(()) => tracing::error!(suppressed, reason, "kafka producer was replaced"),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, suppressed, reason, "kafka producer was not replaced");
            }
        }
    }

    /// Ends it: what is still open is answered with an error at once. [`Publish::flush`] first.
    pub async fn close(self) {
        let old = std::mem::replace(&mut *self.write(), State::Closed);
        // Waits for librdkafka's threads. An error is a panic in there, of which nothing is left to save.
        tokio::task::spawn_blocking(move || drop(old))
            .await
            .unwrap_or_default();
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, State> {
        self.shared
            .state
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, State> {
        self.shared
            .state
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn current(&self) -> Result<Arc<Client>, PublishError> {
        match &*self.read() {
            State::Open(client) => Ok(Arc::clone(client)),
            State::Unchecked => Err(PublishError::Unconfirmed(
                "the topic was not checked yet".to_owned(),
            )),
            State::Closed => Err(PublishError::Closed),
        }
    }

    /// Hands a record to librdkafka, which copies it.
    fn enqueue(&self, record: &Outgoing<'_>) -> Result<oneshot::Receiver<Answer>, PublishError> {
        let size_bytes = record.key.map_or(0, <[u8]>::len) + record.value.map_or(0, <[u8]>::len);
        let limit_bytes = record.limit_bytes;
        if size_bytes > limit_bytes {
            return Err(PublishError::TooLarge {
                size_bytes,
                limit_bytes,
            });
        }
        let client = self.current()?;
        let (delivery, answer) = Delivery::new(size_bytes, limit_bytes, &self.shared.open);
        let base = BaseRecord {
            topic: record.topic,
            partition: record.partition,
            payload: record.value,
            key: record.key,
            timestamp: Some(record.at_ms),
            headers: Some((record.headers)()),
            delivery_opaque: delivery,
        };
        if let Err((error, base)) = client.send(base) {
            let code = error.rdkafka_error_code();
            base.delivery_opaque
                .end(Some(code.unwrap_or(RDKafkaErrorCode::Unknown)));
            if ends_the_client(&error) {
                self.replace(&client);
            }
        }
        Ok(answer)
    }

    /// Writes an entry of a table, or the tombstone that deletes it.
    pub(super) fn put(
        &self,
        key: &[u8],
        value: Option<&[u8]>,
    ) -> impl Future<Output = Answer> + Send + 'static + use<> {
        self.send(&Outgoing {
            topic: &self.shared.config.topic,
            partition: None,
            key: Some(key),
            value,
            limit_bytes: self.limits().record,
            at_ms: now_ms(),
            headers: &headers::of_entry,
        })
    }

    /// Writes a refused sample.
    pub(super) fn keep(
        &self,
        rejected: &Rejected,
    ) -> impl Future<Output = Answer> + Send + 'static + use<> {
        let value = match &rejected.original {
            Original::Part { bytes, .. } => bytes.as_ref(),
            Original::Missing | Original::TooLarge => &[],
        };
        self.send(&Outgoing {
            topic: &self.shared.config.topic,
            partition: None,
            key: rejected.metric_name.as_deref(),
            value: Some(value),
            limit_bytes: self.limits().record,
            at_ms: rejected.at_ms,
            headers: &|| headers::of_rejected(rejected),
        })
    }

    fn send(&self, record: &Outgoing<'_>) -> Confirmation {
        match self.enqueue(record) {
            Ok(receiver) => Confirmation::Awaited(receiver),
            Err(error) => {
                metrics::kafka_not_sent(errors::outcome(&Err(error.clone())));
                Confirmation::NotSent(Some(error))
            }
        }
    }
}

/// One record as librdkafka gets it.
struct Outgoing<'a> {
    topic: &'a str,
    /// None is that of the key.
    partition: Option<i32>,
    key: Option<&'a [u8]>,
    /// None is a tombstone.
    value: Option<&'a [u8]>,
    limit_bytes: usize,
    at_ms: i64,
    headers: &'a dyn Fn() -> OwnedHeaders,
}

fn ends_the_client(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(RDKafkaErrorCode::Fatal | RDKafkaErrorCode::Fenced)
    )
}

/// Lets a client that is not used any more finish, on a thread of its own.
fn retire(old: State, patience: Duration) {
    if let State::Open(client) = old {
        std::thread::spawn(move || {
            if client.client().fatal_error().is_none() {
                // Past its end the rest is answered as purged, when the client is dropped.
                client.flush(patience).unwrap_or_default();
            }
            drop(client);
        });
    }
}

impl Publish for Producer {
    fn publish(
        &self,
        record: Record,
    ) -> impl Future<Output = Result<Durability, PublishError>> + Send + 'static {
        self.send_record(&record)
    }

    fn durability(&self) -> Durability {
        Durability::Kafka
    }

    fn max_record_bytes(&self) -> usize {
        self.limits().record
    }

    fn partitions(&self) -> usize {
        let partitions = self.shared.partitions.load(Ordering::Relaxed);
        usize::try_from(partitions).unwrap_or_default()
    }

    fn partition(&self, record: &Record) -> Option<usize> {
        let config = &self.shared.config;
        let partitions = self.shared.partitions.load(Ordering::Relaxed);
        // Of one topic, so that the numbers are of one kind.
        if partitions < 1 || *config.topic_of(record.tenant.as_deref()) != config.topic {
            return None;
        }
        usize::try_from(placement::of(&record.key, record.spread, partitions)).ok()
    }

    async fn flush(&self, deadline: Duration) -> usize {
        match tokio::time::timeout(deadline, self.shared.open.wait_for_none()).await {
            Ok(()) => 0,
            Err(_) => self.shared.open.records(),
        }
    }
}

impl BuryDead for Producer {
    async fn bury(&self, letter: DeadLetter) -> Result<(), PublishError> {
        let Purpose::Samples {
            dead_letters: Some(topic),
        } = &self.shared.purpose
        else {
            return Err(PublishError::Unconfirmed(
                "there is no topic for dead letters".to_owned(),
            ));
        };
        let answer = self.send(&Outgoing {
            topic,
            partition: None,
            // No key rather than an empty one, which would put all of them on one partition.
            key: letter.key.as_deref().filter(|key| !key.is_empty()),
            value: Some(&letter.value),
            limit_bytes: self.limits().dead_letter,
            at_ms: now_ms(),
            headers: &|| headers::of_dead_letter(&letter),
        });
        answer.await
    }
}

#[cfg(test)]
mod tests;
