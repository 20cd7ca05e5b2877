//! Certificates and keys from files, checked against each other.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig, crypto};
use x509_parser::parse_x509_certificate;

use super::{BadSetting, ClientCertificates, TlsConfig};

/// What is spoken over it, the preferred first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// One version of a listener's files.
pub(super) struct Loaded {
    pub(super) config: Arc<ServerConfig>,
    /// When the first of its certificates ends, in Unix seconds.
    pub(super) expires_s: i64,
}

impl Loaded {
    pub(super) fn read(config: &TlsConfig) -> Result<Self, BadSetting> {
        let chain: Vec<CertificateDer<'static>> = read("certificate", &config.certificate)?;
        let expires_s = expiry(&chain).ok_or_else(|| {
            let why = "holds what is no certificate".to_owned();
            bad("certificate", &config.certificate, &why)
        })?;
        let key = PrivateKeyDer::from_pem_file(&config.key).map_err(|error| {
            let why = match error {
                pem::Error::NoItemsFound => {
                    "holds no unencrypted private key in PEM format".to_owned()
                }
                error => unreadable(&error),
            };
            bad("key", &config.key, &why)
        })?;
        let provider = Arc::new(crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| bad("certificate", &config.certificate, &error.to_string()))?;
        let verifier = verifier(config, provider)?;
        let asks_for_certificates = verifier.is_some();
        let builder = match verifier {
            Some(verifier) => builder.with_client_cert_verifier(verifier),
            None => builder.with_no_client_auth(),
        };
        let mut server = builder.with_single_cert(chain, key).map_err(|error| {
            let why = match error {
                rustls::Error::InconsistentKeys(_) => format!(
                    "is not the key of the certificate in {}",
                    config.certificate.display()
                ),
                error => format!("cannot be used: {error}"),
            };
            bad("key", &config.key, &why)
        })?;
        if asks_for_certificates {
            // A resumed session has the client's certificate of the first handshake and looks at it no more: it would
            // outlive its expiry, its revocation, and the authority that signed it.
            server.session_storage = Arc::new(NoServerSessionStorage {});
            server.send_tls13_tickets = 0;
        }
        server.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
        Ok(Self {
            config: Arc::new(server),
            expires_s,
        })
    }
}

fn verifier(
    config: &TlsConfig,
    provider: Arc<crypto::CryptoProvider>,
) -> Result<Option<Arc<dyn ClientCertVerifier>>, BadSetting> {
    let ca = match (&config.client_ca, config.client_certificates) {
        (None, ClientCertificates::None) => return Ok(None),
        (Some(ca), ClientCertificates::Optional | ClientCertificates::Required) => ca,
        (None, _) => {
            let why = "is needed to verify clients' certificates".to_owned();
            return Err(("client_ca".to_owned(), why));
        }
        (Some(_), ClientCertificates::None) => {
            let why = "is none, so client_ca would never be used; write optional or required";
            return Err(("client_certificates".to_owned(), why.to_owned()));
        }
    };
    let mut roots = RootCertStore::empty();
    for certificate in read::<CertificateDer<'static>>("client_ca", ca)? {
        roots
            .add(certificate)
            .map_err(|error| bad("client_ca", ca, &format!("cannot be used: {error}")))?;
    }
    let mut builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
    if let Some(crl) = &config.client_crl {
        let lists: Vec<CertificateRevocationListDer<'static>> = read("client_crl", crl)?;
        // Of an authority without a list nothing is revoked.
        builder = builder.with_crls(lists).allow_unknown_revocation_status();
    }
    if config.client_certificates == ClientCertificates::Optional {
        builder = builder.allow_unauthenticated();
    }
    let verifier = builder
        .build()
        .map_err(|error| bad("client_ca", ca, &format!("cannot be used: {error}")))?;
    Ok(Some(verifier))
}

/// All objects of a kind in a file; at least one.
fn read<T: PemObject>(key: &str, path: &Path) -> Result<Vec<T>, BadSetting> {
    let objects: Result<Vec<T>, pem::Error> = T::pem_file_iter(path).and_then(Iterator::collect);
    match objects {
        Ok(objects) if objects.is_empty() => {
            Err(bad(key, path, "holds nothing of its kind in PEM format"))
        }
        Ok(objects) => Ok(objects),
        Err(error) => Err(bad(key, path, &unreadable(&error))),
    }
}

fn unreadable(error: &pem::Error) -> String {
    match error {
        pem::Error::Io(error) => format!("cannot be read: {error}"),
        error => format!("cannot be read: {error:?}"),
    }
}

fn bad(key: &str, path: &Path, why: &str) -> BadSetting {
    (key.to_owned(), format!("{} {why}", path.display()))
}

fn expiry(chain: &[CertificateDer<'_>]) -> Option<i64> {
    let mut first = i64::MAX;
    for certificate in chain {
        let (_, parsed) = parse_x509_certificate(certificate).ok()?;
        first = first.min(parsed.validity().not_after.timestamp());
    }
    Some(first)
}

#[cfg(test)]
mod tests;
