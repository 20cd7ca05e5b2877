//! What a request shows to say who it is, wherever its protocol has a place for it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderName, HeaderValue};

use super::Denied;

const DATADOG_KEY: HeaderName = HeaderName::from_static("dd-api-key");
const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// What was shown; neither printed nor kept.
#[derive(PartialEq, Eq)]
pub(super) enum Credential {
    /// An API key, or a token of an identity provider.
    Key(String),
    Password {
        user: String,
        password: String,
    },
}

/// The first of: `Authorization`, a key's header, a key in the query, InfluxDB 1's user and password in the query.
pub(super) fn of(parts: &Parts) -> Result<Option<Credential>, Denied> {
    if let Some(value) = only(parts, &AUTHORIZATION)? {
        return authorization(text(value)?).map(Some);
    }
    for name in [API_KEY, DATADOG_KEY] {
        if let Some(value) = only(parts, &name)? {
            return Ok(Some(Credential::Key(text(value)?.trim().to_owned())));
        }
    }
    Ok(parts.uri.query().and_then(in_query))
}

/// Two of one name are a mistake, or somebody who hopes that two parts of a system choose differently.
fn only<'p>(parts: &'p Parts, name: &HeaderName) -> Result<Option<&'p HeaderValue>, Denied> {
    let mut values = parts.headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(Denied::Malformed("its header is there twice"));
    }
    Ok(first)
}

fn text(value: &HeaderValue) -> Result<&str, Denied> {
    value
        .to_str()
        .map_err(|_| Denied::Malformed("its header is no text"))
}

fn authorization(text: &str) -> Result<Credential, Denied> {
    let (scheme, value) = text
        .trim()
        .split_once(' ')
        .ok_or(Denied::Malformed("Authorization has no scheme"))?;
    let value = value.trim();
    match scheme.to_ascii_lowercase().as_str() {
        "bearer" => Ok(Credential::Key(value.to_owned())),
        // InfluxDB's, which may also be `user:password`.
        "token" => Ok(match value.split_once(':') {
            Some((user, password)) => Credential::Password {
                user: user.to_owned(),
                password: password.to_owned(),
            },
            None => Credential::Key(value.to_owned()),
        }),
        "basic" => {
            let pair = STANDARD.decode(value).ok();
            let pair = pair.and_then(|pair| String::from_utf8(pair).ok());
            let pair = pair.as_deref().and_then(|pair| pair.split_once(':'));
            let (user, password) =
                pair.ok_or(Denied::Malformed("Basic is not user:password in Base64"))?;
            Ok(Credential::Password {
                user: user.to_owned(),
                password: password.to_owned(),
            })
        }
        _ => Err(Denied::Malformed(
            "the scheme is none of Bearer, Token and Basic",
        )),
    }
}

fn in_query(query: &str) -> Option<Credential> {
    let parameter = |name: &str| {
        form_urlencoded::parse(query.as_bytes())
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.into_owned())
    };
    if let Some(key) = parameter("api_key") {
        return Some(Credential::Key(key));
    }
    let password = parameter("p")?;
    Some(Credential::Password {
        user: parameter("u").unwrap_or_default(),
        password,
    })
}
