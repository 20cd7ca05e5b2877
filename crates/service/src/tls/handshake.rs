//! A connection's handshake: with a deadline, and never in the way of other connections.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::{Acceptor, ClientCertificate};
use crate::log_limit::LogLimit;
use crate::metrics;

/// Why there is no connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It took too long.
    Slow,
    /// The two did not agree.
    Failed,
}

impl Acceptor {
    /// Agrees with a client on how to go on.
    pub(crate) async fn handshake<I>(
        &self,
        io: I,
        within: Duration,
    ) -> Result<(TlsStream<I>, Option<Arc<ClientCertificate>>), Refused>
    where
        I: AsyncRead + AsyncWrite + Unpin,
    {
        let handshake = TlsAcceptor::from(self.config()).accept(io);
        match timeout(within, handshake).await {
            Ok(Ok(stream)) => {
                metrics::handshake(self.listener, "ok");
                let certificates = stream.get_ref().1.peer_certificates();
                let certificate = certificates.and_then(<[_]>::first);
                let certificate = certificate.map(|der| Arc::new(ClientCertificate::of(der)));
                Ok((stream, certificate))
            }
            Ok(Err(error)) => {
                self.failed(&error);
                Err(Refused::Failed)
            }
            Err(_) => {
                metrics::handshake(self.listener, "slow");
                Err(Refused::Slow)
            }
        }
    }

    fn failed(&self, error: &io::Error) {
        let outcome = outcome(error);
        metrics::handshake(self.listener, outcome);
        // Probes of load balancers and scanners of ports say nothing and go.
        if outcome == "gone" {
            return;
        }
        static FAILED: LogLimit = LogLimit::new();
        if let Some(suppressed) = FAILED.pass() {
            tracing::warn!(
                listener = self.listener,
                %error,
                suppressed,
                "a TLS handshake failed"
            );
        }
    }
}

fn outcome(error: &io::Error) -> &'static str {
    use rustls::{Error, InvalidMessage};

    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    match inner {
        Some(Error::NoCertificatesPresented) => "no_certificate",
        Some(Error::InvalidCertificate(_)) => "bad_certificate",
        Some(Error::InvalidMessage(InvalidMessage::InvalidContentType)) => "not_tls",
        Some(Error::AlertReceived(_)) => "refused_by_client",
        Some(_) => "failed",
        None => "gone",
    }
}
