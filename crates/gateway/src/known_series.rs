//! The catalogue of series that all requests share.

use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use codec::catalogue::{Catalogue, Unknown};
use foldhash::quality::RandomState;
use model::Batch;

use crate::metrics;

/// Read by every request while it is worked on; written for a moment by those that bring something new.
#[derive(Debug)]
pub(crate) struct KnownSeries(RwLock<Catalogue>);

/// Series of a batch that are good, and may be learned.
#[derive(Debug)]
pub(crate) struct Lessons<'a> {
    pub batch: Batch<'a>,
    pub unknown: Vec<Unknown<'a>>,
}

impl KnownSeries {
    /// None yet, and never more than these bytes hold.
    pub(crate) fn new(limit_bytes: usize, hasher: RandomState) -> Self {
        Self(RwLock::new(Catalogue::new(limit_bytes, hasher)))
    }

    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Catalogue> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of what is new. One that a panic left half changed is given up.
    pub(crate) fn learn(&self, lessons: &Lessons<'_>) {
        if lessons.unknown.is_empty() {
            return;
        }
        let mut catalogue = self.0.write().unwrap_or_else(|poisoned| {
            self.0.clear_poison();
            let mut catalogue = poisoned.into_inner();
            catalogue.start_anew();
            catalogue
        });
        catalogue.learn(&lessons.batch, &lessons.unknown);
        let (series, bytes) = (catalogue.len(), catalogue.bytes());
        drop(catalogue);
        metrics::known_series(series, bytes);
    }
}
