//! One measured thing: a line of JSON in a file of results.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What a line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// Sluice itself.
    Sluice,
    /// An alternative, given the same bodies.
    Peer,
    /// What nothing can be faster than, measured in the same run.
    Limit,
}

/// A measured run. Figures that were not measured are absent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Outcome {
    /// What was sent: `json-1000`, `remote-write-2-1000`. Lines of one scenario are compared.
    pub scenario: String,
    /// Who got it: `gateway`, `standalone`, `telegraf`, `sonic-rs decode`.
    pub subject: String,
    pub kind: Kind,
    /// What else tells lines apart: `protocol`, `compression`, `batch`, `names`, `series`, `labels`, `partitions`, `connections`, `rate`.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
    /// Samples that were acknowledged (or passed the limit) in the time that counts.
    pub samples: u64,
    /// Requests likewise.
    pub requests: u64,
    /// The time that counts, in seconds.
    pub elapsed_s: f64,
    /// User and system time of the process in that time, in seconds.
    pub cpu_s: Option<f64>,
    pub rss_idle_bytes: Option<u64>,
    pub rss_peak_bytes: Option<u64>,
    /// Resident bytes over time: seconds since the start, bytes.
    #[serde(default)]
    pub rss: Vec<(f64, u64)>,
    /// Latency at quantiles, in microseconds: 0.5, 0.9, 0.99, 0.999, 1.
    #[serde(default)]
    pub latency_us: Vec<(f64, u64)>,
    /// Bytes per sample in Kafka's log on disk.
    pub disk_bytes_per_sample: Option<f64>,
    /// Answers by status.
    #[serde(default)]
    pub answers: BTreeMap<String, u64>,
    /// Whether an answer says that Kafka has the samples.
    pub answers_after_kafka: Option<bool>,
    /// Samples that were acknowledged and are not there, when somebody looked.
    pub lost: Option<u64>,
    /// What a reader must know to judge the line.
    #[serde(default)]
    pub note: String,
}
