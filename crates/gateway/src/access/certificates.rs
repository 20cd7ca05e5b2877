//! Client certificates, which the listener has verified already: whose they are.

use std::collections::BTreeMap;
use std::sync::Arc;

use service::tls::ClientCertificate;

use super::grant::{Grant, Written};
use crate::config::{BadSetting, CertificateConfig};

/// The certificates of one version of the settings.
#[derive(Debug, Default)]
pub(super) struct Certificates(Vec<(Subject, Arc<Grant>)>);

#[derive(Debug)]
enum Subject {
    CommonName(String),
    Uri(String),
    UriPrefix(String),
}

impl Subject {
    fn is_of(&self, certificate: &ClientCertificate) -> bool {
        let mut uris = certificate.uris.iter();
        match self {
            Self::CommonName(name) => certificate.common_name.as_ref() == Some(name),
            Self::Uri(uri) => uris.any(|found| found == uri),
            Self::UriPrefix(prefix) => uris.any(|found| found.starts_with(prefix)),
        }
    }
}

impl Certificates {
    pub(super) fn of(config: &BTreeMap<String, CertificateConfig>) -> Result<Self, BadSetting> {
        let mut all = Vec::new();
        for (name, config) in config {
            let place = format!("certificates.{name}");
            let subject = match (&config.common_name, &config.uri) {
                (Some(name), None) if !name.is_empty() => Subject::CommonName(name.clone()),
                (None, Some(uri)) if !uri.is_empty() && uri != "*" => match uri.strip_suffix('*') {
                    Some(prefix) => Subject::UriPrefix(prefix.to_owned()),
                    None => Subject::Uri(uri.clone()),
                },
                _ => {
                    let why = "needs either common_name or uri, and not an empty one";
                    return Err((place, why.to_owned()));
                }
            };
            let grant = Written {
                key: place,
                tenant: config.tenant.as_ref(),
                any_tenant: config.any_tenant,
                source: config.source.as_ref(),
                protocols: &config.protocols,
            };
            all.push((subject, grant.grant()?));
        }
        Ok(Self(all))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first, by its name in the settings, that fits.
    pub(super) fn find(&self, certificate: &ClientCertificate) -> Option<Arc<Grant>> {
        let mut all = self.0.iter();
        let found = all.find(|(subject, _)| subject.is_of(certificate));
        found.map(|(_, grant)| Arc::clone(grant))
    }
}
