//! Section `access`: who may send, as which tenant.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service::secret::Secret;
use service::units::Period;

use super::BadSetting;

/// Section `access`: who may send, and as which tenant. A credential is an API key, a user's password, a JWT, or a client
/// certificate. As soon as one is set here, a wrong one gets 401, on every path but `/health`; a request without any is
/// refused when `access.required` says so. A credential speaks for its tenant alone: naming another one is 403.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AccessConfig {
    /// Whether a request without a credential gets 401. Without this it may say any tenant by path or header.
    pub required: bool,
    /// API keys by name. A request shows its key as `Authorization: Bearer …` or `Token …`, as the password of basic auth
    /// (with a user that is not in `access.users`), as `X-Api-Key`, as Datadog's `DD-API-KEY` or `api_key`, or as
    /// InfluxDB 1's `p`.
    pub keys: BTreeMap<String, KeyConfig>,
    /// Users of basic auth by name.
    pub users: BTreeMap<String, UserConfig>,
    /// Tokens of an identity provider: JWT, signed with RS256 or ES256.
    pub jwt: Option<JwtConfig>,
    /// Client certificates that the listener has verified (`http.tls.client_ca`), by a name of your choice.
    pub certificates: BTreeMap<String, CertificateConfig>,
}

/// An API key.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct KeyConfig {
    /// The SHA-256 of the key in hexadecimal, as `sluice hash-key` prints it. The key itself must be random.
    pub sha256: String,
    /// The tenant that it speaks for; without one, for samples of no tenant.
    pub tenant: Option<String>,
    /// Whether it may speak for any tenant that path or header name. Then `tenant` is for requests that name none.
    pub any_tenant: bool,
    /// The source of what is sent with it, whatever the sender calls itself.
    pub source: Option<String>,
    /// The protocols that it is good for, as metrics call them; empty for all.
    pub protocols: Vec<String>,
    /// From when on it is refused, such as `2027-01-31T00:00:00Z`.
    pub expires: Option<String>,
}

/// A user of basic auth.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UserConfig {
    /// The password's hash: argon2id as `sluice hash-password` prints it, or bcrypt as `htpasswd -B` does.
    pub password_hash: Secret,
    /// The tenant that the user speaks for; without one, for samples of no tenant.
    pub tenant: Option<String>,
    /// Whether the user may speak for any tenant that path or header name.
    pub any_tenant: bool,
    /// The source of what the user sends, whatever the sender calls itself.
    pub source: Option<String>,
    /// The protocols that the user may use, as metrics call them; empty for all.
    pub protocols: Vec<String>,
}

/// An identity provider.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct JwtConfig {
    /// A file with the provider's public keys (JWKS); this or `jwks_url`.
    pub jwks_file: Option<PathBuf>,
    /// The URL of the provider's public keys (JWKS). They are fetched in the background; while the URL cannot be reached,
    /// the last ones stay good.
    pub jwks_url: Option<String>,
    /// PEM file of the authorities that may have signed the certificate of `jwks_url`, instead of the system's.
    pub jwks_ca: Option<PathBuf>,
    /// How often keys are fetched. A token that is signed with an unknown key has them fetched at once, every 10 s at most.
    pub refresh: Period,
    /// What the claim `iss` must be.
    pub issuer: String,
    /// What the claim `aud` must be, or hold one of.
    pub audience: Vec<String>,
    /// How far `exp` and `nbf` may be off, because clocks are.
    pub leeway: Period,
    /// The claim that names the tenant; a token without it is refused. Empty: tokens speak for samples of no tenant.
    pub tenant_claim: String,
    /// The claim that names the source, such as `sub`; empty for none.
    pub source_claim: String,
    /// Whether tokens may speak for any tenant that path or header name.
    pub any_tenant: bool,
}

impl Default for JwtConfig {
    fn default() -> Self {
        Self {
            jwks_file: None,
            jwks_url: None,
            jwks_ca: None,
            refresh: Period::secs(300),
            issuer: String::new(),
            audience: Vec::new(),
            leeway: Period::secs(60),
            tenant_claim: String::new(),
            source_claim: String::new(),
            any_tenant: false,
        }
    }
}

/// Client certificates. One of `common_name` and `uri` says which.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CertificateConfig {
    /// The subject's common name.
    pub common_name: Option<String>,
    /// A URI among the subject's alternative names, such as a SPIFFE ID; with `*` at its end, whatever begins like it.
    pub uri: Option<String>,
    /// The tenant that they speak for; without one, for samples of no tenant.
    pub tenant: Option<String>,
    /// Whether they may speak for any tenant that path or header name.
    pub any_tenant: bool,
    /// The source of what is sent with them, whatever the sender calls itself.
    pub source: Option<String>,
    /// The protocols that they are good for, as metrics call them; empty for all.
    pub protocols: Vec<String>,
}

impl AccessConfig {
    /// Checks names, hashes and files.
    ///
    /// # Errors
    /// The first key that cannot be, and why.
    pub fn check(&self) -> Result<(), BadSetting> {
        crate::access::Access::of(self, None).map(drop)
    }

    /// The files that are read for it, and anew when they change.
    #[must_use]
    pub fn files(&self) -> Vec<PathBuf> {
        let jwt = self.jwt.as_ref();
        let files = jwt.map(|jwt| [&jwt.jwks_file, &jwt.jwks_ca]);
        files.into_iter().flatten().flatten().cloned().collect()
    }
}
