//! Samples of the recent window and of the archive, put together by series.

mod descriptions;

use std::collections::{BTreeSet, HashMap};

use model::{MetricType, NAME_LABEL};
use store::parquet::{Archive, ReadError};
use store::recent::Recent;
use store::select::{Names, Seen, Select, Stopped, Wanted};

use crate::budget::Budget;
use crate::error::Error;
use crate::labels::{Labels, Matching, TENANT_LABEL};

/// What a sample costs.
const SAMPLE_BYTES: usize = size_of::<(i64, f64)>();

/// What there is to read. Clones read the same.
#[derive(Debug, Clone)]
pub(crate) struct Sources {
    pub(crate) recent: Recent,
    pub(crate) archive: Option<Archive>,
}

/// Which of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum From {
    Recent,
    Archive,
    Both,
}

/// Which series, when, and how much of them.
#[derive(Debug)]
pub(crate) struct Selection {
    pub(crate) matching: Matching,
    pub(crate) from_ms: i64,
    pub(crate) to_ms: i64,
    pub(crate) want: Keep,
}

/// What is kept of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// Its samples.
    Samples,
    /// The newest one.
    Last,
    /// That it is there.
    Nothing,
}

/// A series and its samples, in the order of time and each time once.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Series {
    pub(crate) labels: Labels,
    pub(crate) kind: MetricType,
    pub(crate) samples: Vec<(i64, f64)>,
}

/// What was found, sorted by labels, and what to say beside it.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Found {
    pub(crate) series: Vec<Series>,
    pub(crate) warnings: Vec<String>,
}

impl Sources {
    /// Reads samples.
    pub(crate) fn select(
        &self,
        from: From,
        selection: &Selection,
        budget: &mut Budget,
    ) -> Result<Found, Error> {
        let mut collector = Collector::new(selection, budget);
        let warnings = self.visit(from, &mut collector)?;
        Ok(Found {
            series: collector.finish(),
            warnings,
        })
    }

    /// Reads texts of series: names of labels, or values of one.
    pub(crate) fn texts(
        &self,
        selection: &Selection,
        of: TextsOf,
        budget: &mut Budget,
    ) -> Result<(BTreeSet<String>, Vec<String>), Error> {
        let mut texts = Texts {
            found: BTreeSet::new(),
            of,
            selection,
            budget,
            stopped: None,
        };
        let warnings = self.visit(From::Both, &mut texts)?;
        Ok((texts.found, warnings))
    }

    fn visit<R: Reader>(&self, from: From, reader: &mut R) -> Result<Vec<String>, Error> {
        let mut warnings = Vec::new();
        if from != From::Recent {
            match &self.archive {
                Some(archive) => match archive.visit(reader) {
                    Ok(scanned) if scanned.unreadable > 0 => warnings.push(format!(
                        "{} of {} files of the archive could not be read; the log says why",
                        scanned.unreadable, scanned.files
                    )),
                    Ok(_) => {}
                    Err(ReadError::Stopped) => return Err(reader.why()),
                    Err(ReadError::Archive(error)) => {
                        return Err(Error::Archive(error.to_string()));
                    }
                },
                None if from == From::Archive => return Err(Error::NoArchive),
                None => {}
            }
        }
        // Last: of two samples of one time the one that came last counts.
        if from != From::Archive && self.recent.visit(reader).is_err() {
            return Err(reader.why());
        }
        Ok(warnings)
    }
}

/// A reader that remembers why it stopped.
trait Reader: Select {
    fn why(&mut self) -> Error;
}

/// Which texts of a series.
#[derive(Debug)]
pub(crate) enum TextsOf {
    /// The names of its labels.
    Labels,
    /// The value of this one.
    Label(String),
}

struct Texts<'b> {
    found: BTreeSet<String>,
    of: TextsOf,
    selection: &'b Selection,
    budget: &'b mut Budget,
    stopped: Option<Error>,
}

impl Reader for Texts<'_> {
    fn why(&mut self) -> Error {
        self.stopped.take().unwrap_or(Error::Cancelled)
    }
}

impl Texts<'_> {
    fn add(&mut self, text: &str) -> Result<(), Error> {
        if !text.is_empty() && !self.found.contains(text) {
            self.budget.take(text.len() + 64)?;
            self.found.insert(text.to_owned());
        }
        Ok(())
    }

    fn keep(&mut self, seen: &Seen<'_>) -> Result<(), Error> {
        self.budget.step()?;
        if !is_wanted(self.selection, seen) {
            return Ok(());
        }
        if let TextsOf::Label(name) = &self.of {
            let value = value_of(self.selection, seen, name);
            return self.add(value);
        }
        self.add(NAME_LABEL)?;
        if seen.tenant.is_some() && self.selection.matching.tenant().is_none() {
            self.add(TENANT_LABEL)?;
        }
        let mut names = seen.labels.iter().map(|(name, _)| *name);
        names.try_for_each(|name| {
            if name == TENANT_LABEL {
                return Ok(());
            }
            self.add(name)
        })
    }
}

impl Select for Texts<'_> {
    fn names(&self) -> Names {
        self.selection.matching.names()
    }

    fn range(&self) -> (i64, i64) {
        (self.selection.from_ms, self.selection.to_ms)
    }

    fn series(&mut self, seen: &Seen<'_>) -> Result<Wanted, Stopped> {
        self.keep(seen).map_err(|error| {
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

/// The value of a series' label.
fn value_of<'a>(selection: &Selection, seen: &Seen<'a>, name: &str) -> &'a str {
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

/// Keeps what is given, as far as the budget goes.
struct Collector<'b> {
    selection: &'b Selection,
    budget: &'b mut Budget,
    names: Names,
    series: Vec<Series>,
    places: HashMap<Labels, usize>,
    at: usize,
    stopped: Option<Error>,
}

impl<'b> Collector<'b> {
    fn new(selection: &'b Selection, budget: &'b mut Budget) -> Self {
        Self {
            selection,
            budget,
            names: selection.matching.names(),
            series: Vec::new(),
            places: HashMap::new(),
            at: 0,
            stopped: None,
        }
    }

    fn or_stop<T>(&mut self, outcome: Result<T, Error>) -> Result<T, Stopped> {
        outcome.map_err(|error| {
            self.stopped = Some(error);
            Stopped
        })
    }

    fn labels(&self, seen: &Seen<'_>) -> Labels {
        let own = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let mut pairs: Vec<(String, String)> = Vec::with_capacity(seen.labels.len() + 2);
        pairs.push(own(NAME_LABEL, seen.metric));
        // Who puts the tenant's label on a series is us alone.
        let labels = seen.labels.iter().filter(|(name, _)| *name != TENANT_LABEL);
        pairs.extend(labels.map(|(name, value)| own(name, value)));
        // Where one tenant was asked for, all is its.
        if let Some(tenant) = seen.tenant
            && self.selection.matching.tenant().is_none()
        {
            pairs.push(own(TENANT_LABEL, tenant));
        }
        Labels::of(pairs)
    }

    fn open(&mut self, seen: &Seen<'_>) -> Result<(), Error> {
        let labels = self.labels(seen);
        if let Some(at) = self.places.get(&labels) {
            self.at = *at;
        } else {
            self.budget.series()?;
            // Once as a key, too.
            self.budget
                .take(2 * labels.bytes() + size_of::<Series>() + 64)?;
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
        Ok(())
    }

    fn keep(&mut self, at_ms: i64, value: f64) -> Result<(), Error> {
        let Some(series) = self.series.get_mut(self.at) else {
            return Ok(());
        };
        let samples = &mut series.samples;
        if self.selection.want == Keep::Last {
            match samples.first_mut() {
                Some(last) if last.0 > at_ms => {}
                Some(last) => *last = (at_ms, value),
                None => samples.push((at_ms, value)),
            }
            return self.budget.step();
        }
        let before = samples.capacity();
        if samples.len() == before {
            // Asked for before it is there.
            self.budget.take(before.max(4) * SAMPLE_BYTES)?;
        }
        samples.push((at_ms, value));
        self.budget.step()
    }

    fn finish(self) -> Vec<Series> {
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

impl Reader for Collector<'_> {
    fn why(&mut self) -> Error {
        self.stopped.take().unwrap_or(Error::Cancelled)
    }
}

impl Select for Collector<'_> {
    fn names(&self) -> Names {
        self.names.clone()
    }

    fn range(&self) -> (i64, i64) {
        (self.selection.from_ms, self.selection.to_ms)
    }

    fn series(&mut self, seen: &Seen<'_>) -> Result<Wanted, Stopped> {
        if !is_wanted(self.selection, seen) {
            let outcome = self.budget.step();
            self.or_stop(outcome)?;
            return Ok(Wanted::Nothing);
        }
        let outcome = self.open(seen);
        self.or_stop(outcome)?;
        Ok(match self.selection.want {
            Keep::Samples | Keep::Last => Wanted::Samples,
            Keep::Nothing => Wanted::Nothing,
        })
    }

    fn sample(&mut self, at_ms: i64, value: f64) -> Result<(), Stopped> {
        let outcome = self.keep(at_ms, value);
        self.or_stop(outcome)
    }

    fn go_on(&mut self) -> Result<(), Stopped> {
        let outcome = self.budget.look();
        self.or_stop(outcome)
    }
}

#[cfg(test)]
mod tests;
