//! TLS towards the server, with rustls: its certificate is always checked.

use std::future::Future;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt as _;
use service::http_client;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream as Encrypted;

use crate::endpoint::OpenError;

/// How to begin TLS.
#[derive(Clone)]
pub(super) struct Tls {
    connector: TlsConnector,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

impl Tls {
    pub(super) fn new(settings: &http_client::Tls) -> Result<Self, OpenError> {
        let refused =
            |key: &str, why: &dyn std::fmt::Display| OpenError::setting(format!("tls.{key}"), why);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| refused("ca_file", &error))?;
        let builder = match &settings.ca_file {
            Some(path) => {
                let mut roots = RootCertStore::empty();
                for certificate in certificates("ca_file", path)? {
                    roots
                        .add(certificate)
                        .map_err(|error| refused("ca_file", &error))?;
                }
                builder.with_root_certificates(roots)
            }
            None => match builder.clone().with_platform_verifier() {
                Ok(builder) => builder,
                // A machine without authorities, which nobody needs without TLS.
                Err(error) => {
                    tracing::debug!(%error, "the system trusts nobody");
                    builder.with_root_certificates(RootCertStore::empty())
                }
            },
        };
        let config = match (&settings.cert_file, &settings.key_file) {
            (Some(certificate), Some(key)) => {
                let chain = certificates("cert_file", certificate)?;
                let key = PrivateKeyDer::from_pem_file(key)
                    .map_err(|error| refused("key_file", &error))?;
                builder
                    .with_client_auth_cert(chain, key)
                    .map_err(|error| refused("cert_file", &error))?
            }
            _ => builder.with_no_client_auth(),
        };
        Ok(Self {
            connector: TlsConnector::from(Arc::new(config)),
        })
    }
}

fn certificates(key: &str, path: &Path) -> Result<Vec<CertificateDer<'static>>, OpenError> {
    let refused = |why: &dyn std::fmt::Display| {
        OpenError::setting(format!("tls.{key}"), format!("{}: {why}", path.display()))
    };
    let found: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path)
        .map_err(|error| refused(&error))?
        .collect();
    let found = found.map_err(|error| refused(&error))?;
    if found.is_empty() {
        return Err(refused(&"holds no certificate in PEM format"));
    }
    Ok(found)
}

/// TLS for one host.
pub(super) struct ToHost {
    connector: TlsConnector,
    host: ServerName<'static>,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> MakeTlsConnect<S> for Tls {
    type Stream = Stream<S>;
    type TlsConnect = ToHost;
    type Error = rustls::pki_types::InvalidDnsNameError;

    fn make_tls_connect(&mut self, host: &str) -> Result<ToHost, Self::Error> {
        Ok(ToHost {
            connector: self.connector.clone(),
            host: ServerName::try_from(host)?.to_owned(),
        })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> TlsConnect<S> for ToHost {
    type Stream = Stream<S>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Stream<S>>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        Box::pin(async move { Ok(Stream(self.connector.connect(self.host, stream).await?)) })
    }
}

/// An encrypted connection.
pub(super) struct Stream<S>(Encrypted<S>);

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream for Stream<S> {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Stream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Stream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
