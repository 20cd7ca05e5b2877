//! From bytes to the aggregator, with everything that is wrong counted and some of it logged.

use std::sync::Arc;

use codec::Ignored;
use codec::statsd::{Found, Parts, Reason, decode_line, lines};
use model::Clock;
use service::log_limit::LogLimit;

use super::aggregate::{Aggregator, Scratch};
use super::flush::NAME;
use super::known::KnownLines;
use super::series::Refused;
use crate::ingest::Pipeline;
use crate::metrics::{self, StatsdCounters, StatsdTally};

/// How much of a bad line the log shows, in bytes.
const SHOWN_BYTES: usize = 200;

/// So many bad lines are remembered of what is read at once; all are counted.
const REMEMBERED: u64 = 8;

/// One receiver: a socket or a connection.
pub(super) struct Intake {
    aggregator: Arc<Aggregator>,
    clock: Arc<dyn Clock>,
    transport: &'static str,
    scratch: Scratch,
    known: KnownLines,
    /// Since the last [`Self::tell`].
    now_ms: Option<i64>,
    tally: StatsdTally,
    counters: StatsdCounters,
    /// Where bad lines are remembered.
    pipeline: Option<Arc<Pipeline>>,
}

impl Intake {
    /// With so much memory for lines that were read before.
    pub(super) fn new(
        aggregator: &Arc<Aggregator>,
        clock: &Arc<dyn Clock>,
        transport: &'static str,
        known_bytes: usize,
    ) -> Self {
        Self {
            aggregator: Arc::clone(aggregator),
            clock: Arc::clone(clock),
            transport,
            scratch: Scratch::default(),
            known: KnownLines::new(known_bytes),
            now_ms: None,
            tally: StatsdTally::default(),
            counters: StatsdCounters::default(),
            pipeline: None,
        }
    }

    /// Remembers bad lines, for whoever looks for what is missing.
    pub(super) fn remembering(mut self, pipeline: &Arc<Pipeline>) -> Self {
        self.pipeline = Some(Arc::clone(pipeline));
        self
    }

    /// Another receiver of the same kind, without a memory of its own.
    pub(super) fn another(&self) -> Self {
        let mut another = Self::new(&self.aggregator, &self.clock, self.transport, 0);
        another.pipeline.clone_from(&self.pipeline);
        another
    }

    /// Adds the lines of a packet.
    pub(super) fn packet(&mut self, packet: &[u8]) {
        let now_ms = *self.now_ms.get_or_insert_with(|| self.clock.now_ms());
        self.tally.packets += 1;
        self.tally.bytes += packet.len() as u64;
        for line in lines(packet) {
            let parts = Parts::of(line);
            let is_done = parts.is_some_and(|parts| self.again(line, &parts, now_ms));
            if !is_done {
                self.first(line, parts.as_ref(), now_ms);
            }
        }
    }

    /// Adds a line that is known but for its value. Answers no when it is not.
    fn again(&mut self, line: &[u8], parts: &Parts<'_>, now_ms: i64) -> bool {
        let Some(known) = self.known.find(parts) else {
            return false;
        };
        let outcome = match known.reading.with_value(parts.value) {
            Ok(reading) => {
                let aggregator = &self.aggregator;
                let Some(outcome) = aggregator.add_again(&known.identity, &reading, now_ms) else {
                    return false;
                };
                outcome.map_err(Refused::as_str)
            }
            Err(reason) => Err(reason.as_str()),
        };
        match outcome {
            Ok(()) => self.tally.taken += 1,
            Err(reason) => self.reject(reason, line),
        }
        true
    }

    /// Reads a line, adds what it says, and knows it the next time.
    fn first(&mut self, line: &[u8], parts: Option<&Parts<'_>>, now_ms: i64) {
        let (mut found_count, mut taken, mut bad) = (0, None, None);
        decode_line(line, |found| {
            found_count += 1;
            match found {
                Found::Sample(sample) => {
                    match self.aggregator.add(&sample, &mut self.scratch, now_ms) {
                        Ok(identity) => {
                            self.tally.taken += 1;
                            taken = Some((sample.reading, identity));
                        }
                        Err(refused) => bad = Some(refused.as_str()),
                    }
                }
                Found::Ignored(what) => {
                    self.tally.ignored += 1;
                    ignored(what);
                }
                Found::Bad(reason) => bad = Some(Reason::as_str(reason)),
            }
            if let Some(reason) = bad.take() {
                self.tally.reject(reason, line);
                remember(self.pipeline.as_ref(), self.tally.rejected, reason, line);
            }
        });
        // A series with the sender's own time is another one each time.
        if found_count == 1
            && let Some(parts) = parts
            && let Some((reading, identity)) = taken
            && identity.at_s == 0
            && let Ok(reading) = reading.with_value(b"1")
        {
            self.known.learn(parts, reading, identity);
        }
    }

    /// Refuses what came, without reading it.
    pub(super) fn reject(&mut self, reason: &'static str, bytes: &[u8]) {
        self.tally.reject(reason, bytes);
        remember(self.pipeline.as_ref(), self.tally.rejected, reason, bytes);
    }

    /// Counts what was read so far. Not after each packet: counting costs as much as a line.
    pub(super) fn tell(&mut self) {
        let tally = std::mem::take(&mut self.tally);
        self.counters.read(self.transport, &tally);
        self.now_ms = None;
    }
}

impl Drop for Intake {
    fn drop(&mut self) {
        self.tell();
    }
}

fn remember(pipeline: Option<&Arc<Pipeline>>, rejected: u64, reason: &'static str, line: &[u8]) {
    let Some(pipeline) = pipeline else {
        return;
    };
    pipeline.receipts.keep(NAME, reason, line);
    if rejected <= REMEMBERED {
        pipeline.receipts.remember(NAME, reason, line);
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
