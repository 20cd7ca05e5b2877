//! Section `quotas` as it is asked: what a tenant, a source or a metric may, and who that is in an answer.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use tokio::time::Instant;

use super::patterns::Patterns;
use crate::config::{MetricQuotaConfig, QuotaConfig, QuotasConfig};
use crate::ingest::Origin;

/// So many seconds' worth may come at once where nothing else is set: agents push every ten seconds or so.
const BURST_SECONDS: f64 = 10.0;

/// Which half of a window began when, so that halves of another length go on from there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Since {
    pub(super) half: u64,
    pub(super) at: Instant,
}

/// Quotas in force.
#[derive(Debug)]
pub(crate) struct Rules {
    default: Quota,
    tenants: HashMap<String, Quota>,
    default_source: Quota,
    sources: HashMap<String, Quota>,
    pub(super) metrics: Patterns<MetricQuota>,
    /// Differs from that of the rules before.
    pub(super) generation: u64,
    pub(super) half_window: Duration,
    pub(super) since: Since,
    pub(super) max_bytes: usize,
    pub(super) limit_requests: bool,
    pub(super) limit_series: bool,
    pub(super) limit_metric_samples: bool,
}

/// So many per second, and so many at once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rate {
    pub(super) per_second: f64,
    pub(super) burst: f64,
}

/// What a tenant or a source may.
#[derive(Debug, Default)]
pub(super) struct Quota {
    pub(super) requests: Option<Rate>,
    pub(super) samples: Option<Rate>,
    pub(super) active_series: Option<usize>,
    pub(super) names: Option<Patterns<()>>,
    /// Whether it is one that the settings name, and not one of any number of others.
    pub(super) is_named: bool,
}

impl Quota {
    /// Whether samples of this metric may come at all.
    pub(super) fn allows(&self, name: &str) -> bool {
        let names = self.names.as_ref();
        names.is_none_or(|names| names.find(name).is_some())
    }
}

/// What a metric may have.
#[derive(Debug, Clone, Copy)]
pub(super) struct MetricQuota {
    pub(super) samples: Option<Rate>,
    pub(super) active_series: Option<usize>,
}

/// Whose quota it is, as answers say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Whose<'o> {
    Tenant(Option<&'o str>),
    Source(Option<&'o str>, &'o str),
    Metric(Option<&'o str>, &'o str),
}

impl fmt::Display for Whose<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tenant(Some(tenant)) => write!(f, "tenant {tenant:?}"),
            Self::Tenant(None) => f.write_str("who names no tenant"),
            Self::Source(_, source) => write!(f, "source {source:?}"),
            Self::Metric(_, name) => write!(f, "metric {name:?}"),
        }
    }
}

impl Rules {
    pub(super) fn of(config: &QuotasConfig, generation: u64, since: Since) -> Self {
        let named = |all: &std::collections::BTreeMap<String, QuotaConfig>| {
            let one =
                |(name, quota): (&String, &QuotaConfig)| (name.clone(), Quota::of(quota, true));
            all.iter().map(one).collect::<HashMap<_, _>>()
        };
        let mut rules = Self {
            default: Quota::of(&config.default, false),
            tenants: named(&config.tenants),
            default_source: Quota::of(&config.default_source, false),
            sources: named(&config.sources),
            metrics: Patterns::of(config.metrics.iter().map(|(pattern, quota)| {
                let quota = MetricQuota {
                    samples: rate(quota.samples_per_second, quota.samples_burst),
                    active_series: quota.active_series,
                };
                (pattern.clone(), quota)
            })),
            generation,
            half_window: config.window.0 / 2,
            since,
            max_bytes: config.max_memory.bytes(),
            limit_requests: false,
            limit_series: false,
            limit_metric_samples: false,
        };
        let all = || {
            let defaults = [&rules.default, &rules.default_source];
            let named = rules.tenants.values().chain(rules.sources.values());
            defaults.into_iter().chain(named)
        };
        let has_rate = |quota: &Quota| quota.requests.is_some() || quota.samples.is_some();
        let has_series = |quota: &Quota| quota.active_series.is_some() || quota.names.is_some();
        let any_metric = |is: fn(&MetricQuotaConfig) -> bool| config.metrics.values().any(is);
        let limit_requests = all().any(has_rate);
        let limit_series =
            all().any(has_series) || any_metric(|quota| quota.active_series.is_some());
        rules.limit_requests = limit_requests;
        rules.limit_series = limit_series;
        rules.limit_metric_samples = any_metric(|quota| quota.samples_per_second.is_some());
        rules
    }

    /// Which half of a window it is. The number never falls, whatever `quotas.window` becomes.
    pub(super) fn half(&self) -> u64 {
        let elapsed = self.since.at.elapsed().as_millis();
        let passed = elapsed / self.half_window.as_millis().max(1);
        let passed = u64::try_from(passed).unwrap_or(u64::MAX);
        self.since.half.saturating_add(passed)
    }

    pub(super) fn tenant<'r, 'o>(&'r self, origin: &'o Origin) -> (Whose<'o>, &'r Quota) {
        let tenant = origin.tenant.as_deref();
        let quota = tenant.and_then(|tenant| self.tenants.get(tenant));
        (Whose::Tenant(tenant), quota.unwrap_or(&self.default))
    }

    pub(super) fn source<'r, 'o>(&'r self, origin: &'o Origin) -> Option<(Whose<'o>, &'r Quota)> {
        let source = origin.source.as_deref()?;
        let quota = self.sources.get(source).unwrap_or(&self.default_source);
        Some((Whose::Source(origin.tenant.as_deref(), source), quota))
    }

    /// The tenant as metrics name it: those that settings know, and whoever else there is.
    pub(super) fn tenant_label(&self, tenant: Option<&str>) -> String {
        match tenant {
            None => "none".to_owned(),
            Some(tenant) if self.tenants.contains_key(tenant) => tenant.to_owned(),
            Some(_) => "other".to_owned(),
        }
    }
}

impl Quota {
    fn of(config: &QuotaConfig, is_named: bool) -> Self {
        let names = config.metric_names.as_ref();
        Self {
            requests: rate(config.requests_per_second, config.requests_burst),
            samples: rate(config.samples_per_second, config.samples_burst),
            active_series: config.active_series,
            names: names.map(|names| Patterns::of(names.iter().map(|name| (name.clone(), ())))),
            is_named,
        }
    }
}

fn rate(per_second: Option<f64>, burst: Option<f64>) -> Option<Rate> {
    let per_second = per_second?;
    // Less than one would never let anything pass.
    let burst = burst.unwrap_or(per_second * BURST_SECONDS).max(1.0);
    Some(Rate { per_second, burst })
}
