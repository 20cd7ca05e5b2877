//! How many bytes of bodies may be in flight: taken or refused, never waited for.
//!
//! A request takes what it is about to read, then what its body became, and gives both back when
//! it is answered (or given up), so that memory has a bound whatever comes in.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::metrics::InFlight;

/// No more room: the sender has to come back later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{used_bytes} of {limit_bytes} bytes are in flight, {wanted_bytes} more do not fit")]
pub(crate) struct Full {
    /// What is taken.
    pub used_bytes: usize,
    /// What may be taken.
    pub limit_bytes: usize,
    /// What was asked for.
    pub wanted_bytes: usize,
}

#[derive(Debug)]
pub(crate) struct Permits {
    limit_bytes: usize,
    used_bytes: AtomicUsize,
    shown: InFlight,
}

impl Permits {
    pub(crate) fn new(limit_bytes: usize) -> Arc<Self> {
        Arc::new(Self {
            limit_bytes,
            used_bytes: AtomicUsize::new(0),
            shown: InFlight::of(limit_bytes),
        })
    }

    /// A permit for nothing yet; it grows.
    pub(crate) fn empty(self: &Arc<Self>) -> Permit {
        Permit {
            permits: Arc::clone(self),
            bytes: 0,
        }
    }

    fn take(&self, bytes: usize) -> Result<(), Full> {
        let taken =
            self.used_bytes
                .fetch_update(Ordering::AcqRel, Ordering::Acquire, |used_bytes| {
                    used_bytes
                        .checked_add(bytes)
                        .filter(|used_bytes| *used_bytes <= self.limit_bytes)
                });
        match taken {
            Ok(before) => {
                self.shown.show(before + bytes);
                Ok(())
            }
            Err(used_bytes) => Err(Full {
                used_bytes,
                limit_bytes: self.limit_bytes,
                wanted_bytes: bytes,
            }),
        }
    }

    #[cfg(test)]
    pub(crate) fn used_bytes(&self) -> usize {
        self.used_bytes.load(Ordering::Acquire)
    }
}

/// Bytes that are taken until this is dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    permits: Arc<Permits>,
    bytes: usize,
}

impl Permit {
    /// Takes more.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), Full> {
        self.permits.take(bytes)?;
        self.bytes += bytes;
        Ok(())
    }

    /// Takes more if `total_bytes` are not taken yet.
    pub(crate) fn grow_to(&mut self, total_bytes: usize) -> Result<(), Full> {
        self.grow(total_bytes.saturating_sub(self.bytes))
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let before = self
            .permits
            .used_bytes
            .fetch_sub(self.bytes, Ordering::AcqRel);
        self.permits.shown.show(before.saturating_sub(self.bytes));
    }
}

#[cfg(test)]
mod tests;
