//! Series with their samples, as far as the budget goes.

use std::collections::HashMap;

use model::{MetricType, NAME_LABEL};
use store::select::{Seen, Wanted};

use super::reader::Keeper;
use super::{Keep, Selection, Series};
use crate::budget::Budget;
use crate::error::Error;
use crate::labels::{Labels, TENANT_LABEL};

/// What a sample costs.
const SAMPLE_BYTES: usize = size_of::<(i64, f64)>();

/// Keeps series by their labels: the same one may come from several places.
pub(super) struct Collector {
    want: Keep,
    series: Vec<Series>,
    places: HashMap<Labels, usize>,
    /// The series that samples are of.
    at: usize,
}

impl Collector {
    pub(super) fn new(selection: &Selection) -> Self {
        Self {
            want: selection.want,
            series: Vec::new(),
            places: HashMap::new(),
            at: 0,
        }
    }

    /// What was kept, sorted by labels; samples in the order of time, each time once.
    pub(super) fn finish(self) -> Vec<Series> {
        let mut all = self.series;
        for series in &mut all {
            let samples = &mut series.samples;
            if !samples.is_sorted_by_key(|(at_ms, _)| *at_ms) {
                // Stable, so that the one that came last stays last.
                samples.sort_by_key(|(at_ms, _)| *at_ms);
            }
            samples.dedup_by(|later, earlier| {
                let is_same = later.0 == earlier.0;
                if is_same {
                    *earlier = *later;
                }
                is_same
            });
        }
        all.sort_unstable_by(|a, b| a.labels.cmp(&b.labels));
        all
    }
}

impl Keeper for Collector {
    fn series(
        &mut self,
        seen: &Seen<'_>,
        selection: &Selection,
        budget: &mut Budget,
    ) -> Result<Wanted, Error> {
        let labels = labels(seen, selection);
        if let Some(at) = self.places.get(&labels) {
            self.at = *at;
        } else {
            budget.series()?;
            // Once as a key, too.
            budget.take(2 * labels.bytes() + size_of::<Series>() + 64)?;
            self.at = self.series.len();
            self.places.insert(labels.clone(), self.at);
            self.series.push(Series {
                labels,
                kind: MetricType::Unspecified,
                samples: Vec::new(),
            });
        }
        if seen.kind != MetricType::Unspecified
            && let Some(series) = self.series.get_mut(self.at)
        {
            series.kind = seen.kind;
        }
        Ok(match self.want {
            Keep::Samples | Keep::Last => Wanted::Samples,
            Keep::Nothing => Wanted::Nothing,
        })
    }

    fn sample(&mut self, at_ms: i64, value: f64, budget: &mut Budget) -> Result<(), Error> {
        let Some(series) = self.series.get_mut(self.at) else {
            return Ok(());
        };
        let samples = &mut series.samples;
        if self.want == Keep::Last {
            match samples.first_mut() {
                Some(last) if last.0 > at_ms => {}
                Some(last) => *last = (at_ms, value),
                None => samples.push((at_ms, value)),
            }
            return budget.step();
        }
        let before = samples.capacity();
        if samples.len() == before {
            // Asked for before it is there.
            budget.take(before.max(4) * SAMPLE_BYTES)?;
        }
        samples.push((at_ms, value));
        budget.step()
    }
}

/// The labels that answers show.
fn labels(seen: &Seen<'_>, selection: &Selection) -> Labels {
    let own = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mut pairs: Vec<(String, String)> = Vec::with_capacity(seen.labels.len() + 2);
    pairs.push(own(NAME_LABEL, seen.metric));
    // Who puts the tenant's label on a series is us alone.
    let labels = seen.labels.iter().filter(|(name, _)| *name != TENANT_LABEL);
    pairs.extend(labels.map(|(name, value)| own(name, value)));
    // Where one tenant was asked for, all is its.
    if let Some(tenant) = seen.tenant
        && selection.matching.tenant().is_none()
    {
        pairs.push(own(TENANT_LABEL, tenant));
    }
    Labels::of(pairs)
}
