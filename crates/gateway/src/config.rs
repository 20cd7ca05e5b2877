//! What an operator can set about listener, limits and coalescing.
//!
//! Each section checks itself, so that a contradiction stops the start and names its key.

mod access;
mod cardinality;
mod idempotency;
mod influx;
mod otlp;
mod partitioning;
mod pushgateway;
mod quotas;
mod statsd;

use std::net::{Ipv4Addr, SocketAddr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service::tls::TlsConfig;
use service::units::{Period, Size};

pub use access::{AccessConfig, CertificateConfig, JwtConfig, KeyConfig, UserConfig};
pub use cardinality::CardinalityConfig;
pub use idempotency::IdempotencyConfig;
pub use influx::{InfluxBooleans, InfluxConfig, InfluxStrings};
pub use otlp::{OtlpConfig, OtlpDelta, OtlpNames};
pub(crate) use partitioning::shown_time;
pub use partitioning::{HeatConfig, PartitionBy, PartitioningConfig, Spread};
pub use pushgateway::PushgatewayConfig;
pub use quotas::{MetricQuotaConfig, QuotaConfig, QuotasConfig};
pub use statsd::{Distributions, Listen, SignedGauges, StatsdConfig, TimerUnit};

/// A setting that cannot be, as its key relative to the section and why.
pub type BadSetting = (String, String);

/// Section `http`: the public listener.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HttpConfig {
    /// Address and port of the public listener.
    pub listen: SocketAddr,
    /// TLS on the public listener and on those of section `otlp`. None: HTTP in the clear.
    pub tls: Option<TlsConfig>,
    /// How long a request may take after the last byte of its body, until the buffer has confirmed every
    /// record it is in. Then 503; the records may still become durable, which is harmless.
    pub request_timeout: Period,
    /// Bytes of a body on the wire, compressed or not. A larger one gets 413.
    pub max_body: Size,
    /// Bytes of a body once decompressed. A larger one gets 413.
    pub max_inflated: Size,
    /// Bytes of bodies (on the wire and decompressed) that all requests together may hold until they are
    /// answered. A request that does not fit gets 503 with `Retry-After`; nothing waits. From half of it on, no tenant
    /// (or source, of samples without one) may hold more than an equal share with one to spare.
    pub max_in_flight: Size,
    /// Bodies that may be on their way for longer than two seconds. Together they may also hold no more than a quarter
    /// of `max_in_flight`. Further ones get 503.
    pub max_slow_bodies: usize,
    /// The longest that `Retry-After` asks a sender to wait. It begins at a second or two, doubles with each
    /// `Retry-Attempt` that the sender reports, and grows with how full the gateway is.
    pub max_retry_after: Period,
    /// How long a body may pause before 408. Beyond that grace a body must also arrive at 32 KiB/s on average.
    pub body_idle_timeout: Period,
    /// How long a connection may take to send a complete request header. Then it is closed.
    pub header_timeout: Period,
    /// How long a connection may stay open without a request. Then it is closed.
    pub idle_timeout: Period,
    /// Connections at a time. Further ones wait in the listener's backlog.
    pub max_connections: usize,
    /// Bytes of memory for series that were seen before, which are compared instead of read again: about 100 each,
    /// and those of their labels. `0MiB` switches it off, as `buffer.record_format: json` does.
    pub series_cache: Size,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::UNSPECIFIED, 8080)),
            tls: None,
            request_timeout: Period::secs(10),
            max_body: Size::mib(16),
            max_inflated: Size::mib(64),
            max_in_flight: Size::mib(128),
            max_slow_bodies: 1000,
            max_retry_after: Period::secs(30),
            body_idle_timeout: Period::secs(10),
            header_timeout: Period::secs(10),
            idle_timeout: Period::secs(75),
            max_connections: 20_000,
            series_cache: Size::mib(32),
        }
    }
}

impl HttpConfig {
    /// Checks the settings against each other.
    ///
    /// # Errors
    /// The first key that contradicts another, and why.
    pub fn check(&self) -> Result<(), BadSetting> {
        let periods = [
            ("request_timeout", self.request_timeout),
            ("body_idle_timeout", self.body_idle_timeout),
            ("header_timeout", self.header_timeout),
            ("idle_timeout", self.idle_timeout),
        ];
        for (key, period) in periods {
            if period.0.is_zero() {
                return bad(key, "must be longer than 0");
            }
        }
        if self.max_body.0 == 0 {
            return bad("max_body", "must be larger than 0");
        }
        if self.max_slow_bodies == 0 {
            return bad("max_slow_bodies", "must be larger than 0");
        }
        if self.max_retry_after < Period::secs(2) || self.max_retry_after > Period::secs(3600) {
            let why = format!("is {}; at least 2s and at most 1h", self.max_retry_after);
            return bad("max_retry_after", &why);
        }
        if self.max_connections == 0 {
            return bad("max_connections", "must be larger than 0");
        }
        let largest = self.max_body.0.saturating_add(self.max_inflated.0);
        if self.max_in_flight.0 < largest {
            let why = format!(
                "is {}, but one body of http.max_body ({}) that inflates to http.max_inflated ({}) \
                 needs both; raise it to at least {}",
                self.max_in_flight,
                self.max_body,
                self.max_inflated,
                Size(largest)
            );
            return bad("max_in_flight", &why);
        }
        Ok(())
    }

    /// The part of the settings that the server's connections need.
    #[must_use]
    pub fn connections(&self) -> service::http::Connections {
        service::http::Connections {
            header_timeout: self.header_timeout.0,
            idle_timeout: self.idle_timeout.0,
            max_connections: self.max_connections,
        }
    }
}

/// Section `limits`: how large a sample's parts may be. A sample beyond a limit is refused, the others
/// of its request are not.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsConfig {
    /// Bytes of a metric name.
    pub max_metric_name: Size,
    /// Labels of a series, its name not counted.
    pub max_labels: usize,
    /// Bytes of a label name.
    pub max_label_name: Size,
    /// Bytes of a label value.
    pub max_label_value: Size,
    /// Bytes of a unit, and of a help text.
    pub max_metadata: Size,
    /// How far a timestamp may lie ahead of the gateway's clock.
    pub max_future: Period,
    /// How far a timestamp may lie behind the gateway's clock; without this setting any past is taken.
    pub max_age: Option<Period>,
    /// Samples of one request; one with more gets 413.
    pub max_samples: usize,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        let limits = model::Limits::default();
        let size = |bytes: usize| Size(u64::try_from(bytes).unwrap_or(u64::MAX));
        Self {
            max_metric_name: size(limits.max_metric_name_bytes),
            max_labels: limits.max_labels,
            max_label_name: size(limits.max_label_name_bytes),
            max_label_value: size(limits.max_label_value_bytes),
            max_metadata: size(limits.max_metadata_bytes),
            max_future: Period(limits.max_future),
            max_age: limits.max_age.map(Period),
            max_samples: limits.max_samples,
        }
    }
}

impl LimitsConfig {
    /// Checks that something is let through.
    ///
    /// # Errors
    /// The first key that nothing could satisfy, and why.
    pub fn check(&self) -> Result<(), BadSetting> {
        if self.max_metric_name.0 == 0 {
            return bad("max_metric_name", "must be larger than 0");
        }
        if self.max_samples == 0 {
            return bad("max_samples", "must be larger than 0");
        }
        Ok(())
    }

    /// As the rules want them.
    #[must_use]
    pub fn limits(&self) -> model::Limits {
        model::Limits {
            max_metric_name_bytes: self.max_metric_name.bytes(),
            max_labels: self.max_labels,
            max_label_name_bytes: self.max_label_name.bytes(),
            max_label_value_bytes: self.max_label_value.bytes(),
            max_metadata_bytes: self.max_metadata.bytes(),
            max_future: self.max_future.0,
            max_age: self.max_age.map(|period| period.0),
            max_samples: self.max_samples,
        }
    }
}

/// Section `coalesce`: how samples of concurrent requests share records.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CoalesceConfig {
    /// The longest that samples wait for others of their metric name before their record is published. They
    /// wait while Kafka, or the log, answers the records before theirs: when nothing is under way, not at all.
    /// `0ms` publishes at once.
    pub window: Period,
    /// How long samples wait for others even when nothing is under way, at most `window`. Senders that were answered
    /// together send again together: a moment later they share their records.
    pub linger: Period,
    /// Bytes of one record of the buffer, before compression. A full record does not wait for the window,
    /// and the buffer's own limit counts too where it is smaller.
    pub max_record: Size,
}

impl Default for CoalesceConfig {
    fn default() -> Self {
        Self {
            window: Period::millis(5),
            linger: Period::millis(1),
            max_record: Size(512 << 10),
        }
    }
}

/// Below this, a sample within the default limits might not fit into a record.
const SMALLEST_RECORD: Size = Size(16 << 10);

/// Above this, every request would be felt as hanging.
const LONGEST_WINDOW: Period = Period::secs(1);

impl CoalesceConfig {
    /// Checks the bounds.
    ///
    /// # Errors
    /// The first key that is out of bounds, and why.
    pub fn check(&self) -> Result<(), BadSetting> {
        if self.window > LONGEST_WINDOW {
            let why = format!(
                "is {}, and every request would wait that long; at most {LONGEST_WINDOW}",
                self.window
            );
            return bad("window", &why);
        }
        if self.max_record < SMALLEST_RECORD {
            let why = format!("is {}; at least {SMALLEST_RECORD}", self.max_record);
            return bad("max_record", &why);
        }
        Ok(())
    }
}

/// Section `tenancy`: how the gateway tells whose samples it gets, and from whom. Records carry both in their
/// headers, and never mix tenants. A tenant is named by a credential (section `access`), by the path
/// (`/tenants/{tenant}/api/v1/write`), or by a header, in this order; without any there is none.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TenancyConfig {
    /// The header that names the tenant; empty for none. The default is the one of Mimir, Loki and Cortex.
    pub header: String,
    /// The header in which a sender names itself; without it the source is the sender's address. Empty for none.
    pub source_header: String,
}

impl Default for TenancyConfig {
    fn default() -> Self {
        Self {
            header: "X-Scope-OrgID".to_owned(),
            source_header: "Sluice-Source".to_owned(),
        }
    }
}

impl TenancyConfig {
    /// Checks names.
    ///
    /// # Errors
    /// The first key that cannot be, and why.
    pub fn check(&self) -> Result<(), BadSetting> {
        for (key, name) in [
            ("header", &self.header),
            ("source_header", &self.source_header),
        ] {
            if !name.is_empty() && http::HeaderName::from_bytes(name.as_bytes()).is_err() {
                return bad(key, &format!("is {name:?}, which is no header's name"));
            }
        }
        Ok(())
    }
}

/// Setting `buffer.record_format`: what a record's value is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RecordFormat {
    /// One record per metric name and window: a remote-write 2.0 request.
    #[default]
    Protobuf,
    /// One record per sample: its JSON object.
    Json,
}

/// Everything that [`crate::router()`] needs to know.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// Section `http`.
    pub http: HttpConfig,
    /// Section `limits`.
    pub limits: LimitsConfig,
    /// Section `coalesce`.
    pub coalesce: CoalesceConfig,
    /// Section `tenancy`.
    pub tenancy: TenancyConfig,
    /// Section `access`.
    pub access: AccessConfig,
    /// Section `influx`.
    pub influx: InfluxConfig,
    /// Section `otlp`.
    pub otlp: OtlpConfig,
    /// Setting `buffer.record_format`.
    pub record_format: RecordFormat,
    /// Section `pushgateway`.
    pub pushgateway: PushgatewayConfig,
    /// Section `rejections`.
    pub rejections: service::rejections::Config,
    /// Section `quotas`, as it is at the start.
    pub quotas: QuotasConfig,
    /// Section `cardinality`.
    pub cardinality: CardinalityConfig,
    /// Section `partitioning`, as it is at the start.
    pub partitioning: PartitioningConfig,
    /// Setting `emergency.mode`, as it is at the start.
    pub mode: crate::Mode,
    /// Section `idempotency`.
    pub idempotency: IdempotencyConfig,
}

fn bad(key: &str, why: &str) -> Result<(), BadSetting> {
    Err((key.to_owned(), why.to_owned()))
}

#[cfg(test)]
mod tests;
