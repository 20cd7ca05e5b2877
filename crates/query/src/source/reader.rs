//! Reading with a budget: what is wanted goes to a keeper, and why it ended is remembered.

use model::NAME_LABEL;
use store::select::{Names, Seen, Select, Stopped, Wanted};

use super::Selection;
use crate::budget::Budget;
use crate::error::Error;
use crate::labels::TENANT_LABEL;

/// Keeps what it needs of what is given.
pub(super) trait Keeper {
    /// A series that is wanted, and whether its samples are.
    fn series(
        &mut self,
        seen: &Seen<'_>,
        selection: &Selection,
        budget: &mut Budget,
    ) -> Result<Wanted, Error>;

    /// A sample of the series before.
    fn sample(&mut self, _at_ms: i64, _value: f64, _budget: &mut Budget) -> Result<(), Error> {
        Ok(())
    }
}

/// Reads for a keeper.
pub(super) struct Reader<'b, K> {
    pub(super) keeper: K,
    selection: &'b Selection,
    budget: &'b mut Budget,
    names: Names,
    stopped: Option<Error>,
}

impl<'b, K: Keeper> Reader<'b, K> {
    pub(super) fn new(selection: &'b Selection, budget: &'b mut Budget, keeper: K) -> Self {
        Self {
            keeper,
            names: selection.matching.names(),
            selection,
            budget,
            stopped: None,
        }
    }

    /// Why it stopped.
    pub(super) fn why(&mut self) -> Error {
        self.stopped.take().unwrap_or(Error::Cancelled)
    }

    fn or_stop<T>(&mut self, outcome: Result<T, Error>) -> Result<T, Stopped> {
        outcome.map_err(|error| {
            self.stopped = Some(error);
            Stopped
        })
    }

    fn keep(&mut self, seen: &Seen<'_>) -> Result<Wanted, Error> {
        self.budget.step()?;
        if is_wanted(self.selection, seen) {
            self.keeper.series(seen, self.selection, self.budget)
        } else {
            Ok(Wanted::Nothing)
        }
    }
}

impl<K: Keeper> Select for Reader<'_, K> {
    fn names(&self) -> Names {
        self.names.clone()
    }

    fn range(&self) -> (i64, i64) {
        (self.selection.from_ms, self.selection.to_ms)
    }

    fn series(&mut self, seen: &Seen<'_>) -> Result<Wanted, Stopped> {
        let outcome = self.keep(seen);
        self.or_stop(outcome)
    }

    fn sample(&mut self, at_ms: i64, value: f64) -> Result<(), Stopped> {
        let outcome = self.keeper.sample(at_ms, value, self.budget);
        self.or_stop(outcome)
    }

    fn go_on(&mut self) -> Result<(), Stopped> {
        let outcome = self.budget.look();
        self.or_stop(outcome)
    }
}

/// The value of a series' label.
pub(super) fn value_of<'a>(selection: &Selection, seen: &Seen<'a>, name: &str) -> &'a str {
    match name {
        NAME_LABEL => seen.metric,
        // Not what a sender put there.
        TENANT_LABEL => match selection.matching.tenant() {
            None => seen.tenant.unwrap_or_default(),
            Some(_) => "",
        },
        _ => {
            let found = seen.labels.iter().find(|(known, _)| *known == name);
            found.map_or("", |(_, value)| *value)
        }
    }
}

fn is_wanted(selection: &Selection, seen: &Seen<'_>) -> bool {
    let tenant = selection.matching.tenant();
    let is_theirs = tenant.is_none() || tenant == seen.tenant;
    is_theirs
        && selection
            .matching
            .want(|name| value_of(selection, seen, name))
}
