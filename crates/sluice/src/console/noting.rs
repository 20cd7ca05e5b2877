//! A store whose words are noted on their way to the consumer.

use std::sync::Arc;

use ::console::Watched;
use store::{Batch, Batching, Lanes, LeftOut, Write, WriteError};

/// A store, and where its last words are noted, if anybody wants them.
#[derive(Debug)]
pub(crate) struct Noted<W> {
    inner: Arc<W>,
    watched: Option<Arc<Watched>>,
}

impl<W> Noted<W> {
    pub(crate) const fn new(inner: Arc<W>, watched: Option<Arc<Watched>>) -> Self {
        Self { inner, watched }
    }

    fn note(&self, answer: &Result<(), WriteError>) {
        let Some(watched) = &self.watched else {
            return;
        };
        let now_ms = service::clock::now_ms();
        match answer {
            Ok(()) => watched.took(now_ms),
            Err(WriteError::Retryable { message, .. }) => watched.failed(now_ms, true, message),
            Err(WriteError::Refused { reason, message }) => {
                watched.failed(now_ms, false, &format!("{reason}: {message}"));
            }
        }
    }
}

impl<W: Write> Write for Noted<W> {
    fn lanes(&self) -> Lanes {
        self.inner.lanes()
    }

    fn batching(&self) -> Batching {
        self.inner.batching()
    }

    async fn resume(&self, partition: i32, offset: i64) -> Result<(), WriteError> {
        let answer = self.inner.resume(partition, offset).await;
        if answer.is_err() {
            self.note(&answer);
        }
        answer
    }

    async fn write(&self, batch: &Batch) -> Result<(), WriteError> {
        let answer = self.inner.write(batch).await;
        self.note(&answer);
        answer
    }

    fn left_out(&self, batch: &Batch) -> Option<LeftOut> {
        self.inner.left_out(batch)
    }
}

#[cfg(test)]
mod tests;
