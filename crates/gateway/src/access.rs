//! Who may send, and as which tenant: decided from a request's header, before its body is asked for.
//!
//! Nothing configured costs nothing. A stranger costs a lookup; only a user's password costs more, and how many of those
//! are looked at together is bounded. Secrets are neither kept nor written anywhere.

mod certificates;
mod controls;
mod credential;
mod crypto;
mod denied;
mod grant;
mod guard;
mod hashes;
mod jwks;
mod jwt;
mod keys;
mod passwords;
mod shapes;

use std::sync::Arc;

use http::request::Parts;
use service::tls::ClientCertificate;

use crate::config::{AccessConfig, BadSetting};
use certificates::Certificates;
pub use controls::Controls;
use credential::Credential;
pub(crate) use denied::Denied;
pub(crate) use grant::Grant;
pub(crate) use guard::{Guard, ask, count};
pub use hashes::{hash_key, hash_password, new_key};
use jwt::Jwt;
use keys::Keys;
use passwords::Users;

/// Every credential that is good.
#[derive(Debug)]
pub(crate) struct Access {
    required: bool,
    keys: Keys,
    users: Users,
    jwt: Option<Jwt>,
    certificates: Certificates,
    /// Whether any of them speaks for tenants.
    has_tenants: bool,
}

impl Access {
    /// Reads the settings. What `before` has learnt (verified passwords, fetched keys) stays known.
    pub(crate) fn of(config: &AccessConfig, before: Option<&Self>) -> Result<Self, BadSetting> {
        let access = Self {
            required: config.required,
            keys: Keys::of(&config.keys)?,
            users: Users::of(&config.users, before.map(|before| &before.users))?,
            jwt: match &config.jwt {
                Some(jwt) => Some(Jwt::of(jwt, before.and_then(|before| before.jwt.as_ref()))?),
                None => None,
            },
            certificates: Certificates::of(&config.certificates)?,
            has_tenants: has_tenants(config),
        };
        if access.required && !access.has_credentials() {
            let why = "is true, but there is no credential: set access.keys, access.users, access.jwt or \
                       access.certificates";
            return Err(("required".to_owned(), why.to_owned()));
        }
        Ok(access)
    }

    /// Lets nobody in.
    pub(crate) fn closed() -> Self {
        Self {
            required: true,
            keys: Keys::default(),
            users: Users::default(),
            jwt: None,
            certificates: Certificates::default(),
            has_tenants: false,
        }
    }

    /// Whether every request may pass, whatever it says.
    pub(crate) fn is_open(&self) -> bool {
        !self.required && !self.has_credentials()
    }

    fn has_credentials(&self) -> bool {
        let is_empty = self.keys.is_empty()
            && self.users.is_empty()
            && self.jwt.is_none()
            && self.certificates.is_empty();
        !is_empty
    }

    /// How a request can say who it is, for `WWW-Authenticate`.
    pub(crate) fn challenges(&self) -> &'static [&'static str] {
        if self.users.is_empty() {
            &[r#"Bearer realm="sluice""#]
        } else {
            &[
                r#"Bearer realm="sluice""#,
                r#"Basic realm="sluice", charset="UTF-8""#,
            ]
        }
    }

    /// Whose request this is; none where it does not say and does not have to.
    pub(crate) async fn decide(
        &self,
        parts: &Parts,
        now_ms: i64,
    ) -> Result<Option<Arc<Grant>>, Denied> {
        match credential::of(parts)? {
            Some(Credential::Key(key)) => self.key(&key, now_ms).map(Some),
            Some(Credential::Password { user, password }) => {
                // A key serves as a password wherever a sender can be given nothing else.
                if !self.users.has(&user) {
                    match self.key(&password, now_ms) {
                        Err(Denied::UnknownKey) if !self.users.is_empty() => {}
                        decided => return decided.map(Some),
                    }
                }
                self.users.verify(&user, &password).await.map(Some)
            }
            None => self.without(parts),
        }
    }

    /// Whether a credential is good for this protocol. Where credentials speak for tenants, what shows the samples of
    /// all of them is only for one that may speak for any, or that settings list it for.
    fn allows(&self, grant: &Grant, protocol: &'static str) -> Result<(), Denied> {
        grant.allows(protocol)?;
        if protocol == shapes::RECENT && self.has_tenants && !grant.may_see_all() {
            return Err(Denied::Protocol { protocol });
        }
        Ok(())
    }

    fn key(&self, key: &str, now_ms: i64) -> Result<Arc<Grant>, Denied> {
        match &self.jwt {
            Some(jwt) if jwt::is_like_one(key) => jwt.verify(key),
            _ => self.keys.find(key, now_ms),
        }
    }

    fn without(&self, parts: &Parts) -> Result<Option<Arc<Grant>>, Denied> {
        let certificate = parts.extensions.get::<Arc<ClientCertificate>>();
        let known = certificate.and_then(|certificate| self.certificates.find(certificate));
        match (known, certificate) {
            (Some(grant), _) => Ok(Some(grant)),
            (None, _) if !self.required => Ok(None),
            (None, Some(_)) => Err(Denied::UnknownCertificate),
            (None, None) => Err(Denied::Missing),
        }
    }
}

fn has_tenants(config: &AccessConfig) -> bool {
    let keys = config
        .keys
        .values()
        .map(|key| (&key.tenant, key.any_tenant));
    let users = config.users.values();
    let users = users.map(|user| (&user.tenant, user.any_tenant));
    let certificates = config.certificates.values();
    let certificates = certificates.map(|shown| (&shown.tenant, shown.any_tenant));
    let jwt = config.jwt.as_ref();
    keys.chain(users)
        .chain(certificates)
        .any(|(tenant, any_tenant)| tenant.is_some() || any_tenant)
        || jwt.is_some_and(|jwt| jwt.any_tenant || !jwt.tenant_claim.is_empty())
}

#[cfg(test)]
mod tests;
