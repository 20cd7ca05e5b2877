//! What an expression comes to, for all steps at once.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::budget::Budget;
use crate::error::Error;
use crate::labels::Labels;

/// What Prometheus writes where a series ends: a number that no calculation gives. Here it stands for no value, too.
const STALE: u64 = 0x7ff0_0000_0000_0002;

/// No value.
pub(crate) const fn absent() -> f64 {
    f64::from_bits(STALE)
}

/// Whether it is no value.
pub(crate) const fn is_absent(value: f64) -> bool {
    value.to_bits() == STALE
}

/// A series with a value, or none, for each step.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) labels: Labels,
    pub(crate) values: Vec<f64>,
}

impl Row {
    /// The value of a step.
    pub(crate) fn get(&self, step: usize) -> Option<f64> {
        let value = self.values.get(step).copied();
        value.filter(|value| !is_absent(*value))
    }

    /// With each value changed.
    pub(crate) fn map(mut self, change: impl Fn(usize, f64) -> f64) -> Self {
        for (step, value) in self.values.iter_mut().enumerate() {
            if !is_absent(*value) {
                *value = change(step, *value);
            }
        }
        self
    }

    /// Whether it has no value at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.values.iter().all(|value| is_absent(*value))
    }
}

/// What an expression comes to.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    /// A number for each step.
    Scalar(Vec<f64>),
    /// Series.
    Vector(Vec<Row>),
    /// A text.
    Text(String),
}

/// Uses memory for a row.
pub(crate) fn take_row(budget: &mut Budget, labels: &Labels, steps: usize) -> Result<(), Error> {
    budget.take(labels.bytes() + size_of::<Row>() + steps * size_of::<f64>())?;
    budget.steps(steps)
}

/// Puts rows of the same labels together, which two series may have when their names are taken off.
pub(crate) fn joined(rows: Vec<Row>) -> Result<Vec<Row>, Error> {
    let mut places: HashMap<Labels, usize> = HashMap::with_capacity(rows.len());
    let mut all: Vec<Row> = Vec::with_capacity(rows.len());
    for row in rows.into_iter().filter(|row| !row.is_empty()) {
        match places.entry(row.labels.clone()) {
            Entry::Vacant(place) => {
                place.insert(all.len());
                all.push(row);
            }
            Entry::Occupied(place) => {
                if let Some(known) = all.get_mut(*place.get()) {
                    join(known, &row)?;
                }
            }
        }
    }
    Ok(all)
}

fn join(known: &mut Row, row: &Row) -> Result<(), Error> {
    for (value, other) in known.values.iter_mut().zip(&row.values) {
        match (is_absent(*value), is_absent(*other)) {
            (_, true) => {}
            (true, false) => *value = *other,
            (false, false) => {
                let why = "two series of the result have the same labels; their names alone told them apart";
                return Err(Error::Failed(why.to_owned()));
            }
        }
    }
    Ok(())
}
