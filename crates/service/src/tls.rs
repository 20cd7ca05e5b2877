//! TLS on a listener: certificates from files, which can be replaced while connections are open.
//!
//! TLS 1.2 and 1.3, HTTP/1.1 and HTTP/2, with rustls and ring. Connections keep the certificate that they began with, and
//! what is refused at the handshake never reaches a handler.

mod config;
mod handshake;
mod load;
mod subject;

use std::fmt;
use std::sync::Arc;

use rustls::ServerConfig;

use crate::clock::now_ms;
use crate::live::Live;
use crate::log_limit::LogLimit;
use crate::metrics;
pub use config::{ClientCertificates, TlsConfig};
pub(crate) use handshake::Refused;
use load::Loaded;
pub use subject::ClientCertificate;

/// A setting that cannot be, as its key relative to the section and why.
pub type BadSetting = (String, String);

/// Certificates that end sooner than this are warned about.
const WARN_BEFORE_S: i64 = 14 * 24 * 3600;

/// Does the handshakes of a listener, or of several. Clones share their certificate.
#[derive(Clone)]
pub struct Acceptor {
    /// In metrics and logs.
    listener: &'static str,
    loaded: Live<Loaded>,
}

impl fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Acceptor").field(&self.listener).finish()
    }
}

impl Acceptor {
    /// Reads the files. `listener` is what metrics and logs call it.
    ///
    /// # Errors
    /// The setting whose file is not what it should be, and why.
    pub fn new(listener: &'static str, config: &TlsConfig) -> Result<Self, BadSetting> {
        let acceptor = Self {
            listener,
            loaded: Live::new(Loaded::read(config)?),
        };
        acceptor.show_expiry();
        Ok(acceptor)
    }

    /// Reads the files anew, and makes of them what puts them in force for the connections that come then.
    ///
    /// # Errors
    /// The setting whose file is not what it should be, and why; nothing has changed then.
    pub fn prepare(&self, config: &TlsConfig) -> Result<impl FnOnce() + Send + use<>, BadSetting> {
        let loaded = Loaded::read(config)?;
        let this = self.clone();
        Ok(move || {
            this.loaded.replace(loaded);
            this.show_expiry();
        })
    }

    /// Shows in metrics how long the certificate is still good, and warns when that is not long. To be called now and
    /// then.
    pub fn show_expiry(&self) {
        let expires_s = self.loaded.read().expires_s;
        let left_s = expires_s.saturating_sub(now_ms() / 1000);
        metrics::certificate_expires(self.listener, left_s);
        static EXPIRES: LogLimit = LogLimit::new();
        if left_s < WARN_BEFORE_S
            && let Some(suppressed) = EXPIRES.pass()
        {
            let listener = self.listener;
            if left_s > 0 {
                let hours = left_s / 3600;
                tracing::warn!(listener, hours, suppressed, "the certificate expires soon");
            } else {
                tracing::error!(listener, suppressed, "the certificate has expired");
            }
        }
    }

    fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.loaded.read().config)
    }
}

#[cfg(test)]
mod tests;
