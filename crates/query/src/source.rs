//! What questions read of the recent window and of the archive, put together by series.

mod collector;
mod descriptions;
mod reader;
mod texts;

use std::collections::BTreeSet;

use model::MetricType;
use store::parquet::{Archive, ReadError};
use store::recent::Recent;

use self::collector::Collector;
use self::reader::{Keeper, Reader};
use self::texts::Texts;
use crate::budget::Budget;
use crate::error::Error;
use crate::labels::{Labels, Matching};

pub(crate) use self::texts::TextsOf;

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
        let (collector, warnings) =
            self.visit(from, selection, budget, Collector::new(selection))?;
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
        let (texts, warnings) = self.visit(From::Both, selection, budget, Texts::new(of))?;
        Ok((texts.found, warnings))
    }

    /// Gives what is wanted to a keeper; what it has then, and what to say beside it.
    fn visit<K: Keeper>(
        &self,
        from: From,
        selection: &Selection,
        budget: &mut Budget,
        keeper: K,
    ) -> Result<(K, Vec<String>), Error> {
        let mut reader = Reader::new(selection, budget, keeper);
        let mut warnings = Vec::new();
        if from != From::Recent {
            match &self.archive {
                Some(archive) => match archive.visit(&mut reader) {
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
        if from != From::Archive && self.recent.visit(&mut reader).is_err() {
            return Err(reader.why());
        }
        Ok((reader.keeper, warnings))
    }
}

#[cfg(test)]
mod tests;
