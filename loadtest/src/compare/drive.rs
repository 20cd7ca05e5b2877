//! Connections that each send as fast as they are answered, and what they were answered.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use hdrhistogram::Histogram;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use super::ledger::Acknowledged;
use crate::bodies::{Bodies, Compressor};
use crate::load::Load;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// What a sender does after anything but a 2xx.
const BACK_OFF: Duration = Duration::from_millis(100);

/// Where and how to send.
#[derive(Debug)]
pub(crate) struct Target {
    /// `host:port`.
    pub address: String,
    pub path: &'static str,
    pub load: Load,
}

/// Makes bodies whose values are never used twice.
pub(crate) struct Maker {
    bodies: Bodies,
    compressor: Compressor,
    next: u64,
    last_ms: u64,
    turn: u64,
}

impl Maker {
    pub(crate) fn new(load: &Load) -> anyhow::Result<Self> {
        Ok(Self {
            bodies: Bodies::new(load),
            compressor: Compressor::new(load.compression())?,
            next: 0,
            last_ms: 0,
            turn: 0,
        })
    }

    /// A connection's next body, and the number of its first sample.
    pub(crate) fn make(&mut self, connection: u64, now_ms: u64) -> anyhow::Result<(Bytes, u64)> {
        let first = self.next;
        self.next += self.bodies.batch();
        self.turn += 1;
        // A series has one sample per millisecond at most.
        self.last_ms = now_ms.max(self.last_ms + 1);
        let body = self.bodies.make(connection, self.turn, self.last_ms, first);
        let mut bytes = Vec::with_capacity(body.len());
        self.compressor.append(body, &mut bytes)?;
        Ok((bytes.into(), first))
    }
}

/// What the connections saw.
pub(crate) struct Seen {
    pub acknowledged: Acknowledged,
    /// Answers by status, `none` for none at all, in the time that counts.
    pub answers: BTreeMap<String, u64>,
    /// Microseconds until a 2xx, in the time that counts.
    pub latency_us: Histogram<u64>,
}

impl Seen {
    pub(crate) fn new(batch: u64) -> anyhow::Result<Self> {
        Ok(Self {
            acknowledged: Acknowledged {
                batch,
                ..Acknowledged::default()
            },
            answers: BTreeMap::new(),
            latency_us: Histogram::new(3)?,
        })
    }
}

/// Sends until `until`; what is answered from `counts_from` on counts.
pub(crate) async fn send(
    target: Rc<Target>,
    maker: Rc<std::cell::RefCell<Maker>>,
    seen: Rc<std::cell::RefCell<Seen>>,
    connection: u64,
    (counts_from, until): (Instant, Instant),
) -> anyhow::Result<()> {
    let mut client = None;
    loop {
        let sent = Instant::now();
        if sent >= until {
            return Ok(());
        }
        let (body, first) = maker.borrow_mut().make(connection, super::unix_ms()?)?;
        let status = match timeout(PATIENCE, post(&mut client, &target, body)).await {
            Ok(Ok(status)) => Some(status),
            // Refused, cut off or too late: a sender cannot tell, and opens another connection.
            Ok(Err(_)) | Err(_) => {
                client = None;
                None
            }
        };
        let is_success = status.is_some_and(|status| (200..300).contains(&status));
        {
            let mut seen = seen.borrow_mut();
            if is_success {
                seen.acknowledged.firsts.insert(first);
            }
            let answered = Instant::now();
            if answered >= counts_from && answered < until {
                let name = status.map_or_else(|| "none".to_owned(), |status| status.to_string());
                *seen.answers.entry(name).or_insert(0) += 1;
                if is_success {
                    let micros = u64::try_from((answered - sent).as_micros())?;
                    seen.latency_us.record(micros)?;
                }
            }
        }
        if !is_success {
            sleep(BACK_OFF).await;
        }
    }
}

/// Sends one body over a connection of its own: the status, or `None` if no answer came in time.
pub(crate) async fn once(target: &Target, body: Bytes, patience: Duration) -> Option<u16> {
    let answer = timeout(patience, post(&mut None, target, body)).await;
    answer.ok().and_then(Result::ok)
}

async fn post(
    client: &mut Option<SendRequest<Full<Bytes>>>,
    target: &Target,
    body: Bytes,
) -> anyhow::Result<u16> {
    let sender = match client {
        // A server may have closed it since.
        Some(sender) if !sender.is_closed() => sender,
        _ => client.insert(connect(&target.address).await?),
    };
    let mut request = http::Request::post(target.path).header(http::header::HOST, &target.address);
    for (name, value) in target.load.protocol.headers() {
        request = request.header(*name, *value);
    }
    if let Some(encoding) = target.load.compression().header() {
        request = request.header(http::header::CONTENT_ENCODING, encoding);
    }
    sender.ready().await?;
    let response = sender.send_request(request.body(Full::new(body))?).await?;
    let status = response.status().as_u16();
    response.into_body().collect().await?;
    Ok(status)
}

async fn connect(address: &str) -> anyhow::Result<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(address)
        .await
        .with_context(|| format!("nothing listens at {address}"))?;
    stream.set_nodelay(true)?;
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    #[expect(
        clippy::disallowed_methods,
        reason = "a client has no shutdown to wait for"
    )]
    tokio::spawn(async move { connection.await.unwrap_or_default() });
    Ok(sender)
}
