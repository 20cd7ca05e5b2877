//! What a sender is, and what it hands over.

use std::fmt;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

/// One request or packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Push {
    pub via: Via,
    pub tenant: Option<&'static str>,
    /// Who says it: a host's or a job's name.
    pub source: String,
    pub samples: u64,
}

/// How it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Via {
    /// Over HTTP: `PUT` if it replaces what was there, `POST` otherwise.
    Http {
        replaces: bool,
        path: String,
        content_type: &'static str,
        body: String,
    },
    /// One datagram.
    Packet(String),
}

/// Somebody who sends.
pub(crate) struct Sender {
    /// Which line of the report it belongs to.
    pub kind: Kind,
    /// Between two pushes.
    pub every: Duration,
    rng: StdRng,
    make: Make,
}

type Make = Box<dyn FnMut(Moment<'_>) -> Vec<Push> + Send>;

/// When a sender makes its next push, and its dice.
pub(crate) struct Moment<'a> {
    pub now_ms: i64,
    pub rng: &'a mut StdRng,
}

impl Moment<'_> {
    pub(crate) fn seconds(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit")]
        let ms = self.now_ms as f64;
        ms / 1000.0
    }
}

/// Lines of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Agents,
    Services,
    Sensors,
    Probes,
    Jobs,
    Web,
    Legacy,
}

impl Kind {
    /// What it is, by which protocol, and its tenant.
    pub(crate) const fn said(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Agents => ("hosts' agents", "JSON", "platform"),
            Self::Services => ("services", "OTLP", "shop"),
            Self::Sensors => ("sensors", "InfluxDB lines", "plant"),
            Self::Probes => ("probes", "OpenMetrics", "platform"),
            Self::Jobs => ("batch jobs", "Pushgateway", "shop"),
            Self::Web => ("web workers", "StatsD", "none"),
            Self::Legacy => ("an old script", "JSON, badly", "legacy"),
        }
    }
}

impl Sender {
    pub(crate) fn new(
        kind: Kind,
        every: Duration,
        seed: u64,
        make: impl FnMut(Moment<'_>) -> Vec<Push> + Send + 'static,
    ) -> Self {
        Self {
            kind,
            every,
            rng: StdRng::seed_from_u64(seed),
            make: Box::new(make),
        }
    }

    /// What it sends now.
    pub(crate) fn push(&mut self, now_ms: i64) -> Vec<Push> {
        (self.make)(Moment {
            now_ms,
            rng: &mut self.rng,
        })
    }

    /// Until its first push: not all at once.
    pub(crate) fn delay(&mut self) -> Duration {
        let share: f64 = self.rng.random();
        self.every.mul_f64(share)
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("kind", &self.kind).finish()
    }
}
