//! A remote-write receiver that keeps nothing, and counts if it is told to.

use std::collections::HashMap;
use std::convert::Infallible;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use codec::wire::{v1, v2};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use prost::Message as _;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

/// No request is larger.
const LIMIT_BYTES: usize = 1 << 30;

/// What came.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub(super) struct Seen {
    pub(super) requests: u64,
    /// Compressed.
    pub(super) bytes: u64,
    /// Each once, however often it came; 0 when nobody counts.
    pub(super) samples: u64,
    /// Samples that are older than one of their series that came before.
    pub(super) disorder: u64,
    /// Per series: the time of the latest sample.
    #[serde(skip)]
    latest: HashMap<u64, i64>,
}

impl Seen {
    fn sample(&mut self, series: u64, at_ms: i64) {
        let latest = self.latest.entry(series).or_insert(i64::MIN);
        if at_ms > *latest {
            *latest = at_ms;
            self.samples += 1;
        } else if at_ms < *latest {
            self.disorder += 1;
        }
    }

    fn count(&mut self, body: &[u8], is_v2: bool) -> anyhow::Result<()> {
        let body = codec::snappy::decompress(body, LIMIT_BYTES)?;
        if is_v2 {
            let request = v2::Request::decode(body)?;
            for series in &request.timeseries {
                let texts = series.labels_refs.iter();
                let texts = texts.map(|at| request.symbols.get(*at as usize).map(String::as_str));
                let number = number_of(texts.map(Option::unwrap_or_default));
                for sample in &series.samples {
                    self.sample(number, sample.timestamp);
                }
            }
        } else {
            let request = v1::WriteRequest::decode(body)?;
            for series in &request.timeseries {
                let labels = series.labels.iter();
                let number =
                    number_of(labels.flat_map(|label| [label.name.as_str(), label.value.as_str()]));
                for sample in &series.samples {
                    self.sample(number, sample.timestamp);
                }
            }
        }
        Ok(())
    }
}

fn number_of<'a>(texts: impl Iterator<Item = &'a str>) -> u64 {
    let mut hasher = DefaultHasher::new();
    texts.for_each(|text| text.hash(&mut hasher));
    hasher.finish()
}

/// Asks a running receiver what it has seen.
pub(super) fn ask(port: u16) -> anyhow::Result<Seen> {
    let answer = testkit::http::get(port, "/seen")?;
    serde_json::from_str(&answer.text()).context("the receiver's own answer")
}

pub(super) async fn run(address: SocketAddr, verify: bool, takes: Duration) -> anyhow::Result<()> {
    let listener = TcpListener::bind(address).await?;
    let seen = Arc::new(Mutex::new(Seen::default()));
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let seen = Arc::clone(&seen);
        let service = service_fn(move |request| answer(request, Arc::clone(&seen), verify, takes));
        #[expect(
            clippy::disallowed_methods,
            reason = "whoever started this process ends it"
        )]
        tokio::spawn(async move {
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            connection.await.unwrap_or_default();
        });
    }
}

async fn answer(
    request: Request<Incoming>,
    seen: Arc<Mutex<Seen>>,
    verify: bool,
    takes: Duration,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let answer = if request.method() == Method::GET {
        let seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        let body = serde_json::to_vec(&*seen).expect("numbers are always JSON");
        Response::new(Full::new(Bytes::from(body)))
    } else {
        let version = request.headers().get("x-prometheus-remote-write-version");
        let is_v2 = version.is_some_and(|version| version.as_bytes().starts_with(b"2"));
        let mut status = StatusCode::NO_CONTENT;
        match request.into_body().collect().await {
            Ok(body) => {
                let body = body.to_bytes();
                let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
                seen.requests += 1;
                seen.bytes += body.len() as u64;
                if verify && let Err(error) = seen.count(&body, is_v2) {
                    eprintln!("a request cannot be read: {error}");
                    status = StatusCode::INTERNAL_SERVER_ERROR;
                }
            }
            Err(_) => status = StatusCode::BAD_REQUEST,
        }
        if !takes.is_zero() {
            tokio::time::sleep(takes).await;
        }
        Response::builder()
            .status(status)
            // More than any request has: all of it.
            .header("x-prometheus-remote-write-samples-written", "1000000000")
            .body(Full::default())
            .expect("a status and a header")
    };
    Ok(answer)
}
