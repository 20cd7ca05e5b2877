//! Who sent a request: the same rules for every protocol.
//!
//! A tenant is named by the path (`/tenants/{tenant}/…`), by the token of the request, or by a header, in this order.
//! The source is what the sender calls itself, or else its address. Neither guards anything: that is for whoever
//! stands before the gateway.

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderName;
use http::header::AUTHORIZATION;
use service::http::Peer;

use crate::config::TenancyConfig;
use crate::error::Error;
use crate::ingest::Origin;
use crate::protocol::Head;

/// Grafana Mimir's bound, so that a tenant there is one here.
const MAX_TENANT_BYTES: usize = 150;

/// More of a source's name says nothing new.
const MAX_SOURCE_CHARS: usize = 100;

const DATADOG_KEY: HeaderName = HeaderName::from_static("dd-api-key");

/// How tenants and sources are told, as the settings say.
#[derive(Debug)]
pub(crate) struct Tenants {
    header: Option<HeaderName>,
    source_header: Option<HeaderName>,
    by_token: HashMap<String, Arc<str>>,
}

impl Tenants {
    pub(crate) fn of(config: &TenancyConfig) -> Self {
        let header = |name: &str| HeaderName::from_bytes(name.as_bytes()).ok();
        let by_token = |(tenant, token): (&String, &service::secret::Secret)| {
            (token.expose().to_owned(), Arc::from(tenant.as_str()))
        };
        Self {
            header: header(&config.header),
            source_header: header(&config.source_header),
            by_token: config.tokens.iter().map(by_token).collect(),
        }
    }
}

/// Who sent this request.
pub(crate) fn origin(head: &Head<'_>) -> Result<Origin, Error> {
    Ok(Origin {
        tenant: tenant(head)?,
        source: source(head),
    })
}

/// The same, as far as it can be told of a request that is refused.
pub(crate) fn sender(head: &Head<'_>) -> Origin {
    Origin {
        tenant: tenant(head).unwrap_or_default(),
        source: source(head),
    }
}

fn tenant(head: &Head<'_>) -> Result<Option<Arc<str>>, Error> {
    if let Some(tenant) = head.path_parameter("tenant") {
        return check(tenant).map(Some);
    }
    let tenants = &head.app.tenants;
    if !tenants.by_token.is_empty()
        && let Some(tenant) = token(head).and_then(|token| tenants.by_token.get(&token))
    {
        return Ok(Some(Arc::clone(tenant)));
    }
    let named = tenants.header.as_ref().and_then(|name| head.header(name));
    match named.as_deref().map(str::trim) {
        None | Some("") => Ok(None),
        Some(tenant) => check(tenant).map(Some),
    }
}

fn check(tenant: &str) -> Result<Arc<str>, Error> {
    match check_tenant(tenant) {
        Ok(()) => Ok(Arc::from(tenant)),
        Err(why) => Err(Error::Tenant(why)),
    }
}

/// Whether a tenant may have this name; why not.
pub(crate) fn check_tenant(tenant: &str) -> Result<(), String> {
    if tenant.is_empty() {
        return Err("the tenant's name is empty".to_owned());
    }
    if tenant.len() > MAX_TENANT_BYTES {
        return Err(format!(
            "the tenant's name has {} bytes, the limit is {MAX_TENANT_BYTES}",
            tenant.len()
        ));
    }
    let is_fit =
        |character: char| character.is_ascii_alphanumeric() || "!-_.*'()".contains(character);
    match tenant.chars().find(|character| !is_fit(*character)) {
        None => Ok(()),
        Some(found) => Err(format!(
            "the tenant's name has {found:?}; it may have a-z, A-Z, 0-9 and !-_.*'()"
        )),
    }
}

/// What the request shows as its key, wherever its protocol has one.
fn token(head: &Head<'_>) -> Option<String> {
    if let Some(text) = head.header(&AUTHORIZATION) {
        let (scheme, value) = text.split_once(' ')?;
        let value = value.trim();
        return match scheme.to_ascii_lowercase().as_str() {
            "bearer" | "token" => Some(value.to_owned()),
            "basic" => {
                let pair = String::from_utf8(STANDARD.decode(value).ok()?).ok()?;
                pair.split_once(':')
                    .map(|(_, password)| password.to_owned())
            }
            _ => None,
        };
    }
    head.header(&DATADOG_KEY)
        .or_else(|| head.parameter("api_key"))
        // InfluxDB 1 has its password in the query.
        .or_else(|| head.parameter("p"))
}

fn source(head: &Head<'_>) -> Option<Arc<str>> {
    let tenants = &head.app.tenants;
    let named = tenants
        .source_header
        .as_ref()
        .and_then(|name| head.header(name))
        .map(|text| tidy(&text))
        .filter(|text| !text.is_empty());
    if let Some(named) = named {
        return Some(named.into());
    }
    let peer = head.parts.extensions.get::<Peer>()?;
    Some(Arc::clone(&peer.name))
}

/// A name as it may stand in a list of names: without commas and control characters, and not endless.
fn tidy(name: &str) -> String {
    name.trim()
        .chars()
        .filter(|character| !character.is_control() && *character != ',')
        .take(MAX_SOURCE_CHARS)
        .collect()
}

#[cfg(test)]
mod tests;
