//! The settings of a remote-write store.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use service::http_client::Tls;
use service::secret::Secret;
use service::units::{Period, Size};

use crate::endpoint::{BasicAuth, Batches, Scheme, Settings};

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
    /// Requests at once. All of a metric name goes through the same one of them; if that one cannot keep up, its
    /// series go through all of them. The samples of a series stay in order.
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

impl Config {
    /// Checks what one field alone cannot say.
    ///
    /// # Errors
    /// The first key that cannot be as it is, and why.
    pub fn check(&self) -> Result<(), (String, String)> {
        self.endpoint().check()?;
        self.batches().check()
    }

    pub(super) fn endpoint(&self) -> Settings<'_> {
        Settings {
            url: &self.url,
            timeout: self.timeout,
            connect_timeout: self.connect_timeout,
            scheme: Scheme::Bearer,
            bearer_token: self.bearer_token.as_ref(),
            bearer_token_file: self.bearer_token_file.as_ref(),
            basic_auth: self.basic_auth.as_ref(),
            headers: &self.headers,
            tls: &self.tls,
            reserved: &["x-prometheus-remote-write-version"],
        }
    }

    pub(super) fn batches(&self) -> Batches {
        Batches {
            shards: self.shards,
            max_samples: self.max_samples,
            max_size: self.max_size,
            max_age: self.max_age,
        }
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
