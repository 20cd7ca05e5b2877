//! The settings of a `ClickHouse` table.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service::http_client::Tls;
use service::secret::Secret;
use service::units::{Period, Size};

use crate::endpoint::{BasicAuth, Batches, Scheme, Settings};

/// How requests are compressed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Compression {
    /// Servers from 20.10 on.
    #[default]
    Zstd,
    /// Every server.
    Gzip,
    /// As it is.
    None,
}

/// What the column `labels` is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LabelColumn {
    /// A `Map(String, String)`.
    #[default]
    Map,
    /// A `String` with a JSON object, for servers before 21.1 and tables that have it so.
    Json,
}

/// A table of `ClickHouse`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The server's HTTP interface, such as `http://localhost:8123`. Required. Redirects are not followed.
    pub url: String,
    /// The database. It must exist.
    pub database: String,
    /// The table.
    pub table: String,
    /// Creates the table when it is missing. Otherwise it must be there, with the same columns.
    pub create_table: bool,
    /// The engine of a table that is created, such as `ReplicatedReplacingMergeTree`. It should collapse rows of the
    /// same sorting key.
    pub engine: String,
    /// How long the table that is created keeps rows, at most 7300d; `0s` keeps them. An existing table is never changed.
    pub retention: Period,
    /// What the column `labels` is: `map` or `json`.
    pub labels: LabelColumn,
    /// Settings of every `INSERT`, as `ClickHouse` calls them. Without `wait_for_async_insert` a server that inserts
    /// asynchronously would answer before it has the rows.
    pub settings: BTreeMap<String, String>,
    /// How requests are compressed: `zstd`, `gzip` or `none`.
    pub compression: Compression,
    /// How long a request may take, answer included. Then it is sent again.
    pub timeout: Period,
    /// How long connecting may take, TLS included. Then it is tried again.
    pub connect_timeout: Period,
    /// Requests at once. All of a metric name goes through the same one of them; if that one cannot keep up, its
    /// series go through all of them. The samples of a series stay in order.
    pub shards: usize,
    /// Samples of one request at most. `ClickHouse` wants few large ones.
    pub max_samples: usize,
    /// Memory for the samples of one request at most.
    pub max_size: Size,
    /// A request is sent when its first sample has waited so long, full or not.
    pub max_age: Period,
    /// User name and password.
    pub basic_auth: Option<BasicAuth>,
    /// Further headers of every request. Their values are never shown.
    pub headers: BTreeMap<String, Secret>,
    /// How the store proves who it is, and how we do.
    pub tls: Tls,
}

impl Default for Config {
    fn default() -> Self {
        let wait = ("wait_for_async_insert".to_owned(), "1".to_owned());
        Self {
            url: String::new(),
            database: "default".to_owned(),
            table: "metrics".to_owned(),
            create_table: true,
            engine: "ReplacingMergeTree".to_owned(),
            retention: Period::secs(0),
            labels: LabelColumn::default(),
            settings: BTreeMap::from([wait]),
            compression: Compression::default(),
            timeout: Period::secs(30),
            connect_timeout: Period::secs(5),
            shards: 2,
            max_samples: 50_000,
            max_size: Size::mib(16),
            max_age: Period::secs(5),
            basic_auth: None,
            headers: BTreeMap::new(),
            tls: Tls::default(),
        }
    }
}

/// `ClickHouse` adds a retention to a time in 32 bits, which end in 2106; beyond, rows would expire at once.
const MAX_RETENTION: Period = Period::secs(20 * 365 * 86_400);

impl Config {
    /// Checks what one field alone cannot say.
    ///
    /// # Errors
    /// The first key that cannot be as it is, and why.
    pub fn check(&self) -> Result<(), (String, String)> {
        let refuse = |key: &str, why: &str| Err((key.to_owned(), why.to_owned()));
        self.endpoint().check()?;
        for (key, name) in [
            ("database", &self.database),
            ("table", &self.table),
            ("engine", &self.engine),
        ] {
            if name.is_empty() {
                return refuse(key, "must not be empty");
            }
            if name.contains(|character: char| character.is_control()) {
                return refuse(key, "must not have control characters");
            }
        }
        if self.retention > MAX_RETENTION {
            return refuse("retention", "must be at most 7300d; 0s keeps rows forever");
        }
        for name in ["query", "database", "user", "password"] {
            if self.settings.contains_key(name) {
                let why = "is not a setting of an INSERT; it has a key of its own";
                return refuse(&format!("settings.{name}"), why);
            }
        }
        self.batches().check()
    }

    pub(super) fn endpoint(&self) -> Settings<'_> {
        Settings {
            url: &self.url,
            timeout: self.timeout,
            connect_timeout: self.connect_timeout,
            scheme: Scheme::Bearer,
            bearer_token: None,
            bearer_token_file: None,
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
}
