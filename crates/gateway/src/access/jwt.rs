//! Tokens of an identity provider: JWT, RS256 or ES256.
//!
//! The algorithm is the key's, never what a token says: so neither `none` nor a symmetric one can be slipped in.

use std::sync::Arc;

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Validation, decode, decode_header};
use serde_json::{Map, Value};

use super::jwks::{Found, Provider, Signer, look_again};
use super::{Denied, Grant, crypto};
use crate::config::{BadSetting, JwtConfig};
use crate::origin::check_tenant;

/// More does not come as a header anyway.
const MAX_TOKEN_BYTES: usize = 16 << 10;

/// The provider of one version of the settings.
#[derive(Debug)]
pub(super) struct Jwt {
    provider: Provider,
    /// But for its algorithm.
    validation: Validation,
    config: JwtConfig,
}

/// Whether a key is a token of three parts, the first of them a JSON object in Base64.
pub(super) fn is_like_one(key: &str) -> bool {
    key.starts_with("eyJ") && key.bytes().filter(|byte| *byte == b'.').count() == 2
}

impl Jwt {
    pub(super) fn of(config: &JwtConfig, before: Option<&Self>) -> Result<Self, BadSetting> {
        crypto::install();
        for (key, is_empty) in [
            ("jwt.issuer", config.issuer.is_empty()),
            ("jwt.audience", config.audience.is_empty()),
        ] {
            if is_empty {
                let why = "is needed: without it a token that was made for somebody else would be good here";
                return Err((key.to_owned(), why.to_owned()));
            }
        }
        let mut validation = Validation::default();
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        validation.set_issuer(&[&config.issuer]);
        validation.set_audience(&config.audience);
        validation.leeway = config.leeway.0.as_secs();
        validation.validate_nbf = true;
        Ok(Self {
            provider: Provider::of(config, before.map(|before| &before.provider))?,
            validation,
            config: config.clone(),
        })
    }

    pub(super) async fn keep_fresh(&self) {
        match &self.provider {
            Provider::File(_) => look_again().await,
            Provider::Url(published) => published.keep_fresh().await,
        }
    }

    pub(super) fn verify(&self, token: &str) -> Result<Arc<Grant>, Denied> {
        let bad = |why: &str| Err(Denied::Token(why.to_owned()));
        if token.len() > MAX_TOKEN_BYTES {
            return bad("it is too long");
        }
        let Ok(header) = decode_header(token) else {
            return bad("its header cannot be read");
        };
        let claims = |signer: &Signer| {
            let mut validation = self.validation.clone();
            validation.algorithms = vec![signer.algorithm];
            decode::<Map<String, Value>>(token, &signer.key, &validation)
        };
        match self.provider.with(header.kid.as_deref(), claims) {
            Found::Signer(Ok(token)) => self.grant(&token.claims),
            Found::Signer(Err(error)) => Err(denied(&error)),
            Found::Unknown => bad("the key that it says it is signed with is not known"),
            Found::NotYet => Err(Denied::NoKeysYet),
        }
    }

    fn grant(&self, claims: &Map<String, Value>) -> Result<Arc<Grant>, Denied> {
        let text = |claim: &str| {
            (!claim.is_empty())
                .then(|| claims.get(claim).and_then(Value::as_str))
                .flatten()
        };
        let claim = &self.config.tenant_claim;
        let tenant = text(claim);
        if !claim.is_empty() && !self.config.any_tenant && tenant.is_none() {
            return Err(Denied::Token(format!("it has no text as claim {claim:?}")));
        }
        if let Some(Err(why)) = tenant.map(check_tenant) {
            return Err(Denied::Token(format!("of its claim {claim:?}, {why}")));
        }
        let name = text("sub").map_or_else(
            || "jwt".into(),
            |subject| format!("jwt {}", crate::origin::tidy(subject)),
        );
        Ok(Arc::new(Grant {
            name: name.into(),
            tenant: tenant.map(Arc::from),
            any_tenant: self.config.any_tenant,
            source: text(&self.config.source_claim)
                .map(crate::origin::tidy)
                .filter(|source| !source.is_empty())
                .map(Arc::from),
            protocols: Vec::new(),
        }))
    }
}

/// What the holder of a token may know; nothing of it is secret to who has it.
fn denied(error: &jsonwebtoken::errors::Error) -> Denied {
    let why = match error.kind() {
        ErrorKind::ExpiredSignature => return Denied::ExpiredToken,
        ErrorKind::ImmatureSignature => "it is not valid yet (nbf)",
        ErrorKind::InvalidIssuer => "it is of another issuer (iss)",
        ErrorKind::InvalidAudience => "it is meant for somebody else (aud)",
        ErrorKind::MissingRequiredClaim(claim) => {
            return Denied::Token(format!("it has no claim {claim:?}"));
        }
        ErrorKind::InvalidSignature => "its signature is wrong",
        ErrorKind::InvalidAlgorithm | ErrorKind::UnsupportedAlgorithm => {
            "its algorithm is not its key's; RS256 and ES256 are taken"
        }
        _ => "it cannot be read",
    };
    Denied::Token(why.to_owned())
}
