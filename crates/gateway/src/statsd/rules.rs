//! The settings as the aggregator needs them.

use codec::statsd::Kind;
use model::Limits;

use crate::config::{Distributions, RecordFormat, SignedGauges, StatsdConfig, TimerUnit};

/// The label that tells gateways apart: each has its own counters.
pub(super) const GATEWAY: &str = "gateway";

#[derive(Debug)]
pub(super) struct Rules {
    pub gateway: String,
    pub distributions: Distributions,
    /// The upper bounds of classic buckets.
    pub bounds: Vec<f64>,
    /// The label `le` of each, and of the last bucket, which has no bound.
    pub les: Vec<String>,
    pub quantiles: Vec<(f64, String)>,
    pub signed_gauges: SignedGauges,
    pub expire_after_ms: i64,
    pub limits: Limits,
    timers: TimerUnit,
}

impl Rules {
    pub(super) fn of(
        config: &StatsdConfig,
        limits: &Limits,
        format: RecordFormat,
        gateway: String,
    ) -> Self {
        let distributions = match (config.distributions, format) {
            (Distributions::Native, RecordFormat::Json) => Distributions::Classic,
            (wanted, _) => wanted,
        };
        let bounds = config.buckets.iter().map(ToString::to_string);
        let quantiles = config.quantiles.iter();
        Self {
            gateway,
            distributions,
            bounds: config.buckets.clone(),
            les: bounds.chain(["+Inf".to_owned()]).collect(),
            quantiles: quantiles.map(|share| (*share, share.to_string())).collect(),
            signed_gauges: config.signed_gauges,
            expire_after_ms: millis(config.expire_after.0),
            limits: limits.clone(),
            timers: config.timers,
        }
    }

    /// By what a number is multiplied.
    pub(super) fn scale(&self, kind: Kind) -> f64 {
        match (kind, self.timers) {
            (Kind::Timer, TimerUnit::Seconds) => 0.001,
            _ => 1.0,
        }
    }

    /// The unit that the line itself says.
    pub(super) fn unit(&self, kind: Kind) -> &'static str {
        match (kind, self.timers) {
            (Kind::Timer, TimerUnit::Seconds) => "seconds",
            (Kind::Timer, TimerUnit::Milliseconds) => "milliseconds",
            _ => "",
        }
    }

    /// A sender's label that would be one of ours gets another name, as Prometheus does it.
    pub(super) fn label<'a>(&self, name: &'a str) -> &'a str {
        match (name, self.distributions) {
            (GATEWAY, _) => "exported_gateway",
            ("le", Distributions::Classic) => "exported_le",
            ("quantile", Distributions::Quantiles) => "exported_quantile",
            _ => name,
        }
    }
}

fn millis(period: std::time::Duration) -> i64 {
    i64::try_from(period.as_millis()).unwrap_or(i64::MAX)
}
