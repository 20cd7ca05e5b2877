//! librdkafka as the gateway sets it up, and nothing around it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use anyhow::Context;
use bytes::Bytes;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::{ClientContext, DefaultClientContext};
use rdkafka::config::{ClientConfig, FromClientConfigAndContext as _};
use rdkafka::producer::{
    BaseRecord, DeliveryResult, Producer as _, ProducerContext, ThreadedProducer,
};
use rdkafka::types::RDKafkaErrorCode;

/// Partitions of the topic.
const PARTITIONS: i32 = 8;

/// Some records that are acknowledged together.
pub(super) struct Window {
    /// When they should have been sent.
    pub(super) due: Instant,
    /// When the last one was acknowledged.
    pub(super) acknowledged: Instant,
}

/// Sends windows, and tells of those that are acknowledged.
pub(super) struct Producer {
    client: ThreadedProducer<Deliveries>,
    topic: String,
    open: usize,
    acknowledged: Receiver<Result<Window, RDKafkaErrorCode>>,
}

/// What hears of each record.
struct Deliveries {
    acknowledged: Sender<Result<Window, RDKafkaErrorCode>>,
}

/// A window's records that are on their way.
struct Pending {
    due: Instant,
    rest: AtomicUsize,
}

impl ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = Arc<Pending>;

    fn delivery(&self, result: &DeliveryResult<'_>, pending: Arc<Pending>) {
        let said = match result {
            Err((error, _)) => Err(error
                .rdkafka_error_code()
                .unwrap_or(RDKafkaErrorCode::Unknown)),
            Ok(_) if pending.rest.fetch_sub(1, Ordering::AcqRel) == 1 => Ok(Window {
                due: pending.due,
                acknowledged: Instant::now(),
            }),
            Ok(_) => return,
        };
        // Nobody listens any more once the measurement is over.
        self.acknowledged.send(said).unwrap_or_default();
    }
}

impl Producer {
    /// Creates a topic, and connects.
    pub(super) async fn new(brokers: &str) -> anyhow::Result<Self> {
        let topic = testkit::kafka::unique("limit");
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", brokers);
        let admin: AdminClient<DefaultClientContext> = config.create()?;
        let new = NewTopic::new(&topic, PARTITIONS, TopicReplication::Fixed(1));
        for created in admin.create_topics([&new], &AdminOptions::new()).await? {
            created
                .map_err(|(topic, error)| anyhow::anyhow!("{topic} was not created: {error}"))?;
        }
        // As the gateway's own; see crates/buffer/src/kafka/config.rs.
        for (key, value) in [
            ("acks", "all"),
            ("enable.idempotence", "true"),
            ("partitioner", "murmur2_random"),
            ("compression.type", "lz4"),
            ("linger.ms", "1"),
            ("batch.size", "1000000"),
            ("queue.buffering.max.kbytes", "65536"),
            ("queue.buffering.max.messages", "131072"),
            ("message.timeout.ms", "8000"),
        ] {
            config.set(key, value);
        }
        let (sender, acknowledged) = channel();
        let context = Deliveries {
            acknowledged: sender,
        };
        Ok(Self {
            client: ThreadedProducer::from_config_and_context(&config, context)?,
            topic,
            open: 0,
            acknowledged,
        })
    }

    /// Windows that are not acknowledged yet.
    pub(super) fn open(&self) -> usize {
        self.open
    }

    /// Hands the records of a window to librdkafka, which copies them.
    pub(super) fn send(&mut self, pairs: &[(String, Bytes)], due: Instant) -> anyhow::Result<()> {
        let pending = Arc::new(Pending {
            due,
            rest: AtomicUsize::new(pairs.len()),
        });
        for (key, value) in pairs {
            let record = BaseRecord::with_opaque_to(&self.topic, Arc::clone(&pending))
                .key(key)
                .payload(value.as_ref());
            self.client
                .send(record)
                .map_err(|(error, _)| error)
                .context("librdkafka took no more records")?;
        }
        self.open += 1;
        Ok(())
    }

    /// The next window that is acknowledged.
    pub(super) fn next(&mut self, patience: Duration) -> anyhow::Result<Window> {
        self.next_within(patience)?
            .context("Kafka did not answer in time")
    }

    /// The next window that is acknowledged, if one is in this time.
    pub(super) fn next_within(&mut self, patience: Duration) -> anyhow::Result<Option<Window>> {
        match self.acknowledged.recv_timeout(patience) {
            Ok(Ok(window)) => {
                self.open -= 1;
                Ok(Some(window))
            }
            Ok(Err(code)) => anyhow::bail!("Kafka did not take a record: {code}"),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => anyhow::bail!("the producer is gone"),
        }
    }

    /// Waits for what is left, and ends it.
    pub(super) fn finish(self, patience: Duration) -> anyhow::Result<()> {
        Ok(self.client.flush(patience)?)
    }
}
