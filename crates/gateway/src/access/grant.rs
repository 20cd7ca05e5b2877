//! What a credential is good for.

use std::sync::Arc;

use super::Denied;
use crate::config::BadSetting;
use crate::origin::check_tenant;

/// What its holder may do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Grant {
    /// What people call it: not secret.
    pub(crate) name: Arc<str>,
    pub(crate) tenant: Option<Arc<str>>,
    pub(crate) any_tenant: bool,
    pub(crate) source: Option<Arc<str>>,
    /// Empty for all.
    pub(crate) protocols: Vec<String>,
}

/// A grant as settings write it.
pub(super) struct Written<'c> {
    /// `keys.ci`
    pub(super) key: String,
    pub(super) tenant: Option<&'c String>,
    pub(super) any_tenant: bool,
    pub(super) source: Option<&'c String>,
    pub(super) protocols: &'c [String],
}

impl Written<'_> {
    /// Checks it.
    pub(super) fn grant(self) -> Result<Arc<Grant>, BadSetting> {
        if let Some(Err(why)) = self.tenant.map(|tenant| check_tenant(tenant)) {
            return Err((format!("{}.tenant", self.key), why));
        }
        for protocol in self.protocols {
            let known = super::shapes::PROTOCOLS;
            if !known.contains(&protocol.as_str()) {
                let why = format!("has {protocol:?}, known are {}", known.join(", "));
                return Err((format!("{}.protocols", self.key), why));
            }
        }
        Ok(Arc::new(Grant {
            tenant: self.tenant.map(|tenant| tenant.as_str().into()),
            any_tenant: self.any_tenant,
            source: self.source.map(|source| source.as_str().into()),
            protocols: self.protocols.to_vec(),
            name: self.key.into(),
        }))
    }
}

impl Grant {
    /// The tenant of a request that names this one, or none.
    pub(crate) fn tenant(&self, named: Option<Arc<str>>) -> Result<Option<Arc<str>>, Denied> {
        match named {
            None => Ok(self.tenant.clone()),
            Some(named) if self.any_tenant || self.tenant.as_ref() == Some(&named) => {
                Ok(Some(named))
            }
            Some(named) => Err(Denied::Tenant {
                own: self.tenant.clone(),
                named,
            }),
        }
    }

    /// Whether it is good for this protocol.
    pub(super) fn allows(&self, protocol: &'static str) -> Result<(), Denied> {
        if self.protocols.is_empty() || self.lists(protocol) {
            return Ok(());
        }
        Err(Denied::Protocol { protocol })
    }

    /// Whether it may see the samples of all tenants: not that of one of them, nor one that nobody has said it of.
    pub(super) fn may_see_all(&self) -> bool {
        self.any_tenant || (self.tenant.is_none() && self.lists(super::shapes::RECENT))
    }

    fn lists(&self, protocol: &str) -> bool {
        self.protocols.iter().any(|listed| listed == protocol)
    }
}
