//! A store that takes remote write, counts what it takes, and misbehaves on demand.
//!
//! Real stores are killed, paused and cut off by the suite, too; this one does what they cannot be
//! asked for.

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use codec::wire::v1::WriteRequest;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use prost::Message as _;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::load::Number;
use crate::tally::Tally;

/// No request is larger.
const LIMIT_BYTES: usize = 256 << 20;

/// How it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    /// Takes everything.
    Good,
    /// Takes everything, and says so late.
    Slow(Duration),
    /// Takes nothing and answers this.
    Says(u16),
    /// Refuses, with 400, each request that has a sample of the first series of a sender.
    RefusesSome,
    /// Refuses everything with 400.
    RefusesAll,
    /// Answers what is not HTTP.
    Garbage,
}

/// Whether a store in the mood [`Mood::RefusesSome`] refuses this sample.
pub(crate) fn is_refused(number: Number) -> bool {
    number.slot == 0
}

#[derive(Debug)]
struct Shared {
    mood: Mutex<Mood>,
    tally: Mutex<Tally>,
}

/// A running store; dropping it ends it.
#[derive(Debug)]
pub(crate) struct Receiver {
    port: u16,
    shared: Arc<Shared>,
    /// Dropped, it ends the server.
    _running: oneshot::Sender<Infallible>,
}

impl Receiver {
    pub(crate) fn start(tally: Tally) -> anyhow::Result<Self> {
        let port = testkit::free_port();
        let shared = Arc::new(Shared {
            mood: Mutex::new(Mood::Good),
            tally: Mutex::new(tally),
        });
        let (running, ended) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, port)))?;
        let serving = Arc::clone(&shared);
        std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        () = accept(listener, serving) => {}
                        _ = ended => {}
                    }
                });
            })?;
        Ok(Self {
            port,
            shared,
            _running: running,
        })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/api/v1/write", self.port)
    }

    /// Changes how it answers from the next request on.
    pub(crate) fn set(&self, mood: Mood) {
        *lock(&self.shared.mood) = mood;
    }

    /// What it has taken.
    pub(crate) fn tally(&self) -> MutexGuard<'_, Tally> {
        lock(&self.shared.tally)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    connections.spawn(connection(stream, Arc::clone(&shared)));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(mut stream: TcpStream, shared: Arc<Shared>) {
    if *lock(&shared.mood) == Mood::Garbage {
        // The peer may not wait for it.
        stream
            .write_all(b"\x16\x03\x01 SSH-2.0 220 hello\r\n\r\n\0\0")
            .await
            .unwrap_or_default();
        return;
    }
    let service = service_fn(|request| answer(request, &shared));
    let serving = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    // A client that goes away is the client's affair.
    serving.await.unwrap_or_default();
}

async fn answer(
    request: Request<Incoming>,
    shared: &Shared,
) -> anyhow::Result<Response<Full<Bytes>>> {
    let body = request.into_body().collect().await?.to_bytes();
    let mood = *lock(&shared.mood);
    let (status, words) = match mood {
        Mood::Good => (take(&body, shared, false)?, ""),
        Mood::Slow(delay) => {
            tokio::time::sleep(delay).await;
            (take(&body, shared, false)?, "")
        }
        Mood::Says(status) => (StatusCode::from_u16(status)?, "as told"),
        Mood::RefusesSome => (take(&body, shared, true)?, "label value is not wanted here"),
        Mood::RefusesAll => (StatusCode::BAD_REQUEST, "nothing is wanted here"),
        Mood::Garbage => anyhow::bail!("the connection ends without an answer"),
    };
    let mut response = Response::new(Full::from(words));
    *response.status_mut() = status;
    Ok(response)
}

fn take(body: &[u8], shared: &Shared, is_choosy: bool) -> anyhow::Result<StatusCode> {
    let body = codec::snappy::decompress(body, LIMIT_BYTES).context("not snappy")?;
    let request = WriteRequest::decode(body)?;
    let values = || request.timeseries.iter().flat_map(|series| &series.samples);
    let is_bad = |value: f64| Number::of(value).is_none_or(is_refused);
    if is_choosy && values().any(|sample| is_bad(sample.value)) {
        return Ok(StatusCode::BAD_REQUEST);
    }
    let mut tally = lock(&shared.tally);
    for series in &request.timeseries {
        for sample in &series.samples {
            let labels = series.labels.iter();
            let labels = labels.map(|label| (label.name.as_str(), label.value.as_str()));
            tally.see(labels, sample.timestamp, sample.value);
        }
    }
    Ok(StatusCode::NO_CONTENT)
}
