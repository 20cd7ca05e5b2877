//! Bodies off the wire: bounded in bytes, in pauses, and all together.
//!
//! Room is taken before the bytes come: all of it when the sender says how much, step by step when
//! not. So a request that was let in is not turned away in the middle because of a later one.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use bytes::{Bytes, BytesMut};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt as _;
use service::http::Incoming;
use tokio::time::{Instant, timeout_at};

use crate::error::Error;
use crate::permits::Permit;
use crate::within::within;

/// Slower than this on average, after the first grace, a body is cut off: else a handful of senders that
/// announce much and send a byte now and then would hold all the room.
const SLOWEST_BYTES_PER_SECOND: u64 = 32 << 10;

/// Room for bodies of unknown length is taken in steps of this.
const STEP_BYTES: usize = 64 << 10;

/// A body that is not there after this long is slow, and there is a bound on those.
const SLOW: Duration = Duration::from_secs(2);

/// What a compressed body becomes, about: so much is taken before it is read, so that what was let in is not turned away
/// when it is inflated.
const EXPANSION: usize = 4;

/// How long a body that is refused is still read, so that its sender comes to reading the answer.
const LINGER: Duration = Duration::from_secs(5);

/// The same where there is more to do than there is time.
const LINGER_BRIEFLY: Duration = Duration::from_millis(50);

/// A body in memory, and the room that it takes.
#[derive(Debug)]
pub(crate) struct Received {
    pub bytes: Bytes,
    pub permit: Permit,
}

/// A body on its way in. One of a connection is taken as it is: a box around it would be asked for every piece.
#[derive(Debug)]
pub(crate) enum Wire {
    Connection(Incoming),
    Other(Body),
}

impl Wire {
    /// As a router's handlers want it.
    pub(crate) fn into_body(self) -> Body {
        match self {
            Self::Connection(body) => Body::new(body),
            Self::Other(body) => body,
        }
    }
}

impl HttpBody for Wire {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        match self.get_mut() {
            Self::Connection(body) => Pin::new(body).poll_frame(cx).map_err(axum::Error::new),
            Self::Other(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Connection(body) => body.is_end_stream(),
            Self::Other(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Connection(body) => body.size_hint(),
            Self::Other(body) => body.size_hint(),
        }
    }
}

/// What is read here.
pub(crate) trait Source: HttpBody<Data = Bytes, Error = axum::Error> + Unpin + Send {}

impl<B: HttpBody<Data = Bytes, Error = axum::Error> + Unpin + Send> Source for B {}

/// What a body may be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BodyLimits {
    pub max_bytes: usize,
    pub idle_timeout: Duration,
}

impl BodyLimits {
    /// Checks what is known before reading, and takes the room.
    pub(crate) fn admit(self, body: &impl Source, permit: Permit) -> Result<Permit, Error> {
        self.admit_inflated(body, permit, 0)
    }

    /// Like [`Self::admit`], of a body that is compressed and may become so much.
    pub(crate) fn admit_inflated(
        self,
        body: &impl Source,
        mut permit: Permit,
        most_inflated: usize,
    ) -> Result<Permit, Error> {
        let Some(announced_bytes) = body.size_hint().exact() else {
            return Ok(permit);
        };
        match usize::try_from(announced_bytes) {
            Ok(bytes) if bytes <= self.max_bytes => {
                let inflated = bytes.saturating_mul(EXPANSION).min(most_inflated);
                permit.grow(bytes.saturating_add(inflated))?;
                Ok(permit)
            }
            Ok(_) | Err(_) => Err(Error::BodyTooLarge {
                found_bytes: announced_bytes,
                exact: true,
                limit_bytes: self.max_bytes,
            }),
        }
    }

    /// Reads a body to its end.
    pub(crate) async fn read(
        self,
        body: &mut impl Source,
        permit: Permit,
    ) -> Result<Received, Error> {
        let mut reading = Reading {
            max_bytes: self.max_bytes,
            announced_bytes: body.size_hint().exact(),
            received: Gathered::default(),
            permit,
        };
        // A small one mostly came with its head: then there is nothing to be waited for, and no need of a clock.
        loop {
            match poll_once(body).await {
                Poll::Ready(Some(frame)) => reading.take(frame)?,
                Poll::Ready(None) => return Ok(reading.finish()),
                Poll::Pending => break,
            }
        }
        Box::pin(self.wait_for(body, reading)).await
    }

    /// Reads the rest of a body that is not there yet.
    async fn wait_for(
        self,
        body: &mut impl Source,
        mut reading: Reading,
    ) -> Result<Received, Error> {
        let started = Instant::now();
        let slow_at = started + SLOW.min(self.idle_timeout);
        let mut slow = None;
        loop {
            let now = Instant::now();
            let patience = started + self.idle_timeout + fair_time(reading.received.len());
            let due = patience.min(now + self.idle_timeout);
            if slow.is_none() && now >= slow_at && due > now {
                slow = Some(reading.permit.slow()?);
            }
            let wake = if slow.is_none() {
                due.min(slow_at)
            } else {
                due
            };
            let Ok(frame) = within(wake, body.frame()).await else {
                if wake < due {
                    continue;
                }
                return Err(Error::BodyStalled {
                    received_bytes: reading.received.len(),
                    elapsed_s: started.elapsed().as_secs(),
                });
            };
            match frame {
                Some(frame) => reading.take(frame)?,
                None => break,
            }
        }
        drop(slow);
        Ok(reading.finish())
    }
}

/// What a body has now, without waiting for more.
fn poll_once(body: &mut impl Source) -> impl Future<Output = Poll<Option<Read>>> {
    poll_fn(move |context| Poll::Ready(Pin::new(&mut *body).poll_frame(context)))
}

/// What is read of a body at once.
type Read = Result<Frame<Bytes>, axum::Error>;

/// What is there of a body, and what it may become.
struct Reading {
    max_bytes: usize,
    announced_bytes: Option<u64>,
    received: Gathered,
    permit: Permit,
}

impl Reading {
    fn take(&mut self, frame: Read) -> Result<(), Error> {
        let received_bytes = self.received.len();
        let frame = frame.map_err(|error| Error::BodyBroken {
            received_bytes,
            cause: error.to_string(),
        })?;
        // Trailers say nothing to us.
        let Ok(data) = frame.into_data() else {
            return Ok(());
        };
        let total_bytes = received_bytes + data.len();
        if total_bytes > self.max_bytes {
            return Err(Error::BodyTooLarge {
                found_bytes: self.max_bytes as u64,
                exact: false,
                limit_bytes: self.max_bytes,
            });
        }
        if self.announced_bytes.is_none() {
            self.permit
                .grow_to(total_bytes.next_multiple_of(STEP_BYTES))?;
        }
        self.received.push(data, self.announced_bytes);
        Ok(())
    }

    fn finish(self) -> Received {
        Received {
            bytes: self.received.finish(),
            permit: self.permit,
        }
    }
}

/// Reads on and forgets, for a while; answers whether the end has come. A sender that is cut off while
/// it still writes does not get to see the answer: it takes the cut for a fault of the network and
/// sends the same again.
pub(crate) async fn linger(body: &mut impl Source, most_bytes: usize) -> bool {
    linger_for(body, most_bytes, LINGER).await
}

/// The same of a body that is small and, most likely, here: under overload, no more than that.
pub(crate) async fn linger_briefly(body: &mut impl Source) -> bool {
    let upper = body.size_hint().upper();
    let is_small = upper.is_some_and(|bytes| bytes <= STEP_BYTES as u64);
    is_small && linger_for(body, STEP_BYTES, LINGER_BRIEFLY).await
}

async fn linger_for(body: &mut impl Source, most_bytes: usize, time: Duration) -> bool {
    let mut left_bytes = most_bytes;
    let until = Instant::now() + time;
    loop {
        match timeout_at(until, body.frame()).await {
            Ok(Some(Ok(frame))) => {
                let bytes = frame.data_ref().map_or(0, Bytes::len);
                match left_bytes.checked_sub(bytes) {
                    Some(rest) => left_bytes = rest,
                    None => return false,
                }
            }
            Ok(None) => return true,
            Ok(Some(Err(_))) | Err(_) => return false,
        }
    }
}

fn fair_time(received_bytes: usize) -> Duration {
    Duration::from_secs(received_bytes as u64 / SLOWEST_BYTES_PER_SECOND)
}

/// One piece as it came, or all of them joined.
#[derive(Debug, Default)]
struct Gathered {
    only: Bytes,
    joined: BytesMut,
}

impl Gathered {
    fn len(&self) -> usize {
        self.only.len() + self.joined.len()
    }

    fn push(&mut self, data: Bytes, announced_bytes: Option<u64>) {
        if self.len() == 0 {
            self.only = data;
            return;
        }
        if self.joined.is_empty() {
            let announced = announced_bytes.and_then(|bytes| usize::try_from(bytes).ok());
            self.joined
                .reserve(announced.unwrap_or(self.only.len() + data.len()));
            self.joined
                .extend_from_slice(&std::mem::take(&mut self.only));
        }
        self.joined.extend_from_slice(&data);
    }

    fn finish(self) -> Bytes {
        if self.joined.is_empty() {
            self.only
        } else {
            self.joined.freeze()
        }
    }
}

#[cfg(test)]
mod tests;
