//! From bytes to the aggregator, with everything that is wrong counted and some of it logged.

use std::sync::Arc;

use codec::statsd::{Found, decode};
use codec::{Ignored, statsd};
use model::Clock;
use service::log_limit::LogLimit;

use super::aggregate::{Aggregator, Scratch};
use super::flush::NAME;
use crate::metrics::{self, StatsdTally};

/// How much of a bad line the log shows, in bytes.
const SHOWN_BYTES: usize = 200;

/// One receiver: a socket or a connection.
pub(super) struct Intake {
    aggregator: Arc<Aggregator>,
    clock: Arc<dyn Clock>,
    transport: &'static str,
    scratch: Scratch,
    tally: StatsdTally,
}

impl Intake {
    pub(super) fn new(
        aggregator: &Arc<Aggregator>,
        clock: &Arc<dyn Clock>,
        transport: &'static str,
    ) -> Self {
        Self {
            aggregator: Arc::clone(aggregator),
            clock: Arc::clone(clock),
            transport,
            scratch: Scratch::default(),
            tally: StatsdTally::default(),
        }
    }

    /// Another receiver of the same kind.
    pub(super) fn another(&self) -> Self {
        Self::new(&self.aggregator, &self.clock, self.transport)
    }

    /// Adds the lines of a packet.
    pub(super) fn packet(&mut self, packet: &[u8]) {
        let now_ms = self.clock.now_ms();
        self.tally.packets += 1;
        self.tally.bytes += packet.len() as u64;
        decode(packet, |line, found| match found {
            Found::Sample(sample) => {
                match self.aggregator.add(&sample, &mut self.scratch, now_ms) {
                    Ok(()) => self.tally.taken += 1,
                    Err(refused) => self.tally.reject(refused.as_str(), line),
                }
            }
            Found::Ignored(what) => {
                self.tally.ignored += 1;
                ignored(what);
            }
            Found::Bad(reason) => self.tally.reject(statsd::Reason::as_str(reason), line),
        });
    }

    /// Refuses what came, without reading it.
    pub(super) fn reject(&mut self, reason: &'static str, bytes: &[u8]) {
        self.tally.reject(reason, bytes);
    }

    /// Counts what was read so far. Not after each packet: counting costs as much as a line.
    pub(super) fn tell(&mut self) {
        let tally = std::mem::take(&mut self.tally);
        if tally.packets > 0 || tally.rejected > 0 {
            metrics::statsd_read(self.transport, &tally);
        }
    }
}

impl Drop for Intake {
    fn drop(&mut self) {
        self.tell();
    }
}

fn ignored(what: Ignored) {
    metrics::ignored(NAME, what, 1);
}

impl StatsdTally {
    fn reject(&mut self, reason: &'static str, line: &[u8]) {
        static REJECTED: LogLimit = LogLimit::new();
        self.rejected += 1;
        metrics::statsd_rejected(reason);
        if let Some(suppressed) = REJECTED.pass() {
            let shown = line.get(..SHOWN_BYTES).unwrap_or(line);
            let line = shown.escape_ascii().to_string();
            tracing::warn!(reason, line, suppressed, "a StatsD line was rejected");
        }
    }
}
