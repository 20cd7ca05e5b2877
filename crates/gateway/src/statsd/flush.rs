//! Stores what the aggregator holds, every interval and at the end.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use codec::Decoded;
use futures::StreamExt as _;
use futures::stream;
use model::{Batch, MetricType, Sample, Value};
use service::log_limit::LogLimit;
use service::tasks::CancellationToken;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::aggregate::{Aggregator, Item, Output};
use super::drops::KernelDrops;
use super::rules::{GATEWAY, Rules};
use super::series::Form;
use crate::ingest::{Origin, Pipeline};
use crate::metrics;

/// The name of the protocol in the ledger.
pub(super) const NAME: &str = "statsd";

/// Series of one batch: about a millisecond of work on the processor.
const CHUNK: usize = 1000;

/// Parts of the aggregator that are on their way at the same time.
const PARTS_AT_A_TIME: usize = 4;

/// Prometheus' mark of the end of a series: a NaN with these bits.
pub(super) const STALE: f64 = f64::from_bits(0x7ff0_0000_0000_0002);

pub(super) struct Flusher {
    pub pipeline: Arc<Pipeline>,
    pub aggregator: Arc<Aggregator>,
    pub origin: Origin,
    pub drops: KernelDrops,
}

impl Flusher {
    /// Flushes every `interval` until `stopping`. The last flush is the caller's.
    pub(super) async fn run(&self, interval: Duration, stopping: CancellationToken) {
        let mut ticks = interval_at(Instant::now() + interval, interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while stopping.run_until_cancelled(ticks.tick()).await.is_some() {
            self.flush().await;
        }
    }

    /// Stores what is held; answers whether the buffer confirmed all of it.
    pub(super) async fn flush(&self) -> bool {
        let started = Instant::now();
        let at_ms = self.pipeline.clock.now_ms();
        let parts = stream::iter(0..self.aggregator.parts())
            .map(|part| self.flush_part(part, at_ms))
            .buffer_unordered(PARTS_AT_A_TIME);
        let is_confirmed = parts.fold(true, async |all, one| all && one).await;
        metrics::statsd_flushed(is_confirmed, started.elapsed());
        self.aggregator.show();
        self.drops.show();
        is_confirmed
    }

    async fn flush_part(&self, part: usize, at_ms: i64) -> bool {
        let items = self.aggregator.snapshot(part, at_ms);
        let mut is_confirmed = true;
        for chunk in items.chunks(CHUNK) {
            let decoded = decoded(chunk, at_ms, &self.aggregator.rules);
            match self.pipeline.store(NAME, &self.origin, decoded).await {
                Ok(outcome) => {
                    if let Some(refused) = outcome.refusals.told().first() {
                        static REFUSED: LogLimit = LogLimit::new();
                        if let Some(suppressed) = REFUSED.pass() {
                            let refused = serde_json::to_string(refused).unwrap_or_default();
                            tracing::warn!(suppressed, refused, "a StatsD series cannot be stored");
                        }
                    }
                    self.aggregator.confirm(part, chunk);
                }
                Err(error) => {
                    is_confirmed = false;
                    static FAILED: LogLimit = LogLimit::new();
                    if let Some(suppressed) = FAILED.pass() {
                        tracing::warn!(
                            error = &error as &dyn std::error::Error,
                            suppressed,
                            "a flush of StatsD was not confirmed; the next one says it again"
                        );
                    }
                }
            }
        }
        is_confirmed
    }
}

/// What the series of a flush become. Each is an object.
pub(super) fn decoded<'a>(items: &'a [Item], at_ms: i64, rules: &'a Rules) -> Decoded<'a> {
    let mut out = Out {
        batch: Batch::with_capacity(items.len(), 4),
        rules,
        at_ms,
        index: 0,
    };
    for item in items {
        out.item(item);
        out.index += 1;
    }
    Decoded {
        batch: out.batch,
        objects: out.index,
        ..Decoded::default()
    }
}

struct Out<'a> {
    batch: Batch<'a>,
    rules: &'a Rules,
    at_ms: i64,
    index: u32,
}

impl<'a> Out<'a> {
    fn item(&mut self, item: &'a Item) {
        let name = &*item.identity.name;
        match &item.value {
            Output::Counter(total, is_new) => {
                let series = self.series(item, name, MetricType::Counter, None);
                if *is_new && item.start_ms < self.at_ms {
                    // So that the first increments count as such wherever start times are not kept.
                    self.float(series, item.start_ms, 0.0, item.start_ms);
                }
                self.float(series, self.at_ms, *total, item.start_ms);
            }
            Output::Gauge(value) => {
                let series = self.series(item, name, MetricType::Gauge, None);
                self.float(series, self.at_ms, *value, 0);
            }
            Output::Timed(value) => {
                let series = self.series(item, name, MetricType::Gauge, None);
                let at_ms = item.identity.at_s.saturating_mul(1000);
                self.float(series, at_ms, *value, 0);
            }
            Output::Native(histogram) => {
                let series = self.series(item, name, MetricType::Histogram, None);
                let message = histogram.message(self.at_ms, item.start_ms);
                self.batch
                    .push_histogram(self.index, series, self.at_ms, message);
            }
            Output::Classic(counts, sum) => self.classic(item, Some((counts, *sum))),
            Output::Quantiles(values, sum, count) => {
                self.summary(item, Some((values, *sum, *count)));
            }
            Output::Ended => self.ended(item),
        }
    }

    fn classic(&mut self, item: &'a Item, values: Option<(&[f64], f64)>) {
        let name = &item.identity.name;
        let mut total = 0.0;
        for (number, le) in self.rules.les.iter().enumerate() {
            let label = Some(("le", le.as_str()));
            let series = self.series(item, format!("{name}_bucket"), MetricType::Histogram, label);
            let count = values.and_then(|(counts, _)| counts.get(number));
            total += count.copied().unwrap_or_default();
            self.value(series, values.map(|_| total), item.start_ms);
        }
        let series = self.series(item, format!("{name}_sum"), MetricType::Histogram, None);
        self.value(series, values.map(|(_, sum)| sum), item.start_ms);
        let series = self.series(item, format!("{name}_count"), MetricType::Histogram, None);
        self.value(series, values.map(|_| total), item.start_ms);
    }

    fn summary(&mut self, item: &'a Item, values: Option<(&[f64], f64, f64)>) {
        let name = &item.identity.name;
        for (number, (_, share)) in self.rules.quantiles.iter().enumerate() {
            let label = Some(("quantile", share.as_str()));
            let series = self.series(item, &**name, MetricType::Summary, label);
            let value = values.and_then(|(values, ..)| values.get(number).copied());
            self.value(series, value, 0);
        }
        let series = self.series(item, format!("{name}_sum"), MetricType::Summary, None);
        self.value(series, values.map(|(_, sum, _)| sum), item.start_ms);
        let series = self.series(item, format!("{name}_count"), MetricType::Summary, None);
        self.value(series, values.map(|(.., count)| count), item.start_ms);
    }

    /// Ends every series that the item was.
    fn ended(&mut self, item: &'a Item) {
        let kind = match item.form {
            Form::Counter => MetricType::Counter,
            Form::Gauge => MetricType::Gauge,
            Form::Native => MetricType::Histogram,
            Form::Classic => return self.classic(item, None),
            Form::Summary => return self.summary(item, None),
        };
        let series = self.series(item, &*item.identity.name, kind, None);
        self.value(series, None, 0);
    }

    /// Without a value the series ends.
    fn value(&mut self, series: u32, value: Option<f64>, start_ms: i64) {
        match value {
            Some(value) => self.float(series, self.at_ms, value, start_ms),
            None => self.float(series, self.at_ms, STALE, 0),
        }
    }

    fn float(&mut self, series: u32, at_ms: i64, value: f64, start_ms: i64) {
        self.batch.push(Sample {
            index: self.index,
            series,
            at_ms,
            start_ms,
            value: Value::Float(value),
        });
    }

    fn series(
        &mut self,
        item: &'a Item,
        name: impl Into<Cow<'a, str>>,
        kind: MetricType,
        extra: Option<(&'a str, &'a str)>,
    ) -> u32 {
        let from = self.batch.open_labels();
        for (name, value) in &item.identity.labels {
            self.batch.push_label(&**name, &**value);
        }
        // A sample with its sender's time is the sender's; all others are this gateway's own series.
        if item.identity.at_s == 0 {
            self.batch.push_label(GATEWAY, self.rules.gateway.as_str());
        }
        if let Some((name, value)) = extra {
            self.batch.push_label(name, value);
        }
        let series = self.batch.close_series(name, from);
        self.batch.describe(series, kind, item.unit, "");
        series
    }
}
