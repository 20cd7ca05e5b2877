//! What is counted by metric name and by partition.

use metrics::{Counter, counter, gauge};
use service::catalogue::{Kind, Metric};

use crate::heat::Load;

const PARTITION_BYTES: &str = "sluice_gateway_partition_bytes_total";
const PARTITION_SAMPLES: &str = "sluice_gateway_partition_samples_total";
const SKEW: &str = "sluice_gateway_partition_skew_ratio";
const NAME_BYTES: &str = "sluice_gateway_metric_bytes_per_second";
const NAME_SAMPLES: &str = "sluice_gateway_metric_samples_per_second";
const HOT: &str = "sluice_gateway_hot_metrics";

/// The metrics of heat.
pub const CATALOGUE: &[Metric] = &[
    Metric {
        name: PARTITION_BYTES,
        kind: Kind::Counter,
        labels: &["partition"],
        help: "Bytes of records for each partition of Kafka's topic, before compression.",
    },
    Metric {
        name: PARTITION_SAMPLES,
        kind: Kind::Counter,
        labels: &["partition"],
        help: "The samples in them.",
    },
    Metric {
        name: SKEW,
        kind: Kind::Gauge,
        labels: &[],
        help: "How many times as much the partition with most bytes got in the last `partitioning.heat.window` as a \
               partition got on average.",
    },
    Metric {
        name: NAME_BYTES,
        kind: Kind::Gauge,
        labels: &["metric"],
        help: "Bytes of records of the metric names that had most in the last window (`partitioning.heat.top`); at \
               most 200 names ever, and 0 for one that is no longer among them.",
    },
    Metric {
        name: NAME_SAMPLES,
        kind: Kind::Gauge,
        labels: &["metric"],
        help: "The samples in them.",
    },
    Metric {
        name: HOT,
        kind: Kind::Gauge,
        labels: &[],
        help: "Metric names that are too much for their partitions; `/api/v1/heat` of the admin listener says which, \
               and how to spread them.",
    },
];

/// What is counted for each partition, looked up once.
#[derive(Default)]
pub(crate) struct PartitionMeters(Vec<(Counter, Counter)>);

impl PartitionMeters {
    /// Counts a record.
    pub(crate) fn count(&mut self, partition: usize, load: Load) {
        while self.0.len() <= partition {
            let label = self.0.len().to_string();
            self.0.push((
                counter!(PARTITION_BYTES, "partition" => label.clone()),
                counter!(PARTITION_SAMPLES, "partition" => label),
            ));
        }
        if let Some((bytes, samples)) = self.0.get(partition) {
            bytes.increment(load.bytes);
            samples.increment(load.samples);
        }
    }
}

/// Shows how uneven partitions are.
pub(crate) fn skew(ratio: f64) {
    gauge!(SKEW).set(ratio);
}

/// Shows what a metric has per second; the caller bounds the names.
pub(crate) fn name(metric: &str, bytes: f64, samples: f64) {
    gauge!(NAME_BYTES, "metric" => metric.to_owned()).set(bytes);
    gauge!(NAME_SAMPLES, "metric" => metric.to_owned()).set(samples);
}

/// Shows how many metrics should be spread.
#[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
pub(crate) fn hot_names(count: usize) {
    gauge!(HOT).set(count as f64);
}
