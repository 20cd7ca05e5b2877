//! The HTTP client for everything that Sluice calls.
//!
//! It has deadlines, follows no redirects (a write that is redirected has a wrong URL), uses rustls, and says who it is.
//! Proxies are taken from `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::time::Duration;

pub use reqwest::Url;
use reqwest::redirect::Policy;
use reqwest::{Certificate, ClientBuilder, Identity};
use rustls::crypto::ring;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const USER_AGENT: &str = concat!("sluice/", env!("CARGO_PKG_VERSION"));

/// Shorter than servers keep connections, so that we rarely write into one that is being closed.
const POOL_IDLE: Duration = Duration::from_secs(30);

/// How long a call may take.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// Until connected, TLS included.
    pub connect: Duration,
    /// From the first byte sent to the last byte received, connecting included.
    pub request: Duration,
}

/// How a server proves who it is, and how we do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Tls {
    /// PEM file of the authorities that may have signed the server's certificate, instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// PEM file of our own certificate and its chain, for servers that ask for one. Needs `key_file`.
    pub cert_file: Option<PathBuf>,
    /// PEM file of our certificate's private key. Needs `cert_file`.
    pub key_file: Option<PathBuf>,
    /// Accepts any certificate. Whoever sits in between reads and changes everything: for trying out only.
    pub insecure_skip_verify: bool,
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// A file of [`Tls`] cannot be used.
    #[error("{key}: {}: {why}", path.display())]
    File {
        /// The setting.
        key: &'static str,
        /// What it says.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// `cert_file` and `key_file` belong together.
    #[error("{key}: needs {missing}")]
    Missing {
        /// The setting that is there.
        key: &'static str,
        /// The setting that is not.
        missing: &'static str,
    },
    /// The client library refused; when there is a certificate, most likely because the key is not its key.
    #[error("cannot make an HTTP client")]
    Build(#[from] reqwest::Error),
}

/// A client that trusts whom the system trusts.
///
/// # Errors
/// When the library refuses.
pub fn client(timeouts: Timeouts) -> Result<reqwest::Client, ClientError> {
    client_with(timeouts, &Tls::default())
}

/// A client for a server with certificates of its own.
///
/// # Errors
/// When a file cannot be read or does not hold what it should.
pub fn client_with(timeouts: Timeouts, tls: &Tls) -> Result<reqwest::Client, ClientError> {
    install_crypto();
    let mut builder = builder(timeouts);
    if let Some(path) = &tls.ca_file {
        let pem = read("ca_file", path)?;
        let authorities = Certificate::from_pem_bundle(&pem).unwrap_or_default();
        if authorities.is_empty() {
            return Err(refused(
                "ca_file",
                path,
                "holds no certificate in PEM format",
            ));
        }
        builder = builder.tls_certs_only(authorities);
    }
    if let Some(identity) = identity(tls)? {
        builder = builder.identity(identity);
    }
    if tls.insecure_skip_verify {
        tracing::warn!("insecure_skip_verify: certificates of servers are not checked");
        builder = builder.tls_danger_accept_invalid_certs(true);
    }
    match builder.build() {
        Ok(client) => Ok(client),
        // The library refuses to start on a machine without authorities, which a client of plain HTTP does not need.
        Err(error) if *tls == Tls::default() => {
            let cause = error.source().map(ToString::to_string);
            tracing::warn!(
                cause,
                "the system trusts nobody; only http:// URLs will work"
            );
            let nobody: [Certificate; 0] = [];
            Ok(self::builder(timeouts).tls_certs_only(nobody).build()?)
        }
        Err(error) => Err(error.into()),
    }
}

fn builder(timeouts: Timeouts) -> ClientBuilder {
    reqwest::Client::builder()
        .connect_timeout(timeouts.connect)
        .timeout(timeouts.request)
        .pool_idle_timeout(POOL_IDLE)
        .redirect(Policy::none())
        // Whatever other crates switch on: a connection that stalls holds up one request and not all of them.
        .http1_only()
        .user_agent(USER_AGENT)
}

fn identity(tls: &Tls) -> Result<Option<Identity>, ClientError> {
    let missing = |key, missing| Err(ClientError::Missing { key, missing });
    let (certificate, key) = match (&tls.cert_file, &tls.key_file) {
        (None, None) => return Ok(None),
        (Some(_), None) => return missing("cert_file", "key_file"),
        (None, Some(_)) => return missing("key_file", "cert_file"),
        (Some(certificate), Some(key)) => (certificate, key),
    };
    let mut pem = read("cert_file", certificate)?;
    if !is_in(&pem, b"-----BEGIN CERTIFICATE-----") {
        let why = "holds no certificate in PEM format";
        return Err(refused("cert_file", certificate, why));
    }
    let key_pem = read("key_file", key)?;
    if is_in(&key_pem, b"ENCRYPTED") || !is_in(&key_pem, b"PRIVATE KEY-----") {
        let why = "holds no unencrypted private key in PEM format";
        return Err(refused("key_file", key, why));
    }
    pem.push(b'\n');
    pem.extend_from_slice(&key_pem);
    match Identity::from_pem(&pem) {
        Ok(identity) => Ok(Some(identity)),
        Err(error) => Err(refused("cert_file", certificate, &error.to_string())),
    }
}

fn read(key: &'static str, path: &Path) -> Result<Vec<u8>, ClientError> {
    std::fs::read(path).map_err(|error| refused(key, path, &error.to_string()))
}

fn refused(key: &'static str, path: &Path, why: &str) -> ClientError {
    ClientError::File {
        key,
        path: path.to_owned(),
        why: why.to_owned(),
    }
}

fn is_in(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// rustls asks for one implementation of cryptography per process.
fn install_crypto() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        if ring::default_provider().install_default().is_err() {
            tracing::debug!("somebody else has chosen the cryptography already");
        }
    });
}

#[cfg(test)]
mod tests;
