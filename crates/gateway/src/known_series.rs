//! The catalogue of series that all requests share.
//!
//! No request waits for another's lesson: while one waits for those who read, or is learned, the others read
//! nothing and are decoded without. Only one at a time waits, and then none for some time; what is not learned now
//! comes again.

use std::ops::Deref;
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard, TryLockError};
use std::time::Instant;

use codec::catalogue::{Catalogue, Unknown};
use foldhash::quality::RandomState;
use model::Batch;

use crate::metrics;

/// So many times as long as a lesson has waited, no other waits: a body of tens of megabytes is read for long.
const PAUSE: u32 = 4;

/// Read by every request while it is worked on; written for a moment by those that bring something new.
#[derive(Debug)]
pub(crate) struct KnownSeries {
    catalogue: RwLock<Catalogue>,
    /// What is read where the other cannot be.
    nothing: Catalogue,
    /// Held by who learns: from when on a lesson may wait.
    may_wait_at: Mutex<Instant>,
}

/// The catalogue, or one that knows nothing.
#[derive(Debug)]
pub(crate) enum Read<'k> {
    Known(RwLockReadGuard<'k, Catalogue>),
    Nothing(&'k Catalogue),
}

impl Deref for Read<'_> {
    type Target = Catalogue;

    fn deref(&self) -> &Catalogue {
        match self {
            Self::Known(catalogue) => catalogue,
            Self::Nothing(catalogue) => catalogue,
        }
    }
}

/// Series of a batch that are good, and may be learned.
#[derive(Debug)]
pub(crate) struct Lessons<'a> {
    pub batch: Batch<'a>,
    pub unknown: Vec<Unknown<'a>>,
}

impl KnownSeries {
    /// None yet, and never more than these bytes hold.
    pub(crate) fn new(limit_bytes: usize, hasher: RandomState) -> Self {
        Self {
            catalogue: RwLock::new(Catalogue::new(limit_bytes, hasher.clone())),
            nothing: Catalogue::new(0, hasher),
            may_wait_at: Mutex::new(Instant::now()),
        }
    }

    /// What is known, or nothing while something is learned.
    pub(crate) fn read(&self) -> Read<'_> {
        match self.catalogue.try_read() {
            Ok(catalogue) => Read::Known(catalogue),
            Err(TryLockError::Poisoned(poisoned)) => Read::Known(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => Read::Nothing(self.nothing()),
        }
    }

    /// For batches that do not refer to a catalogue.
    pub(crate) fn nothing(&self) -> &Catalogue {
        &self.nothing
    }

    /// Takes note of what is new, unless others are in the way. One that a panic left half changed is given up.
    pub(crate) fn learn(&self, lessons: &Lessons<'_>) {
        if lessons.unknown.is_empty() {
            return;
        }
        let mut may_wait_at = match self.may_wait_at.try_lock() {
            Ok(may_wait_at) => may_wait_at,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        let asked_at = Instant::now();
        let catalogue = if asked_at < *may_wait_at {
            self.catalogue.try_write()
        } else {
            self.catalogue.write().map_err(PoisonError::into)
        };
        let mut catalogue = match catalogue {
            Ok(catalogue) => catalogue,
            Err(TryLockError::Poisoned(poisoned)) => {
                self.catalogue.clear_poison();
                let mut catalogue = poisoned.into_inner();
                catalogue.start_anew();
                catalogue
            }
            Err(TryLockError::WouldBlock) => return,
        };
        let locked_at = Instant::now();
        *may_wait_at = locked_at + PAUSE * locked_at.saturating_duration_since(asked_at);
        catalogue.learn(&lessons.batch, &lessons.unknown);
        let (series, bytes) = (catalogue.len(), catalogue.bytes());
        drop(catalogue);
        metrics::known_series(series, bytes);
    }
}

#[cfg(test)]
mod tests;
