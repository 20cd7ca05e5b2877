//! What the recent window knows of metrics by name, without keeping their series.

use std::collections::BTreeMap;

use model::MetricType;
use store::select::{Names, Seen, Select, Stopped, Wanted};

use super::{From, Reader, Selection, Sources, is_wanted};
use crate::budget::Budget;
use crate::error::Error;

/// What a name costs beside its texts.
const NAME_BYTES: usize = 128;

/// A metric, in its senders' words.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Description {
    pub(crate) kind: MetricType,
    pub(crate) unit: String,
    pub(crate) help: String,
}

impl Sources {
    /// Metrics by name; what any of a name's series came with counts.
    pub(crate) fn descriptions(
        &self,
        selection: &Selection,
        budget: &mut Budget,
    ) -> Result<BTreeMap<String, Description>, Error> {
        let mut reader = Descriptions {
            found: BTreeMap::new(),
            selection,
            budget,
            stopped: None,
        };
        self.visit(From::Recent, &mut reader)?;
        Ok(reader.found)
    }
}

struct Descriptions<'b> {
    found: BTreeMap<String, Description>,
    selection: &'b Selection,
    budget: &'b mut Budget,
    stopped: Option<Error>,
}

impl Descriptions<'_> {
    fn add(&mut self, seen: &Seen<'_>) -> Result<(), Error> {
        self.budget.step()?;
        if !is_wanted(self.selection, seen) {
            return Ok(());
        }
        if !self.found.contains_key(seen.metric) {
            self.budget.take(seen.metric.len() + NAME_BYTES)?;
            self.found
                .insert(seen.metric.to_owned(), Description::default());
        }
        let Some(known) = self.found.get_mut(seen.metric) else {
            return Ok(());
        };
        if known.kind == MetricType::Unspecified {
            known.kind = seen.kind;
        }
        for (known, said) in [(&mut known.unit, seen.unit), (&mut known.help, seen.help)] {
            if let Some(said) = said.filter(|_| known.is_empty()) {
                self.budget.take(said.len())?;
                said.clone_into(known);
            }
        }
        Ok(())
    }
}

impl Reader for Descriptions<'_> {
    fn why(&mut self) -> Error {
        self.stopped.take().unwrap_or(Error::Cancelled)
    }
}

impl Select for Descriptions<'_> {
    fn names(&self) -> Names {
        self.selection.matching.names()
    }

    fn range(&self) -> (i64, i64) {
        (self.selection.from_ms, self.selection.to_ms)
    }

    fn series(&mut self, seen: &Seen<'_>) -> Result<Wanted, Stopped> {
        self.add(seen).map_err(|error| {
            self.stopped = Some(error);
            Stopped
        })?;
        Ok(Wanted::Nothing)
    }

    fn sample(&mut self, _: i64, _: f64) -> Result<(), Stopped> {
        Ok(())
    }

    fn go_on(&mut self) -> Result<(), Stopped> {
        self.budget.look().map_err(|error| {
            self.stopped = Some(error);
            Stopped
        })
    }
}
