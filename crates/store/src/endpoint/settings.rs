//! What the settings of all stores that are reached over HTTP have in common, and what can be wrong with it.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use http::header::{HeaderName, HeaderValue};
use reqwest::Url;
use service::http_client::Tls;
use service::secret::Secret;
use service::units::{Period, Size};

use super::{BasicAuth, OpenError, Scheme};
use crate::Batching;

/// Headers that the protocol, the HTTP client or another setting decides.
const RESERVED: [&str; 8] = [
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "host",
    "transfer-encoding",
    "user-agent",
];

type Check = Result<(), (String, String)>;

fn refuse(key: &str, why: &str) -> Check {
    Err((key.to_owned(), why.to_owned()))
}

/// Where a store is, and who we are there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings<'a> {
    pub(crate) url: &'a str,
    pub(crate) timeout: Period,
    pub(crate) connect_timeout: Period,
    pub(crate) scheme: Scheme,
    pub(crate) bearer_token: Option<&'a Secret>,
    pub(crate) bearer_token_file: Option<&'a PathBuf>,
    pub(crate) basic_auth: Option<&'a BasicAuth>,
    pub(crate) headers: &'a BTreeMap<String, Secret>,
    pub(crate) tls: &'a Tls,
    /// Headers that this protocol decides beside those that all do.
    pub(crate) reserved: &'static [&'static str],
}

impl Settings<'_> {
    /// Checks what one field alone cannot say.
    pub(crate) fn check(&self) -> Check {
        if let Err(why) = parsed_url(self.url) {
            return refuse("url", &why);
        }
        for (key, period) in [
            ("timeout", self.timeout),
            ("connect_timeout", self.connect_timeout),
        ] {
            if period.0.is_zero() {
                return refuse(key, "must be longer than 0s");
            }
        }
        self.check_credentials()?;
        self.check_headers()
    }

    fn check_headers(&self) -> Check {
        for (name, value) in self.headers {
            let key = format!("headers.{name}");
            let Ok(header) = name.parse::<HeaderName>() else {
                return refuse(&key, "is not a header name");
            };
            let header = header.as_str();
            if RESERVED.contains(&header) || self.reserved.contains(&header) {
                return refuse(
                    &key,
                    "is set by Sluice; credentials have settings of their own",
                );
            }
            if HeaderValue::from_str(value.expose()).is_err() {
                return refuse(&key, "has a value with control characters");
            }
        }
        Ok(())
    }

    fn check_credentials(&self) -> Check {
        let given = [
            ("bearer_token", self.bearer_token.is_some()),
            ("bearer_token_file", self.bearer_token_file.is_some()),
            ("basic_auth", self.basic_auth.is_some()),
        ];
        let mut given = given.iter().filter(|(_, given)| *given);
        if let (Some((first, _)), Some((second, _))) = (given.next(), given.next()) {
            return refuse(second, &format!("cannot be set together with {first}"));
        }
        if let Some(basic) = self.basic_auth {
            if basic.username.is_empty() {
                return refuse("basic_auth.username", "is required");
            }
            if basic.username.contains(':') {
                return refuse("basic_auth.username", "cannot contain a colon");
            }
            if basic.password.is_some() == basic.password_file.is_some() {
                return refuse(
                    "basic_auth.password",
                    "give either the password or password_file",
                );
            }
        }
        if self.tls.cert_file.is_some() != self.tls.key_file.is_some() {
            return refuse("tls.cert_file", "cert_file and key_file belong together");
        }
        Ok(())
    }
}

/// How a store is written to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Batches {
    pub(crate) shards: usize,
    pub(crate) max_samples: usize,
    pub(crate) max_size: Size,
    pub(crate) max_age: Period,
}

impl Batches {
    /// When a batch is closed.
    pub(crate) fn batching(&self) -> Batching {
        Batching {
            max_samples: self.max_samples,
            max_bytes: self.max_size.bytes(),
            max_age: self.max_age.0,
        }
    }

    /// How many batches are under way at once, each of series of its own.
    pub(crate) fn lanes(&self) -> Result<NonZeroUsize, OpenError> {
        NonZeroUsize::new(self.shards)
            .ok_or_else(|| OpenError::setting("shards", "must be more than 0"))
    }

    pub(crate) fn check(&self) -> Check {
        if self.max_age.0.is_zero() {
            return refuse("max_age", "must be longer than 0s");
        }
        for (key, number) in [
            ("shards", self.shards),
            ("max_samples", self.max_samples),
            ("max_size", self.max_size.bytes()),
        ] {
            if number == 0 {
                return refuse(key, "must be more than 0");
            }
        }
        if self.shards > 1024 {
            return refuse("shards", "must be at most 1024");
        }
        Ok(())
    }
}

/// The URL as one. The error says why it is none, and never repeats it: it may hold a password.
pub(crate) fn parsed_url(url: &str) -> Result<Url, String> {
    if url.is_empty() {
        return Err("is required".to_owned());
    }
    let url = Url::parse(url).map_err(|error| format!("is not a URL: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err("must start with http:// or https:// and name a host".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not contain credentials; use basic_auth".to_owned());
    }
    Ok(url)
}
