//! What a request waits for: that its samples are durable, or which of them failed.
//!
//! The request is answered when every window that it has samples in is settled. The ledger is counted here, so that it
//! also holds when nobody waits any more: a sender that hung up, a timeout.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use buffer::{Durability, PublishError};
use futures::task::AtomicWaker;
use tokio::sync::oneshot;

use crate::error::publish_code;
use crate::metrics::{self, SampleMeters};

/// What became of a request's samples: the weakest durability of its records, or the first failure.
pub(crate) type Settled = Result<Durability, PublishError>;

/// By their numbers: each is weaker than the one before it.
const WEAKER: [Durability; 4] = [
    Durability::Kafka,
    Durability::Fallback,
    Durability::Local,
    Durability::Spool,
];

/// The weakest of some durabilities, as [`WEAKER`] numbers it; of none, the strongest.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Weakest(u8);

impl Weakest {
    pub(super) fn note(&mut self, durability: Durability) {
        self.0 = self.0.max(durability as u8);
    }
}

#[derive(Debug)]
pub(crate) struct Ticket {
    meters: Arc<SampleMeters>,
    /// Windows that are not settled yet, plus one while samples are still being added.
    open: AtomicUsize,
    durable_samples: AtomicU64,
    failed_samples: AtomicU64,
    /// A [`Weakest`].
    weakest: AtomicU8,
    /// The first failure decides the answer.
    failure: OnceLock<PublishError>,
    is_settled: AtomicBool,
    waiting: AtomicWaker,
}

impl Ticket {
    /// A ticket that is settled when [`Self::settle`] was called once for this call and once for each [`Self::hold`].
    pub(crate) fn new(meters: &Arc<SampleMeters>) -> Arc<Self> {
        Arc::new(Self {
            meters: Arc::clone(meters),
            open: AtomicUsize::new(1),
            durable_samples: AtomicU64::new(0),
            failed_samples: AtomicU64::new(0),
            weakest: AtomicU8::new(0),
            failure: OnceLock::new(),
            is_settled: AtomicBool::new(false),
            waiting: AtomicWaker::new(),
        })
    }

    /// One more window to wait for.
    pub(super) fn hold(&self) {
        self.open.fetch_add(1, Ordering::AcqRel);
    }

    /// Samples that are not durable, before the window that they are of is settled.
    pub(super) fn fail(&self, samples: u64, error: &PublishError) {
        self.failed_samples.fetch_add(samples, Ordering::AcqRel);
        self.failure.get_or_init(|| error.clone());
    }

    /// Everything of a window is answered; so many samples are durable.
    pub(super) fn settle(&self, durable_samples: u64, weakest: Weakest) {
        // Exemplars alone are no samples, and durable somewhere.
        if weakest.0 > 0 {
            self.weakest.fetch_max(weakest.0, Ordering::AcqRel);
        }
        if durable_samples > 0 {
            self.durable_samples
                .fetch_add(durable_samples, Ordering::AcqRel);
        }
        if self.open.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.finish();
        }
    }

    fn finish(&self) {
        self.meters
            .accepted(self.durable_samples.load(Ordering::Acquire));
        if let Some(error) = self.failure.get() {
            let samples = self.failed_samples.load(Ordering::Acquire);
            metrics::rejected(self.meters.protocol, publish_code(error), samples);
        }
        // Behind the counting: who is answered finds itself counted.
        self.is_settled.store(true, Ordering::Release);
        self.waiting.wake();
    }

    /// Durable and failed samples.
    #[cfg(test)]
    pub(super) fn counted(&self) -> (u64, u64) {
        let failed = self.failed_samples.load(Ordering::Acquire);
        (self.durable_samples.load(Ordering::Acquire), failed)
    }

    fn settled(&self) -> Option<Settled> {
        if !self.is_settled.load(Ordering::Acquire) {
            return None;
        }
        if let Some(error) = self.failure.get() {
            return Some(Err(error.clone()));
        }
        let weakest = usize::from(self.weakest.load(Ordering::Acquire));
        Some(Ok(WEAKER
            .get(weakest)
            .copied()
            .unwrap_or(Durability::Spool)))
    }
}

/// The adding side of a ticket: while it lives, the ticket is not settled.
#[derive(Debug)]
pub(crate) struct Adding<'a>(pub(crate) &'a Arc<Ticket>);

impl Drop for Adding<'_> {
    fn drop(&mut self) {
        self.0.settle(0, Weakest::default());
    }
}

/// What a request waits for.
#[derive(Debug)]
pub(crate) enum Settling {
    /// Its ticket.
    Ticket(Arc<Ticket>),
    /// Who waits for the ticket in its place, whatever becomes of the request.
    Follower(oneshot::Receiver<Settled>),
}

impl Future for Settling {
    type Output = Settled;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Settled> {
        match self.get_mut() {
            Self::Ticket(ticket) => {
                if let Some(settled) = ticket.settled() {
                    return Poll::Ready(settled);
                }
                ticket.waiting.register(cx.waker());
                // It may have been settled just before there was somebody to wake.
                ticket.settled().map_or(Poll::Pending, Poll::Ready)
            }
            Self::Follower(follower) => Pin::new(follower).poll(cx).map(|answered| {
                // One answers before it goes, unless the process goes with it.
                let lost = "the request was given up before the buffer answered";
                answered.unwrap_or_else(|_| Err(PublishError::Unconfirmed(lost.to_owned())))
            }),
        }
    }
}
