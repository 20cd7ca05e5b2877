//! Texts of series: the names of their labels, or the values of one.

use std::collections::BTreeSet;

use model::NAME_LABEL;
use store::select::{Seen, Wanted};

use super::Selection;
use super::reader::{Keeper, value_of};
use crate::budget::Budget;
use crate::error::Error;
use crate::labels::TENANT_LABEL;

/// Which texts of a series.
#[derive(Debug)]
pub(crate) enum TextsOf {
    /// The names of its labels.
    Labels,
    /// The value of this one.
    Label(String),
}

/// Keeps each text once.
pub(super) struct Texts {
    pub(super) found: BTreeSet<String>,
    of: TextsOf,
}

impl Texts {
    pub(super) fn new(of: TextsOf) -> Self {
        Self {
            found: BTreeSet::new(),
            of,
        }
    }

    fn add(&mut self, text: &str, budget: &mut Budget) -> Result<(), Error> {
        if !text.is_empty() && !self.found.contains(text) {
            budget.take(text.len() + 64)?;
            self.found.insert(text.to_owned());
        }
        Ok(())
    }
}

impl Keeper for Texts {
    fn series(
        &mut self,
        seen: &Seen<'_>,
        selection: &Selection,
        budget: &mut Budget,
    ) -> Result<Wanted, Error> {
        if let TextsOf::Label(name) = &self.of {
            let value = value_of(selection, seen, name);
            self.add(value, budget)?;
            return Ok(Wanted::Nothing);
        }
        self.add(NAME_LABEL, budget)?;
        if seen.tenant.is_some() && selection.matching.tenant().is_none() {
            self.add(TENANT_LABEL, budget)?;
        }
        let names = seen.labels.iter().map(|(name, _)| *name);
        for name in names.filter(|name| *name != TENANT_LABEL) {
            self.add(name, budget)?;
        }
        Ok(Wanted::Nothing)
    }
}
