//! How large a sample's parts may be.

use std::time::Duration;

/// Bounds on what one sample may look like. The defaults are those of Grafana Mimir where it has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a metric name.
    pub max_metric_name_bytes: usize,
    /// Labels of a series, without its name.
    pub max_labels: usize,
    /// Bytes of a label name.
    pub max_label_name_bytes: usize,
    /// Bytes of a label value.
    pub max_label_value_bytes: usize,
    /// Bytes of a unit, and of a help text.
    pub max_metadata_bytes: usize,
    /// How far a timestamp may lie ahead of the gateway's clock.
    pub max_future: Duration,
    /// How far a timestamp may lie behind it; `None` accepts any past.
    pub max_age: Option<Duration>,
    /// Samples in one request.
    pub max_samples: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_metric_name_bytes: 1024,
            max_labels: 30,
            max_label_name_bytes: 1024,
            max_label_value_bytes: 2048,
            max_metadata_bytes: 1024,
            max_future: Duration::from_secs(600),
            max_age: None,
            max_samples: 500_000,
        }
    }
}
