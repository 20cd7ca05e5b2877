//! TLS on the process' listeners: from settings, renewed with them, and watched until it expires.

use std::time::Duration;

use service::tasks::Tasks;
use service::tls::{Acceptor, TlsConfig};

use crate::reload::{Apply, Reloads};
use crate::settings::Settings;

/// How often the time until a certificate's end is shown anew.
const SHOW_EXPIRY: Duration = Duration::from_secs(30);

/// How a listener's URL begins.
pub(crate) fn scheme(tls: Option<&TlsConfig>) -> &'static str {
    if tls.is_some() { "https" } else { "http" }
}

/// What does a listener's handshakes; none without TLS.
///
/// # Errors
/// When a file is not what it should be.
pub(crate) fn acceptor(
    listener: &'static str,
    tls: &Option<TlsConfig>,
    tasks: &Tasks,
    reloads: &Reloads,
    of: fn(&Settings) -> &Option<TlsConfig>,
) -> anyhow::Result<Option<Acceptor>> {
    let Some(tls) = tls else {
        return Ok(None);
    };
    let acceptor = Acceptor::new(listener, tls)
        .map_err(|(key, why)| anyhow::anyhow!("{listener}.tls.{key}: {why}"))?;
    let renewed = acceptor.clone();
    reloads.on(move |settings| {
        let Some(tls) = of(settings) else {
            // A listener goes on with the TLS that it has: see `reload::compare`.
            return Ok(Box::new(|| {}) as Apply);
        };
        let apply = renewed
            .prepare(tls)
            .map_err(|(key, why)| (format!("{listener}.tls.{key}"), why))?;
        Ok(Box::new(apply) as Apply)
    });
    let watched = acceptor.clone();
    tasks.watch("certificate watch", async move {
        loop {
            tokio::time::sleep(SHOW_EXPIRY).await;
            watched.show_expiry();
        }
    });
    Ok(Some(acceptor))
}
