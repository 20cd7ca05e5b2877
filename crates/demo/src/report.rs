//! What was sent, and what became of it.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use crate::push::Kind;

/// Counts by kind of sender.
#[derive(Debug, Default)]
pub struct Report {
    lines: BTreeMap<Kind, Line>,
}

#[derive(Debug, Default)]
struct Line {
    pushes: u64,
    samples: u64,
    /// Requests by status, as the answers said it.
    answers: BTreeMap<u16, u64>,
    /// Samples that answers with 2xx have listed as refused.
    refused: u64,
    /// Requests without an answer.
    failed: u64,
    last_failure: Option<String>,
}

/// What came of one push.
pub(crate) enum Outcome {
    /// Sent, where nobody answers.
    Sent,
    Answered {
        status: u16,
        refused: u64,
    },
    Failed(String),
}

impl Report {
    pub(crate) fn add(&mut self, kind: Kind, samples: u64, outcome: Outcome) {
        let line = self.lines.entry(kind).or_default();
        line.pushes += 1;
        line.samples += samples;
        match outcome {
            Outcome::Sent => {}
            Outcome::Answered { status, refused } => {
                *line.answers.entry(status).or_default() += 1;
                line.refused += refused;
            }
            Outcome::Failed(why) => {
                line.failed += 1;
                line.last_failure = Some(why);
            }
        }
    }

    /// Whether any request got an answer.
    #[must_use]
    pub fn has_answers(&self) -> bool {
        self.lines.values().any(|line| !line.answers.is_empty())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:14} {:15} {:9} {:>8} {:>9} {:>8}  answers",
            "sender", "protocol", "tenant", "pushes", "points", "refused"
        )?;
        for (kind, line) in &self.lines {
            let (who, protocol, tenant) = kind.said();
            write!(
                f,
                "{who:14} {protocol:15} {tenant:9} {:>8} {:>9} {:>8}  ",
                line.pushes, line.samples, line.refused
            )?;
            let mut answers = String::new();
            for (status, count) in &line.answers {
                write!(answers, "{count} × {status}  ")?;
            }
            if line.failed > 0 {
                let why = line.last_failure.as_deref().unwrap_or_default();
                write!(answers, "{} without an answer ({why})", line.failed)?;
            }
            if line.answers.is_empty() && line.failed == 0 {
                answers.push_str("none: packets");
            }
            writeln!(f, "{}", answers.trim_end())?;
        }
        Ok(())
    }
}
