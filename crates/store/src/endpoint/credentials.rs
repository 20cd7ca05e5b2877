//! Where the `Authorization` header comes from; files are read again, because tokens are replaced while we run.

use std::path::{Path, PathBuf};

use http::header::HeaderValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service::secret::Secret;

use super::Settings;

/// A user name and a password.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BasicAuth {
    /// The user name.
    pub username: String,
    /// The password.
    pub password: Option<Secret>,
    /// File that holds the password, read again for every request; instead of `password`.
    pub password_file: Option<PathBuf>,
}

/// What stands before a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// What nearly everybody wants.
    Bearer,
    /// `InfluxDB` 2.
    Token,
}

impl Scheme {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer",
            Self::Token => "Token",
        }
    }
}

#[derive(Debug, Clone)]
pub(super) enum Credentials {
    None,
    Token(Scheme, Secret),
    TokenFile(Scheme, PathBuf),
    Password { username: String, password: Secret },
    PasswordFile { username: String, path: PathBuf },
}

impl Credentials {
    pub(super) fn of(settings: &Settings<'_>) -> Self {
        if let Some(token) = settings.bearer_token {
            return Self::Token(settings.scheme, token.clone());
        }
        if let Some(path) = settings.bearer_token_file {
            return Self::TokenFile(settings.scheme, path.clone());
        }
        match settings.basic_auth.cloned() {
            Some(BasicAuth {
                username,
                password_file: Some(path),
                ..
            }) => Self::PasswordFile { username, path },
            Some(BasicAuth {
                username, password, ..
            }) => Self::Password {
                username,
                password: password.unwrap_or_default(),
            },
            None => Self::None,
        }
    }

    /// The header's value as of now.
    pub(super) async fn header(&self) -> Result<Option<HeaderValue>, String> {
        let text = match self {
            Self::None => return Ok(None),
            Self::Token(scheme, token) => token_text(*scheme, token.expose()),
            Self::TokenFile(scheme, path) => token_text(*scheme, read_secret(path).await?.expose()),
            Self::Password { username, password } => basic(username, password.expose()),
            Self::PasswordFile { username, path } => {
                basic(username, read_secret(path).await?.expose())
            }
        };
        let mut header = HeaderValue::try_from(text.expose())
            .map_err(|_| "the store's credentials contain control characters".to_owned())?;
        header.set_sensitive(true);
        Ok(Some(header))
    }
}

fn token_text(scheme: Scheme, token: &str) -> Secret {
    Secret::new(format!("{} {token}", scheme.as_str()))
}

fn basic(username: &str, password: &str) -> Secret {
    use base64::Engine as _;
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("{username}:{password}"));
    Secret::new(format!("Basic {pair}"))
}

/// A secret from its file, without the white space around it.
pub(crate) async fn read_secret(path: &Path) -> Result<Secret, String> {
    let owned = path.to_owned();
    let read = tokio::task::spawn_blocking(move || std::fs::read_to_string(owned)).await;
    let failed = |error: &dyn std::fmt::Display| {
        format!("cannot read the credentials in {}: {error}", path.display())
    };
    match read {
        Ok(Ok(text)) => Ok(Secret::new(text.trim())),
        Ok(Err(error)) => Err(failed(&error)),
        Err(error) => Err(failed(&error)),
    }
}
