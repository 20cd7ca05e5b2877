//! Answers that come after their record was copied to the spool: what Kafka has by then is not sent again.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::{Durability, PublishError};

/// The upstream's answer to one record.
pub(super) type Answer =
    Pin<Box<dyn Future<Output = Result<Durability, PublishError>> + Send + 'static>>;

/// Copies in the spool whose record the upstream still has, by their offsets.
#[derive(Default)]
pub(super) struct Late {
    answers: Mutex<HashMap<u64, Answer>>,
    /// Copies that whoever waits for the record has not brought here yet.
    expected: AtomicUsize,
}

/// What is known of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// Nothing, or that the upstream did not take it: it has to be sent.
    Nothing,
    /// The upstream may still take it.
    Open,
    /// The upstream has it.
    Confirmed,
}

impl Late {
    fn answers(&self) -> MutexGuard<'_, HashMap<u64, Answer>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// So many copies will be brought, or given up.
    pub(super) fn expect(&self, copies: usize) {
        self.expected.fetch_add(copies, Ordering::AcqRel);
    }

    /// One of them has been.
    pub(super) fn arrived(&self) {
        self.expected.fetch_sub(1, Ordering::AcqRel);
    }

    /// Whether some are still to come.
    pub(super) fn is_expecting(&self) -> bool {
        self.expected.load(Ordering::Acquire) > 0
    }

    /// The record at this offset is still with the upstream.
    pub(super) fn add(&self, offset: u64, answer: Answer) {
        self.answers().insert(offset, answer);
    }

    /// Looks whether the upstream has answered.
    pub(super) fn look(&self, offset: u64) -> Known {
        let mut answers = self.answers();
        let Some(answer) = answers.get_mut(&offset) else {
            return Known::Nothing;
        };
        // Whoever looks comes again by itself.
        let mut context = Context::from_waker(Waker::noop());
        let known = match answer.as_mut().poll(&mut context) {
            Poll::Pending => return Known::Open,
            Poll::Ready(Ok(_)) => Known::Confirmed,
            Poll::Ready(Err(_)) => Known::Nothing,
        };
        answers.remove(&offset);
        known
    }
}

impl std::fmt::Debug for Late {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Late")
            .field("answers", &self.answers().len())
            .finish_non_exhaustive()
    }
}
