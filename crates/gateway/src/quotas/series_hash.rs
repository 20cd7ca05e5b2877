//! A series as a number: the same from whatever it is read, unforeseeable from outside.

use std::hash::{BuildHasher as _, Hasher as _};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use codec::catalogue::Catalogue;
use foldhash::quality::RandomState;
use model::{Batch, Series};

/// The hash of a name and of labels that are sorted by name.
pub(crate) fn series_hash<'l>(
    hasher: &RandomState,
    name: &[u8],
    labels: impl Iterator<Item = (&'l [u8], &'l [u8])>,
) -> u64 {
    let mut state = hasher.build_hasher();
    state.write(name);
    for (name, value) in labels {
        // Lengths, so that no two label sets are the same bytes.
        state.write_u64(((name.len() as u64) << 32) | value.len() as u64);
        state.write(name);
        state.write(value);
    }
    state.finish()
}

pub(crate) fn of_batch(hasher: &RandomState, batch: &Batch<'_>, series: &Series<'_>) -> u64 {
    let labels = batch.labels(series).iter();
    let labels = labels.map(|label| (label.name.as_bytes(), label.value.as_bytes()));
    series_hash(hasher, series.name.as_bytes(), labels)
}

pub(crate) fn of_catalogue(
    hasher: &RandomState,
    catalogue: &Catalogue,
    series: u32,
    name: &str,
) -> u64 {
    series_hash(hasher, name.as_bytes(), catalogue.labels(series))
}

/// Series that were seen a moment ago, for those that no catalogue knows: a place for each hash, and the last one there.
/// The places are made for the first series, so that they are no memory of a gateway that nobody pushes to.
#[derive(Debug, Default)]
pub(crate) struct Recent(OnceLock<Box<[AtomicU64]>>);

/// 1 MiB.
const PLACES: usize = 1 << 17;

impl Recent {
    #[inline]
    fn place(places: &[AtomicU64], hash: u64) -> Option<&AtomicU64> {
        // Modulo a power of two, so that no number is cut.
        places.get(usize::try_from(hash % PLACES as u64).unwrap_or_default())
    }

    #[inline]
    pub(crate) fn has(&self, hash: u64) -> bool {
        let place = self.0.get().and_then(|places| Self::place(places, hash));
        let found = place.map(|place| place.load(Ordering::Relaxed));
        hash != 0 && found == Some(hash)
    }

    #[inline]
    pub(crate) fn add(&self, hash: u64) {
        let places = self
            .0
            .get_or_init(|| (0..PLACES).map(|_| AtomicU64::new(0)).collect());
        if let Some(place) = Self::place(places, hash) {
            place.store(hash, Ordering::Relaxed);
        }
    }
}
