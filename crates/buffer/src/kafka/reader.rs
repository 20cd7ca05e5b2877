//! One member of a consumer group: records out, offsets back only when it is told so.
//!
//! A thread of its own polls librdkafka, so that membership is kept however slow the store is; what it reads waits in
//! a queue bounded in bytes. Past the bound it waits for room, and when there is none for long, fetching pauses.
//! Partitions are given up only after the holder of the [`Handover`](crate::Handover) let go of them
//! (or its time is over), and a commit of a partition that is not ours any more never reaches Kafka.

mod commit;
mod identity;
mod order;
mod partitions;
mod poll;
mod positions;
mod queue;
mod rebalance;
pub(super) mod record;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rdkafka::config::{ClientConfig, FromClientConfigAndContext};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use tokio::sync::oneshot;

pub use self::commit::Committer;
use self::order::Order;
use self::partitions::Partitions;
use self::queue::Queue;
use self::rebalance::Hooks;
use super::config::{Config, Member};
use super::errors::ClientError;
use crate::{Drain, DrainError, Event};

type Consumer = BaseConsumer<Hooks>;

/// How long [`Drain::close`] waits; the rest happens in the background.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(20);

/// What the reader, its committers and its threads share.
struct Shared {
    topic: String,
    group: String,
    handover_timeout: Duration,
    queue: Queue,
    partitions: Partitions,
    order: Order,
    /// For a client that looks at single records.
    looker: ClientConfig,
    /// None once it leaves the group.
    consumer: Mutex<Option<Arc<Consumer>>>,
    closing: AtomicBool,
    /// Whether fetching stands still. The polling thread's own: rebalances run on it, too.
    paused: AtomicBool,
}

impl Shared {
    fn consumer(&self) -> Option<Arc<Consumer>> {
        self.consumer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }
}

/// A reader of the topic in one consumer group.
pub struct Reader {
    shared: Arc<Shared>,
    retention: Duration,
    poller: std::thread::Thread,
    watcher: std::thread::Thread,
    /// Resolves when the group is left.
    left: Option<oneshot::Receiver<()>>,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader")
            .field("topic", &self.shared.topic)
            .field("group", &self.shared.group)
            .finish_non_exhaustive()
    }
}

impl Reader {
    /// Joins the group, in the background: Kafka need not be there yet. `retention` is how long the
    /// topic keeps records.
    ///
    /// # Errors
    /// When librdkafka refuses the settings, which [`Config::check`] finds earlier.
    ///
    /// # Panics
    /// When the system has no thread left.
    pub fn new(config: &Config, member: &Member, retention: Duration) -> Result<Self, ClientError> {
        // librdkafka holds another quarter.
        let queue_bytes = config.read_ahead.bytes() / 4 * 3;
        let shared = Arc::new(Shared {
            topic: config.topic.clone(),
            group: member.group.clone(),
            handover_timeout: member.handover_timeout,
            queue: Queue::new(&member.group, queue_bytes),
            partitions: Partitions::default(),
            order: Order::new(member.order_patience),
            looker: config.follower(),
            consumer: Mutex::new(None),
            closing: AtomicBool::new(false),
            paused: AtomicBool::new(false),
        });
        let hooks = Hooks::new(Arc::clone(&shared));
        let consumer = Consumer::from_config_and_context(&config.reader(member), hooks)?;
        consumer.subscribe(&[&config.topic])?;
        let consumer = Arc::new(consumer);
        *shared
            .consumer
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&consumer));

        let (left_sender, left) = oneshot::channel();
        let polling = Arc::clone(&shared);
        let poller = spawn("kafka-reader", move || {
            poll::run(consumer, &polling);
            left_sender.send(()).unwrap_or_default();
        });
        let watching = Arc::clone(&shared);
        let watcher = spawn("kafka-watermarks", move || positions::keep_known(&watching));
        Ok(Self {
            shared,
            retention,
            poller,
            watcher,
            left: Some(left),
        })
    }

    fn stop(&self) {
        self.shared.closing.store(true, Ordering::Release);
        self.shared.queue.discard();
        self.poller.unpark();
        self.watcher.unpark();
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> std::thread::Thread {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(run)
        .expect("the system has a thread left for each reader")
        .thread()
        .clone()
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Drain for Reader {
    type Committer = Committer;

    async fn next(&mut self) -> Result<Event, DrainError> {
        self.shared.queue.next().await
    }

    fn committer(&self) -> Committer {
        Committer::new(Arc::clone(&self.shared))
    }

    /// While it is paused, [`Self::next`] still answers what happens to partitions, but no records.
    fn pause(&mut self, paused: bool) {
        self.shared.queue.pause(paused);
    }

    fn source(&self) -> &str {
        &self.shared.topic
    }

    fn retention(&self) -> Duration {
        self.retention
    }

    async fn close(mut self) {
        self.stop();
        if let Some(left) = self.left.take()
            && tokio::time::timeout(CLOSE_TIMEOUT, left).await.is_err()
        {
            tracing::warn!(
                group = self.shared.group,
                "kafka did not confirm that the group was left"
            );
        }
    }
}

#[cfg(test)]
mod tests;
