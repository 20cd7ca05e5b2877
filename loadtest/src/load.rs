//! What is sent, how, and for how long: options of the command line and keys of a scenario.

use std::num::{NonZeroU64, NonZeroUsize};
use std::time::Duration;

use clap::{Args, Parser, ValueEnum};
use serde::{Deserialize, Deserializer};

use crate::protocol::{Compression, Protocol};

/// Series when neither `series` nor the batches of all connections say more: enough that one of
/// them does not come twice in a millisecond.
const LEAST_SERIES: u64 = 8000;

/// What is sent.
#[derive(Debug, Clone, PartialEq, Args, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Load {
    /// What bodies are written in.
    #[arg(long, value_enum, default_value_t = Protocol::Json)]
    pub protocol: Protocol,
    /// How bodies are compressed; without it, as the protocol's senders do it.
    #[arg(long, value_enum)]
    pub compression: Option<Compression>,
    /// Where bodies are posted; without it, where the protocol has them.
    #[arg(long)]
    pub path: Option<String>,
    /// Seconds that count, after the warm-up.
    #[arg(long, default_value = "10", value_parser = parse_seconds)]
    #[serde(deserialize_with = "seconds")]
    pub duration: Duration,
    /// Seconds before them.
    #[arg(long, default_value = "3", value_parser = parse_seconds)]
    #[serde(deserialize_with = "seconds")]
    pub warm_up: Duration,
    /// Ends after this many requests, warm-up included, if that comes first.
    #[arg(long)]
    pub requests: Option<NonZeroU64>,
    /// Requests per second over all connections, sent whether or not earlier ones were answered in
    /// time, with the latency counted from when each should have been sent; without it each
    /// connection sends as fast as it is answered.
    #[arg(long)]
    pub rate: Option<f64>,
    /// Connections, each with one request in flight.
    #[arg(long, default_value = "8")]
    pub connections: NonZeroUsize,
    /// Further connections that were used once and then stay open.
    #[arg(long, default_value = "0")]
    pub idle_connections: usize,
    /// The version of HTTP.
    #[arg(long, value_enum, default_value_t = Http::One)]
    pub http: Http,
    /// Opens a connection for each request.
    #[arg(long)]
    pub new_connections: bool,
    /// Sends again at once what was refused, whatever `Retry-After` says, and counts only the latency of what was
    /// acknowledged: senders that do not care.
    #[arg(long)]
    pub impatient: bool,
    /// Samples per request.
    #[arg(long, default_value = "1000")]
    pub batch: NonZeroUsize,
    /// Metric names, at most a million.
    #[arg(long, default_value = "50")]
    pub names: NonZeroUsize,
    /// Series in total, at least as many as names; each name has the same hosts. Without it, each
    /// connection has series of its own, and there are at least 8000.
    #[arg(long)]
    pub series: Option<NonZeroU64>,
    /// Chooses names by Zipf's law with this exponent instead of evenly.
    #[arg(long)]
    pub zipf: Option<f64>,
    /// Labels of a series, its host among them.
    #[arg(long, default_value = "3")]
    pub labels: NonZeroUsize,
    /// Bytes of a label's value, the host's aside; without it, words such as `us-east-1`.
    #[arg(long)]
    pub label_bytes: Option<usize>,
    /// Compressed bodies that are made before the load begins; those that follow are made meanwhile.
    #[arg(long, default_value = "0")]
    pub prepare: usize,
    /// Where the sequence of values starts; without it, where no run of the last days was.
    #[arg(long)]
    pub first_value: Option<u64>,
}

/// The version of HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
pub(crate) enum Http {
    /// HTTP/1.1.
    #[value(name = "http1")]
    #[serde(rename = "http1")]
    One,
    /// HTTP/2 without TLS, which the server must know to expect.
    #[value(name = "http2")]
    #[serde(rename = "http2")]
    Two,
}

#[derive(Debug, Parser)]
struct Alone {
    #[command(flatten)]
    load: Load,
}

impl Default for Load {
    fn default() -> Self {
        Alone::parse_from(["load"]).load
    }
}

impl Load {
    /// How bodies are compressed.
    pub(crate) fn compression(&self) -> Compression {
        self.compression
            .unwrap_or_else(|| self.protocol.usual_compression())
    }

    /// Connections, idle ones among them.
    pub(crate) fn all_connections(&self) -> usize {
        self.connections.get() + self.idle_connections
    }

    /// Series in total, before they are rounded to whole hosts.
    pub(crate) fn series(&self) -> u64 {
        let own = self.batch.get() as u64 * self.connections.get() as u64;
        self.series
            .map_or(own.max(LEAST_SERIES), NonZeroU64::get)
            .max(self.names.get() as u64)
    }

    /// Says what cannot be.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        anyhow::ensure!(
            self.names.get() <= 1_000_000,
            "a metric name has six digits: at most a million names"
        );
        anyhow::ensure!(
            self.series().div_ceil(self.names.get() as u64) <= 100_000_000,
            "a host's name has eight digits: at most 100 million hosts"
        );
        anyhow::ensure!(self.rate.is_none_or(|rate| rate > 0.0), "a rate is above 0");
        anyhow::ensure!(
            self.zipf
                .is_none_or(|exponent| (0.0..=10.0).contains(&exponent)),
            "an exponent of Zipf's law is between 0 and 10"
        );
        anyhow::ensure!(
            !(self.http == Http::Two && self.idle_connections > 0),
            "idle connections speak HTTP/1.1"
        );
        Ok(())
    }
}

fn parse_seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok();
    seconds
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| format!("{text:?} is not a number of seconds"))
}

fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let seconds = f64::deserialize(deserializer)?;
    Duration::try_from_secs_f64(seconds).map_err(serde::de::Error::custom)
}
