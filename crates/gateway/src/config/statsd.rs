//! What an operator can set about StatsD.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service::units::{Period, Size};

use super::{BadSetting, bad};

/// Section `statsd`: StatsD and DogStatsD lines over UDP, TCP and Unix sockets. They are added up here, and what they
/// came to is stored every `flush_interval`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StatsdConfig {
    /// Where UDP packets are received: an address and port, `off`, or `auto`, which is 0.0.0.0:8125 where that port is
    /// free, and nothing but a warning where it is taken.
    pub listen: Listen,
    /// Address and port for lines over TCP; without it there is none.
    pub tcp_listen: Option<SocketAddr>,
    /// Path of a Unix datagram socket, such as DogStatsD clients use; without it there is none.
    pub unix_datagram: Option<PathBuf>,
    /// Path of a Unix stream socket, for lines and for DogStatsD's frames; without it there is none.
    pub unix_stream: Option<PathBuf>,
    /// UDP sockets on the port, each read by a task of its own. The kernel spreads senders over them.
    pub sockets: usize,
    /// What the kernel may hold for each UDP or datagram socket until it is read. It gives at most
    /// `net.core.rmem_max`; that is silently taken without this setting, which asks for 4MiB, and warned about with it.
    pub receive_buffer: Option<Size>,
    /// How often the sums are stored.
    pub flush_interval: Period,
    /// The value of the label `gateway`, by which the series of several gateways differ; without it the host's name.
    pub gateway: Option<String>,
    /// The tenant of all of it; without it there is none.
    pub tenant: Option<String>,
    /// What timers, histograms and distributions become: `native` (a native histogram), `classic` (a histogram with
    /// `buckets`) or `quantiles` (a summary with `quantiles`). JSON records cannot hold native ones and get classic ones.
    pub distributions: Distributions,
    /// The upper bounds of classic buckets, growing.
    pub buckets: Vec<f64>,
    /// Which quantiles of a flush interval are stored, from 0 to 1.
    pub quantiles: Vec<f64>,
    /// The unit in which timers (`ms`) are stored: `seconds` or `milliseconds`.
    pub timers: TimerUnit,
    /// What `+1` and `-1` mean for a gauge: `difference` as in StatsD, or `value` as in DogStatsD.
    pub signed_gauges: SignedGauges,
    /// How long a series is repeated without a new line. Then it ends, with a stale marker.
    pub expire_after: Period,
    /// Memory that all series together may take. Beyond it, lines of new series are refused and counted. How lines are
    /// to be read, so that the next one like it costs less, takes up to a quarter of it more.
    pub max_memory: Size,
    /// Connections over TCP and the Unix stream socket at a time. Further ones wait.
    pub max_connections: usize,
}

impl Default for StatsdConfig {
    fn default() -> Self {
        Self {
            listen: Listen::Auto,
            tcp_listen: None,
            unix_datagram: None,
            unix_stream: None,
            sockets: 1,
            receive_buffer: None,
            flush_interval: Period::secs(10),
            gateway: None,
            tenant: None,
            distributions: Distributions::Native,
            // Prometheus' own default, made for seconds.
            buckets: vec![
                0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
            ],
            quantiles: vec![0.5, 0.9, 0.99],
            timers: TimerUnit::Seconds,
            signed_gauges: SignedGauges::Difference,
            expire_after: Period::secs(3600),
            max_memory: Size::mib(64),
            max_connections: 1024,
        }
    }
}

impl StatsdConfig {
    /// Checks each setting.
    ///
    /// # Errors
    /// The first key that cannot be, and why.
    pub fn check(&self) -> Result<(), BadSetting> {
        if !(1..=64).contains(&self.sockets) {
            return bad("sockets", "must be from 1 to 64");
        }
        if self.flush_interval < Period::millis(100) {
            return bad("flush_interval", "must be at least 100ms");
        }
        if self.expire_after < self.flush_interval {
            let why = format!(
                "is {}, but must not be shorter than statsd.flush_interval ({})",
                self.expire_after, self.flush_interval
            );
            return bad("expire_after", &why);
        }
        if let Some(tenant) = &self.tenant
            && let Err(why) = crate::origin::check_tenant(tenant)
        {
            return bad("tenant", &why);
        }
        if self.gateway.as_deref() == Some("") {
            return bad("gateway", "is empty");
        }
        let is_bucket = |bound: &f64| bound.is_finite();
        if self.buckets.is_empty()
            || !self.buckets.iter().all(is_bucket)
            || !self.buckets.is_sorted_by(|a, b| a < b)
        {
            return bad("buckets", "must be numbers, each above the one before");
        }
        if self.quantiles.is_empty() || !self.quantiles.iter().all(|q| (0.0..=1.0).contains(q)) {
            return bad("quantiles", "must be numbers from 0 to 1");
        }
        if self.max_connections == 0 {
            return bad("max_connections", "must be larger than 0");
        }
        if self.max_memory < Size::mib(1) {
            return bad("max_memory", "must be at least 1MiB");
        }
        Ok(())
    }
}

/// Setting `statsd.listen`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub enum Listen {
    /// The usual port, if it is free.
    Auto,
    /// Nothing.
    Off,
    /// Here, or not at all.
    At(SocketAddr),
}

impl Listen {
    /// Where to listen, if anywhere.
    #[must_use]
    pub fn address(self) -> Option<SocketAddr> {
        match self {
            Self::Auto => Some(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 8125))),
            Self::Off => None,
            Self::At(address) => Some(address),
        }
    }
}

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "off" => Ok(Self::Off),
            address => address.parse().map(Self::At).map_err(|_| {
                format!("{text:?} is none of auto, off, and an address such as 0.0.0.0:8125")
            }),
        }
    }
}

impl TryFrom<String> for Listen {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Off => f.write_str("off"),
            Self::At(address) => address.fmt(f),
        }
    }
}

impl From<Listen> for String {
    fn from(listen: Listen) -> Self {
        listen.to_string()
    }
}

/// Setting `statsd.distributions`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Distributions {
    /// A native histogram.
    Native,
    /// A histogram with fixed buckets.
    Classic,
    /// A summary.
    Quantiles,
}

/// Setting `statsd.timers`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TimerUnit {
    /// The base unit, as everywhere in Prometheus.
    Seconds,
    /// As they were sent.
    Milliseconds,
}

/// Setting `statsd.signed_gauges`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SignedGauges {
    /// Adds to what the gauge was.
    Difference,
    /// Replaces it.
    Value,
}

#[cfg(test)]
mod tests;
