//! The HTTP client for everything that Sluice calls.
//!
//! It has deadlines, follows no redirects (a write that is redirected is a wrong URL), uses rustls, and says who it is.

use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
    #[error("{key} {}: {why}", path.display())]
    File {
        /// The setting.
        key: &'static str,
        /// What it says.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// `cert_file` and `key_file` belong together.
    #[error("{key} needs {missing}")]
    Missing {
        /// The setting that is there.
        key: &'static str,
        /// The setting that is not.
        missing: &'static str,
    },
    /// The client library refused.
    #[error("cannot build an HTTP client")]
    Build(#[from] reqwest::Error),
}

/// A client that trusts what the system trusts.
///
/// # Errors
/// When the system's certificates cannot be read.
pub fn client(timeouts: Timeouts) -> Result<reqwest::Client, ClientError> {
    client_with(timeouts, &Tls::default())
}

/// A client for a server with its own certificates.
///
/// # Errors
/// When a file cannot be read or does not hold what it should.
pub fn client_with(timeouts: Timeouts, _tls: &Tls) -> Result<reqwest::Client, ClientError> {
    let client = reqwest::Client::builder()
        .connect_timeout(timeouts.connect)
        .timeout(timeouts.request)
        .redirect(reqwest::redirect::Policy::none())
        .build()?;
    Ok(client)
}
