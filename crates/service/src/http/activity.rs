//! What a connection is doing, and by when it must do something else.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use http::Version;
use hyper::body::{Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::Connections;

/// Shared by the connection's bytes, its requests and its watchdog.
#[derive(Clone)]
pub(super) struct Activity(Arc<Mutex<State>>);

struct State {
    handlers: usize,
    /// When the handler wants to be asked again.
    due: Option<Instant>,
    answers: usize,
    /// When the connection started, or a request or an answer last ended.
    changed: Instant,
    written: Instant,
    header_since: Option<Instant>,
    is_http2: bool,
    has_served: bool,
    /// The client does not take what we have for it.
    is_stuck: bool,
    /// Its buffers are given back already.
    is_resting: bool,
}

/// Why a connection that is past its deadline has to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Overdue {
    Header,
    Idle,
    /// A handler, and not the connection: it gives up by itself.
    Handler,
    /// Nothing came or went for a while: the connection stays, its buffers need not.
    Quiet,
}

/// How long a connection without a request keeps its buffers: 16 KiB, beside 3 KiB for the rest of it.
const QUIET: Duration = Duration::from_secs(2);

/// The longest piece of an answer that is handed over at once. They are copied behind each other, and a connection keeps
/// the room that the longest one took.
const PIECE_BYTES: usize = 16 << 10;

impl Activity {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        Self(Arc::new(Mutex::new(State {
            handlers: 0,
            due: None,
            answers: 0,
            changed: now,
            written: now,
            header_since: Some(now),
            is_http2: false,
            has_served: false,
            is_stuck: false,
            is_resting: false,
        })))
    }

    /// While a handler runs, only what it asked for: it has deadlines of its own.
    pub(super) fn deadline(&self, connections: &Connections) -> Option<(Instant, Overdue)> {
        let state = self.state();
        if state.handlers > 0 {
            return state.due.map(|due| (due, Overdue::Handler));
        }
        if state.answers == 0
            && let Some(since) = state.header_since
        {
            return Some((since + connections.header_timeout, Overdue::Header));
        }
        // An answer may still be on its way out after its last byte was handed over. On HTTP/2, pings are written
        // at any time: what counts once the answers are handed over are requests.
        let moved = if state.is_http2 && state.answers == 0 {
            state.changed
        } else {
            state.changed.max(state.written)
        };
        let may_rest = !(state.is_http2 || state.is_stuck || state.is_resting);
        if may_rest && state.has_served && state.answers == 0 && QUIET < connections.idle_timeout {
            return Some((moved + QUIET, Overdue::Quiet));
        }
        Some((moved + connections.idle_timeout, Overdue::Idle))
    }

    /// Notes when the handler wants to be asked again, if the one who asks it looks at this.
    pub(super) fn wants_waking(&self, due: Instant) -> bool {
        let mut state = self.state();
        if state.is_http2 {
            return false;
        }
        state.due = Some(due);
        true
    }

    /// The handler is asked again.
    pub(super) fn has_woken(&self) {
        self.state().due = None;
    }

    pub(super) fn has_served(&self) -> bool {
        self.state().has_served
    }

    /// A request's header is complete.
    pub(super) fn handler(&self, version: Version) -> HandlerRuns {
        let mut state = self.state();
        state.is_http2 = version == Version::HTTP_2;
        state.has_served = true;
        state.header_since = None;
        // Nobody asks when that was until it has ended.
        state.handlers += 1;
        drop(state);
        HandlerRuns(self.clone())
    }

    /// The connection has given its buffers back, or has them again.
    pub(super) fn rests(&self, is_resting: bool) {
        self.state().is_resting = is_resting;
    }

    fn has_read(&self) {
        let mut state = self.state();
        // On HTTP/2, pings and window updates come at any time: only requests count there.
        if state.handlers + state.answers == 0 && !state.is_http2 && state.header_since.is_none() {
            state.header_since = Some(Instant::now());
        }
    }

    fn has_written(&self) {
        let mut state = self.state();
        state.written = Instant::now();
        state.is_stuck = false;
    }

    fn has_flushed(&self) {
        let mut state = self.state();
        if state.is_stuck {
            state.written = Instant::now();
            state.is_stuck = false;
        }
    }

    fn is_stuck(&self) {
        self.state().is_stuck = true;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Held while a handler runs.
pub(super) struct HandlerRuns(Activity);

impl HandlerRuns {
    /// The handler is done; its answer is watched from now on.
    pub(super) fn answer(self, body: Body) -> Answer {
        self.0.state().answers += 1;
        Answer {
            body,
            rest: Bytes::new(),
            _written: AnswerRuns(self.0.clone()),
        }
    }
}

impl Drop for HandlerRuns {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.handlers -= 1;
        state.due = None;
        state.changed = Instant::now();
    }
}

struct AnswerRuns(Activity);

impl Drop for AnswerRuns {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.answers -= 1;
        state.changed = Instant::now();
    }
}

/// A response body, while it is handed to the connection: in pieces that are not too long.
pub(super) struct Answer {
    body: Body,
    /// What was in one piece and is not handed over yet.
    rest: Bytes,
    _written: AnswerRuns,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.rest.is_empty() {
            let frame = match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) => frame,
                other => return Poll::Ready(other),
            };
            match frame.into_data() {
                Ok(data) if data.len() > PIECE_BYTES => self.rest = data,
                Ok(data) => return Poll::Ready(Some(Ok(Frame::data(data)))),
                Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
            }
        }
        let count = self.rest.len().min(PIECE_BYTES);
        let piece = self.rest.split_to(count);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let mut size = self.body.size_hint();
        let rest = self.rest.len() as u64;
        if let Some(upper) = size.upper() {
            size.set_upper(upper + rest);
        }
        size.set_lower(size.lower() + rest);
        size
    }
}

/// A connection's bytes, reported to its [`Activity`].
pub(super) struct Watched<I> {
    /// What was read already, and comes first.
    pub(super) ahead: Bytes,
    pub(super) io: I,
    pub(super) activity: Activity,
}

impl<I: AsyncRead + Unpin> AsyncRead for Watched<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.ahead.is_empty() {
            let count = self.ahead.len().min(buffer.remaining());
            buffer.put_slice(&self.ahead.split_to(count));
            self.activity.has_read();
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(cx, buffer))?;
        if buffer.filled().len() > before {
            self.activity.has_read();
        }
        Poll::Ready(Ok(()))
    }
}

impl<I> Watched<I> {
    fn note(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match &written {
            Poll::Ready(Ok(_)) => self.activity.has_written(),
            Poll::Ready(Err(_)) => {}
            Poll::Pending => self.activity.is_stuck(),
        }
        written
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Watched<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(cx, bytes);
        self.note(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write_vectored(cx, slices);
        self.note(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    /// TLS takes bytes before the socket does: what it holds back is seen here.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.io).poll_flush(cx);
        match &flushed {
            Poll::Pending => self.activity.is_stuck(),
            Poll::Ready(_) => self.activity.has_flushed(),
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests;
