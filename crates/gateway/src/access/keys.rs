//! API keys, of which only hashes are known.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;

use hashbrown::HashMap;
use ring::digest::{SHA256, digest};
use subtle::ConstantTimeEq as _;

use super::grant::{Grant, Written};
use super::{Denied, hashes};
use crate::config::{BadSetting, KeyConfig};

/// The keys of one version of the settings.
#[derive(Debug, Default)]
pub(super) struct Keys {
    /// By a hash that nobody outside can foresee, so that how long a lookup takes says nothing about what is in here.
    known: HashMap<u64, Vec<Key>>,
    hasher: RandomState,
}

#[derive(Debug)]
struct Key {
    sha256: [u8; 32],
    expires_ms: Option<i64>,
    grant: Arc<Grant>,
}

impl Keys {
    pub(super) fn of(config: &BTreeMap<String, KeyConfig>) -> Result<Self, BadSetting> {
        let mut keys = Self::default();
        for (name, config) in config {
            let place = format!("keys.{name}");
            let bad = |what: &str, why: &str| (format!("{place}.{what}"), why.to_owned());
            let sha256 = hashes::from_hex(&config.sha256).ok_or_else(|| {
                let why = "is not a SHA-256 in hexadecimal (64 characters); `sluice hash-key` makes one of a key";
                bad("sha256", why)
            })?;
            if sha256 == hashes::sha256("") {
                return Err(bad("sha256", "is the hash of an empty key"));
            }
            let expires_ms = match config.expires.as_deref().map(hashes::unix_ms) {
                Some(None) => {
                    return Err(bad("expires", "is not a time such as 2027-01-31T00:00:00Z"));
                }
                Some(expires_ms) => expires_ms,
                None => None,
            };
            let grant = Written {
                key: place.clone(),
                tenant: config.tenant.as_ref(),
                any_tenant: config.any_tenant,
                source: config.source.as_ref(),
                protocols: &config.protocols,
            };
            let key = Key {
                sha256,
                expires_ms,
                grant: grant.grant()?,
            };
            let alike = keys.known.entry(keys.hasher.hash_one(sha256)).or_default();
            if let Some(other) = alike.iter().find(|other| other.sha256 == sha256) {
                let why = format!("is the key of access.{} too", other.grant.name);
                return Err(bad("sha256", &why));
            }
            alike.push(key);
        }
        Ok(keys)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    pub(super) fn find(&self, key: &str, now_ms: i64) -> Result<Arc<Grant>, Denied> {
        let hash = digest(&SHA256, key.as_bytes());
        let Ok(sha256) = <[u8; 32]>::try_from(hash.as_ref()) else {
            return Err(Denied::UnknownKey);
        };
        let alike = self.known.get(&self.hasher.hash_one(sha256));
        let mut found = None;
        for key in alike.into_iter().flatten() {
            if bool::from(key.sha256.ct_eq(&sha256)) {
                found = Some(key);
            }
        }
        let key = found.ok_or(Denied::UnknownKey)?;
        if key
            .expires_ms
            .is_some_and(|expires_ms| expires_ms <= now_ms)
        {
            let name = Arc::clone(&key.grant.name);
            return Err(Denied::ExpiredKey { name });
        }
        Ok(Arc::clone(&key.grant))
    }
}
