//! The settings of a listener's TLS.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::BadSetting;
use super::load::Loaded;

/// TLS on a listener. All files are in PEM format, are read at the start, and anew when they change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TlsConfig {
    /// The certificate, and after it those that lead to its authority.
    pub certificate: PathBuf,
    /// The certificate's private key, not encrypted.
    pub key: PathBuf,
    /// The authorities that may have signed clients' certificates.
    #[serde(default)]
    pub client_ca: Option<PathBuf>,
    /// A list of clients' certificates that were revoked by those authorities.
    #[serde(default)]
    pub client_crl: Option<PathBuf>,
    /// Whether clients show a certificate.
    #[serde(default)]
    pub client_certificates: ClientCertificates,
}

/// Whether clients show a certificate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ClientCertificates {
    /// They are not asked.
    #[default]
    None,
    /// They may; a bad one ends the connection.
    Optional,
    /// They must, or there is no connection.
    Required,
}

impl TlsConfig {
    /// Reads the files, and checks that they belong together.
    ///
    /// # Errors
    /// The first key that cannot be, and why.
    pub fn check(&self) -> Result<(), BadSetting> {
        Loaded::read(self).map(drop)
    }

    /// The files that are read.
    #[must_use]
    pub fn files(&self) -> Vec<PathBuf> {
        let optional = [&self.client_ca, &self.client_crl];
        let optional = optional.into_iter().flatten();
        [&self.certificate, &self.key]
            .into_iter()
            .chain(optional)
            .cloned()
            .collect()
    }
}
