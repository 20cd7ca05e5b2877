//! Kafka's answers, on their way to whoever waits for them.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context as Task, Poll};
use std::time::Instant;

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{DeliveryResult, ProducerContext};
use tokio::sync::{Notify, oneshot};

use super::super::errors;
use super::super::logs::ClientLog;
use crate::PublishError;
use crate::metrics::{self, KafkaDeliveries};

/// The answer to one record.
pub(super) type Answer = Result<(), PublishError>;

/// The answer to one record, when there is one. Small: there is one for each record under way.
pub(super) enum Confirmation {
    /// librdkafka has it.
    Awaited(oneshot::Receiver<Answer>),
    /// It never did; until that is asked for.
    NotSent(Option<PublishError>),
}

impl Future for Confirmation {
    type Output = Answer;

    fn poll(self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Answer> {
        match self.get_mut() {
            Self::Awaited(receiver) => {
                let answer = Pin::new(receiver).poll(task);
                answer.map(|answer| answer.unwrap_or(Err(PublishError::Closed)))
            }
            Self::NotSent(error) => Poll::Ready(Err(error.take().unwrap_or(PublishError::Closed))),
        }
    }
}

/// Records that librdkafka has and Kafka has not answered, over all clients of one producer.
#[derive(Debug, Default)]
pub(super) struct Open {
    /// Whether the gauges of the queue are of these records.
    is_shown: bool,
    records: AtomicUsize,
    bytes: AtomicUsize,
    delivered: AtomicU64,
    failed: AtomicU64,
    none_left: Notify,
    /// Of the delivered ones.
    deliveries: OnceLock<KafkaDeliveries>,
}

/// How many records were answered since the producer exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Answers {
    /// Kafka has them.
    pub(super) delivered: u64,
    /// They went back to their senders.
    pub(super) failed: u64,
}

impl Open {
    /// The records that the gauges are about: of one producer per process.
    pub(super) fn shown() -> Self {
        Self {
            is_shown: true,
            ..Self::default()
        }
    }

    /// How many there are.
    pub(super) fn records(&self) -> usize {
        self.records.load(Ordering::Acquire)
    }

    /// How many there were.
    pub(super) fn answers(&self) -> Answers {
        Answers {
            delivered: self.delivered.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
        }
    }

    /// Resolves when there is none.
    pub(super) async fn wait_for_none(&self) {
        loop {
            let changed = self.none_left.notified();
            if self.records() == 0 {
                return;
            }
            changed.await;
        }
    }

    fn show(&self) {
        if self.is_shown {
            metrics::kafka_queue(self.records(), self.bytes.load(Ordering::Relaxed));
        }
    }
}

/// Travels with one record through librdkafka and comes back exactly once.
pub(super) struct Delivery {
    answer: oneshot::Sender<Answer>,
    since: Instant,
    size_bytes: usize,
    limit_bytes: usize,
    open: Arc<Open>,
}

impl Delivery {
    /// A record of this size was handed over; the receiver learns what became of it. The limit is for
    /// the message, should its topic not take so much after all.
    pub(super) fn new(
        size_bytes: usize,
        limit_bytes: usize,
        open: &Arc<Open>,
    ) -> (Box<Self>, oneshot::Receiver<Answer>) {
        let (answer, receiver) = oneshot::channel();
        open.records.fetch_add(1, Ordering::AcqRel);
        open.bytes.fetch_add(size_bytes, Ordering::Relaxed);
        let delivery = Self {
            answer,
            since: Instant::now(),
            size_bytes,
            limit_bytes,
            open: Arc::clone(open),
        };
        (Box::new(delivery), receiver)
    }

    /// Answers.
    pub(super) fn end(self, failure: Option<RDKafkaErrorCode>) {
        let result = match failure {
            None => Ok(()),
            Some(code) => Err(errors::publish_error(
                code,
                self.size_bytes,
                self.limit_bytes,
            )),
        };
        let elapsed = self.since.elapsed();
        let outcome = errors::outcome(&result);
        if result.is_ok() {
            let meters = &self.open.deliveries;
            let meters = meters.get_or_init(|| KafkaDeliveries::of(outcome));
            meters.count(elapsed);
            self.open.delivered.fetch_add(1, Ordering::Relaxed);
        } else {
            KafkaDeliveries::of(outcome).count(elapsed);
            self.open.failed.fetch_add(1, Ordering::Relaxed);
        }
        // Answered first, so that whoever waits for none to be left finds all answers given.
        // An error means that nobody waits for this one any more, which takes nothing back.
        self.answer.send(result).unwrap_or_default();
        self.open
            .bytes
            .fetch_sub(self.size_bytes, Ordering::Relaxed);
        if self.open.records.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.open.none_left.notify_waiters();
        }
    }
}

/// Called by librdkafka's polling thread.
pub(super) struct Context {
    log: ClientLog,
    open: Arc<Open>,
}

impl Context {
    pub(super) fn new(open: &Arc<Open>) -> Self {
        Self {
            log: ClientLog::new("producer"),
            open: Arc::clone(open),
        }
    }
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.log.line(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.log.error(&error, reason);
    }

    /// Comes every few seconds; the numbers are our own.
    fn stats_raw(&self, _statistics: &[u8]) {
        self.open.show();
    }
}

impl ProducerContext for Context {
    type DeliveryOpaque = Box<Delivery>;

    fn delivery(&self, result: &DeliveryResult<'_>, delivery: Box<Delivery>) {
        let failure = result.as_ref().err().map(|(error, _)| {
            error
                .rdkafka_error_code()
                .unwrap_or(RDKafkaErrorCode::Unknown)
        });
        delivery.end(failure);
    }
}
