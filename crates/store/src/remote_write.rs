//! Prometheus remote write, 1.0 and 2.0.
//!
//! One request per batch and one batch in flight per shard, so samples of a series arrive in order.
//! A batch is answered `Ok` only after the store's 2xx. What the other answers mean is in [`answer`].

mod answer;
mod config;
mod encode;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Instant;

use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderName};
use service::log_limit::LogLimit;

pub use crate::endpoint::{BasicAuth, OpenError};
pub use config::{Config, Names, Version};

use crate::endpoint::{self, Answer, Endpoint};
use crate::{Batch, Batching, Lanes, Write, WriteError, metrics};
#[doc(hidden)]
pub use answer::fuzzed_answer;
use answer::{Sent, Verdict};
use encode::{Encoded, Encoders};

/// A remote-write store. Clones share their connections.
#[derive(Debug, Clone)]
pub struct RemoteWrite {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// The store's name, for metrics and logs.
    store: String,
    config: Config,
    lanes: NonZeroUsize,
    endpoint: Endpoint,
    encoders: Encoders,
    misconfigured: LogLimit,
    written_less: LogLimit,
}

impl RemoteWrite {
    /// Sets the client up; nothing is sent. `store` is the store's name, for metrics and logs.
    ///
    /// # Errors
    /// When a setting or a certificate file cannot be used.
    pub fn new(config: Config, store: impl Into<String>) -> Result<Self, OpenError> {
        config
            .check()
            .map_err(|(key, why)| OpenError::setting(key, why))?;
        let lanes = config.batches().lanes()?;
        let store = store.into();
        let shared = Shared {
            endpoint: Endpoint::open(&config.endpoint(), &protocol(config.version), &store)?,
            encoders: Encoders::new(&config),
            misconfigured: LogLimit::new(),
            written_less: LogLimit::new(),
            store,
            lanes,
            config,
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }
}

fn protocol(version: Version) -> [(HeaderName, &'static str); 3] {
    let (content_type, version) = match version {
        Version::V1 => ("application/x-protobuf", "0.1.0"),
        Version::V2 => (
            "application/x-protobuf;proto=io.prometheus.write.v2.Request",
            "2.0.0",
        ),
    };
    [
        (CONTENT_TYPE, content_type),
        (CONTENT_ENCODING, "snappy"),
        (
            HeaderName::from_static("x-prometheus-remote-write-version"),
            version,
        ),
    ]
}

impl Shared {
    async fn send(&self, body: Vec<u8>, sent: Sent) -> Verdict {
        match self.endpoint.post(self.endpoint.url(), &[], body).await {
            endpoint::Sent::Answered(Answer {
                status,
                headers,
                words,
            }) => answer::judge(sent, status, &headers, &words, service::clock::now_ms()),
            endpoint::Sent::Unanswered(error) => Verdict::Later(error),
            endpoint::Sent::NoCredentials(error) => Verdict::Misconfigured(error),
        }
    }

    fn conclude(&self, verdict: Verdict, sent: Sent) -> Result<(), WriteError> {
        match verdict {
            Verdict::Written => Ok(()),
            Verdict::WrittenLess(written) => {
                if let Some(suppressed) = self.written_less.pass() {
                    tracing::warn!(
                        store = self.store,
                        sent = sent.samples,
                        written,
                        suppressed,
                        "the store says that it wrote fewer samples than it got"
                    );
                }
                Ok(())
            }
            Verdict::Misconfigured(error) => {
                if let Some(suppressed) = self.misconfigured.pass() {
                    tracing::error!(
                        store = self.store,
                        host = self.endpoint.url().host_str(),
                        path = self.endpoint.url().path(),
                        %error,
                        suppressed,
                        "nothing reaches the store until a setting is repaired; the buffer keeps the samples meanwhile"
                    );
                }
                Err(error)
            }
            Verdict::Later(error) | Verdict::Refused(error) => Err(error),
        }
    }
}

impl Write for RemoteWrite {
    fn lanes(&self) -> Lanes {
        Lanes::BySeries(self.shared.lanes)
    }

    fn batching(&self) -> Batching {
        self.shared.config.batches().batching()
    }

    /// Nothing to undo: a store takes a sample that it has already as the same sample.
    async fn resume(&self, _partition: i32, _offset: i64) -> Result<(), WriteError> {
        Ok(())
    }

    async fn write(&self, batch: &Batch) -> Result<(), WriteError> {
        let shared = &self.shared;
        let Encoded { body, dropped } = shared.encoders.encode(batch)?;
        let Some(body) = body else {
            metrics::exemplars_dropped(&shared.store, dropped);
            return Ok(());
        };
        let body_bytes = body.len();
        let sent = Sent {
            version: shared.config.version,
            samples: batch.samples() as u64,
        };
        let started = Instant::now();
        let verdict = shared.send(body, sent).await;
        let result = shared.conclude(verdict, sent);
        metrics::request(&shared.store, &result, body_bytes, started.elapsed());
        if result.is_ok() {
            metrics::exemplars_dropped(&shared.store, dropped);
        }
        result
    }
}

#[cfg(test)]
mod tests;
