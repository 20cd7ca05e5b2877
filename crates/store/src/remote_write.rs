//! Prometheus remote write, 1.0 and 2.0.
//!
//! One request per batch and one batch in flight per shard, so samples of a series arrive in order.
//! A batch is answered `Ok` only after the store's 2xx. What the other answers mean is in [`answer`].

mod answer;
mod config;
mod encode;

use std::error::Error as _;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use http::HeaderMap;
use http::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue, USER_AGENT,
};
use reqwest::{Client, Response, Url};
use service::http_client::{ClientError, Timeouts, client_with};
use service::log_limit::LogLimit;
use service::secret::Secret;

pub use config::{BasicAuth, Config, Names, Version};

use crate::{Batch, Batching, Lanes, Write, WriteError, metrics};
#[doc(hidden)]
pub use answer::fuzzed_answer;
use answer::{Sent, Verdict};
use encode::{Encoded, Encoders};

/// Bytes of an answer's body that are read: its first words, and not what a wrong URL may serve.
const ANSWER_BYTES: usize = 4096;

/// Why a store cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A setting is not what it should be.
    #[error("{key}: {why}")]
    Setting {
        /// Below the store's own settings.
        key: String,
        /// What is wrong.
        why: String,
    },
    /// The certificates cannot be used.
    #[error("tls: {0}")]
    Client(#[from] ClientError),
}

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
    client: Client,
    url: Url,
    headers: HeaderMap,
    credentials: Credentials,
    encoders: Encoders,
    misconfigured: LogLimit,
    written_less: LogLimit,
}

/// Where the `Authorization` header comes from.
#[derive(Debug, Clone)]
enum Credentials {
    None,
    Token(Secret),
    TokenFile(PathBuf),
    Password { username: String, password: Secret },
    PasswordFile { username: String, path: PathBuf },
}

impl Credentials {
    fn of(config: &Config) -> Self {
        if let Some(token) = &config.bearer_token {
            return Self::Token(token.clone());
        }
        if let Some(path) = &config.bearer_token_file {
            return Self::TokenFile(path.clone());
        }
        match config.basic_auth.clone() {
            Some(BasicAuth {
                username,
                password_file: Some(path),
                ..
            }) => Self::PasswordFile { username, path },
            Some(BasicAuth {
                username, password, ..
            }) => Self::Password {
                username,
                password: password.unwrap_or_default(),
            },
            None => Self::None,
        }
    }

    /// The header's value as of now; files are read again, because tokens are replaced while we run.
    async fn header(&self) -> Result<Option<HeaderValue>, String> {
        let text = match self {
            Self::None => return Ok(None),
            Self::Token(token) => bearer(token.expose()),
            Self::TokenFile(path) => bearer(read(path).await?.expose()),
            Self::Password { username, password } => basic(username, password.expose()),
            Self::PasswordFile { username, path } => basic(username, read(path).await?.expose()),
        };
        let mut header = HeaderValue::try_from(text.expose())
            .map_err(|_| "the store's credentials contain control characters".to_owned())?;
        header.set_sensitive(true);
        Ok(Some(header))
    }
}

fn bearer(token: &str) -> Secret {
    Secret::new(format!("Bearer {token}"))
}

fn basic(username: &str, password: &str) -> Secret {
    use base64::Engine as _;
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("{username}:{password}"));
    Secret::new(format!("Basic {pair}"))
}

async fn read(path: &Path) -> Result<Secret, String> {
    let owned = path.to_owned();
    let read = tokio::task::spawn_blocking(move || std::fs::read_to_string(owned)).await;
    let failed = |error: &dyn std::fmt::Display| {
        format!("cannot read the credentials in {}: {error}", path.display())
    };
    match read {
        Ok(Ok(text)) => Ok(Secret::new(text.trim())),
        Ok(Err(error)) => Err(failed(&error)),
        Err(error) => Err(failed(&error)),
    }
}

impl RemoteWrite {
    /// Sets the client up; nothing is sent. `store` is the store's name, for metrics and logs.
    ///
    /// # Errors
    /// When a setting or a certificate file cannot be used.
    pub fn new(config: Config, store: impl Into<String>) -> Result<Self, OpenError> {
        config
            .check()
            .map_err(|(key, why)| OpenError::Setting { key, why })?;
        let setting = |key: &str, why: String| OpenError::Setting {
            key: key.to_owned(),
            why,
        };
        let url = config.parsed_url().map_err(|why| setting("url", why))?;
        let lanes = NonZeroUsize::new(config.shards)
            .ok_or_else(|| setting("shards", "must be more than 0".to_owned()))?;
        let timeouts = Timeouts {
            connect: config.connect_timeout.0,
            request: config.timeout.0,
        };
        let store = store.into();
        if config.tls.insecure_skip_verify {
            tracing::warn!(
                store,
                "tls.insecure_skip_verify is on: anybody between here and the store can read and change the samples"
            );
        }
        let shared = Shared {
            client: client_with(timeouts, &config.tls)?,
            headers: headers(&config)?,
            credentials: Credentials::of(&config),
            encoders: Encoders::new(&config),
            misconfigured: LogLimit::new(),
            written_less: LogLimit::new(),
            store,
            lanes,
            url,
            config,
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }
}

fn headers(config: &Config) -> Result<HeaderMap, OpenError> {
    let (content_type, version) = match config.version {
        Version::V1 => ("application/x-protobuf", "0.1.0"),
        Version::V2 => (
            "application/x-protobuf;proto=io.prometheus.write.v2.Request",
            "2.0.0",
        ),
    };
    let mut headers = HeaderMap::new();
    for (name, value) in &config.headers {
        let unusable = |why: &dyn std::fmt::Display| OpenError::Setting {
            key: format!("headers.{name}"),
            why: why.to_string(),
        };
        let header: HeaderName = name.parse().map_err(|error| unusable(&error))?;
        let mut value = HeaderValue::from_str(value.expose()).map_err(|error| unusable(&error))?;
        // It may be a key.
        value.set_sensitive(true);
        headers.insert(header, value);
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CONTENT_ENCODING, HeaderValue::from_static("snappy"));
    headers.insert(
        HeaderName::from_static("x-prometheus-remote-write-version"),
        HeaderValue::from_static(version),
    );
    headers.insert(
        USER_AGENT,
        HeaderValue::from_static(concat!("sluice/", env!("CARGO_PKG_VERSION"))),
    );
    Ok(headers)
}

impl Shared {
    async fn send(&self, body: Vec<u8>, sent: Sent) -> Verdict {
        let mut request = self
            .client
            .post(self.url.clone())
            .headers(self.headers.clone())
            .body(body);
        match self.credentials.header().await {
            Ok(Some(header)) => request = request.header(AUTHORIZATION, header),
            Ok(None) => {}
            Err(message) => {
                return Verdict::Misconfigured(WriteError::Retryable {
                    message,
                    retry_after: None,
                });
            }
        }
        match request.send().await {
            Ok(response) => {
                let status = response.status();
                let headers = response.headers().clone();
                let words = if status.is_success() {
                    String::new()
                } else {
                    first_words(response).await
                };
                answer::judge(sent, status, &headers, &words, service::clock::now_ms())
            }
            Err(error) => Verdict::Later(WriteError::Retryable {
                message: explained(&error.without_url()),
                retry_after: None,
            }),
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
                        host = self.url.host_str(),
                        path = self.url.path(),
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

/// The start of an answer's body, as far as it came.
async fn first_words(mut response: Response) -> String {
    let mut words = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        words.extend_from_slice(&chunk);
        if words.len() >= ANSWER_BYTES {
            words.truncate(ANSWER_BYTES);
            break;
        }
    }
    String::from_utf8_lossy(&words).into_owned()
}

/// An error with its causes: the first line alone says only that the request failed.
fn explained(error: &reqwest::Error) -> String {
    let mut text = format!("the store did not answer: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

impl Write for RemoteWrite {
    fn lanes(&self) -> Lanes {
        Lanes::BySeries(self.shared.lanes)
    }

    fn batching(&self) -> Batching {
        let config = &self.shared.config;
        Batching {
            max_samples: config.max_samples,
            max_bytes: config.max_size.bytes(),
            max_age: config.max_age.0,
        }
    }

    /// Nothing to undo: a store takes a sample that it has already as the same sample.
    async fn resume(&self, _partition: i32, _offset: i64) -> Result<(), WriteError> {
        Ok(())
    }

    async fn write(&self, batch: &Batch) -> Result<(), WriteError> {
        let shared = &self.shared;
        let Encoded { body, dropped } = shared.encoders.encode(batch);
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
