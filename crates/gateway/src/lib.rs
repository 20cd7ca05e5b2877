//! HTTP in, buffer out.
//!
//! A 2xx means that the buffer has every sample that was not refused; a 4xx that nothing was stored;
//! a 503 that not all of it is known to be durable, so that the sender keeps it and sends it again.
//! What waits has a bound in bytes; beyond it senders are asked to come back.
#![warn(missing_docs)]

mod access;
mod answer;
mod body;
mod cardinality;
mod coalesce;
mod config;
mod described;
mod error;
mod explain;
mod families;
mod front;
#[doc(hidden)]
pub mod fuzzing;
mod heat;
mod ingest;
mod known_series;
mod layers;
mod metrics;
mod mode;
mod names;
mod origin;
mod permits;
mod pool;
mod protocol;
mod pushgateway;
mod quotas;
mod receipts;
mod refusals;
mod repeats;
mod retry;
mod router;
mod spread;
mod statsd;
mod validate;
mod within;

#[cfg(test)]
mod fake;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod overload;

pub use access::{Controls, hash_key, hash_password, new_key};
pub use answer::refusal;
pub use config::{
    AccessConfig, BadSetting, CardinalityConfig, CertificateConfig, CoalesceConfig, Config,
    Distributions, HeatConfig, HttpConfig, IdempotencyConfig, InfluxBooleans, InfluxConfig,
    InfluxStrings, JwtConfig, KeyConfig, LimitsConfig, Listen, MetricQuotaConfig, OtlpConfig,
    OtlpDelta, OtlpNames, PartitionBy, PartitioningConfig, PushgatewayConfig, QuotaConfig,
    QuotasConfig, RecordFormat, SignedGauges, Spread, StatsdConfig, TenancyConfig, TimerUnit,
    UserConfig,
};
pub use described::explaining;
pub use front::{Answering, Front};
pub use heat::PartitioningHandle;
pub use metrics::CATALOGUE;
pub use metrics::heat::CATALOGUE as HEAT_CATALOGUE;
pub use metrics::mode::CATALOGUE as MODE_CATALOGUE;
pub use metrics::quotas::CATALOGUE as QUOTAS_CATALOGUE;
pub use metrics::statsd::CATALOGUE as STATSD_CATALOGUE;
pub use mode::{Mode, ModeHandle};
pub use names::{KnownName, NamesHandle};
pub use pushgateway::PushGroups;
pub use quotas::QuotasHandle;
pub use receipts::RejectionTopic;
pub use router::{Beside, Gateway, router};
pub use statsd::{Statsd, StatsdError};
