//! What one scenario showed, over all its rounds, and whether that is what was promised.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::load::{Sent, Turn};
use crate::tally::Verdict;

/// No process of Sluice may take more memory, unless the scenario says otherwise.
pub(crate) const RSS_LIMIT_BYTES: u64 = 512 << 20;

/// A row of the table.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Row {
    pub scenario: String,
    pub rounds: u64,
    /// Samples of batches that were begun.
    pub sent: u64,
    pub acknowledged: u64,
    /// Of the acknowledged ones, in the place that has the fewest.
    pub found: u64,
    /// Acknowledged and not found.
    pub lost: u64,
    /// Found again, in the place that has the most.
    pub doubled: u64,
    /// Found for the first time after a later one of their series.
    pub reordered: u64,
    /// Values that nobody sent, or under another series' labels.
    pub wrong: u64,
    /// The longest that a batch waited for its acknowledgement, all tries together.
    pub longest_outage_s: f64,
    /// Status codes; `none` without an answer, `hung` past the timeout.
    pub answers: BTreeMap<String, u64>,
    /// Acknowledgements by `Sluice-Durability`.
    pub durability: BTreeMap<String, u64>,
    pub given_up: u64,
    pub peak_rss_bytes: u64,
    pub elapsed_s: f64,
    pub notes: Vec<String>,
    /// What is not as promised; empty when the row passes.
    pub failures: Vec<String>,
    /// Why it could not be run here.
    pub skipped: Option<String>,
}

impl Row {
    pub(crate) fn new(scenario: &str) -> Self {
        Self {
            scenario: scenario.to_owned(),
            ..Self::default()
        }
    }

    /// Takes what a load was told, and what each place has of it.
    pub(crate) fn account(&mut self, sent: &[Sent], places: &[(&str, Verdict)]) {
        for account in sent {
            self.sent += account.samples();
            self.acknowledged += account.acknowledged();
            let given_up = account.turns.iter().filter(|turn| **turn == Turn::Unknown);
            self.given_up += given_up.count() as u64 * account.series;
            self.waited(account.longest);
            for (answer, count) in &account.answers {
                *self.answers.entry(answer.clone()).or_insert(0) += count;
            }
            for (durability, count) in &account.durability {
                *self.durability.entry(durability.clone()).or_insert(0) += count;
            }
            if let Some(said) = &account.first_500 {
                self.failures.push(format!("a 500 said {said:?}"));
            }
        }
        let most = |of: fn(&Verdict) -> u64| places.iter().map(|(_, verdict)| of(verdict)).max();
        let found = places.iter().map(|(_, verdict)| verdict.found).min();
        self.found += found.unwrap_or(0);
        self.lost += most(|verdict| verdict.lost).unwrap_or(0);
        self.doubled += most(|verdict| verdict.doubled).unwrap_or(0);
        self.reordered += most(|verdict| verdict.reordered).unwrap_or(0);
        self.wrong += most(|verdict| verdict.wrong).unwrap_or(0);
        for (place, verdict) in places {
            let (lost, wrong) = (verdict.lost, verdict.wrong);
            if lost + wrong > 0 {
                let examples = verdict.examples.join("; ");
                self.failures
                    .push(format!("{place}: {lost} lost, {wrong} wrong: {examples}"));
            }
        }
    }

    pub(crate) fn waited(&mut self, outage: Duration) {
        self.longest_outage_s = self.longest_outage_s.max(outage.as_secs_f64());
    }

    /// Adds what every scenario promises to the failures that it has itself.
    pub(crate) fn judge(&mut self, rss_limit_bytes: u64) {
        if self.skipped.is_some() {
            return;
        }
        for (answer, count) in &self.answers {
            if answer == "500" || answer == "hung" || answer.ends_with("partial") {
                self.failures.push(format!("{count} answers were {answer}"));
            }
        }
        if self.sent > 0 && self.acknowledged == 0 {
            let why = "nothing was acknowledged, so nothing was shown";
            self.failures.push(why.to_owned());
        }
        if self.peak_rss_bytes > rss_limit_bytes {
            let (took, limit) = (self.peak_rss_bytes >> 20, rss_limit_bytes >> 20);
            self.failures
                .push(format!("a process took {took} MiB, the limit is {limit}"));
        }
    }

    pub(crate) fn passes(&self) -> bool {
        self.failures.is_empty()
    }

    /// How many answers had this name.
    pub(crate) fn answered(&self, name: &str) -> u64 {
        self.answers.get(name).copied().unwrap_or(0)
    }

    /// Adds another round of the same scenario.
    pub(crate) fn add(&mut self, round: Self) {
        self.rounds += 1;
        self.sent += round.sent;
        self.acknowledged += round.acknowledged;
        self.found += round.found;
        self.lost += round.lost;
        self.doubled += round.doubled;
        self.reordered += round.reordered;
        self.wrong += round.wrong;
        self.given_up += round.given_up;
        self.elapsed_s += round.elapsed_s;
        self.longest_outage_s = self.longest_outage_s.max(round.longest_outage_s);
        self.peak_rss_bytes = self.peak_rss_bytes.max(round.peak_rss_bytes);
        for (answer, count) in round.answers {
            *self.answers.entry(answer).or_insert(0) += count;
        }
        for (durability, count) in round.durability {
            *self.durability.entry(durability).or_insert(0) += count;
        }
        self.failures.extend(round.failures);
        self.skipped = self.skipped.take().or(round.skipped);
        // Notes of many rounds are those of the last.
        self.notes = round.notes;
    }
}
