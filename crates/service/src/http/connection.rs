//! One connection: its protocol, its limits, its end.
//!
//! A connection that is quiet gives its buffers back until its client says something: thousands of agents that push
//! once in a while cost what their sockets cost.

use std::convert::Infallible;
use std::error::Error;
use std::io;
use std::ops::DerefMut;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use bytes::BytesMut;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use pin_project_lite::pin_project;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};
use tokio::time::{Instant, Sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::activity::{Activity, Answer, HandlerRuns, Overdue, Watched};
use super::alarm::Alarm;
use super::rarely::Rarely;
use super::{Answers, Client, Connections, framing};

/// The most that is read ahead of a connection, and so the longest header. Times the number of connections it is
/// what all clients together can make us hold without a request.
const READ_AHEAD_BYTES: usize = 64 << 10;

const MAX_STREAMS: u32 = 256;
const MAX_HEADER_LIST_BYTES: u32 = 32 << 10;
const STREAM_WINDOW_BYTES: u32 = 256 << 10;
const CONNECTION_WINDOW_BYTES: u32 = 1 << 20;
/// Streams that a client opened and reset before we looked at them ("rapid reset"); more end the connection.
const MAX_RESET_STREAMS: usize = 20;
const MAX_LOCAL_RESETS: usize = 256;
/// What waits in a stream for a client that does not read.
const MAX_SEND_BYTES: usize = 64 << 10;
/// What HPACK remembers of a connection's headers, and the longest frame: the least that a server may have.
const HEADER_TABLE_BYTES: u32 = 4 << 10;
const MAX_FRAME_BYTES: u32 = 16 << 10;
const PING_INTERVAL: Duration = Duration::from_secs(20);
const PING_TIMEOUT: Duration = Duration::from_secs(20);

/// How long a connection may take to close once it was told to.
const GOODBYE: Duration = Duration::from_secs(5);

/// How long a connection that has not sent a request yet is waited for when the process stops: its request may be
/// on the way.
const FIRST_REQUEST: Duration = Duration::from_millis(500);

/// Why a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// Both sides were done.
    Done,
    /// No request came for too long, or the client did not read its answer.
    Idle,
    /// A header was not complete in time.
    SlowHeader,
    /// The client broke the protocol or went away.
    Error,
    /// Client and server did not agree on how to speak TLS.
    Handshake,
    /// Cut at the drain deadline.
    Shutdown,
}

impl Ended {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Idle => "idle",
            Self::SlowHeader => "slow_header",
            Self::Error => "error",
            Self::Handshake => "handshake",
            Self::Shutdown => "shutdown",
        }
    }
}

/// Answers requests until either side has had enough.
pub(super) async fn serve_connection<I>(
    mut io: I,
    answers: impl Answers,
    client: impl Into<Client>,
    connections: Connections,
    stopping: CancellationToken,
) -> Ended
where
    I: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let activity = Activity::new();
    let mut service = service_fn({
        let activity = activity.clone();
        let client = Client {
            alarm: Some(Alarm::of(&activity)),
            note: Some(Arc::default()),
            ..client.into()
        };
        move |request| handle(&answers, &activity, &client, request)
    });
    let stopped = pin!(async {
        stopping.cancelled().await;
        let started = Instant::now();
        // Telling a connection that has sent nothing yet ends it at once.
        while !activity.has_served() && started.elapsed() < FIRST_REQUEST {
            tokio::time::sleep(FIRST_REQUEST / 10).await;
        }
    });
    let mut attendant = Attendant {
        watchdog: pin!(Watchdog::new(activity.clone(), connections)),
        stopped: Rarely::new(stopped),
        is_told: false,
        activity: &activity,
    };
    let mut ahead = BytesMut::new();
    let is_http2 = match attendant.until(is_http2(&mut io, &mut ahead)).await {
        Ok(is_http2) => is_http2,
        Err(ended) => return ended,
    };
    let mut ahead = ahead.freeze();
    loop {
        let watched = TokioIo::new(Watched {
            ahead,
            io,
            activity: activity.clone(),
        });
        if is_http2 {
            let connection = Box::pin(http2().serve_connection(watched, service));
            return attendant.attend(connection).await.unwrap_or(Ended::Idle);
        }
        let mut connection = http1().serve_connection(watched, service);
        if let Some(ended) = attendant.attend(Pin::new(&mut connection)).await {
            return ended;
        }
        let parts = connection.into_parts();
        (io, service, ahead) = (parts.io.into_inner().io, parts.service, parts.read_buf);
        if ahead.is_empty() {
            // Empty as it is, it holds the buffer that it was cut from.
            drop(ahead);
            activity.rests(true);
            let mut first = BytesMut::new();
            match attendant.until(io.read_buf(&mut first)).await {
                Ok(0) => return Ended::Done,
                Ok(_) => ahead = first.freeze(),
                Err(ended) => return ended,
            }
            activity.rests(false);
        }
    }
}

/// What HTTP/2 begins with.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Reads until it is certain.
async fn is_http2<I: AsyncRead + Unpin>(io: &mut I, ahead: &mut BytesMut) -> io::Result<bool> {
    while ahead.len() < PREFACE.len() && PREFACE.starts_with(ahead) {
        if io.read_buf(ahead).await? == 0 {
            break;
        }
    }
    Ok(ahead.starts_with(PREFACE))
}

/// Sees to it that a connection keeps to its times.
struct Attendant<'c, S> {
    activity: &'c Activity,
    watchdog: Pin<&'c mut Watchdog>,
    /// Ends when connections are to be told that the process stops.
    stopped: Rarely<Pin<&'c mut S>>,
    is_told: bool,
}

impl<S: Future<Output = ()>> Attendant<'_, S> {
    /// Lets a connection run to its end, and says how it ended; or until it is quiet.
    async fn attend<C>(&mut self, mut connection: Pin<impl DerefMut<Target = C>>) -> Option<Ended>
    where
        C: GracefulConnection<Error = hyper::Error>,
    {
        let overdue = loop {
            tokio::select! {
                biased;
                served = connection.as_mut() => return Some(match served {
                    Err(error) if !self.is_told || self.activity.has_served() => {
                        tracing::debug!(error = &error as &dyn Error, "connection ended");
                        Ended::Error
                    }
                    // Told before its first request, hyper calls the end "cancelled".
                    Ok(()) | Err(_) => Ended::Done,
                }),
                overdue = self.watchdog.as_mut() => match overdue {
                    // Asking the connection asks its handler.
                    Overdue::Handler => {}
                    _ => break overdue,
                },
                () = &mut self.stopped, if !self.is_told => {
                    self.is_told = true;
                    connection.as_mut().graceful_shutdown();
                }
            }
        };
        match overdue {
            Overdue::Header => Some(Ended::SlowHeader),
            Overdue::Quiet => None,
            Overdue::Idle | Overdue::Handler => {
                // An HTTP/2 client learns with this that the request that it may be sending was not looked at.
                connection.as_mut().graceful_shutdown();
                if tokio::time::timeout(GOODBYE, connection).await.is_err() {
                    tracing::debug!("connection did not close when told to");
                }
                Some(Ended::Idle)
            }
        }
    }

    /// Waits for something from a client that nothing is owed to.
    async fn until<T>(&mut self, work: impl Future<Output = io::Result<T>>) -> Result<T, Ended> {
        if self.is_told {
            return Err(Ended::Done);
        }
        tokio::select! {
            biased;
            done = work => done.map_err(|error| {
                tracing::debug!(%error, "connection ended");
                Ended::Error
            }),
            overdue = self.watchdog.as_mut() => Err(match overdue {
                Overdue::Header => Ended::SlowHeader,
                Overdue::Idle | Overdue::Quiet | Overdue::Handler => Ended::Idle,
            }),
            () = &mut self.stopped => {
                self.is_told = true;
                Err(Ended::Done)
            }
        }
    }
}

fn http1() -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        // hyper's own starts while a connection is idle: it cannot tell a slow client from one with nothing to say.
        .header_read_timeout(None)
        // More than a hundred header lines are refused, trailers among them. That is hyper's own bound, and to say so
        // would have it clear two tables of that length for each request.
        // An answer is mostly a few bytes: copied behind its head it costs less than as a second piece.
        .writev(false)
        .max_buf_size(READ_AHEAD_BYTES);
    builder
}

fn http2() -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(MAX_HEADER_LIST_BYTES)
        .header_table_size(HEADER_TABLE_BYTES)
        .max_frame_size(MAX_FRAME_BYTES)
        .max_send_buf_size(MAX_SEND_BYTES)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_pending_accept_reset_streams(MAX_RESET_STREAMS)
        .max_local_error_reset_streams(MAX_LOCAL_RESETS)
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_TIMEOUT);
    builder
}

fn handle<A: Answers>(
    answers: &A,
    activity: &Activity,
    client: &Client,
    request: Request<Incoming>,
) -> Handling<A::Answering> {
    let running = activity.handler(request.version());
    let answer = framing::is_plain(request.headers()).then(|| answers.answer(request, client));
    Handling {
        answer,
        running: Some(running),
    }
}

pin_project! {
    /// A request that is being answered: by nobody, where it cannot be made sense of.
    struct Handling<F> {
        #[pin]
        answer: Option<F>,
        running: Option<HandlerRuns>,
    }
}

impl<F> Future for Handling<F>
where
    F: Future<Output = Result<Response<Body>, Infallible>>,
{
    type Output = Result<Response<Answer>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = match this.answer.as_pin_mut() {
            Some(answer) => ready!(answer.poll(cx))?,
            None => framing::refusal(),
        };
        let running = this.running.take().expect("it is answered once");
        Poll::Ready(Ok(response.map(|body| running.answer(body))))
    }
}

/// Ready when the connection is past its deadline.
///
/// Polled after the connection. Its timer is moved only when a deadline comes nearer or the timer fires, which is
/// once in a while, not once per request.
struct Watchdog {
    activity: Activity,
    connections: Connections,
    timer: Rarely<Pin<Box<Sleep>>>,
}

impl Watchdog {
    fn new(activity: Activity, connections: Connections) -> Self {
        let first = Instant::now() + connections.header_timeout;
        Self {
            activity,
            connections,
            timer: Rarely::new(Box::pin(sleep_until(first))),
        }
    }

    fn wait_until(&mut self, deadline: Instant) {
        self.timer.future.as_mut().reset(deadline);
        self.timer.has_changed();
    }
}

impl Future for Watchdog {
    type Output = Overdue;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Overdue> {
        loop {
            let due = self.activity.deadline(&self.connections);
            if let Some((deadline, _)) = due
                && deadline < self.timer.future.deadline()
            {
                self.wait_until(deadline);
            }
            if Pin::new(&mut self.timer).poll(cx).is_pending() {
                return Poll::Pending;
            }
            let now = Instant::now();
            let next = match due {
                Some((deadline, overdue)) if deadline <= now => {
                    if overdue == Overdue::Handler {
                        self.activity.has_woken();
                    }
                    return Poll::Ready(overdue);
                }
                Some((deadline, _)) => deadline,
                // The handler's end wakes the connection and, with it, this; the timer is for nothing until then.
                None => now + self.connections.idle_timeout,
            };
            self.wait_until(next);
        }
    }
}

#[cfg(test)]
mod over_tls;
#[cfg(test)]
mod tests;
