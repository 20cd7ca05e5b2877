//! The section `admin` of the settings.

use std::net::SocketAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service::tls::TlsConfig;

/// The listener for the people who run it. Never expose it to senders.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Admin {
    /// Address and port of the console, `/livez`, `/readyz` and `/metrics`.
    pub listen: SocketAddr,
    /// TLS on this listener. With `client_certificates: required`, only who has one sees metrics.
    pub tls: Option<TlsConfig>,
    /// Host names by which browsers reach this listener, where it listens on a loopback address behind a proxy, or a proxy
    /// changes the header `Host`. This machine's name, `localhost`, addresses and names without a dot need not be listed.
    pub hosts: Vec<String>,
}

impl Default for Admin {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8081)),
            tls: None,
            hosts: Vec::new(),
        }
    }
}
