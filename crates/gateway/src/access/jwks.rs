//! The public keys of an identity provider, from a file or from where it publishes them.
//!
//! What is published is fetched in the background. A provider that cannot be reached, or that answers nonsense, changes
//! nothing: the last keys stay good.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::Value;
use service::http_client::{Timeouts, Tls, Url, client_with};
use service::live::Live;
use service::log_limit::LogLimit;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use super::crypto;
use crate::config::{BadSetting, JwtConfig};
use crate::metrics;

/// More keys than any provider publishes.
const MAX_BYTES: usize = 1 << 20;

/// How soon a failed attempt is repeated, and how often unknown keys may ask for one.
const SOON: Duration = Duration::from_secs(10);

/// How often settings without anything to fetch are looked at.
const IDLE: Duration = Duration::from_secs(5);

const TIMEOUTS: Timeouts = Timeouts {
    connect: Duration::from_secs(5),
    request: Duration::from_secs(10),
};

/// A key and the only algorithm that it is for.
#[derive(Debug)]
pub(super) struct Signer {
    kid: Option<String>,
    pub(super) algorithm: Algorithm,
    pub(super) key: DecodingKey,
}

/// All keys of a provider that are for signatures that we can check.
#[derive(Debug, Default)]
pub(super) struct Jwks(Vec<Signer>);

impl Jwks {
    /// Keys of other kinds are left out; symmetric ones among them.
    pub(super) fn parse(text: &[u8]) -> Result<Self, String> {
        let set: Value =
            serde_json::from_slice(text).map_err(|error| format!("no JSON: {error}"))?;
        let keys = set
            .get("keys")
            .and_then(Value::as_array)
            .ok_or("no JWKS: it has no list \"keys\"")?;
        let signers: Vec<Signer> = keys.iter().filter_map(signer).collect();
        if signers.is_empty() {
            return Err(format!(
                "none of its {} keys is for RS256 (2048 bits or more) or ES256",
                keys.len()
            ));
        }
        Ok(Self(signers))
    }

    /// The key that a token names; the only one there is for a token that names none.
    pub(super) fn find(&self, kid: Option<&str>) -> Option<&Signer> {
        match kid {
            Some(kid) => self
                .0
                .iter()
                .find(|signer| signer.kid.as_deref() == Some(kid)),
            None if self.0.len() == 1 => self.0.first(),
            None => None,
        }
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn signer(value: &Value) -> Option<Signer> {
    let jwk: Jwk = serde_json::from_value(value.clone()).ok()?;
    if matches!(&jwk.common.public_key_use, Some(for_what) if *for_what != PublicKeyUse::Signature)
    {
        return None;
    }
    let (algorithm, said) = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => (Algorithm::RS256, KeyAlgorithm::RS256),
        AlgorithmParameters::EllipticCurve(curve) if curve.curve == EllipticCurve::P256 => {
            (Algorithm::ES256, KeyAlgorithm::ES256)
        }
        _ => return None,
    };
    if jwk.common.key_algorithm.is_some_and(|other| other != said) {
        return None;
    }
    let key = DecodingKey::from_jwk(&jwk).ok()?;
    crypto::suits(algorithm, &key).then_some(Signer {
        kid: jwk.common.key_id,
        algorithm,
        key,
    })
}

/// Where keys come from.
#[derive(Debug)]
pub(super) enum Provider {
    File(Jwks),
    Url(Arc<Published>),
}

/// Keys that are fetched.
#[derive(Debug)]
pub(super) struct Published {
    url: String,
    /// What logs say of the URL.
    host: String,
    ca: Option<std::path::PathBuf>,
    refresh: Duration,
    keys: Live<Jwks>,
    /// When the last attempt began.
    tried_at: Mutex<Option<Instant>>,
    wanted: Notify,
}

/// What a token's key is.
pub(super) enum Found<T> {
    Signer(T),
    Unknown,
    /// It may be known in a moment.
    NotYet,
}

impl Provider {
    pub(super) fn of(config: &JwtConfig, before: Option<&Self>) -> Result<Self, BadSetting> {
        let bad = |key: &str, why: String| (format!("jwt.{key}"), why);
        let url = match (&config.jwks_file, &config.jwks_url) {
            (Some(file), None) => {
                let text = std::fs::read(file)
                    .map_err(|error| bad("jwks_file", format!("cannot be read: {error}")))?;
                let keys =
                    Jwks::parse(&text).map_err(|why| bad("jwks_file", format!("is {why}")))?;
                return Ok(Self::File(keys));
            }
            (None, Some(url)) => url,
            _ => {
                let why = "needs either jwks_file or jwks_url";
                return Err(("jwt".to_owned(), why.to_owned()));
            }
        };
        let host = host_of(url).map_err(|why| bad("jwks_url", why.to_owned()))?;
        // Read here so that a bad file is refused; the client is made where keys are fetched.
        if let Some(file) = &config.jwks_ca {
            std::fs::read(file)
                .map_err(|error| bad("jwks_ca", format!("cannot be read: {error}")))?;
        }
        let published = match before {
            Some(Self::Url(before)) if before.is_of(config) => Arc::clone(before),
            _ => Arc::new(Published {
                url: url.clone(),
                host,
                ca: config.jwks_ca.clone(),
                refresh: config.refresh.0.max(SOON),
                keys: Live::new(Jwks::default()),
                tried_at: Mutex::default(),
                wanted: Notify::new(),
            }),
        };
        Ok(Self::Url(published))
    }

    /// Gives `then` the key that a token names.
    pub(super) fn with<T>(&self, kid: Option<&str>, then: impl FnOnce(&Signer) -> T) -> Found<T> {
        match self {
            Self::File(keys) => keys
                .find(kid)
                .map_or(Found::Unknown, |signer| Found::Signer(then(signer))),
            Self::Url(published) => {
                let keys = published.keys.read();
                match keys.find(kid) {
                    Some(signer) => Found::Signer(then(signer)),
                    None if keys.is_empty() || published.asks_again() => Found::NotYet,
                    None => Found::Unknown,
                }
            }
        }
    }
}

impl Published {
    fn is_of(&self, config: &JwtConfig) -> bool {
        config.jwks_url.as_ref() == Some(&self.url)
            && config.jwks_ca == self.ca
            && config.refresh.0.max(SOON) == self.refresh
    }

    /// Has keys fetched because one is not known. False when that was tried just now.
    fn asks_again(&self) -> bool {
        let is_long_ago = self.was_tried_before(SOON);
        if is_long_ago {
            self.wanted.notify_one();
        }
        is_long_ago
    }

    /// Whether the last attempt is at least so long ago.
    fn was_tried_before(&self, pause: Duration) -> bool {
        let tried_at = self.tried_at.lock().unwrap_or_else(PoisonError::into_inner);
        tried_at.is_none_or(|at| at.elapsed() >= pause)
    }

    /// Fetches if it is time, then waits until it may be again, or for a while.
    pub(super) async fn keep_fresh(&self) {
        let pause = if self.keys.read().is_empty() {
            SOON
        } else {
            self.refresh
        };
        if self.was_tried_before(pause) {
            self.fetch().await;
        }
        tokio::select! {
            // Many ask at once; what one of them got is for all.
            () = self.wanted.notified() => if self.was_tried_before(SOON) {
                self.fetch().await;
            },
            () = sleep(IDLE) => {}
        }
    }

    async fn fetch(&self) {
        *self.tried_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        match self.fetched().await {
            Ok(keys) => {
                metrics::keys_fetched(true);
                let count = keys.0.len();
                if self.keys.read().is_empty() {
                    tracing::info!(
                        host = self.host,
                        count,
                        "fetched the identity provider's keys"
                    );
                }
                self.keys.replace(keys);
            }
            Err(why) => {
                static FAILED: LogLimit = LogLimit::new();
                metrics::keys_fetched(false);
                if let Some(suppressed) = FAILED.pass() {
                    tracing::warn!(
                        host = self.host,
                        suppressed,
                        "access.jwt.jwks_url: cannot fetch keys, the last ones stay good: {why}"
                    );
                }
            }
        }
    }

    async fn fetched(&self) -> Result<Jwks, String> {
        let tls = Tls {
            ca_file: self.ca.clone(),
            ..Tls::default()
        };
        let client = client_with(TIMEOUTS, &tls).map_err(|error| error.to_string())?;
        let chain = |error: &dyn std::error::Error| {
            let cause = std::iter::successors(error.source(), |error| error.source()).last();
            cause.map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
        };
        let mut response = client
            .get(&self.url)
            .send()
            .await
            .map_err(|error| chain(&error.without_url()))?;
        if !response.status().is_success() {
            return Err(format!("the answer is {}", response.status()));
        }
        let mut text = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| chain(&error.without_url()))?
        {
            text.extend_from_slice(&chunk);
            if text.len() > MAX_BYTES {
                return Err(format!("the answer has more than {MAX_BYTES} bytes"));
            }
        }
        Jwks::parse(&text).map_err(|why| format!("the answer is {why}"))
    }
}

/// The host of a URL that keys may be fetched from; why not.
fn host_of(url: &str) -> Result<String, &'static str> {
    let url = Url::parse(url).map_err(|_| "is no URL")?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not have a user or a password: public keys need none");
    }
    let host = url.host_str().ok_or("names no host")?;
    let is_local = ["localhost", "127.0.0.1", "[::1]"].contains(&host);
    if url.scheme() == "https" || (url.scheme() == "http" && is_local) {
        return Ok(host.to_owned());
    }
    Err("must begin with https://: whoever sits in between could give out keys of his own")
}

/// Waits until settings may have changed.
pub(super) async fn look_again() {
    sleep(IDLE).await;
}
