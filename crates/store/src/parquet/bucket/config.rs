//! The settings of the archive's object store.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service::http_client::{Tls, Url};
use service::secret::Secret;
use service::units::Period;

/// S3 and what speaks like it. A day is at first on the disk alone, `after` its end in the object store
/// too, after the archive's `retention` only there, and after the `retention` here nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// `s3://<bucket>/<folder>`. Required. The folder becomes a Delta Lake table; archives of several
    /// consumers share one.
    pub url: String,
    /// Where the API is, such as `https://minio.example:9000`. Without it, AWS's own for `region`.
    pub endpoint: Option<String>,
    /// The region, as requests are signed with it.
    pub region: String,
    /// Key to sign requests with. Without it they are taken from where AWS's own clients look: its environment
    /// variables, a web identity's token, the container's or the machine's role.
    pub access_key_id: Option<String>,
    /// The secret of `access_key_id`.
    pub secret_access_key: Option<Secret>,
    /// The bucket is a part of the host's name instead of the path.
    pub virtual_hosted: bool,
    /// A day goes to the object store this long after its end. What comes for it later follows.
    pub after: Period,
    /// Days whose samples are all older than this are deleted from the object store. Measured like the archive's
    /// own `retention`, which must be shorter. `0s` keeps all.
    pub retention: Period,
    /// Nobody else writes below `url`. For servers that do not know conditional writes (`If-None-Match`), with
    /// which several archives keep out of each other's way.
    pub exclusive: bool,
    /// How long a request of at most 8 MiB may take, answer included. Then it is sent again.
    pub timeout: Period,
    /// How long connecting may take, TLS included.
    pub connect_timeout: Period,
    /// How the server proves who it is, and how we do.
    pub tls: Tls,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            url: String::new(),
            endpoint: None,
            region: "us-east-1".to_owned(),
            access_key_id: None,
            secret_access_key: None,
            virtual_hosted: false,
            after: Period::secs(24 * 3600),
            retention: Period::secs(0),
            exclusive: false,
            timeout: Period::secs(60),
            connect_timeout: Period::secs(5),
            tls: Tls::default(),
        }
    }
}

impl Config {
    /// Checks what one field alone cannot say. `local` is how long days stay on the disk.
    ///
    /// # Errors
    /// The first key, below `object_store`, that cannot be as it is, and why.
    pub fn check(&self, local: Duration) -> Result<(), (String, String)> {
        let refuse = |key: &str, why: String| Err((key.to_owned(), why));
        if let Err(why) = self.place() {
            return refuse("url", why);
        }
        if let Some(endpoint) = &self.endpoint {
            let url = Url::parse(endpoint);
            if !url.is_ok_and(|url| ["http", "https"].contains(&url.scheme()) && url.has_host()) {
                let why = format!("is {endpoint:?}, must be such as https://minio.example:9000");
                return refuse("endpoint", why);
            }
        }
        if self.region.is_empty() {
            return refuse("region", "is empty".to_owned());
        }
        if self.access_key_id.is_some() != self.secret_access_key.is_some() {
            let (has, lacks) = match self.access_key_id {
                Some(_) => ("access_key_id", "secret_access_key"),
                None => ("secret_access_key", "access_key_id"),
            };
            return refuse(has, format!("needs {lacks}"));
        }
        for (key, period) in [
            ("timeout", self.timeout),
            ("connect_timeout", self.connect_timeout),
        ] {
            if period.0.is_zero() {
                return refuse(key, "must be longer than 0s".to_owned());
            }
        }
        if !local.is_zero() && self.after.0 > local {
            let why = "must not be longer than the archive's retention, which is when days leave the disk";
            return refuse("after", why.to_owned());
        }
        if !self.retention.0.is_zero() && self.retention.0 <= local.max(self.after.0) {
            let why = "must be longer than the archive's retention and `after`, or days go from here before they go from the disk";
            return refuse("retention", why.to_owned());
        }
        Ok(())
    }

    /// The bucket, and the folder in it.
    pub(super) fn place(&self) -> Result<(&str, &str), String> {
        let wanted = "must be such as s3://bucket/folder";
        if self.url.is_empty() {
            return Err(format!("is required and {wanted}"));
        }
        let rest = self.url.strip_prefix("s3://");
        let (bucket, folder) = rest
            .map(|rest| rest.split_once('/').unwrap_or((rest, "")))
            .ok_or_else(|| format!("is {:?}, {wanted}", self.url))?;
        let is_plain = |text: &str| !text.contains(['?', '#', '@', '%', ' ', '*']);
        if bucket.is_empty() || !is_plain(bucket) || !is_plain(folder) {
            return Err(format!("is {:?}, {wanted}", self.url));
        }
        Ok((bucket, folder.trim_matches('/')))
    }
}
