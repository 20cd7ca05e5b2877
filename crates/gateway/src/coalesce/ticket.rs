//! A request's claim on the records that its samples went into.
//!
//! The request is answered when every one of them is settled. The ledger is counted here, record
//! by record, so that it also holds when nobody waits any more: a sender that hung up, a timeout.

use std::sync::atomic::{AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use buffer::{Durability, PublishError};
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

#[derive(Debug)]
pub(crate) struct Ticket {
    meters: Arc<SampleMeters>,
    /// Records that are not settled yet, plus one while samples are still being added.
    open: AtomicUsize,
    durable_samples: AtomicU64,
    failed_samples: AtomicU64,
    /// A [`Durability`], as [`WEAKER`] numbers it.
    weakest: AtomicU8,
    /// The first failure decides the answer.
    failure: OnceLock<PublishError>,
    answer: Mutex<Option<oneshot::Sender<Settled>>>,
}

impl Ticket {
    /// A ticket that settles when [`Self::settle`] was called once for this call (with no samples) and
    /// once for each [`Self::hold`].
    pub(crate) fn new(meters: &Arc<SampleMeters>) -> (Arc<Self>, oneshot::Receiver<Settled>) {
        let (sender, receiver) = oneshot::channel();
        let ticket = Self {
            meters: Arc::clone(meters),
            open: AtomicUsize::new(1),
            durable_samples: AtomicU64::new(0),
            failed_samples: AtomicU64::new(0),
            weakest: AtomicU8::new(0),
            failure: OnceLock::new(),
            answer: Mutex::new(Some(sender)),
        };
        (Arc::new(ticket), receiver)
    }

    /// One more record to wait for.
    fn hold(&self) {
        self.open.fetch_add(1, Ordering::AcqRel);
    }

    fn settle(&self, samples: u64, result: &Settled) {
        match result {
            Ok(durability) => {
                self.weakest.fetch_max(*durability as u8, Ordering::AcqRel);
                self.durable_samples.fetch_add(samples, Ordering::AcqRel);
            }
            Err(error) => {
                self.failed_samples.fetch_add(samples, Ordering::AcqRel);
                self.failure.get_or_init(|| error.clone());
            }
        }
        if self.open.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.finish();
        }
    }

    fn finish(&self) {
        self.meters
            .accepted(self.durable_samples.load(Ordering::Acquire));
        let failure = self.failure.get();
        if let Some(error) = failure {
            let samples = self.failed_samples.load(Ordering::Acquire);
            metrics::rejected(self.meters.protocol, publish_code(error), samples);
        }
        let sender = self
            .answer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(sender) = sender {
            let weakest = usize::from(self.weakest.load(Ordering::Acquire));
            let weakest = WEAKER.get(weakest).copied().unwrap_or(Durability::Spool);
            let result = failure.cloned().map_or(Ok(weakest), Err);
            // An error means that the request was given up meanwhile.
            sender.send(result).unwrap_or_default();
        }
    }
}

/// The adding side of a ticket: while it lives, the ticket is not settled.
#[derive(Debug)]
pub(crate) struct Adding<'a>(pub(crate) &'a Arc<Ticket>);

impl Drop for Adding<'_> {
    fn drop(&mut self) {
        self.0.settle(0, &Ok(Durability::Kafka));
    }
}

/// The tickets of one record, and how many of its samples belong to each.
///
/// Settled exactly once: by [`Self::settle`], or as a failure when it is dropped without.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    // Where requests are large, or few, a record has samples of one alone.
    first: Option<Claim>,
    others: Vec<Claim>,
}

/// A ticket, and how many of a record's samples are its own.
type Claim = (Arc<Ticket>, u64);

impl Claims {
    /// Adds samples of a request to the record.
    pub(crate) fn add(&mut self, ticket: &Arc<Ticket>, samples: u64) {
        if let Some((last, count)) = self.others.last_mut().or(self.first.as_mut())
            && Arc::ptr_eq(last, ticket)
        {
            *count += samples;
            return;
        }
        ticket.hold();
        let claim = (Arc::clone(ticket), samples);
        match &mut self.first {
            Some(_) => self.others.push(claim),
            first => *first = Some(claim),
        }
    }

    /// Lets go of every ticket without a word: nothing was to be stored.
    pub(crate) fn forget(mut self) {
        self.first = None;
        self.others.clear();
    }

    /// Tells every ticket.
    pub(crate) fn settle(mut self, result: &Settled) {
        self.tell(result);
    }

    fn tell(&mut self, result: &Settled) {
        for (ticket, samples) in self.first.take().into_iter().chain(self.others.drain(..)) {
            ticket.settle(samples, result);
        }
    }
}

impl Drop for Claims {
    fn drop(&mut self) {
        if self.first.is_some() {
            let lost = "the record was given up before the buffer answered".to_owned();
            self.tell(&Err(PublishError::Unconfirmed(lost)));
        }
    }
}
