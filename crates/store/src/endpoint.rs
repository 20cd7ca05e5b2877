//! A server that batches are posted to over HTTP: its URL, its certificates, our credentials.
//!
//! What a store's answers *mean* is the store's; here is what all of them have in common. A request is sent once:
//! trying again is the consumer's, which knows how long the buffer keeps the samples.

mod credentials;
mod poster;
mod settings;
pub(crate) mod words;

use http::header::{AUTHORIZATION, HeaderName, HeaderValue, USER_AGENT};
use http::{HeaderMap, StatusCode};
use reqwest::{Client, Response, Url};
use service::http_client::{ClientError, Timeouts, client_with};

pub use credentials::BasicAuth;
pub(crate) use credentials::{Scheme, read_secret};
pub(crate) use poster::{Meaning, Poster};
pub(crate) use settings::{Batches, Settings, parsed_url};
pub(crate) use words::retry_after;

use crate::WriteError;
use credentials::Credentials;

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

impl OpenError {
    /// A setting that is wrong.
    pub(crate) fn setting(key: impl Into<String>, why: impl std::fmt::Display) -> Self {
        Self::Setting {
            key: key.into(),
            why: why.to_string(),
        }
    }
}

/// What became of a request.
#[derive(Debug)]
pub(crate) enum Sent {
    /// The server answered.
    Answered(Answer),
    /// Nobody knows: it did not answer, or not in time.
    Unanswered(WriteError),
    /// Our credentials cannot be read; nothing was sent.
    NoCredentials(WriteError),
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// The start of its body.
    pub(crate) words: String,
}

/// A server that is ready to be posted to.
#[derive(Debug)]
pub(crate) struct Endpoint {
    client: Client,
    url: Url,
    headers: HeaderMap,
    credentials: Credentials,
}

impl Endpoint {
    /// Sets the client up; nothing is sent. `protocol` are the headers that the protocol wants, `store` is for the log.
    pub(crate) fn open(
        settings: &Settings<'_>,
        protocol: &[(HeaderName, &'static str)],
        store: &str,
    ) -> Result<Self, OpenError> {
        let url = parsed_url(settings.url).map_err(|why| OpenError::setting("url", why))?;
        if settings.tls.insecure_skip_verify {
            tracing::warn!(
                store,
                "tls.insecure_skip_verify is on: anybody between here and the store can read and change the samples"
            );
        }
        let timeouts = Timeouts {
            connect: settings.connect_timeout.0,
            request: settings.timeout.0,
        };
        Ok(Self {
            client: client_with(timeouts, settings.tls)?,
            url,
            headers: headers(settings, protocol)?,
            credentials: Credentials::of(settings),
        })
    }

    /// Where requests go.
    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// Posts a body to the endpoint's own URL or one beside it, with further headers.
    pub(crate) async fn post(
        &self,
        url: &Url,
        headers: &[(HeaderName, &'static str)],
        body: Vec<u8>,
    ) -> Sent {
        let mut request = self
            .client
            .post(url.clone())
            .headers(self.headers.clone())
            .body(body);
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        match self.credentials.header().await {
            Ok(Some(header)) => request = request.header(AUTHORIZATION, header),
            Ok(None) => {}
            Err(message) => return Sent::NoCredentials(retryable(message)),
        }
        match request.send().await {
            Ok(response) => Sent::Answered(Answer {
                status: response.status(),
                headers: response.headers().clone(),
                words: first_words(response).await,
            }),
            Err(error) => Sent::Unanswered(retryable(explained(&error.without_url()))),
        }
    }
}

fn retryable(message: String) -> WriteError {
    WriteError::Retryable {
        message,
        retry_after: None,
    }
}

fn headers(
    settings: &Settings<'_>,
    protocol: &[(HeaderName, &'static str)],
) -> Result<HeaderMap, OpenError> {
    let mut headers = HeaderMap::new();
    for (name, value) in settings.headers {
        let unusable =
            |why: &dyn std::fmt::Display| OpenError::setting(format!("headers.{name}"), why);
        let header: HeaderName = name.parse().map_err(|error| unusable(&error))?;
        let mut value = HeaderValue::from_str(value.expose()).map_err(|error| unusable(&error))?;
        // It may be a key.
        value.set_sensitive(true);
        headers.insert(header, value);
    }
    for (name, value) in protocol {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(
        USER_AGENT,
        HeaderValue::from_static(concat!("sluice/", env!("CARGO_PKG_VERSION"))),
    );
    Ok(headers)
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
pub(crate) fn explained(error: &dyn std::error::Error) -> String {
    let mut text = format!("the store did not answer: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
