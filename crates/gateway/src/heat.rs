//! Which metric names and partitions get most: counted by record, shown by window.
//!
//! It costs a record a look into a table, and a sample nothing. A name that one partition is too little for is said in
//! the log, with the setting that spreads it.

mod advice;
mod frequent;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use buffer::{Publish, Record};
use model::Clock;
use serde_json::{Value, json};
use service::live::Live;
use service::tasks::CancellationToken;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::config::{HeatConfig, PartitioningConfig, Spread, shown_time};
use crate::metrics::heat::{self as metrics, PartitionMeters};
use crate::spread::Plan;
use advice::{Advisor, Suggestion, hot_names};
use frequent::Frequent;
pub(crate) use frequent::Load;

/// How many names ever get series of the gateway's own metrics. More are only in the report.
const MOST_SHOWN: usize = 200;

/// Names of a window that are kept for the report.
const MOST_KEPT: usize = 1000;

/// How far ahead a suggested change is: time to bring the setting to every gateway.
const AHEAD_MS: i64 = 10 * 60 * 1000;

/// What was counted since the window began.
struct Counting {
    names: Frequent,
    partitions: Vec<Load>,
    meters: PartitionMeters,
    total: Load,
    since: Instant,
}

/// A window that is over.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shown {
    seconds: f64,
    total: Load,
    names: Vec<Name>,
    partitions: Vec<Load>,
}

/// A metric name of a window.
#[derive(Debug, Clone)]
pub(crate) struct Name {
    name: String,
    load: Load,
    /// Over how many partitions it is spread.
    lanes: u32,
}

/// A metric name of the last window, for people.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Warm {
    pub(crate) name: String,
    /// Per second.
    pub(crate) bytes: f64,
    /// Per second.
    pub(crate) samples: f64,
    pub(crate) lanes: u32,
}

/// Counts records.
pub(crate) struct Heat {
    config: HeatConfig,
    plan: Live<Plan>,
    clock: Arc<dyn Clock>,
    counting: Mutex<Counting>,
    shown: Live<Shown>,
}

impl std::fmt::Debug for Heat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Heat").finish_non_exhaustive()
    }
}

impl Heat {
    pub(crate) fn new(config: HeatConfig, plan: Live<Plan>, clock: Arc<dyn Clock>) -> Self {
        Self {
            config,
            plan,
            clock,
            counting: Mutex::new(Counting {
                names: Frequent::new(config.names),
                partitions: Vec::new(),
                meters: PartitionMeters::default(),
                total: Load::default(),
                since: Instant::now(),
            }),
            shown: Live::new(Shown::default()),
        }
    }

    fn counting(&self) -> MutexGuard<'_, Counting> {
        self.counting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts records on their way, each with its number of samples.
    pub(crate) fn count<'r, P: Publish>(
        &self,
        publisher: &P,
        records: impl ExactSizeIterator<Item = (&'r Record, u32)>,
    ) {
        if records.len() == 0 {
            return;
        }
        let partitions = publisher.partitions();
        let mut counting = self.counting();
        let counting = &mut *counting;
        if counting.partitions.len() < partitions {
            counting.partitions.resize(partitions, Load::default());
        }
        for (record, samples) in records {
            let load = Load {
                bytes: (record.key.len() + record.value.len()) as u64,
                samples: u64::from(samples),
            };
            counting.names.add(&record.key, load);
            counting.total.add(load);
            if let Some(partition) = publisher.partition(record)
                && let Some(place) = counting.partitions.get_mut(partition)
            {
                place.add(load);
                counting.meters.count(partition, load);
            }
        }
    }

    /// Ends a window.
    fn turn(&self) -> Shown {
        let now_ms = self.clock.now_ms();
        let mut counting = self.counting();
        let now = Instant::now();
        let names = counting.names.take(MOST_KEPT);
        let empty = vec![Load::default(); counting.partitions.len()];
        let shown = Shown {
            seconds: now
                .duration_since(std::mem::replace(&mut counting.since, now))
                .as_secs_f64()
                .max(0.001),
            total: std::mem::take(&mut counting.total),
            names: Vec::new(),
            partitions: std::mem::replace(&mut counting.partitions, empty),
        };
        drop(counting);
        let plan = self.plan.read();
        let name = |(name, load): (bytes::Bytes, Load)| {
            let name = String::from_utf8_lossy(&name).into_owned();
            let lanes = plan.lanes(&name, now_ms).map_or(1, |lanes| lanes.count);
            Name { name, load, lanes }
        };
        Shown {
            names: names.into_iter().map(name).collect(),
            ..shown
        }
    }

    /// How to spread a name, as a line of the settings.
    fn line(&self, hot: &Suggestion) -> String {
        let at_ms = self.clock.now_ms().saturating_add(AHEAD_MS);
        let spread = Spread {
            over: hot.over,
            change: Some((hot.was, at_ms - at_ms % 60_000)),
        };
        let name = &hot.name;
        format!("partitioning: {{spread: {{\"{name}\": \"{spread}\"}}}}")
    }

    /// Shows each window, and says what should be spread.
    pub(crate) async fn run(self: Arc<Self>, stopping: CancellationToken) {
        let window = self.config.window.0;
        let mut ticks = interval_at(Instant::now() + window, window);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut advisor = Advisor::default();
        let mut named = Vec::new();
        while stopping.run_until_cancelled(ticks.tick()).await.is_some() {
            let shown = self.turn();
            let hot = hot_names(&shown, self.config.suggest_above.0);
            metrics::hot_names(hot.len());
            metrics::skew(shown.skew());
            self.show_top(&shown, &mut named);
            self.shown.replace(shown);
            for hot in advisor.look(&hot, Instant::now()) {
                tracing::warn!(
                    metric_name = hot.name,
                    percent_of_all = (hot.share * 1000.0).round() / 10.0,
                    partitions = hot.was,
                    setting = self.line(&hot),
                    "this metric is too much for its partitions; spread it: all gateways and consumers must have the \
                     setting by the time it names"
                );
            }
        }
    }

    /// Shows the top, and 0 of what is there no more. Only so many names are ever shown.
    fn show_top(&self, shown: &Shown, named: &mut Vec<String>) {
        let top = shown.names.get(..self.config.top.min(shown.names.len()));
        let top = top.unwrap_or_default();
        for gone in named.iter() {
            if !top.iter().any(|name| name.name == *gone) {
                metrics::name(gone, 0.0, 0.0);
            }
        }
        for name in top {
            if !named.contains(&name.name) {
                if named.len() >= MOST_SHOWN {
                    continue;
                }
                named.push(name.name.clone());
            }
            let (bytes, samples) = shown.rates(name.load);
            metrics::name(&name.name, bytes, samples);
        }
    }

    /// What would be suggested if the window ended now: names, and over how many partitions.
    #[cfg(test)]
    pub(crate) fn suggested(&self) -> Vec<(String, u32)> {
        let hot = hot_names(&self.turn(), self.config.suggest_above.0);
        hot.into_iter().map(|hot| (hot.name, hot.over)).collect()
    }

    /// The names of the last window that are wanted, and how many it has.
    pub(crate) fn warm(&self, is_wanted: &dyn Fn(&str) -> bool) -> (Vec<Warm>, usize) {
        let shown = self.shown.keep();
        let wanted = shown.names.iter().filter(|name| is_wanted(&name.name));
        let warm = wanted.map(|name| {
            let (bytes, samples) = shown.rates(name.load);
            Warm {
                name: name.name.clone(),
                bytes,
                samples,
                lanes: name.lanes,
            }
        });
        (warm.collect(), shown.names.len())
    }

    /// The JSON of the admin listener: the last window, the first `most` names.
    pub(crate) fn report(&self, most: usize) -> Value {
        let shown = self.shown.read();
        let hot = hot_names(&shown, self.config.suggest_above.0);
        let names = shown.names.iter().take(most).map(|name| {
            let (bytes, samples) = shown.rates(name.load);
            let hot = hot.iter().find(|hot| hot.name == name.name);
            json!({
                "metric_name": name.name, "bytes_per_second": bytes, "samples_per_second": samples,
                "share": shown.share(name.load), "partitions": name.lanes,
                "suggestion": hot.map(|hot| self.line(hot)),
            })
        });
        let names: Vec<Value> = names.collect();
        let partitions = (0..).zip(&shown.partitions).map(|(number, load): (u32, _)| {
            let (bytes, samples) = shown.rates(*load);
            json!({ "partition": number, "bytes_per_second": bytes, "samples_per_second": samples })
        });
        let partitions: Vec<Value> = partitions.collect();
        let (bytes, samples) = shown.rates(shown.total);
        json!({
            "window_s": shown.seconds, "now": shown_time(self.clock.now_ms()), "bytes_per_second": bytes,
            "samples_per_second": samples, "skew": shown.skew(), "metrics": names, "partitions": partitions,
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "rates and shares for people")]
impl Shown {
    /// Bytes and samples per second, in tenths.
    fn rates(&self, load: Load) -> (f64, f64) {
        let rate = |count: u64| (count as f64 / self.seconds.max(0.001) * 10.0).round() / 10.0;
        (rate(load.bytes), rate(load.samples))
    }

    fn share(&self, load: Load) -> f64 {
        load.bytes as f64 / self.total.bytes.max(1) as f64
    }

    /// How many times as much the partition with most gets as a partition gets on average; 0 without any.
    fn skew(&self) -> f64 {
        let most = self.partitions.iter().map(|load| load.bytes).max();
        let sum: u64 = self.partitions.iter().map(|load| load.bytes).sum();
        if sum == 0 {
            return 0.0;
        }
        most.unwrap_or_default() as f64 * self.partitions.len() as f64 / sum as f64
    }
}

/// What can be changed and asked about partitions while the gateway runs. Clones share it.
#[derive(Clone)]
pub struct PartitioningHandle {
    pub(crate) plan: Live<Plan>,
    pub(crate) heat: Option<Arc<Heat>>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for PartitioningHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PartitioningHandle").finish_non_exhaustive()
    }
}

impl PartitioningHandle {
    /// Spreads names as these settings say, which [`PartitioningConfig::check`] was content with.
    pub fn replace(&self, config: &PartitioningConfig) {
        let now_ms = self.clock.now_ms();
        self.plan.replace(self.plan.keep().next(config, now_ms));
    }

    /// Which names and partitions got most in the last window, the first `most` names, as JSON; none when it is not
    /// counted.
    #[must_use]
    pub fn heat(&self, most: usize) -> Option<Value> {
        self.heat.as_ref().map(|heat| heat.report(most))
    }
}

#[cfg(test)]
mod tests;
