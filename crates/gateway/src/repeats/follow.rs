//! The task that sees requests to their end, and what it keeps of their answers.

use std::pin::Pin;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use http_body_util::{BodyExt as _, Full};
use service::tasks::CancellationToken;
use tokio::sync::{mpsc, oneshot};

use super::First;
use crate::answer::Meant;
use crate::coalesce::{Settled, Settling};
use crate::protocol::show_durability;

/// Says that nothing was stored this time, because it was before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// What a header takes beside its texts, about.
const HEADER_BYTES: usize = 64;

/// A request whose samples are on their way to the buffer.
#[derive(Debug)]
pub(super) struct Follow {
    pub(super) first: First,
    pub(super) settled: Settling,
    /// The answer, once the buffer has everything.
    pub(super) response: Response,
    /// Whoever waits for the buffer, if it still does.
    pub(super) answered: oneshot::Sender<Settled>,
}

impl Follow {
    async fn run(self) {
        let Self {
            first,
            settled,
            mut response,
            answered,
        } = self;
        let settled = settled.await;
        if let Ok(durability) = &settled {
            show_durability(&mut response, *durability);
            if let Some(answer) = Answer::of(response).await {
                first.remember(answer);
            }
        } else {
            drop(first);
        }
        // An error means that the request was given up meanwhile.
        answered.send(settled).unwrap_or_default();
    }
}

type Following = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Follows requests until told to stop, and then those that are open.
pub(super) async fn run(mut new: mpsc::Receiver<Follow>, stopping: CancellationToken) {
    let mut open: FuturesUnordered<Following> = FuturesUnordered::new();
    loop {
        let is_idle = open.is_empty();
        tokio::select! {
            Some(()) = open.next(), if !is_idle => {}
            Some(follow) = new.recv() => open.push(Box::pin(follow.run())),
            () = stopping.cancelled(), if is_idle && new.is_empty() => return,
        }
    }
}

/// An answer that can be given again.
#[derive(Debug)]
pub(crate) struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    trailers: Option<HeaderMap>,
    meant: Option<Meant>,
}

impl Answer {
    /// What a response says; none if it cannot be read, which ours can.
    pub(super) async fn of(response: Response) -> Option<Self> {
        let (parts, body) = response.into_parts();
        let body = body.collect().await.ok()?;
        Some(Self {
            status: parts.status,
            headers: parts.headers,
            trailers: body.trailers().cloned(),
            body: body.to_bytes(),
            meant: parts.extensions.get::<Meant>().copied(),
        })
    }

    /// What it takes, about.
    pub(super) fn bytes(&self) -> usize {
        let of = |headers: &HeaderMap| {
            let each = headers
                .iter()
                .map(|(name, value)| HEADER_BYTES + name.as_str().len() + value.len());
            each.sum::<usize>()
        };
        self.body.len() + of(&self.headers) + self.trailers.as_ref().map_or(0, of)
    }

    /// The same answer, saying that it is a repeat.
    pub(crate) fn again(&self) -> Response {
        let body = Full::new(self.body.clone());
        let body = match self.trailers.clone() {
            Some(trailers) => Body::new(body.with_trailers(async move { Some(Ok(trailers)) })),
            None => Body::new(body),
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers.clone();
        let replayed = HeaderValue::from_static("true");
        response.headers_mut().insert(REPLAYED, replayed);
        if let Some(meant) = self.meant {
            response.extensions_mut().insert(meant);
        }
        response
    }
}
