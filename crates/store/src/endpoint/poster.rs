//! Posts batches, and turns what a store means by its answer into what the consumer does next.
//!
//! Only an answer that is about the *samples* refuses them. What is about us (a wrong password, a missing database) is
//! retried: a setting can be repaired while the buffer keeps the samples, a dead-lettered day cannot.

use std::time::Instant;

use http::header::{HeaderName, LOCATION};
use reqwest::Url;
use service::log_limit::LogLimit;

use super::words::shortened;
use super::{Answer, Endpoint, OpenError, Sent, Settings, retry_after};
use crate::{WriteError, metrics};

/// What an answer that is no success means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// Passing.
    Later,
    /// A person must act, and this is the hint; until then it is passing.
    Misconfigured(&'static str),
    /// The samples are not wanted, with a stable code.
    Refused(&'static str),
}

impl Meaning {
    /// What a status means wherever HTTP is spoken, for those that a store gives no meaning of its own.
    pub(crate) fn of_status(answer: &Answer) -> Self {
        match answer.status.as_u16() {
            413 => Self::Refused("too_large"),
            408 | 425 | 429 | 500..=599 => Self::Later,
            401 | 403 => Self::Misconfigured("check the store's credentials and what they may do"),
            404 | 405 | 410 => Self::Misconfigured("check the store's url"),
            300..=399 => Self::Misconfigured("redirects are not followed, check the store's url"),
            _ => Self::Misconfigured("which is not about the samples"),
        }
    }
}

/// An endpoint with what is said and counted about it.
#[derive(Debug)]
pub(crate) struct Poster {
    endpoint: Endpoint,
    /// The store's name.
    store: String,
    misconfigured: LogLimit,
}

impl Poster {
    /// As [`Endpoint::open`].
    pub(crate) fn open(
        settings: &Settings<'_>,
        protocol: &[(HeaderName, &'static str)],
        store: &str,
    ) -> Result<Self, OpenError> {
        Ok(Self {
            endpoint: Endpoint::open(settings, protocol, store)?,
            store: store.to_owned(),
            misconfigured: LogLimit::new(),
        })
    }

    /// Where requests go.
    pub(crate) fn url(&self) -> &Url {
        self.endpoint.url()
    }

    /// Posts a batch, counts it, and says what became of it.
    pub(crate) async fn write(
        &self,
        url: &Url,
        body: Vec<u8>,
        meaning: impl Fn(&Answer) -> Meaning,
    ) -> Result<(), WriteError> {
        self.write_with(url, &[], body, meaning).await
    }

    /// The same with headers of this batch.
    pub(crate) async fn write_with(
        &self,
        url: &Url,
        headers: &[(HeaderName, &'static str)],
        body: Vec<u8>,
        meaning: impl Fn(&Answer) -> Meaning,
    ) -> Result<(), WriteError> {
        let started = Instant::now();
        let body_bytes = body.len();
        let sent = self.endpoint.post(url, headers, body).await;
        let result = self.judged(sent, meaning).map(drop);
        metrics::request(&self.store, &result, body_bytes, started.elapsed());
        result
    }

    /// Posts what is not a batch, and hands back the start of the answer.
    pub(crate) async fn ask(
        &self,
        url: &Url,
        body: Vec<u8>,
        meaning: impl Fn(&Answer) -> Meaning,
    ) -> Result<String, WriteError> {
        let sent = self.endpoint.post(url, &[], body).await;
        self.judged(sent, meaning)
    }

    fn judged(
        &self,
        sent: Sent,
        meaning: impl Fn(&Answer) -> Meaning,
    ) -> Result<String, WriteError> {
        let answer = match sent {
            Sent::Answered(answer) if answer.status.is_success() => return Ok(answer.words),
            Sent::Answered(answer) => answer,
            Sent::Unanswered(error) => return Err(error),
            Sent::NoCredentials(error) => return Err(self.misconfigured(error)),
        };
        let (status, words) = (answer.status, shortened(&answer.words));
        let meant = meaning(&answer);
        let mut message = format!("the store answered {status}");
        if let Meaning::Misconfigured(hint) = meant {
            message = format!("{message} ({hint})");
            if let Some(to) = answer.headers.get(LOCATION) {
                let to = shortened(&String::from_utf8_lossy(to.as_bytes()));
                message = format!("{message}, it points to {to}");
            }
        }
        if !words.is_empty() {
            message = format!("{message}: {words}");
        }
        if let Meaning::Refused(reason) = meant {
            return Err(WriteError::Refused { reason, message });
        }
        let error = WriteError::Retryable {
            message,
            retry_after: retry_after(&answer.headers, service::clock::now_ms()),
        };
        match meant {
            Meaning::Misconfigured(_) => Err(self.misconfigured(error)),
            Meaning::Later | Meaning::Refused(_) => Err(error),
        }
    }

    /// Says once in a while that a person must act.
    pub(crate) fn misconfigured(&self, error: WriteError) -> WriteError {
        if let Some(suppressed) = self.misconfigured.pass() {
            tracing::error!(
                store = self.store,
                host = self.url().host_str(),
                path = self.url().path(),
                %error,
                suppressed,
                "nothing reaches the store until a setting is repaired; the buffer keeps the samples meanwhile"
            );
        }
        error
    }
}
