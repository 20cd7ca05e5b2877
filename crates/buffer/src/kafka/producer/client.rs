//! A client of librdkafka, and the thread on which it says what became of records.
//!
//! The library's own thread for that polls for 100 ms at a time. librdkafka waits for whole milliseconds, so that what
//! is left of the last one is spent asking again and again without waiting: a hundredth of a core for each client,
//! whether there are records or not.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use rdkafka::config::{ClientConfig, FromClientConfigAndContext as _};
use rdkafka::error::KafkaError;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};

use super::super::errors::ClientError;
use super::delivery::{Context, Delivery};

/// How long the thread polls before it looks whether to stop. It is a little more than whole milliseconds: by the time
/// librdkafka is asked some of it is gone, and less than whole ones would end with a millisecond of asking. Where
/// answers come between, it ends with a part of one.
const POLL: Duration = Duration::from_micros(200_020);

/// A record as librdkafka takes it.
pub(super) type Sent<'a> = BaseRecord<'a, [u8], [u8], Box<Delivery>>;

/// A client whose answers come on a thread of its own, which ends with it.
pub(super) struct Client {
    producer: Arc<BaseProducer<Context>>,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Client {
    /// Connects in the background.
    ///
    /// # Errors
    /// When librdkafka refuses the settings, or there can be no thread.
    pub(super) fn new(config: &ClientConfig, context: Context) -> Result<Self, ClientError> {
        let producer = Arc::new(BaseProducer::from_config_and_context(config, context)?);
        let is_over = Arc::new(AtomicBool::new(false));
        let thread = {
            let (producer, is_over) = (Arc::clone(&producer), Arc::clone(&is_over));
            std::thread::Builder::new()
                .name("kafka-answers".to_owned())
                .spawn(move || {
                    while !is_over.load(Ordering::Relaxed) {
                        producer.poll(POLL);
                    }
                })
                .map_err(|error| KafkaError::ClientCreation(error.to_string()))?
        };
        Ok(Self {
            producer,
            is_over,
            thread: Some(thread),
        })
    }

    /// Hands over a record, which is copied; it comes back when it is not taken.
    ///
    /// # Errors
    /// When the queue is full, the record is too large, or the client is at its end.
    #[expect(
        clippy::result_large_err,
        reason = "the record goes on with its answer, as the library gives it"
    )]
    pub(super) fn send<'a>(&self, record: Sent<'a>) -> Result<(), (KafkaError, Sent<'a>)> {
        self.producer.send(record)
    }

    /// Waits for what is under way, for so long.
    ///
    /// # Errors
    /// When something is left.
    pub(super) fn flush(&self, patience: Duration) -> Result<(), KafkaError> {
        self.producer.flush(patience)
    }

    /// The library's client, which knows brokers and errors.
    pub(super) fn client(&self) -> &rdkafka::client::Client<Context> {
        self.producer.client()
    }
}

impl Drop for Client {
    /// Waits for the thread; what is under way is answered as purged by the library.
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A panic in there has been told by whoever panicked.
            thread.join().unwrap_or_default();
        }
    }
}
