//! The settings of a remote-write store.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use http::header::{HeaderName, HeaderValue};
use reqwest::Url;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use service::http_client::Tls;
use service::secret::Secret;
use service::units::{Period, Size};

/// Which protocol the store speaks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Version {
    /// Remote write 1.0: every store that has remote write at all.
    #[default]
    V1,
    /// Remote write 2.0: types, units and start times beside every series, and shared strings.
    V2,
}

impl Version {
    fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "1.0",
            Self::V2 => "2.0",
        }
    }
}

/// How names outside the classic alphabet `[a-zA-Z0-9_:]` are sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Names {
    /// As they are: Prometheus 3, Mimir, VictoriaMetrics.
    #[default]
    Utf8,
    /// Every other character becomes `_`, for stores that refuse it.
    Underscores,
}

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

/// A store that takes Prometheus remote write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where to send, such as `http://localhost:9090/api/v1/write`. Required. Redirects are not followed.
    pub url: String,
    /// `"1.0"` or `"2.0"`.
    pub version: Version,
    /// How long a request may take, answer included. Then it is sent again.
    pub timeout: Period,
    /// How long connecting may take, TLS included. Then it is tried again.
    pub connect_timeout: Period,
    /// Requests at once. A series always goes through the same one of them, so that its samples stay in order.
    pub shards: usize,
    /// Samples of one request at most.
    pub max_samples: usize,
    /// Memory for the samples of one request at most.
    pub max_size: Size,
    /// A request is sent when its first sample has waited so long, full or not.
    pub max_age: Period,
    /// How metric and label names outside `[a-zA-Z0-9_:]` are sent: `utf8` (as they are) or `underscores`.
    pub names: Names,
    /// Token for `Authorization: Bearer`. At most one of this, `bearer_token_file` and `basic_auth`.
    pub bearer_token: Option<Secret>,
    /// File that holds the token, read again for every request.
    pub bearer_token_file: Option<PathBuf>,
    /// User name and password for `Authorization: Basic`.
    pub basic_auth: Option<BasicAuth>,
    /// Further headers of every request, such as `X-Scope-OrgID`. Their values are never shown.
    pub headers: BTreeMap<String, Secret>,
    /// How the store proves who it is, and how we do.
    pub tls: Tls,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            url: String::new(),
            version: Version::default(),
            timeout: Period::secs(30),
            connect_timeout: Period::secs(5),
            shards: 4,
            // Prometheus' own queue_config.max_samples_per_send.
            max_samples: 2000,
            max_size: Size::mib(8),
            max_age: Period::secs(1),
            names: Names::default(),
            bearer_token: None,
            bearer_token_file: None,
            basic_auth: None,
            headers: BTreeMap::new(),
            tls: Tls::default(),
        }
    }
}

/// Headers that the protocol, the HTTP client or another setting decides.
const RESERVED: [&str; 9] = [
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "host",
    "transfer-encoding",
    "user-agent",
    "x-prometheus-remote-write-version",
];

impl Config {
    /// Checks what one field alone cannot say.
    ///
    /// # Errors
    /// The first key that cannot be as it is, and why.
    pub fn check(&self) -> Result<(), (String, String)> {
        let refuse = |key: &str, why: &str| Err((key.to_owned(), why.to_owned()));
        if let Err(why) = self.parsed_url() {
            return refuse("url", &why);
        }
        for (key, period) in [
            ("timeout", self.timeout),
            ("connect_timeout", self.connect_timeout),
            ("max_age", self.max_age),
        ] {
            if period.0.is_zero() {
                return refuse(key, "must be longer than 0s");
            }
        }
        for (key, number) in [
            ("shards", self.shards),
            ("max_samples", self.max_samples),
            ("max_size", self.max_size.bytes()),
        ] {
            if number == 0 {
                return refuse(key, "must be more than 0");
            }
        }
        if self.shards > 1024 {
            return refuse("shards", "must be at most 1024");
        }
        self.check_credentials()?;
        for (name, value) in &self.headers {
            let key = format!("headers.{name}");
            let Ok(header) = name.parse::<HeaderName>() else {
                return refuse(&key, "is not a header name");
            };
            if RESERVED.contains(&header.as_str()) {
                return refuse(
                    &key,
                    "is set by Sluice; credentials have settings of their own",
                );
            }
            if HeaderValue::from_str(value.expose()).is_err() {
                return refuse(&key, "has a value with control characters");
            }
        }
        Ok(())
    }

    fn check_credentials(&self) -> Result<(), (String, String)> {
        let refuse = |key: &str, why: &str| Err((key.to_owned(), why.to_owned()));
        let given = [
            ("bearer_token", self.bearer_token.is_some()),
            ("bearer_token_file", self.bearer_token_file.is_some()),
            ("basic_auth", self.basic_auth.is_some()),
        ];
        let mut given = given.iter().filter(|(_, given)| *given);
        if let (Some((first, _)), Some((second, _))) = (given.next(), given.next()) {
            return refuse(second, &format!("cannot be set together with {first}"));
        }
        if let Some(basic) = &self.basic_auth {
            if basic.username.is_empty() {
                return refuse("basic_auth.username", "is required");
            }
            if basic.username.contains(':') {
                return refuse("basic_auth.username", "cannot contain a colon");
            }
            if basic.password.is_some() == basic.password_file.is_some() {
                return refuse(
                    "basic_auth.password",
                    "give either the password or password_file",
                );
            }
        }
        if self.tls.cert_file.is_some() != self.tls.key_file.is_some() {
            return refuse("tls.cert_file", "cert_file and key_file belong together");
        }
        Ok(())
    }

    /// The URL as one. The error says why it is none, and never repeats it: it may hold a password.
    pub(super) fn parsed_url(&self) -> Result<Url, String> {
        if self.url.is_empty() {
            return Err("is required".to_owned());
        }
        let url = Url::parse(&self.url).map_err(|error| format!("is not a URL: {error}"))?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err("must start with http:// or https:// and name a host".to_owned());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("must not contain credentials; use basic_auth".to_owned());
        }
        Ok(url)
    }
}

/// Takes `"1.0"` and, because YAML makes a number of it without the quotes, `1.0`.
struct VersionText;

impl Visitor<'_> for VersionText {
    type Value = Version;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"1.0\" or \"2.0\"")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Version, E> {
        match text.trim() {
            "1.0" | "1" => Ok(Version::V1),
            "2.0" | "2" => Ok(Version::V2),
            _ => Err(E::custom(format!(
                "{text:?} is not a version of remote write; there are \"1.0\" and \"2.0\""
            ))),
        }
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Version, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Version, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Version, E> {
        self.visit_str(&number.to_string())
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(VersionText)
    }
}

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl JsonSchema for Version {
    fn schema_name() -> Cow<'static, str> {
        "Version".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "enum": ["1.0", "2.0"] })
    }
}
