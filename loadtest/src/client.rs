//! One connection with one request in flight.
//!
//! HTTP/1.1 is spoken by hand: a client library costs the generator more than some gateways cost,
//! and all that is needed of an answer is its status, `Retry-After` and its end.

mod answer;
mod http1;
mod http2;

use std::time::Duration;

use anyhow::Context;
use tokio::net::TcpStream;

use crate::load::{Http, Load};

/// What a server said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub status: u16,
    /// How long it asks to be left alone.
    pub retry_after: Option<Duration>,
    /// Whether some of the samples were refused, although the status is a 2xx.
    pub is_partial: bool,
}

/// What all requests of a run have in common.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub target: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub protocol: crate::protocol::Protocol,
    pub http: Http,
}

impl Request {
    pub(crate) fn new(target: &str, load: &Load) -> Self {
        let own = load.protocol.headers().iter().copied();
        let encoding = load.compression().header();
        let encoding = encoding.map(|encoding| ("content-encoding", encoding));
        Self {
            target: target.to_owned(),
            path: load
                .path
                .clone()
                .unwrap_or_else(|| load.protocol.path().to_owned()),
            headers: own
                .chain(encoding)
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            protocol: load.protocol,
            http: load.http,
        }
    }

    async fn stream(&self) -> anyhow::Result<TcpStream> {
        let stream = TcpStream::connect(&self.target)
            .await
            .with_context(|| format!("nothing listens at {}", self.target))?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

/// A keep-alive connection.
pub(crate) enum Client {
    Http1(http1::Client),
    Http2(http2::Client),
}

impl Client {
    pub(crate) async fn connect(request: &Request) -> anyhow::Result<Self> {
        let stream = request.stream().await?;
        Ok(match request.http {
            Http::One => Self::Http1(http1::Client::new(stream, request)),
            Http::Two => Self::Http2(http2::Client::new(stream, request).await?),
        })
    }

    /// Where the next body is put; empty.
    pub(crate) fn body(&mut self) -> &mut Vec<u8> {
        match self {
            Self::Http1(client) => client.body(),
            Self::Http2(client) => client.body(),
        }
    }

    /// Posts the body.
    pub(crate) async fn post(&mut self) -> anyhow::Result<Answer> {
        match self {
            Self::Http1(client) => client.post().await,
            Self::Http2(client) => client.post().await,
        }
    }

    /// Whether it takes another request.
    pub(crate) fn is_open(&self) -> bool {
        match self {
            Self::Http1(client) => client.is_open(),
            Self::Http2(client) => client.is_open(),
        }
    }
}
