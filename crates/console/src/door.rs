//! Who may ask the admin listener from a browser: pages of other sites may not, and names that are not ours do not lead
//! here.
//!
//! Nothing behind it changes anything, and whoever reaches the port may read: that is for networks and TLS to decide. But a
//! browser reaches what its user reaches, and a page from anywhere may make it ask. So a request that says it is made by
//! another site's page is refused; and on a listener that only this machine reaches, so is one by a host name that is not
//! this machine's, since that is how a page makes its own name lead here. Probes and scrapers are let through.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Json, Response};
use model::Code;
use serde_json::json;

use crate::metrics;

/// For machines, which have no browser.
const FOR_MACHINES: [&str; 3] = ["/livez", "/readyz", "/metrics"];

/// Nothing from elsewhere, nothing inline, in nobody's frame.
const CONTENT_POLICY: &str = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HEADERS: [(HeaderName, HeaderValue); 6] = [
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(CONTENT_POLICY),
    ),
    (
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    ),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    ),
];

/// The names by which this process is reached.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    /// Whether only this machine reaches the listener.
    is_local: bool,
    known: Arc<BTreeSet<String>>,
}

impl Names {
    pub(crate) fn new(listen: SocketAddr, hostname: &str, hosts: &[String]) -> Self {
        let known = hosts.iter().map(String::as_str).chain([hostname]);
        Self {
            is_local: listen.ip().to_canonical().is_loopback(),
            known: Arc::new(known.map(plain).collect()),
        }
    }

    /// Whether the name can be that of this machine: one that somebody else cannot make lead here.
    fn is_ours(&self, host: &str) -> bool {
        let name = plain(host);
        let is_address = name
            .trim_start_matches('[')
            .trim_end_matches(']')
            .parse::<IpAddr>()
            .is_ok();
        // Nobody can own a name without a dot.
        is_address
            || !name.contains('.')
            || name.ends_with(".localhost")
            || self.known.contains(&name)
    }

    fn check(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<(), Refused> {
        let text = |name: HeaderName| {
            let value = headers.get(name);
            value.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let host = uri
            .authority()
            .map(|authority| authority.as_str().to_owned())
            .or_else(|| text(header::HOST))
            .unwrap_or_default();
        if self.is_local && !host.is_empty() && !self.is_ours(&host) {
            return Err(Refused {
                reason: metrics::HOST,
                message: format!(
                    "this listener is for this machine alone, and {} is not a name of it; list the name in admin.hosts if it is",
                    shown(&host)
                ),
            });
        }
        let refused = |what: &str| {
            Err(Refused {
                reason: metrics::ORIGIN,
                message: format!(
                    "the request comes from a page of {}, not from this console; ask without a browser, or list the page's host in \
                     admin.hosts",
                    shown(what)
                ),
            })
        };
        if let Some(origin) = text(header::ORIGIN) {
            let from = origin.split_once("://").map_or("", |(_, from)| from);
            if !from.eq_ignore_ascii_case(&host) && !self.known.contains(&plain(from)) {
                return refused(&origin);
            }
        } else if let Some(site) = text(HeaderName::from_static("sec-fetch-site")) {
            let mode = text(HeaderName::from_static("sec-fetch-mode"));
            // A link to the console is no question of a page.
            let is_link = mode.as_deref() == Some("navigate") && method == Method::GET;
            if !is_link && !matches!(site.as_str(), "same-origin" | "none") {
                return refused("another site");
            }
        }
        Ok(())
    }
}

struct Refused {
    reason: &'static str,
    message: String,
}

/// A host's name without its port, as names are compared.
fn plain(host: &str) -> String {
    let name = match host.rsplit_once(':') {
        Some((name, port))
            if port.bytes().all(|byte| byte.is_ascii_digit()) && !name.ends_with(':') =>
        {
            name
        }
        _ => host,
    };
    name.trim_end_matches('.').to_ascii_lowercase()
}

/// A header may be as long as headers may be; an answer repeats the start.
fn shown(text: &str) -> String {
    format!("{:?}", text.chars().take(100).collect::<String>())
}

/// Lets a request in, or not; and says to browsers what they may do with the answer.
pub(crate) async fn guard(State(names): State<Names>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let checked = if FOR_MACHINES.contains(&path) {
        Ok(())
    } else {
        names.check(request.method(), request.uri(), request.headers())
    };
    let mut response = match checked {
        Ok(()) => next.run(request).await,
        Err(Refused { reason, message }) => {
            metrics::refused(reason);
            refusal(Code::OriginRefused, &message)
        }
    };
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(value);
    }
    response
}

/// An error in the API's shape.
pub(crate) fn refusal(code: Code, message: &str) -> Response {
    let status = StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = json!({ "error": message, "code": code.as_str() });
    (status, Json(body)).into_response()
}

#[cfg(test)]
mod tests;
