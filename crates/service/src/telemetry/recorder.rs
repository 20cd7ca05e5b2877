//! Metrics: counted in memory, shown when somebody asks.

use std::io;
use std::sync::OnceLock;
use std::time::Duration;

use metrics_exporter_prometheus::{
    Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};
use tokio::time::MissedTickBehavior;

use crate::catalogue::{Kind, Metric};
use crate::tasks::Tasks;
use crate::{metrics, process};

/// How often observations are moved into their buckets, whether somebody asks or not.
const UPKEEP: Duration = Duration::from_secs(5);

/// What was counted so far.
#[derive(Clone, Debug)]
pub struct MetricsHandle(PrometheusHandle);

/// Counts, from now on, what these catalogues list, and this crate's own.
///
/// The second call of a process gets the first one's handle, and describes its metrics to that.
#[must_use]
pub fn install_metrics(catalogues: &[&[Metric]]) -> MetricsHandle {
    static INSTALLED: OnceLock<MetricsHandle> = OnceLock::new();
    let handle = INSTALLED.get_or_init(|| {
        let recorder = recorder(catalogues);
        let handle = MetricsHandle(recorder.handle());
        if ::metrics::set_global_recorder(recorder).is_err() {
            tracing::error!("metrics are recorded elsewhere, /metrics stays empty");
        }
        handle
    });
    for catalogue in catalogues {
        metrics::describe(catalogue);
    }
    metrics::describe(metrics::CATALOGUE);
    handle.clone()
}

fn recorder(catalogues: &[&[Metric]]) -> PrometheusRecorder {
    let mut builder = PrometheusBuilder::new();
    for metric in catalogues.iter().copied().flatten() {
        if let Kind::Histogram(bounds) = metric.kind {
            let name = Matcher::Full(metric.name.to_owned());
            builder = builder
                .set_buckets_for_metric(name, bounds)
                .expect("a histogram in a catalogue has bounds");
        }
    }
    builder.build_recorder()
}

impl MetricsHandle {
    /// What was counted, as a text that Prometheus reads.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = self.0.render();
        process::render(&mut text);
        text
    }

    /// The same without what the operating system knows of the process, as it is written: whole lines, a few at a time.
    /// It costs about a microsecond per line, and moves observations into their buckets.
    ///
    /// # Errors
    /// What `output` says.
    pub fn render_to(&self, output: &mut impl io::Write) -> io::Result<()> {
        self.0.render_to_write(output)
    }

    /// Says what is running, and keeps histograms small when nobody asks for them: what they observe is a list that
    /// grows until it is moved into the buckets.
    pub fn run(&self, tasks: &Tasks, version: &'static str, role: &'static str) {
        metrics::build_info(version, role);
        let handle = self.0.clone();
        let stopping = tasks.stopping();
        tasks.spawn("metrics upkeep", async move {
            let mut ticks = tokio::time::interval(UPKEEP);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                tokio::select! {
                    _ = ticks.tick() => handle.run_upkeep(),
                    () = stopping.cancelled() => return,
                }
            }
        });
    }
}

#[cfg(test)]
mod tests;
