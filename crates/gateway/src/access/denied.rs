//! Why a request is not let in, as its sender and as metrics are told.

use std::sync::Arc;

use model::Code;

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Denied {
    #[error(
        "a credential is needed here: an API key, a user and password, a token, or a client certificate"
    )]
    Missing,
    #[error("the credential cannot be read: {0}")]
    Malformed(&'static str),
    #[error("the API key is not known here")]
    UnknownKey,
    #[error("{name} has expired")]
    ExpiredKey { name: Arc<str> },
    #[error("there is no such user, or the password is wrong")]
    WrongPassword,
    #[error("the token is not good: {0}")]
    Token(String),
    #[error("the token has expired")]
    ExpiredToken,
    #[error("the client certificate is not known here; access.certificates says which are")]
    UnknownCertificate,
    #[error("the credential speaks for {}, but the request names {named:?}", speaks_for(own.as_deref()))]
    Tenant {
        own: Option<Arc<str>>,
        named: Arc<str>,
    },
    #[error("the credential is not good for {protocol}")]
    Protocol { protocol: &'static str },
    #[error("more passwords are being checked than may be at a time; send it again in a second")]
    Busy,
    #[error("the identity provider's keys are not there yet; send it again in a second")]
    NoKeysYet,
}

fn speaks_for(tenant: Option<&str>) -> String {
    tenant.map_or_else(
        || "samples of no tenant".to_owned(),
        |tenant| format!("tenant {tenant:?}"),
    )
}

impl Denied {
    /// The stable code, which decides the status.
    pub(crate) fn code(&self) -> Code {
        match self {
            Self::Missing
            | Self::Malformed(_)
            | Self::UnknownKey
            | Self::ExpiredKey { .. }
            | Self::WrongPassword
            | Self::Token(_)
            | Self::ExpiredToken
            | Self::UnknownCertificate => Code::Unauthenticated,
            Self::Tenant { .. } | Self::Protocol { .. } => Code::Forbidden,
            Self::Busy | Self::NoKeysYet => Code::AccessUnavailable,
        }
    }

    /// The label in metrics.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Malformed(_) => "malformed",
            Self::UnknownKey => "unknown_key",
            Self::ExpiredKey { .. } => "expired_key",
            Self::WrongPassword => "wrong_password",
            Self::Token(_) => "bad_token",
            Self::ExpiredToken => "expired_token",
            Self::UnknownCertificate => "unknown_certificate",
            Self::Tenant { .. } => "other_tenant",
            Self::Protocol { .. } => "other_protocol",
            Self::Busy => "busy",
            Self::NoKeysYet => "no_keys_yet",
        }
    }
}
