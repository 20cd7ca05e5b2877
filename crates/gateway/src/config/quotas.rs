//! What an operator can set about how much tenants, sources and metrics may send.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service::units::{Period, Size};

use super::{BadSetting, bad};

/// Section `quotas`: how much each tenant, each source and each metric may send, for each gateway by itself. What is not
/// set has no limit. A tenant or source beyond its rate gets 429 with `Retry-After`; of a body with some samples that a
/// quota does not allow, the others are stored. Reloaded without a restart.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct QuotasConfig {
    /// What each tenant may send that is not among `tenants`. Samples without a tenant are those of one more.
    pub default: QuotaConfig,
    /// What tenants may send, by name; each stands for itself, `default` does not apply to it.
    pub tenants: BTreeMap<String, QuotaConfig>,
    /// What each source may send that is not among `sources`, within what its tenant may.
    pub default_source: QuotaConfig,
    /// What sources may send, by name: what `tenancy.source_header` says, or the sender's address.
    pub sources: BTreeMap<String, QuotaConfig>,
    /// What each metric of each tenant may have, by its name, or by how its name begins: `http_*`, or `*` for all. The
    /// name itself counts before a beginning, and a longer beginning before a shorter one.
    pub metrics: BTreeMap<String, MetricQuotaConfig>,
    /// How long a series that sends nothing may go on counting as active. It does for at least half of this.
    pub window: Period,
    /// Memory for telling new series from active ones, where `default`, `default_source` or `metrics` limit series.
    /// Beyond it, further new series are refused there. Tenants and sources that are named have their own room.
    pub max_memory: Size,
}

/// What a tenant or a source may send.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct QuotaConfig {
    /// Requests per second. One more gets 429 before its body is read.
    pub requests_per_second: Option<f64>,
    /// Requests that may come at once; without this, ten seconds' worth.
    pub requests_burst: Option<f64>,
    /// Samples per second. A body is taken whole while some are left, and those that it has beyond them are waited off
    /// before the next: requests get 429 until then, before their bodies are read.
    pub samples_per_second: Option<f64>,
    /// Samples that may come at once; without this, ten seconds' worth.
    pub samples_burst: Option<f64>,
    /// Series that may be active (see `window`). Samples of further ones are refused, those of known ones are not.
    pub active_series: Option<usize>,
    /// The metric names that may be sent, each as it is or, with a `*` at its end, all that begin so. Without this
    /// setting all may be.
    pub metric_names: Option<Vec<String>>,
}

/// What a metric may have.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MetricQuotaConfig {
    /// Samples per second. Further ones are refused, those of other metrics in the same body are not.
    pub samples_per_second: Option<f64>,
    /// Samples that may come at once; without this, ten seconds' worth.
    pub samples_burst: Option<f64>,
    /// Series of this metric that may be active. Samples of further ones are refused, those of known ones are not.
    pub active_series: Option<usize>,
}

impl Default for QuotasConfig {
    fn default() -> Self {
        Self {
            default: QuotaConfig::default(),
            tenants: BTreeMap::new(),
            default_source: QuotaConfig::default(),
            sources: BTreeMap::new(),
            metrics: BTreeMap::new(),
            window: Period::secs(3600),
            max_memory: Size::mib(64),
        }
    }
}

/// Shorter, and series that send every minute would be new each time.
const SHORTEST_WINDOW: Period = Period::secs(60);

/// Longer, and a series that ended long ago would keep out a new one.
const LONGEST_WINDOW: Period = Period(Duration::from_secs(7 * 24 * 3600));

impl QuotasConfig {
    /// Checks names and numbers.
    ///
    /// # Errors
    /// The first key that cannot be, and why.
    pub fn check(&self) -> Result<(), BadSetting> {
        if self.window < SHORTEST_WINDOW || self.window > LONGEST_WINDOW {
            let why = format!(
                "is {}; at least {SHORTEST_WINDOW} and at most {LONGEST_WINDOW}",
                self.window
            );
            return bad("window", &why);
        }
        if self.max_memory < Size::mib(1) {
            return bad("max_memory", "is less than 1MiB");
        }
        self.default.check().map_err(within("default"))?;
        self.default_source
            .check()
            .map_err(within("default_source"))?;
        for (tenant, quota) in &self.tenants {
            let key = format!("tenants.{tenant}");
            if let Err(why) = crate::origin::check_tenant(tenant) {
                return bad(&key, &why);
            }
            quota.check().map_err(within(&key))?;
        }
        for (source, quota) in &self.sources {
            quota
                .check()
                .map_err(within(&format!("sources.{source}")))?;
        }
        for (pattern, quota) in &self.metrics {
            let key = format!("metrics.{pattern}");
            check_pattern(&key, pattern)?;
            let rates = [
                ("samples_per_second", quota.samples_per_second),
                ("samples_burst", quota.samples_burst),
            ];
            check_rates(rates).map_err(within(&key))?;
        }
        Ok(())
    }
}

impl QuotaConfig {
    fn check(&self) -> Result<(), BadSetting> {
        check_rates([
            ("requests_per_second", self.requests_per_second),
            ("requests_burst", self.requests_burst),
            ("samples_per_second", self.samples_per_second),
            ("samples_burst", self.samples_burst),
        ])?;
        for name in self.metric_names.iter().flatten() {
            check_pattern("metric_names", name)?;
        }
        Ok(())
    }
}

fn within(section: &str) -> impl Fn(BadSetting) -> BadSetting {
    move |(key, why)| (format!("{section}.{key}"), why)
}

fn check_rates<const N: usize>(rates: [(&str, Option<f64>); N]) -> Result<(), BadSetting> {
    for (key, rate) in rates {
        if let Some(rate) = rate
            && !(rate.is_finite() && rate > 0.0)
        {
            return bad(key, &format!("is {rate}, not a number above 0"));
        }
    }
    Ok(())
}

fn check_pattern(key: &str, pattern: &str) -> Result<(), BadSetting> {
    let start = pattern.strip_suffix('*').unwrap_or(pattern);
    if pattern.is_empty() {
        return bad(key, "is an empty name");
    }
    if start.contains('*') {
        let why = format!("is {pattern:?}; a * may only be the last character");
        return bad(key, &why);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
