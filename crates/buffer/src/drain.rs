//! The consumer's side of the buffer: records out, offsets back.
//!
//! One [`Drain`] is one reader with a name (a Kafka consumer group, a cursor of the embedded log):
//! what it committed survives restarts, and readers do not know of each other.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

/// A record as read.
#[derive(Debug, Clone)]
pub struct Consumed {
    /// Its partition.
    pub partition: i32,
    /// Its offset there. Offsets grow, but need not be consecutive.
    pub offset: i64,
    /// When the gateway received it (Kafka's timestamp), milliseconds since the Unix epoch.
    pub received_at_ms: i64,
    /// The metric name, if the producer set a key.
    pub key: Option<Bytes>,
    /// The samples.
    pub value: Bytes,
    /// The header `content-type`; foreign producers may not set it.
    pub content_type: Option<Bytes>,
    /// The header `tenant`.
    pub tenant: Option<Arc<str>>,
    /// The header `source`: who sent the samples, for people.
    pub source: Option<Arc<str>>,
    /// Where it goes from the spool; the default for what was read elsewhere.
    pub spread: crate::Spread,
    /// What other readers of this process made of it.
    pub memo: crate::Memo,
}

/// Held by the reader while it finishes what it has of revoked partitions; dropping it lets the
/// rebalance go on. The buffer waits for a bounded time only.
#[derive(Debug)]
pub struct Handover(Option<tokio::sync::oneshot::Sender<()>>);

impl Handover {
    /// A handover and the receiver that learns of its end: by a value, or by being closed.
    #[must_use]
    pub fn new() -> (Self, tokio::sync::oneshot::Receiver<()>) {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        (Self(Some(sender)), receiver)
    }

    /// Lets the rebalance go on.
    pub fn done(mut self) {
        if let Some(sender) = self.0.take() {
            // An error means that nobody listens any more: the buffer's patience ended first.
            sender.send(()).unwrap_or_default();
        }
    }
}

/// What happens to a reader, in order.
#[derive(Debug)]
pub enum Event {
    /// Reading of a partition starts at this offset: everything below is committed.
    Assigned {
        /// The partition.
        partition: i32,
        /// The first offset that will be read.
        offset: i64,
    },
    /// Records, in order within each partition.
    Records(Vec<Consumed>),
    /// These partitions go to another reader. Finish or drop what is in flight, commit, then end the handover.
    Revoked {
        /// The partitions.
        partitions: Vec<i32>,
        /// Ends the wait.
        handover: Handover,
    },
    /// These partitions are already another reader's: drop what is in flight, a commit would fail.
    Lost {
        /// The partitions.
        partitions: Vec<i32>,
    },
    /// Records that nobody read expired: offsets `from..to`. Reading goes on at `to`.
    Expired {
        /// The partition.
        partition: i32,
        /// First lost offset.
        from: i64,
        /// First offset that still exists.
        to: i64,
    },
}

/// Reading or committing failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DrainError {
    /// Passing: try again.
    #[error("the buffer does not answer: {0}")]
    Unavailable(String),
    /// The partition is not ours any more.
    #[error("partition {0} is another reader's")]
    NotOwned(i32),
    /// Cannot go on; a person must act.
    #[error("the buffer cannot be read: {0}")]
    Fatal(String),
}

/// Where a partition ends and how far it was committed, for lag and headroom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartitionState {
    /// The partition.
    pub partition: i32,
    /// The first offset that still exists, if known.
    pub start_offset: Option<i64>,
    /// The offset that the next record will get, if known.
    pub end_offset: Option<i64>,
    /// What is committed, if anything was.
    pub committed: Option<i64>,
}

/// Commits offsets; cheap to clone, so that it can be used beside the reading loop.
pub trait Commit: Clone + Send + Sync + 'static {
    /// Commits, per partition, the offset of the next record to read. Durable when answered.
    fn commit(
        &self,
        offsets: Vec<(i32, i64)>,
    ) -> impl Future<Output = Result<(), DrainError>> + Send;

    /// What is known of each assigned partition now.
    fn state(&self) -> Vec<PartitionState>;
}

/// One named reader of the buffer.
pub trait Drain: Send + 'static {
    /// Its committer.
    type Committer: Commit;

    /// The next event. Cancel-safe: a dropped future loses nothing.
    fn next(&mut self) -> impl Future<Output = Result<Event, DrainError>> + Send;

    /// The committer of this reader.
    fn committer(&self) -> Self::Committer;

    /// Stops fetching (`true`) or goes on (`false`), for backpressure; membership is kept meanwhile.
    /// [`Self::next`] must still be called, so that rebalances are seen.
    fn pause(&mut self, paused: bool);

    /// The topic, or the log's name, for messages and dead letters.
    fn source(&self) -> &str;

    /// How long the buffer keeps records.
    fn retention(&self) -> Duration;

    /// Leaves the group. Partitions are free for others at once.
    fn close(self) -> impl Future<Output = ()> + Send;
}
