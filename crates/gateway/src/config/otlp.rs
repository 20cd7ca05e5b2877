//! What an operator can set about OTLP.

use std::net::SocketAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service::units::{Period, Size};

use super::{BadSetting, bad};

/// Section `otlp`: OpenTelemetry's metrics. The public listener takes OTLP/HTTP (`/v1/metrics`) and OTLP/gRPC as it is;
/// the listeners here are for senders that insist on the usual ports.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OtlpConfig {
    /// One more address and port for senders of OTLP/HTTP, usually 0.0.0.0:4318; without it there is none.
    pub http_listen: Option<SocketAddr>,
    /// One more address and port for senders of OTLP/gRPC, usually 0.0.0.0:4317; without it there is none.
    pub grpc_listen: Option<SocketAddr>,
    /// How names are translated, as by Prometheus 3: `underscores_with_suffixes` (`http.server.duration` in seconds is
    /// `http_server_duration_seconds`), `underscores_without_suffixes`, `utf8_with_suffixes`, or `utf8` (as they are).
    pub names: OtlpNames,
    /// What happens to delta temporality: `convert` adds it up to cumulative series, here; `refuse` refuses it.
    pub delta: OtlpDelta,
    /// How long a delta series' sum is kept without a new point. Then it begins again.
    pub delta_expire_after: Period,
    /// Memory that the sums of all delta series may take. Beyond it, points of new series are refused.
    pub delta_max_memory: Size,
    /// The value of the label `gateway` of converted series, by which the sums of several gateways differ; without it
    /// the host's name. Empty for no such label, which is right only where all points of a series reach one gateway.
    pub gateway: Option<String>,
    /// Resource attributes that become labels of every series, by their OpenTelemetry names.
    pub promote_resource_attributes: Vec<String>,
    /// Whether the scope's name, version, schema and attributes become labels (`otel_scope_name`, …).
    pub scope_labels: bool,
    /// Whether each resource gets a series `target_info` with its attributes as labels.
    pub target_info: bool,
}

impl Default for OtlpConfig {
    fn default() -> Self {
        Self {
            http_listen: None,
            grpc_listen: None,
            names: OtlpNames::default(),
            delta: OtlpDelta::default(),
            delta_expire_after: Period::secs(3600),
            delta_max_memory: Size::mib(64),
            gateway: None,
            promote_resource_attributes: Vec::new(),
            scope_labels: true,
            target_info: true,
        }
    }
}

/// Setting `otlp.names`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OtlpNames {
    /// Dots become underscores; unit and `total` are appended.
    #[default]
    UnderscoresWithSuffixes,
    /// Dots become underscores.
    UnderscoresWithoutSuffixes,
    /// Unit and `total` are appended.
    Utf8WithSuffixes,
    /// Nothing is changed.
    Utf8,
}

/// Setting `otlp.delta`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OtlpDelta {
    /// Added up.
    #[default]
    Convert,
    /// Refused, as a partial success.
    Refuse,
}

impl OtlpConfig {
    /// Checks each setting.
    ///
    /// # Errors
    /// The first key that cannot be, and why.
    pub fn check(&self) -> Result<(), BadSetting> {
        if self.delta_expire_after.0.is_zero() {
            return bad("delta_expire_after", "must be longer than 0");
        }
        if self.delta_max_memory < Size::mib(1) {
            return bad("delta_max_memory", "must be at least 1MiB");
        }
        let has_letter = |name: &String| name.bytes().any(|byte| byte.is_ascii_alphanumeric());
        if !self.promote_resource_attributes.iter().all(has_letter) {
            let why = "has a name without a letter or digit, which cannot be a label's";
            return bad("promote_resource_attributes", why);
        }
        Ok(())
    }

    /// The listeners, by their keys.
    #[must_use]
    pub fn listeners(&self) -> [(&'static str, Option<SocketAddr>); 2] {
        [
            ("http_listen", self.http_listen),
            ("grpc_listen", self.grpc_listen),
        ]
    }

    /// As the decoder wants it.
    pub(crate) fn options(&self) -> codec::otlp::Options {
        codec::otlp::Options {
            names: match self.names {
                OtlpNames::UnderscoresWithSuffixes => codec::otlp::Names::UnderscoresWithSuffixes,
                OtlpNames::UnderscoresWithoutSuffixes => {
                    codec::otlp::Names::UnderscoresWithoutSuffixes
                }
                OtlpNames::Utf8WithSuffixes => codec::otlp::Names::Utf8WithSuffixes,
                OtlpNames::Utf8 => codec::otlp::Names::Utf8,
            },
            refuses_delta: self.delta == OtlpDelta::Refuse,
            promoted: self.promote_resource_attributes.clone(),
            has_scope_labels: self.scope_labels,
            has_target_info: self.target_info,
            gateway: self.gateway.clone().unwrap_or_else(hostname),
        }
    }
}

fn hostname() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .map_or_else(|_| "host".to_owned(), |name| name.trim().to_owned())
}
