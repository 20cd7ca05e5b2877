//! All lines of results, and the ones that a figure is about.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::Context;

use super::bars::Pick;
use super::figures::Figure;
use crate::outcome::Outcome;

/// Lines in the order in which they were measured.
#[derive(Debug, Default)]
pub(super) struct Lines(pub(super) Vec<Outcome>);

/// A figure that some lines agree on.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    /// Who.
    pub(super) subject: String,
    pub(super) value: f64,
    /// How many lines there were, of which it is the middle or the largest.
    pub(super) lines: usize,
}

impl Lines {
    /// Reads files of results.
    pub(super) fn read(paths: &[PathBuf]) -> anyhow::Result<Self> {
        let mut lines = Vec::new();
        for path in paths {
            let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
            for (number, line) in (1..).zip(text.lines()) {
                if !line.trim().is_empty() {
                    let read = serde_json::from_str(line);
                    lines.push(read.with_context(|| format!("{}:{number}", path.display()))?);
                }
            }
        }
        Ok(Self(lines))
    }

    /// The best subject's figure: with several lines of one subject, the one in the middle.
    pub(super) fn best(&self, pick: &Pick, figure: Figure) -> Option<Found> {
        let mut subjects: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        for line in self.0.iter().filter(|line| pick.takes(line)) {
            if let Some(value) = figure.of(line) {
                subjects.entry(&line.subject).or_default().push(value);
            }
        }
        let found = subjects.into_iter().filter_map(|(subject, mut values)| {
            values.sort_by(f64::total_cmp);
            let value = if figure.takes_the_largest() {
                *values.last()?
            } else {
                *values.get((values.len() - 1) / 2)?
            };
            Some(Found {
                subject: subject.to_owned(),
                value,
                lines: values.len(),
            })
        });
        found.max_by(|one, other| one.value.total_cmp(&other.value))
    }
}

impl Pick {
    fn takes(&self, line: &Outcome) -> bool {
        let scenario = match self.scenario.strip_suffix('*') {
            Some(start) => line.scenario.starts_with(start),
            None => line.scenario == self.scenario,
        };
        let has = |(key, value): (&str, &str)| {
            line.parameters.get(key).is_some_and(|found| found == value)
        };
        scenario
            && line.kind == self.kind
            && line.subject.starts_with(self.subject)
            && self.parameter.is_none_or(has)
    }
}
