//! The settings of a database of `PostgreSQL`.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service::http_client::Tls;
use service::secret::Secret;
use service::units::{Period, Size};
use tokio_postgres::config::SslMode;

use crate::endpoint::Batches;

/// `PostgreSQL` cuts names longer than 63 bytes, and partitions are called after their table.
const NAME_BYTES: usize = 40;

/// A database of `PostgreSQL`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The server and the database: `postgresql://user@host:5432/database`, several hosts separated by commas. Required.
    /// `?sslmode=require` is for TLS, whose certificate is always checked; without it there is none.
    pub url: String,
    /// The password. At most one of this and `password_file`.
    pub password: Option<Secret>,
    /// File that holds the password, read again for every connection.
    pub password_file: Option<PathBuf>,
    /// The schema, which must exist.
    pub schema: String,
    /// The table of the samples. That of the series is called `<table>_series`, the view of both `<table>_view`.
    pub table: String,
    /// Creates what is missing: tables, the view, and the partitions of each day. Otherwise they must be there.
    pub create_table: bool,
    /// Days whose samples are all older than this are dropped; `0s` keeps them.
    pub retention: Period,
    /// How long a batch may take. Then it is written again.
    pub timeout: Period,
    /// How long connecting to one host may take.
    pub connect_timeout: Period,
    /// Connections. All of a metric name goes through the same one of them; if that one cannot keep up, its
    /// series go through all of them. The samples of a series stay in order.
    pub shards: usize,
    /// Samples of one transaction at most.
    pub max_samples: usize,
    /// Memory for the samples of one transaction at most.
    pub max_size: Size,
    /// A transaction begins when its first sample has waited so long, full or not.
    pub max_age: Period,
    /// How the server proves who it is, and how we do.
    pub tls: Tls,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            url: String::new(),
            password: None,
            password_file: None,
            schema: "public".to_owned(),
            table: "metrics".to_owned(),
            create_table: true,
            retention: Period::secs(0),
            timeout: Period::secs(60),
            connect_timeout: Period::secs(5),
            shards: 2,
            max_samples: 10_000,
            max_size: Size::mib(8),
            max_age: Period::secs(1),
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
        if let Err(why) = self.parsed() {
            return refuse("url", &why);
        }
        if self.password.is_some() && self.password_file.is_some() {
            return refuse("password_file", "cannot be set together with password");
        }
        for (key, name) in [("schema", &self.schema), ("table", &self.table)] {
            if name.is_empty() || name.len() > NAME_BYTES {
                return refuse(key, &format!("must have 1 to {NAME_BYTES} bytes"));
            }
            if name.contains(|character: char| character.is_control()) {
                return refuse(key, "must not have control characters");
            }
        }
        for (key, period) in [
            ("timeout", self.timeout),
            ("connect_timeout", self.connect_timeout),
        ] {
            if period.0.is_zero() {
                return refuse(key, "must be longer than 0s");
            }
        }
        let day = Period::secs(86_400);
        if !self.retention.0.is_zero() && self.retention < day {
            return refuse(
                "retention",
                "must be 0s or at least 1d: whole days are dropped",
            );
        }
        if self.tls.insecure_skip_verify {
            let why = "is not for this store; name the server's own certificate in tls.ca_file";
            return refuse("tls.insecure_skip_verify", why);
        }
        if self.tls.cert_file.is_some() != self.tls.key_file.is_some() {
            return refuse("tls.cert_file", "cert_file and key_file belong together");
        }
        self.batches().check()
    }

    pub(super) fn batches(&self) -> Batches {
        Batches {
            shards: self.shards,
            max_samples: self.max_samples,
            max_size: self.max_size,
            max_age: self.max_age,
        }
    }

    /// The URL as the client's settings. The error never repeats it: it may hold a password.
    pub(super) fn parsed(&self) -> Result<tokio_postgres::Config, String> {
        if self.url.is_empty() {
            return Err("is required".to_owned());
        }
        if !["postgres://", "postgresql://"]
            .iter()
            .any(|scheme| self.url.starts_with(scheme))
        {
            return Err("must start with postgresql:// and name a host and a database".to_owned());
        }
        let mut parsed: tokio_postgres::Config = self
            .url
            .parse()
            .map_err(|_| "is not a URL of PostgreSQL: postgresql://user@host:5432/database")?;
        if parsed.get_password().is_some() {
            return Err("must not contain a password; use password or password_file".to_owned());
        }
        if parsed.get_hosts().is_empty() || parsed.get_user().is_none() {
            return Err("must name a user and a host".to_owned());
        }
        // Nobody can know whether what falls back to plain text was meant to.
        if parsed.get_ssl_mode() == SslMode::Prefer {
            parsed.ssl_mode(SslMode::Disable);
        }
        parsed.connect_timeout(self.connect_timeout.0);
        if parsed.get_application_name().is_none() {
            parsed.application_name("sluice");
        }
        Ok(parsed)
    }
}
