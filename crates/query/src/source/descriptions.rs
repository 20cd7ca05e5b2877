//! What the recent window knows of metrics by name, without keeping their series.

use std::collections::BTreeMap;

use model::MetricType;
use store::select::{Seen, Wanted};

use super::reader::Keeper;
use super::{From, Selection, Sources};
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
        let keeper = Descriptions::default();
        let (descriptions, _) = self.visit(From::Recent, selection, budget, keeper)?;
        Ok(descriptions.found)
    }
}

#[derive(Default)]
struct Descriptions {
    found: BTreeMap<String, Description>,
}

impl Keeper for Descriptions {
    fn series(
        &mut self,
        seen: &Seen<'_>,
        _: &Selection,
        budget: &mut Budget,
    ) -> Result<Wanted, Error> {
        if !self.found.contains_key(seen.metric) {
            budget.take(seen.metric.len() + NAME_BYTES)?;
            self.found
                .insert(seen.metric.to_owned(), Description::default());
        }
        let Some(known) = self.found.get_mut(seen.metric) else {
            return Ok(Wanted::Nothing);
        };
        if known.kind == MetricType::Unspecified {
            known.kind = seen.kind;
        }
        for (known, said) in [(&mut known.unit, seen.unit), (&mut known.help, seen.help)] {
            if let Some(said) = said.filter(|_| known.is_empty()) {
                budget.take(said.len())?;
                said.clone_into(known);
            }
        }
        Ok(Wanted::Nothing)
    }
}
