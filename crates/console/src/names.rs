//! Metric names from everything that a process knows of them: one list, searched.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::shapes::{Name, Names};

const DEFAULT_LIMIT: usize = 50;
const MAX_LIMIT: usize = 1000;
const MAX_SEARCH_BYTES: usize = 256;

/// Something that knows metric names: a gateway, the recent window.
pub trait KnownNames: Send + Sync + 'static {
    /// What it knows of the names that match, and how many names it knows in all. Called off the runtime's threads.
    fn names(&self, search: &Search) -> (Vec<Name>, usize);

    /// What is to be said of its answer: what it does not know, and why.
    fn note(&self) -> Option<String> {
        None
    }
}

/// What is looked for: every word must be in the name, whatever its case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Search {
    words: Vec<String>,
    /// At most so many names.
    pub(crate) limit: usize,
}

impl Search {
    /// Reads the parameters of a request.
    ///
    /// # Errors
    /// The sentence that names the parameter and what it may be.
    pub fn parse(query: &str) -> Result<Self, String> {
        let mut search = Self {
            words: Vec::new(),
            limit: DEFAULT_LIMIT,
        };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match name.as_ref() {
                "search" if value.len() > MAX_SEARCH_BYTES => {
                    let bytes = value.len();
                    return Err(format!(
                        "search has {bytes} bytes, the limit is {MAX_SEARCH_BYTES}"
                    ));
                }
                "search" => {
                    let words = value.split_whitespace();
                    search.words = words.map(str::to_lowercase).collect();
                }
                "limit" => match value.parse() {
                    Ok(limit) if (1..=MAX_LIMIT).contains(&limit) => search.limit = limit,
                    _ => {
                        let value: String = value.chars().take(40).collect();
                        return Err(format!(
                            "limit={value} is not a number from 1 to {MAX_LIMIT}"
                        ));
                    }
                },
                other => {
                    let other: String = other.chars().take(40).collect();
                    return Err(format!(
                        "unknown parameter {other:?}; known are search and limit"
                    ));
                }
            }
        }
        Ok(search)
    }

    /// Whether a name is one of those.
    #[must_use]
    pub fn is_about(&self, name: &str) -> bool {
        if self.words.is_empty() {
            return true;
        }
        let name = name.to_lowercase();
        self.words.iter().all(|word| name.contains(word.as_str()))
    }
}

/// The answer that these give together. What the first says of a name stays; the others add what it did not know.
pub(crate) fn found(sources: &[impl AsRef<dyn KnownNames>], search: &Search) -> Names {
    let mut all: BTreeMap<String, Name> = BTreeMap::new();
    let mut answer = Names::default();
    for source in sources {
        let source = source.as_ref();
        let (names, known) = source.names(search);
        answer.known = answer.known.max(known);
        answer.notes.extend(source.note());
        for name in names {
            match all.entry(name.metric_name.clone()) {
                Entry::Vacant(place) => {
                    place.insert(name);
                }
                Entry::Occupied(mut known) => known.get_mut().add(name),
            }
        }
    }
    answer.matching = all.len();
    answer.known = answer.known.max(answer.matching);
    let mut names: Vec<Name> = all.into_values().collect();
    // By what is sent now, then by how much there is of it; the names themselves are in order already.
    names.sort_by(|a, b| {
        let rate = |name: &Name| name.samples_per_s.unwrap_or(0.0);
        let series = |name: &Name| name.series.unwrap_or(0);
        rate(b).total_cmp(&rate(a)).then(series(b).cmp(&series(a)))
    });
    names.truncate(search.limit);
    answer.names = names;
    answer
}

impl Name {
    fn add(&mut self, other: Self) {
        fn first<T>(known: &mut Option<T>, other: Option<T>) {
            if known.is_none() {
                *known = other;
            }
        }
        fn all(known: &mut Vec<String>, others: Vec<String>) {
            for other in others {
                if !known.contains(&other) {
                    known.push(other);
                }
            }
        }
        first(&mut self.samples_per_s, other.samples_per_s);
        first(&mut self.bytes_per_s, other.bytes_per_s);
        first(&mut self.series, other.series);
        first(&mut self.kind, other.kind);
        first(&mut self.unit, other.unit);
        first(&mut self.help, other.help);
        first(&mut self.partition, other.partition);
        first(&mut self.lanes, other.lanes);
        first(&mut self.last_ms, other.last_ms);
        all(&mut self.tenants, other.tenants);
        all(&mut self.senders, other.senders);
    }
}

#[cfg(test)]
mod tests;
