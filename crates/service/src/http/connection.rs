//! One connection: its protocol, its limits, its end.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, Sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use tower::Service;

use super::Connections;
use super::activity::{Activity, Answer, Overdue, Watched};

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
            Self::Shutdown => "shutdown",
        }
    }
}

/// Answers requests until either side has had enough.
pub(super) async fn serve_connection<I>(
    io: I,
    router: Router,
    peer: Option<SocketAddr>,
    connections: Connections,
    stopping: CancellationToken,
) -> Ended
where
    I: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let activity = Activity::new();
    let service = service_fn({
        let activity = activity.clone();
        move |request| handle(router.clone(), activity.clone(), peer, request)
    });
    let io = TokioIo::new(Watched {
        io,
        activity: activity.clone(),
    });
    let builder = builder();
    let mut connection = pin!(builder.serve_connection(io, service));
    let mut watchdog = pin!(Watchdog::new(activity.clone(), connections));

    let mut stopped = pin!(async {
        stopping.cancelled().await;
        let started = Instant::now();
        // Telling a connection that has sent nothing yet ends it at once.
        while !activity.has_served() && started.elapsed() < FIRST_REQUEST {
            tokio::time::sleep(FIRST_REQUEST / 10).await;
        }
    });
    let mut is_told = false;
    let overdue = loop {
        tokio::select! {
            biased;
            served = connection.as_mut() => return match served {
                Err(error) if !is_told || activity.has_served() => {
                    tracing::debug!(error, "connection ended");
                    Ended::Error
                }
                // Told before its first request, hyper calls the end "cancelled".
                Ok(()) | Err(_) => Ended::Done,
            },
            overdue = watchdog.as_mut() => break overdue,
            () = stopped.as_mut(), if !is_told => {
                is_told = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    };
    match overdue {
        Overdue::Header => Ended::SlowHeader,
        Overdue::Idle => {
            // An HTTP/2 client learns with this that the request that it may be sending was not looked at.
            connection.as_mut().graceful_shutdown();
            if tokio::time::timeout(GOODBYE, connection).await.is_err() {
                tracing::debug!("connection did not close when told to");
            }
            Ended::Idle
        }
    }
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        // hyper's own starts while a connection is idle: it cannot tell a slow client from one with nothing to say.
        .header_read_timeout(None)
        .max_buf_size(READ_AHEAD_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(MAX_HEADER_LIST_BYTES)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_pending_accept_reset_streams(MAX_RESET_STREAMS)
        .max_local_error_reset_streams(MAX_LOCAL_RESETS)
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_TIMEOUT);
    builder
}

async fn handle(
    mut router: Router,
    activity: Activity,
    peer: Option<SocketAddr>,
    request: Request<Incoming>,
) -> Result<Response<Answer>, Infallible> {
    let running = activity.handler(request.version());
    let mut request = request.map(Body::new);
    if let Some(address) = peer {
        request.extensions_mut().insert(ConnectInfo(address));
    }
    let response = router.call(request).await?;
    Ok(response.map(|body| running.answer(body)))
}

/// Ready when the connection is past its deadline.
///
/// Polled after the connection. Its timer is moved only when a deadline comes nearer or the timer fires, which is
/// once in a while, not once per request.
struct Watchdog {
    activity: Activity,
    connections: Connections,
    timer: Pin<Box<Sleep>>,
}

impl Watchdog {
    fn new(activity: Activity, connections: Connections) -> Self {
        let first = Instant::now() + connections.header_timeout;
        Self {
            activity,
            connections,
            timer: Box::pin(sleep_until(first)),
        }
    }
}

impl Future for Watchdog {
    type Output = Overdue;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Overdue> {
        loop {
            let due = self.activity.deadline(&self.connections);
            if let Some((deadline, _)) = due
                && deadline < self.timer.deadline()
            {
                self.timer.as_mut().reset(deadline);
            }
            if self.timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            let now = Instant::now();
            let next = match due {
                Some((deadline, overdue)) if deadline <= now => return Poll::Ready(overdue),
                Some((deadline, _)) => deadline,
                // The handler's end wakes the connection and, with it, this; the timer is for nothing until then.
                None => now + self.connections.idle_timeout,
            };
            self.timer.as_mut().reset(next);
        }
    }
}

#[cfg(test)]
mod tests;
