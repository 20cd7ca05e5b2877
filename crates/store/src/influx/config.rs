//! The settings of a store that takes line protocol.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service::http_client::Tls;
use service::secret::Secret;
use service::units::{Period, Size};

use crate::endpoint::{BasicAuth, Batches, Scheme, Settings, parsed_url};

/// Version 2 has a word of its own before a token.
const V2: &str = "/api/v2/write";
/// Version 3 calls the unit of timestamps otherwise.
const V3: &str = "/api/v3/write_lp";

/// A store that takes `InfluxDB`'s line protocol.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where to write, database included: `http://host:8086/write?db=metrics` (version 1, `VictoriaMetrics`),
    /// `http://host:8086/api/v2/write?org=o&bucket=b` (version 2) or `http://host:8181/api/v3/write_lp?db=metrics`
    /// (version 3). Required. `precision` is added by Sluice.
    pub url: String,
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
    /// One measurement for everything, whose fields are the metrics. Without it each metric is a measurement of its own.
    pub measurement: Option<String>,
    /// The field that has the value, where each metric is a measurement.
    pub field: String,
    /// Token for `Authorization`. At most one of this, `bearer_token_file` and `basic_auth`.
    pub bearer_token: Option<Secret>,
    /// File that holds the token, read again for every request.
    pub bearer_token_file: Option<PathBuf>,
    /// User name and password for `Authorization: Basic`.
    pub basic_auth: Option<BasicAuth>,
    /// Further headers of every request. Their values are never shown.
    pub headers: BTreeMap<String, Secret>,
    /// How the store proves who it is, and how we do.
    pub tls: Tls,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            url: String::new(),
            timeout: Period::secs(30),
            connect_timeout: Period::secs(5),
            shards: 4,
            // What InfluxData recommends for one request.
            max_samples: 5000,
            max_size: Size::mib(8),
            max_age: Period::secs(1),
            measurement: None,
            field: "value".to_owned(),
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
        let refuse = |key: &str, why: &str| Err((key.to_owned(), why.to_owned()));
        self.endpoint().check()?;
        if let Ok(url) = parsed_url(&self.url) {
            if !url.path().ends_with("/write") && !url.path().ends_with(V3) {
                return refuse(
                    "url",
                    "must end in /write, /api/v2/write or /api/v3/write_lp, before its query",
                );
            }
            if url.query_pairs().any(|(name, _)| name == "precision") {
                return refuse("url", "must not say precision; Sluice does");
            }
        }
        self.batches().check()?;
        if self.field.is_empty() {
            return refuse("field", "must not be empty");
        }
        if self.measurement.as_deref() == Some("") {
            return refuse("measurement", "must not be empty; leave it out instead");
        }
        for (key, text) in [
            ("field", Some(&self.field)),
            ("measurement", self.measurement.as_ref()),
        ] {
            if text.is_some_and(|text| text.contains(['\n', '\\'])) {
                return refuse(key, "must have neither line breaks nor backslashes");
            }
        }
        Ok(())
    }

    pub(super) fn endpoint(&self) -> Settings<'_> {
        Settings {
            url: &self.url,
            timeout: self.timeout,
            connect_timeout: self.connect_timeout,
            scheme: if self.path_ends_with(V2) {
                Scheme::Token
            } else {
                Scheme::Bearer
            },
            bearer_token: self.bearer_token.as_ref(),
            bearer_token_file: self.bearer_token_file.as_ref(),
            basic_auth: self.basic_auth.as_ref(),
            headers: &self.headers,
            tls: &self.tls,
            reserved: &[],
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

    /// The unit of our timestamps, in the words of the version.
    pub(super) fn precision(&self) -> &'static str {
        if self.path_ends_with(V3) {
            "millisecond"
        } else {
            "ms"
        }
    }

    fn path_ends_with(&self, end: &str) -> bool {
        parsed_url(&self.url).is_ok_and(|url| url.path().ends_with(end))
    }
}
