//! Refused samples on their way into a topic of their own: bounded in bytes, and no answer waits for them.
//!
//! What does not fit, and what is not confirmed for half a minute, is counted and let go: its sender was told that it
//! was refused. A receipt that was confirmed too late may be there twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use buffer::{Original, PublishError, Reject, Rejected};
use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use service::log_limit::LogLimit;
use service::tasks::{CancellationToken, Tasks};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, sleep, timeout};

use crate::metrics;

/// What one takes beside its own bytes, here and in librdkafka (about 700 bytes). Also what bounds their number.
const RECEIPT_BYTES: usize = 1 << 10;

/// The most that is kept of a sample: with name and headers it fits into a record of Kafka's default limit of 1 MiB.
const MAX_ORIGINAL_BYTES: usize = 768 << 10;

/// A name that is longer is no key. The longest that may be stored is shorter.
const MAX_NAME_BYTES: usize = 1 << 10;

/// How long the buffer may take to confirm one: a broker's restart.
const PATIENCE: Duration = Duration::from_secs(30);

/// Between tries.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// How long the last ones may take when the process stops.
const LAST_PATIENCE: Duration = Duration::from_secs(3);

/// Takes refused samples for the topic. Clones share its queue.
#[derive(Debug, Clone)]
pub struct RejectionTopic {
    queue: UnboundedSender<Queued>,
    used: Arc<AtomicUsize>,
    max_bytes: usize,
}

/// What is known of a refused sample before anything of it is copied.
#[derive(Debug, Clone, Copy)]
pub(super) struct Receipt<'r> {
    pub(super) metric_name: &'r str,
    /// The part that holds it, if it was found.
    pub(super) part: Option<&'r [u8]>,
    pub(super) part_type: &'static str,
    pub(super) reason: &'static str,
    pub(super) message: &'r str,
    pub(super) tenant: Option<&'r Arc<str>>,
    pub(super) source: Option<&'r Arc<str>>,
    pub(super) protocol: &'static str,
    pub(super) index: Option<u32>,
    pub(super) at_ms: i64,
}

impl Receipt<'_> {
    fn name(&self) -> Option<&[u8]> {
        let name = self.metric_name.as_bytes();
        (1..=MAX_NAME_BYTES).contains(&name.len()).then_some(name)
    }

    fn kept(&self) -> Option<&[u8]> {
        self.part.filter(|part| part.len() <= MAX_ORIGINAL_BYTES)
    }

    fn size_bytes(&self) -> usize {
        RECEIPT_BYTES
            + self.name().map_or(0, <[u8]>::len)
            + self.kept().map_or(0, <[u8]>::len)
            + self.message.len()
    }

    fn rejected(&self) -> Rejected {
        let original = match (self.kept(), self.part) {
            // Copied: a slice would keep the whole body, whose room was given back.
            (Some(part), _) => Original::Part {
                bytes: Bytes::copy_from_slice(part),
                content_type: self.part_type,
            },
            (None, Some(_)) => Original::TooLarge,
            (None, None) => Original::Missing,
        };
        Rejected {
            metric_name: self.name().map(Bytes::copy_from_slice),
            original,
            reason: self.reason,
            message: self.message.to_owned(),
            tenant: self.tenant.cloned(),
            source: self.source.cloned(),
            protocol: self.protocol,
            index: self.index,
            at_ms: self.at_ms,
        }
    }
}

impl RejectionTopic {
    /// Hands on to `reject` what it takes, of which at most `max_bytes` wait. When `tasks` stop, the last ones are still
    /// written.
    pub fn start<R: Reject>(reject: R, max_bytes: usize, tasks: &Tasks) -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "what waits has a bound in bytes, which `take` keeps"
        )]
        let (queue, receipts) = unbounded_channel();
        let stopping = tasks.stopping();
        tasks.spawn("rejections topic", write_all(reject, receipts, stopping));
        Self {
            queue,
            used: Arc::default(),
            max_bytes,
        }
    }

    /// Whether not even a small one fits.
    pub(super) fn is_full(&self) -> bool {
        self.used.load(Ordering::Relaxed) + RECEIPT_BYTES > self.max_bytes
    }

    /// Takes what fits and counts the others.
    pub(super) fn take<'r>(&self, receipts: impl IntoIterator<Item = Receipt<'r>>) {
        let mut dropped = 0_u64;
        for receipt in receipts {
            let is_taken = self.room(receipt.size_bytes()).is_some_and(|room| {
                let rejected = receipt.rejected();
                self.queue.send(Queued { rejected, room }).is_ok()
            });
            dropped += u64::from(!is_taken);
        }
        self.dropped(dropped);
    }

    /// Counts refused samples for which there is no room.
    pub(super) fn dropped(&self, count: u64) {
        static DROPPED: LogLimit = LogLimit::new();
        if count == 0 {
            return;
        }
        metrics::receipts(metrics::RECEIPT_DROPPED, count);
        if let Some(suppressed) = DROPPED.pass() {
            tracing::warn!(
                count,
                suppressed,
                limit_bytes = self.max_bytes,
                "refused samples did not fit into the queue of the rejections topic"
            );
        }
    }

    fn room(&self, bytes: usize) -> Option<Room> {
        let more = |used: usize| {
            used.checked_add(bytes)
                .filter(|used| *used <= self.max_bytes)
        };
        let taken = self
            .used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        taken.ok().map(|_| Room {
            used: Arc::clone(&self.used),
            bytes,
        })
    }
}

/// One that waits.
#[derive(Debug)]
struct Queued {
    rejected: Rejected,
    room: Room,
}

/// Room in the queue, given back when it goes.
#[derive(Debug)]
struct Room {
    used: Arc<AtomicUsize>,
    bytes: usize,
}

impl Drop for Room {
    fn drop(&mut self) {
        self.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

async fn write_all<R: Reject>(
    reject: R,
    mut receipts: UnboundedReceiver<Queued>,
    stopping: CancellationToken,
) {
    let mut open = FuturesUnordered::new();
    loop {
        tokio::select! {
            Some(()) = open.next() => {}
            receipt = receipts.recv() => match receipt {
                Some(receipt) => open.push(write(&reject, receipt)),
                None => break,
            },
            () = stopping.cancelled() => break,
        }
    }
    receipts.close();
    while let Ok(receipt) = receipts.try_recv() {
        open.push(write(&reject, receipt));
    }
    let last = async { while open.next().await.is_some() {} };
    if timeout(LAST_PATIENCE, last).await.is_err() {
        let error = PublishError::Unconfirmed("the process stops".to_owned());
        failed(open.len() as u64, &error);
    }
}

async fn write<R: Reject>(reject: &R, receipt: Queued) {
    let Queued { rejected, room } = receipt;
    let until = Instant::now() + PATIENCE;
    loop {
        match reject.reject(&rejected).await {
            Ok(()) => {
                metrics::receipts(metrics::RECEIPT_WRITTEN, 1);
                break;
            }
            Err(error) if error.is_final() || Instant::now() >= until => {
                failed(1, &error);
                break;
            }
            Err(_) => sleep(RETRY_PAUSE).await,
        }
    }
    drop(room);
}

fn failed(count: u64, error: &PublishError) {
    static FAILED: LogLimit = LogLimit::new();
    metrics::receipts(metrics::RECEIPT_FAILED, count);
    if let Some(suppressed) = FAILED.pass() {
        let error: &dyn std::error::Error = error;
        tracing::warn!(
            error,
            suppressed,
            "a refused sample was not written to the rejections topic"
        );
    }
}

#[cfg(test)]
mod tests;
