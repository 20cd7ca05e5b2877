//! The last words of a replay: what the store has, and what it has not. Pure.

use std::fmt::Write as _;
use std::time::Duration;

use consumer::Ledger;

use super::bar::clock;
use super::plan::Plan;
use super::tally::Tally;

/// What was asked for and is not in the buffer, a line for each partition; empty when nothing is missing.
pub(crate) fn missing(plan: &Plan) -> String {
    let mut text = String::new();
    for span in &plan.missing {
        writeln!(
            text,
            "sluice: partition {} has no offsets {}..{}: they have expired or never were",
            span.partition, span.from, span.to
        )
        .unwrap_or_default();
    }
    text
}

/// How a replay ended.
#[derive(Debug)]
pub(crate) struct Ending<'a> {
    pub(crate) tally: &'a Tally,
    pub(crate) ledger: Ledger,
    /// Samples that the store took in earlier runs of the same replay.
    pub(crate) written_before: u64,
    /// Records, or offsets without one.
    pub(crate) done: u64,
    pub(crate) total: u64,
    pub(crate) missing: u64,
    /// Records and samples that earlier runs of the same replay could not bring.
    pub(crate) missed_before: u64,
    pub(crate) took: Duration,
}

impl Ending<'_> {
    pub(crate) fn is_stopped(&self) -> bool {
        self.done < self.total
    }

    /// Whether the store has everything that was chosen.
    pub(crate) fn is_complete(&self) -> bool {
        !self.is_stopped()
            && self.missing == 0
            && self.missed_before == 0
            && self.ledger.dead_lettered == 0
            && self.ledger.records_dead_lettered == 0
            && self.tally.records_expired() == 0
            && self.tally.records_undecodable() == 0
    }

    pub(crate) fn text(&self) -> String {
        let written = self.written_before + self.tally.written();
        let mut text = format!(
            "{} {written} samples of {} of {} records written in {}\n",
            if self.is_stopped() {
                "stopped:"
            } else {
                "done:"
            },
            self.done,
            self.total,
            clock(self.took)
        );
        let mut line = |count: u64, what: &str| {
            if count > 0 {
                writeln!(text, "  {count} {what}").unwrap_or_default();
            }
        };
        line(
            self.missing + self.tally.records_expired(),
            "records had expired before they were read",
        );
        line(
            self.missed_before,
            "records or samples were missed by earlier runs of this replay",
        );
        line(
            self.ledger.records_dead_lettered + self.tally.records_undecodable(),
            "records cannot be decoded",
        );
        for (reason, samples) in self.tally.samples_left_out() {
            line(
                samples,
                &format!("left out, for which the store has no form: {reason}"),
            );
        }
        for (reason, refused) in self.tally.refused() {
            line(
                refused.samples,
                &format!("refused: {reason}, such as {}", refused.example),
            );
        }
        if self.is_stopped() {
            text.push_str("  the same command goes on from here\n");
        }
        text
    }
}
