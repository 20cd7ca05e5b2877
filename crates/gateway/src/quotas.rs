//! What tenants, sources and metrics may send, and how many series they have.
//!
//! What is beyond a rate is refused before its body is read; what a body has too much of is refused by itself, and the
//! rest of it is stored. Whatever is known of senders and series is bounded, and costs a series that was seen before a
//! comparison.

mod buckets;
mod check;
mod patterns;
mod rules;
mod series;
mod series_hash;

use std::hash::BuildHasher as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use foldhash::quality::RandomState;
use service::live::Live;
use service::tasks::CancellationToken;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::cardinality::{Cardinality, CountedName};
use crate::config::{CardinalityConfig, QuotasConfig};
use crate::ingest::Origin;
use crate::metrics;
use crate::repeats::Repeats;
use buckets::{Beyond, Buckets};
use rules::{Quota, Rate, Rules, Since, Whose};
use series::ActiveSeries;
use series_hash::Recent;

/// How often gauges are set.
const SHOWN: Duration = Duration::from_secs(15);

/// How often who has let go of the active series makes way: some 100 µs at most. A lock is not fair by itself.
const MOST_YIELDS: usize = 100;

/// A sender beyond its own rate.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{who} may send {per_second} {what} per second and has sent more; {until}")]
pub(crate) struct Exceeded {
    who: String,
    what: &'static str,
    per_second: f64,
    until: String,
    /// How long until there is something left.
    pub wait: Duration,
}

impl Exceeded {
    fn of(who: impl ToString, what: &'static str, rate: Rate, wait: Duration) -> Self {
        let seconds = wait.as_secs_f64();
        Self {
            who: who.to_string(),
            what,
            per_second: rate.per_second,
            until: format!("send it again in {seconds:.1} s"),
            wait,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Quotas {
    rules: Live<Rules>,
    /// How often rules were put in force; locked while they are.
    generations: Mutex<u64>,
    buckets: Buckets,
    active: Mutex<ActiveSeries>,
    /// Who waits for the active series.
    waiting: AtomicUsize,
    recent: Recent,
    cardinality: Option<Cardinality>,
    hasher: RandomState,
}

impl Quotas {
    pub(crate) fn new(
        config: &QuotasConfig,
        cardinality: CardinalityConfig,
        hasher: RandomState,
    ) -> Self {
        let since = Since {
            half: 0,
            at: Instant::now(),
        };
        Self {
            rules: Live::new(Rules::of(config, 1, since)),
            generations: Mutex::new(1),
            buckets: Buckets::new(),
            active: Mutex::default(),
            waiting: AtomicUsize::new(0),
            recent: Recent::default(),
            cardinality: cardinality.enabled.then(|| Cardinality::new(cardinality)),
            hasher,
        }
    }

    /// Puts other rules in force. What was used of rates, and which series are active, stays.
    pub(crate) fn replace(&self, config: &QuotasConfig) {
        let mut generations = self
            .generations
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *generations += 1;
        let before = self.rules.keep();
        let mut rules = Rules::of(config, *generations, before.since);
        if rules.half_window != before.half_window {
            rules.since = Since {
                half: before.half().saturating_add(1),
                at: Instant::now(),
            };
        }
        self.rules.replace(rules);
    }

    /// Lets a request in, before its body is read.
    pub(crate) fn admit(&self, origin: &Origin) -> Result<(), Exceeded> {
        let rules = self.rules.read();
        if !rules.limit_requests {
            return Ok(());
        }
        let now = Instant::now();
        // A source first: what it has too much of is not its tenant's to pay for.
        let source = rules.source(origin);
        for (whose, quota) in source.into_iter().chain([rules.tenant(origin)]) {
            let Quota {
                requests, samples, ..
            } = quota;
            if requests.is_none() && samples.is_none() {
                continue;
            }
            let key = self.hasher.hash_one(whose);
            let admitted = self.buckets.request(key, *requests, *samples, now);
            let exceeded = match (admitted, requests, samples) {
                (Err(Beyond::Requests(wait)), Some(rate), _) => {
                    Exceeded::of(whose, "requests", *rate, wait)
                }
                (Err(Beyond::Samples(wait)), _, Some(rate)) => {
                    Exceeded::of(whose, "samples", *rate, wait)
                }
                _ => continue,
            };
            metrics::quota_refused(
                rules.tenant_label(origin.tenant.as_deref()),
                exceeded.what,
                1,
            );
            return Err(exceeded);
        }
        Ok(())
    }

    /// Takes note of samples that were stored.
    pub(crate) fn spend(&self, origin: &Origin, samples: u64) {
        let rules = self.rules.read();
        if !rules.limit_requests || samples == 0 {
            return;
        }
        let now = Instant::now();
        let source = rules.source(origin);
        for (whose, quota) in source.into_iter().chain([rules.tenant(origin)]) {
            if let Some(rate) = quota.samples {
                let key = self.hasher.hash_one(whose);
                self.buckets.spend(key, rate, samples, now);
            }
        }
    }

    fn active(&self) -> MutexGuard<'_, ActiveSeries> {
        self.waiting.fetch_add(1, Ordering::AcqRel);
        let active = self.active.lock().unwrap_or_else(PoisonError::into_inner);
        self.waiting.fetch_sub(1, Ordering::AcqRel);
        active
    }

    /// Gives whoever waits for the active series a chance to have them, who has just let go of them.
    fn let_others_pass(&self) {
        for _ in 0..MOST_YIELDS {
            if self.waiting.load(Ordering::Acquire) == 0 {
                return;
            }
            std::thread::yield_now();
        }
    }

    /// Shows what is known, for metrics.
    pub(crate) fn show(&self) {
        let bytes = self.active().bytes();
        metrics::quota_memory(bytes);
        if let Some(cardinality) = &self.cardinality {
            let rules = self.rules.read();
            cardinality.show(rules.half(), |tenant| rules.tenant_label(tenant));
        }
    }

    /// The JSON of the admin listener.
    /// Whether series are counted.
    pub(crate) const fn counts_series(&self) -> bool {
        self.cardinality.is_some()
    }

    /// The names that are wanted with their active series, by tenant, and how many are counted.
    pub(crate) fn names(&self, is_wanted: &dyn Fn(&str) -> bool) -> (Vec<CountedName>, usize) {
        let half = self.rules.read().half();
        let cardinality = self.cardinality.as_ref();
        cardinality.map_or_else(Default::default, |counted| counted.names(half, is_wanted))
    }

    fn report(&self, most: usize) -> Option<serde_json::Value> {
        let cardinality = self.cardinality.as_ref()?;
        let rules = self.rules.read();
        let half = rules.half();
        let window_s = rules.half_window.as_secs_f64() * 2.0;
        let limit_of = |origin: &Origin| {
            let active = self.active();
            let (whose, quota) = rules.tenant(origin);
            quota
                .active_series
                .map(|limit| (limit, active.active(self.hasher.hash_one(whose))))
        };
        Some(cardinality.report(half, window_s, most, limit_of))
    }
}

/// What can be changed and asked while the gateway runs. Clones share it.
#[derive(Debug, Clone)]
pub struct QuotasHandle(Arc<Quotas>);

impl QuotasHandle {
    pub(crate) fn of(quotas: &Arc<Quotas>) -> Self {
        Self(Arc::clone(quotas))
    }

    /// Puts other quotas in force, which [`QuotasConfig::check`] was content with. What was used of rates stays used.
    pub fn replace(&self, config: &QuotasConfig) {
        self.0.replace(config);
    }

    /// How many series there are, and what makes most of them: the first `most` of each kind, as JSON.
    #[must_use]
    pub fn cardinality(&self, most: usize) -> Option<serde_json::Value> {
        self.0.report(most)
    }
}

/// Shows what is known every now and then.
pub(crate) async fn show(quotas: Arc<Quotas>, repeats: Arc<Repeats>, stopping: CancellationToken) {
    let mut ticks = interval(SHOWN);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stopping.run_until_cancelled(ticks.tick()).await.is_some() {
        quotas.show();
        repeats.show();
    }
}

/// The key of whose it is.
fn scope_of(hasher: &RandomState, whose: Whose<'_>) -> u64 {
    hasher.hash_one(whose)
}

#[cfg(test)]
mod tests;
