//! The last minutes as columns, in bounded memory.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;

/// How far back.
const KEPT_MS: i64 = 5 * 60 * 1000;

/// One per second, and some more.
const MAX_ROWS: usize = 320;

/// More columns are not kept: there is one for each protocol, tenant, status and a few for each store.
const MAX_COLUMNS: usize = 256;

/// Rows of a few hundred numbers at most.
#[derive(Debug, Default)]
pub(crate) struct History {
    at_ms: VecDeque<i64>,
    /// Not a number where there is no value.
    columns: BTreeMap<String, VecDeque<f32>>,
}

/// The JSON of a [`crate::shapes::History`].
#[derive(Serialize)]
struct Shown<'h> {
    at_ms: &'h VecDeque<i64>,
    /// What JSON has no number for becomes null.
    columns: &'h BTreeMap<String, VecDeque<f32>>,
}

impl History {
    /// Adds a row.
    pub(crate) fn add(&mut self, at_ms: i64, point: &BTreeMap<String, f64>) {
        let rows = self.at_ms.len();
        self.at_ms.push_back(at_ms);
        for (name, column) in &mut self.columns {
            column.push_back(single(point.get(name).copied()));
        }
        for (name, value) in point {
            if !self.columns.contains_key(name) && self.columns.len() < MAX_COLUMNS {
                let mut column = VecDeque::from(vec![f32::NAN; rows]);
                column.push_back(single(Some(*value)));
                self.columns.insert(name.clone(), column);
            }
        }
        let oldest_ms = at_ms.saturating_sub(KEPT_MS);
        while self.at_ms.len() > MAX_ROWS || self.at_ms.front().is_some_and(|at| *at < oldest_ms) {
            self.at_ms.pop_front();
            for column in self.columns.values_mut() {
                column.pop_front();
            }
        }
        self.columns
            .retain(|_, column| column.iter().any(|value| !value.is_nan()));
    }

    /// As JSON.
    pub(crate) fn json(&self) -> String {
        let shown = Shown {
            at_ms: &self.at_ms,
            columns: &self.columns,
        };
        // Numbers and texts, which cannot fail.
        serde_json::to_string(&shown).unwrap_or_default()
    }
}

#[expect(clippy::cast_possible_truncation, reason = "for pictures")]
fn single(value: Option<f64>) -> f32 {
    value.map_or(f32::NAN, |value| value as f32)
}

#[cfg(test)]
mod tests;
