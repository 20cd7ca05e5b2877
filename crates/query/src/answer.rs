//! An answer's bytes: counted while they are written, and held back until their reader has taken them.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::AbortHandle;

use crate::budget::Budget;
use crate::error::Error;

/// An answer that is being written within a budget.
#[derive(Debug)]
pub(crate) struct Page<'b> {
    bytes: Vec<u8>,
    budget: &'b mut Budget,
    over: Option<Error>,
}

impl<'b> Page<'b> {
    /// An empty one.
    pub(crate) fn new(budget: &'b mut Budget) -> Self {
        Self {
            bytes: Vec::new(),
            budget,
            over: None,
        }
    }

    /// What was written.
    pub(crate) fn done(self) -> Bytes {
        self.bytes.into()
    }

    /// Adds bytes.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let full = self.bytes.capacity();
        if self.bytes.len() + bytes.len() > full {
            let more = full.max(bytes.len()).max(1024);
            self.borrow(more)?;
            self.bytes.reserve_exact(more);
        }
        self.bytes.extend_from_slice(bytes);
        self.budget.step()
    }

    /// Adds text.
    pub(crate) fn text(&mut self, text: &str) -> Result<(), Error> {
        self.bytes(text.as_bytes())
    }

    /// Adds a comma before all but the first.
    pub(crate) fn comma(&mut self, number: usize) -> Result<(), Error> {
        if number > 0 { self.text(",") } else { Ok(()) }
    }

    /// Adds a value as JSON.
    pub(crate) fn json(&mut self, value: &(impl Serialize + ?Sized)) -> Result<(), Error> {
        // Texts and lists of them cannot fail.
        let text = serde_json::to_vec(value).unwrap_or_default();
        self.bytes(&text)
    }

    /// Adds a number, as text where JSON has none for it, and `null` where there is none.
    pub(crate) fn number(&mut self, value: Option<f64>) -> Result<(), Error> {
        match value {
            None => self.text("null"),
            Some(value) if value.is_finite() => self.json(&value),
            Some(value) if value.is_nan() => self.text("\"NaN\""),
            Some(value) if value > 0.0 => self.text("\"+Inf\""),
            Some(_) => self.text("\"-Inf\""),
        }
    }

    /// Uses memory for a while.
    pub(crate) fn borrow(&mut self, bytes: usize) -> Result<(), Error> {
        self.budget.take(bytes).inspect_err(|error| {
            self.over = Some(error.clone());
        })
    }

    /// Does something else within the same budget.
    pub(crate) fn within<T>(
        &mut self,
        work: impl FnOnce(&mut Budget) -> Result<T, Error>,
    ) -> Result<T, Error> {
        work(self.budget)
    }

    /// Gives it back.
    pub(crate) fn repay(&mut self, bytes: usize) {
        self.budget.give_back(bytes);
    }

    /// Why it ended, if the budget did that.
    pub(crate) fn over(&mut self) -> Option<Error> {
        self.over.take()
    }
}

/// What one piece of an answer has.
const PIECE_BYTES: usize = 32 << 10;

/// How long a reader may take for an answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Unit of the memory for answers that are not taken yet.
const UNIT_BYTES: usize = 1024;

/// Memory for answers that their readers have not taken yet.
#[derive(Debug, Clone)]
pub(crate) struct Outbox(Arc<Semaphore>);

impl Outbox {
    /// Of this size.
    pub(crate) fn new(bytes: usize) -> Self {
        let units = (bytes / UNIT_BYTES).min(Semaphore::MAX_PERMITS);
        Self(Arc::new(Semaphore::new(units)))
    }

    /// An answer, if there is room for it until it is taken.
    pub(crate) fn answer(
        &self,
        status: StatusCode,
        content_type: &'static str,
        bytes: Bytes,
    ) -> Result<Response, Error> {
        let units = u32::try_from(bytes.len().div_ceil(UNIT_BYTES)).unwrap_or(u32::MAX);
        let held = Arc::clone(&self.0).try_acquire_many_owned(units);
        let held = held.map_err(|_| {
            Error::Overloaded(
                "answers that are not read yet take all the memory for them (queries.max_memory); ask again later",
            )
        })?;
        let body = Held::new(bytes, held);
        let mut response = Response::new(Body::new(body));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Ok(response)
    }
}

/// A body whose memory counts until its pieces are taken, or its reader has had time enough.
struct Held {
    rest: Arc<Mutex<Rest>>,
    watch: AbortHandle,
}

/// What is not taken yet.
struct Rest {
    bytes: Bytes,
    /// None after the reader's time.
    held: Option<OwnedSemaphorePermit>,
}

impl Held {
    #[expect(
        clippy::disallowed_methods,
        reason = "it ends with the body, and a stop has nothing to wait for"
    )]
    fn new(bytes: Bytes, held: OwnedSemaphorePermit) -> Self {
        let held = Some(held);
        let rest = Arc::new(Mutex::new(Rest { bytes, held }));
        let watched = Arc::clone(&rest);
        // A body whose reader has stopped is not even asked for its next piece.
        let watch = tokio::spawn(async move {
            tokio::time::sleep(PATIENCE).await;
            lock(&watched).forget();
        });
        let watch = watch.abort_handle();
        Self { rest, watch }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.watch.abort();
        lock(&self.rest).forget();
    }
}

fn lock(rest: &Mutex<Rest>) -> MutexGuard<'_, Rest> {
    rest.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Rest {
    fn forget(&mut self) {
        (self.bytes, self.held) = (Bytes::new(), None);
    }

    /// The next piece, and room for others in its place.
    fn piece(&mut self) -> Option<Bytes> {
        if self.bytes.is_empty() {
            return None;
        }
        let len = self.bytes.len().min(PIECE_BYTES);
        let piece = self.bytes.split_to(len);
        if let Some(held) = &mut self.held {
            let needed = self.bytes.len().div_ceil(UNIT_BYTES);
            let freed = held.num_permits().saturating_sub(needed);
            drop(held.split(freed));
        }
        Some(piece)
    }
}

impl HttpBody for Held {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        let mut rest = lock(&self.rest);
        if rest.held.is_none() {
            let why = "the answer was not read in time";
            let error = std::io::Error::new(std::io::ErrorKind::TimedOut, why);
            return Poll::Ready(Some(Err(error)));
        }
        Poll::Ready(rest.piece().map(|piece| Ok(http_body::Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        let rest = lock(&self.rest);
        rest.held.is_some() && rest.bytes.is_empty()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        http_body::SizeHint::with_exact(lock(&self.rest).bytes.len() as u64)
    }
}

#[cfg(test)]
mod tests;
