//! Who sent a request: the same rules for every protocol.
//!
//! A tenant is named by the path (`/tenants/{tenant}/…`) or by a header, in this order. A credential says which of them
//! it may speak for, and for whom it speaks where the request names none; see [`crate::access`]. The source is what the
//! credential or the sender says, or else the sender's address.

use std::sync::Arc;

use http::HeaderName;
use http::request::Parts;
use service::http::Peer;

use crate::access::{self, Grant};
use crate::config::TenancyConfig;
use crate::error::Error;
use crate::ingest::Origin;
use crate::protocol::Head;

/// Grafana Mimir's bound, so that a tenant there is one here.
const MAX_TENANT_BYTES: usize = 150;

/// More of a source's name says nothing new.
const MAX_SOURCE_CHARS: usize = 100;

/// How tenants and sources are told, as the settings say.
#[derive(Debug)]
pub(crate) struct Tenants {
    header: Option<HeaderName>,
    source_header: Option<HeaderName>,
}

impl Tenants {
    pub(crate) fn of(config: &TenancyConfig) -> Self {
        let header = |name: &str| HeaderName::from_bytes(name.as_bytes()).ok();
        Self {
            header: header(&config.header),
            source_header: header(&config.source_header),
        }
    }
}

/// Who sent this request.
pub(crate) fn origin(head: &Head<'_>) -> Result<Origin, Error> {
    let tenants = head.app.tenants.read();
    Ok(Origin {
        tenant: tenant(head, &tenants).inspect_err(|error| {
            if let Error::Denied(denied) = error {
                access::count(denied, head.parts);
            }
        })?,
        source: source(head, &tenants),
    })
}

/// Who sent a request that was not let in: its address, whatever it says. Nobody refuses in another one's name.
pub(crate) fn stranger(parts: &Parts) -> Origin {
    let peer = parts.extensions.get::<Peer>();
    Origin {
        tenant: None,
        source: peer.map(|peer| Arc::clone(&peer.name)),
    }
}

/// The same as [`origin`], as far as it can be told of a request that is refused.
pub(crate) fn sender(head: &Head<'_>) -> Origin {
    let tenants = head.app.tenants.read();
    Origin {
        tenant: tenant(head, &tenants).unwrap_or_default(),
        source: source(head, &tenants),
    }
}

fn tenant(head: &Head<'_>, tenants: &Tenants) -> Result<Option<Arc<str>>, Error> {
    let named = named_tenant(head, tenants)?;
    match head.parts.extensions.get::<Arc<Grant>>() {
        None => Ok(named),
        Some(grant) => grant.tenant(named).map_err(Error::Denied),
    }
}

fn named_tenant(head: &Head<'_>, tenants: &Tenants) -> Result<Option<Arc<str>>, Error> {
    if let Some(tenant) = head.path_parameter("tenant") {
        return check(tenant).map(Some);
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

fn source(head: &Head<'_>, tenants: &Tenants) -> Option<Arc<str>> {
    let grant = head.parts.extensions.get::<Arc<Grant>>();
    if let Some(source) = grant.and_then(|grant| grant.source.as_ref()) {
        return Some(Arc::clone(source));
    }
    let named = tenants
        .source_header
        .as_ref()
        .and_then(|name| head.header(name))
        .map(|text| tidy(&text))
        .filter(|text| !text.is_empty());
    if let Some(named) = named {
        return Some(named.into());
    }
    Some(Arc::clone(&head.peer?.name))
}

/// The name of the credential that a request was let in with.
pub(crate) fn credential<'h>(head: &Head<'h>) -> Option<&'h str> {
    let grant = head.parts.extensions.get::<Arc<Grant>>()?;
    Some(&grant.name)
}

/// A name as it may stand in a list of names: without commas and control characters, and not endless.
pub(crate) fn tidy(name: &str) -> String {
    name.trim()
        .chars()
        .filter(|character| !character.is_control() && *character != ',')
        .take(MAX_SOURCE_CHARS)
        .collect()
}

#[cfg(test)]
mod tests;
