//! The gateway's side of the buffer: records in, an answer when they are safe.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

/// How a record's value is to be read; the header `content-type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentType {
    /// `io.prometheus.write.v2.Request`, uncompressed.
    RemoteWriteV2,
    /// One sample as the JSON object of the push API.
    Json,
}

impl ContentType {
    /// The header's value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RemoteWriteV2 => "application/x-protobuf;proto=io.prometheus.write.v2.Request",
            Self::Json => "application/json",
        }
    }
}

/// One record on its way into the buffer.
#[derive(Debug, Clone)]
pub struct Record {
    /// The metric name. Never empty: an empty key would put every record on one partition.
    pub key: Bytes,
    /// The samples, as `content_type` says.
    pub value: Bytes,
    /// How `value` is to be read.
    pub content_type: ContentType,
    /// Whose samples these are; a record never mixes tenants.
    pub tenant: Option<Arc<str>>,
    /// Who sent them, for people: one name, or several separated by commas.
    pub source: Option<Arc<str>>,
    /// When the gateway received them, milliseconds since the Unix epoch.
    pub received_at_ms: i64,
    /// Where among the partitions of its key it goes.
    pub spread: crate::Spread,
}

/// Where an acknowledged record is; the answer header `Sluice-Durability`. The weakest is the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Durability {
    /// On every in-sync replica.
    Kafka,
    /// The same of the other cluster, which an operator has switched to.
    Fallback,
    /// In an fsynced log on this machine, which is the buffer.
    Local,
    /// In an fsynced log on this machine, until Kafka has it.
    Spool,
}

impl Durability {
    /// The header's value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Kafka => "kafka",
            Self::Fallback => "fallback",
            Self::Local => "local",
            Self::Spool => "spool",
        }
    }
}

/// Why a record may not be in the buffer. The sender still owns its samples.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// The buffer's own queue is full: it takes records slower than they come.
    #[error("the buffer's queue is full")]
    QueueFull,
    /// The record is larger than the buffer takes; a defect of whoever split it.
    #[error("the record has {size_bytes} bytes, the buffer takes {limit_bytes}")]
    TooLarge {
        /// The record's size.
        size_bytes: usize,
        /// What the buffer takes.
        limit_bytes: usize,
    },
    /// The buffer will never take this record: it has said why.
    #[error("the buffer refuses the record: {0}")]
    Refused(String),
    /// The bound in bytes, or the disk, is full.
    #[error("the buffer is full: {0}")]
    Full(String),
    /// Not confirmed: unreachable, timed out, not enough replicas. It may still arrive.
    #[error("the buffer did not confirm the record: {0}")]
    Unconfirmed(String),
    /// The buffer is shutting down.
    #[error("the buffer is closed")]
    Closed,
}

impl PublishError {
    /// Whether the same record would be refused again, however long one waits.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        match self {
            Self::TooLarge { .. } | Self::Refused(_) => true,
            Self::QueueFull | Self::Full(_) | Self::Unconfirmed(_) | Self::Closed => false,
        }
    }
}

/// Takes records and answers when they are durable.
pub trait Publish: Send + Sync + 'static {
    /// Enqueues a record *before it returns* and answers, by the future, when it is durable.
    ///
    /// Records of one key keep the order of the calls. Dropping the future does not take the record back. Called within
    /// a Tokio runtime that has a clock.
    fn publish(
        &self,
        record: Record,
    ) -> impl Future<Output = Result<Durability, PublishError>> + Send + 'static;

    /// Where this buffer keeps records when nothing is wrong.
    fn durability(&self) -> Durability;

    /// The largest key plus value that one record may have, in bytes.
    fn max_record_bytes(&self) -> usize;

    /// How many partitions records are spread over; 0 where there are none, or it is not known yet.
    fn partitions(&self) -> usize {
        0
    }

    /// The partition that a record goes to, where there are several of one topic.
    fn partition(&self, _record: &Record) -> Option<usize> {
        None
    }

    /// Waits until everything enqueued has been answered, at most for `deadline`. Answers how many
    /// records were still open then.
    fn flush(&self, deadline: Duration) -> impl Future<Output = usize> + Send;
}

impl<P: Publish> Publish for Arc<P> {
    fn publish(
        &self,
        record: Record,
    ) -> impl Future<Output = Result<Durability, PublishError>> + Send + 'static {
        self.as_ref().publish(record)
    }

    fn durability(&self) -> Durability {
        self.as_ref().durability()
    }

    fn max_record_bytes(&self) -> usize {
        self.as_ref().max_record_bytes()
    }

    fn partitions(&self) -> usize {
        self.as_ref().partitions()
    }

    fn partition(&self, record: &Record) -> Option<usize> {
        self.as_ref().partition(record)
    }

    fn flush(&self, deadline: Duration) -> impl Future<Output = usize> + Send {
        self.as_ref().flush(deadline)
    }
}

/// Samples that a store will never take, or a record that cannot be read.
#[derive(Debug, Clone)]
pub struct DeadLetter {
    /// The record's key, if it had one.
    pub key: Option<Bytes>,
    /// The smallest part that can still be decoded, or the whole record when it cannot be.
    pub value: Bytes,
    /// The header `content-type` of the value, if known.
    pub content_type: Option<Bytes>,
    /// The record's tenant.
    pub tenant: Option<Arc<str>>,
    /// Who sent the samples, as the record says.
    pub source: Option<Arc<str>>,
    /// A stable code.
    pub reason: &'static str,
    /// The store's or decoder's own words.
    pub message: String,
    /// Where the record came from.
    pub source_topic: String,
    /// Its partition there.
    pub source_partition: i32,
    /// Its offset there.
    pub source_offset: i64,
    /// The store that did not take it.
    pub store: String,
}

/// Takes dead letters; durable when answered, like [`Publish`].
pub trait BuryDead: Send + Sync + 'static {
    /// Writes a dead letter.
    fn bury(&self, letter: DeadLetter) -> impl Future<Output = Result<(), PublishError>> + Send;
}

/// The bytes of a sample that the gateway refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Original {
    /// The smallest part of what was sent that holds it.
    Part {
        /// As they were sent.
        bytes: Bytes,
        /// How they are to be read.
        content_type: &'static str,
    },
    /// It was not found in what was sent, or that cannot be cut.
    Missing,
    /// It was found, and does not fit into a record.
    TooLarge,
}

impl Original {
    /// The header `original`.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Part { .. } => "part",
            Self::Missing => "missing",
            Self::TooLarge => "too-large",
        }
    }
}

/// A sample that the gateway refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// The metric name, if it is known.
    pub metric_name: Option<Bytes>,
    /// Its bytes.
    pub original: Original,
    /// A stable code.
    pub reason: &'static str,
    /// What the sender was told; may be empty.
    pub message: String,
    /// Whose it was.
    pub tenant: Option<Arc<str>>,
    /// Who sent it.
    pub source: Option<Arc<str>>,
    /// As what it came.
    pub protocol: &'static str,
    /// Its position in its request, from 0, if it had one.
    pub index: Option<u32>,
    /// When, milliseconds since the Unix epoch.
    pub at_ms: i64,
}

/// Keeps refused samples; durable when answered, like [`Publish`].
pub trait Reject: Send + Sync + 'static {
    /// Writes one.
    fn reject(&self, rejected: &Rejected) -> impl Future<Output = Result<(), PublishError>> + Send;
}

impl<R: Reject> Reject for Arc<R> {
    fn reject(&self, rejected: &Rejected) -> impl Future<Output = Result<(), PublishError>> + Send {
        self.as_ref().reject(rejected)
    }
}
