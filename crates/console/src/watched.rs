//! What stores said last: noted with every write, for whoever asks how they are.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::shapes::StoreError;

/// More of what a store said is in the log.
const MAX_MESSAGE_BYTES: usize = 500;

/// One store's last words.
#[derive(Debug)]
pub struct Watched {
    kind: String,
    written_at_ms: AtomicI64,
    is_failing: AtomicBool,
    last_error: Mutex<Option<StoreError>>,
}

impl Watched {
    /// Of a store of this type, which has said nothing yet.
    pub(crate) fn new(kind: String) -> Self {
        Self {
            kind,
            written_at_ms: AtomicI64::new(0),
            is_failing: AtomicBool::new(false),
            last_error: Mutex::default(),
        }
    }

    /// It took something.
    pub fn took(&self, now_ms: i64) {
        self.written_at_ms.store(now_ms, Ordering::Relaxed);
        self.is_failing.store(false, Ordering::Relaxed);
    }

    /// It did not, and said this.
    pub fn failed(&self, now_ms: i64, is_retryable: bool, message: &str) {
        // What is refused for good is not tried again, so the store is not in trouble.
        self.is_failing.store(is_retryable, Ordering::Relaxed);
        let cut = message.floor_char_boundary(MAX_MESSAGE_BYTES);
        let error = StoreError {
            at_ms: now_ms,
            is_retryable,
            message: message.get(..cut).unwrap_or_default().to_owned(),
        };
        *self
            .last_error
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(error);
    }

    pub(crate) fn kind(&self) -> &str {
        &self.kind
    }

    pub(crate) fn is_failing(&self) -> bool {
        self.is_failing.load(Ordering::Relaxed)
    }

    pub(crate) fn written_at_ms(&self) -> Option<i64> {
        let at_ms = self.written_at_ms.load(Ordering::Relaxed);
        (at_ms > 0).then_some(at_ms)
    }

    pub(crate) fn last_error(&self) -> Option<StoreError> {
        let error = self
            .last_error
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        error.clone()
    }
}

#[cfg(test)]
mod tests;
