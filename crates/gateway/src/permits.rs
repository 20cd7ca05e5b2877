//! How many bytes of bodies may be in flight: taken or refused, never waited for.
//!
//! A request takes what it is about to read, then what its body became, and gives both back when
//! it is answered (or given up), so that memory has a bound whatever comes in. Up to half of the bound anybody may
//! take; from there on nobody holds more than an equal share with one to spare, so that who sends too much, or is slow,
//! has no one else turned away. A sender that has nothing else in flight is not held to a share.

use std::hash::{BuildHasher as _, Hash};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use foldhash::quality::RandomState;

use crate::metrics::InFlight;

/// Senders are told apart by the hash of their name. Two that share a place share its share.
const PLACES: usize = 1024;

/// No more room: the sender has to come back later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Full {
    /// For anybody.
    #[error("{used_bytes} of {limit_bytes} bytes are in flight, {wanted_bytes} more do not fit")]
    All {
        /// What is taken.
        used_bytes: usize,
        /// What may be taken.
        limit_bytes: usize,
        /// What was asked for.
        wanted_bytes: usize,
    },
    /// For this sender, while others want some too.
    #[error(
        "this sender has {held_bytes} bytes in flight already, and its share under load is {share_bytes} bytes"
    )]
    Share {
        /// What the sender has.
        held_bytes: usize,
        /// What it may have.
        share_bytes: usize,
    },
    /// For bodies that take their time.
    #[error(
        "{bodies} bodies of {bytes} bytes are coming slowly already, and this one does not come faster"
    )]
    Slow {
        /// How many there are.
        bodies: usize,
        /// How many bytes they hold.
        bytes: usize,
    },
}

#[derive(Debug)]
pub(crate) struct Permits {
    limit_bytes: usize,
    /// What the smallest request takes: it costs more than its body.
    least_bytes: usize,
    used_bytes: AtomicUsize,
    senders: Box<[Sender]>,
    /// How many senders have a request.
    present: AtomicUsize,
    most_slow: usize,
    slow_bodies: AtomicUsize,
    slow_bytes: AtomicUsize,
    hasher: RandomState,
    shown: InFlight,
}

#[derive(Debug, Default)]
struct Sender {
    requests: AtomicUsize,
    bytes: AtomicUsize,
}

impl Permits {
    #[cfg(test)]
    pub(crate) fn new(limit_bytes: usize) -> Arc<Self> {
        Self::with(limit_bytes, usize::MAX, usize::MAX)
    }

    /// With a bound on how many requests there may be, and how many slow bodies.
    pub(crate) fn with(limit_bytes: usize, most_requests: usize, most_slow: usize) -> Arc<Self> {
        Arc::new(Self {
            limit_bytes,
            least_bytes: limit_bytes / most_requests.max(1),
            used_bytes: AtomicUsize::new(0),
            senders: (0..PLACES).map(|_| Sender::default()).collect(),
            present: AtomicUsize::new(0),
            most_slow,
            slow_bodies: AtomicUsize::new(0),
            slow_bytes: AtomicUsize::new(0),
            hasher: RandomState::default(),
            shown: InFlight::of(limit_bytes),
        })
    }

    /// A permit for nothing yet, of nobody in particular; it grows.
    pub(crate) fn empty(self: &Arc<Self>) -> Permit {
        self.of(())
    }

    /// A permit for nothing yet of this sender; it grows.
    pub(crate) fn of(self: &Arc<Self>, sender: impl Hash) -> Permit {
        let places = self.senders.len() as u64;
        let place = self.hasher.hash_one(sender) % places.max(1);
        let place = usize::try_from(place).unwrap_or_default();
        if let Some(sender) = self.senders.get(place)
            && sender.requests.fetch_add(1, Ordering::AcqRel) == 0
        {
            self.present.fetch_add(1, Ordering::AcqRel);
        }
        Permit {
            permits: Arc::clone(self),
            place,
            bytes: 0,
        }
    }

    /// How full it is: from 0, beyond 1 where decoded bodies take more than was foreseen.
    #[expect(clippy::cast_precision_loss, reason = "a share, not a count")]
    pub(crate) fn pressure(&self) -> f64 {
        self.used_bytes.load(Ordering::Relaxed) as f64 / self.limit_bytes.max(1) as f64
    }

    fn take(&self, sender: Option<&Sender>, bytes: usize) -> Result<(), Full> {
        let fits = |used_bytes: usize| {
            let after = used_bytes.checked_add(bytes)?;
            (after <= self.limit_bytes).then_some(after)
        };
        let used_bytes = self.used_bytes.load(Ordering::Acquire);
        if let (Some(sender), Some(after)) = (sender, fits(used_bytes))
            && after > self.limit_bytes / 2
        {
            self.check_share(sender, bytes)?;
        }
        let taken = self
            .used_bytes
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, fits);
        match taken {
            Ok(before) => {
                self.shown.show(before + bytes);
                if let Some(sender) = sender {
                    sender.bytes.fetch_add(bytes, Ordering::AcqRel);
                }
                Ok(())
            }
            Err(used_bytes) => Err(Full::All {
                used_bytes,
                limit_bytes: self.limit_bytes,
                wanted_bytes: bytes,
            }),
        }
    }

    fn check_share(&self, sender: &Sender, bytes: usize) -> Result<(), Full> {
        if sender.requests.load(Ordering::Acquire) <= 1 {
            return Ok(());
        }
        let held_bytes = sender.bytes.load(Ordering::Acquire);
        let share_bytes = self.limit_bytes / (self.present.load(Ordering::Acquire) + 1);
        if held_bytes.saturating_add(bytes) <= share_bytes {
            return Ok(());
        }
        Err(Full::Share {
            held_bytes,
            share_bytes,
        })
    }

    fn give_back(&self, sender: Option<&Sender>, bytes: usize) {
        let before = self.used_bytes.fetch_sub(bytes, Ordering::AcqRel);
        self.shown.show(before.saturating_sub(bytes));
        if let Some(sender) = sender {
            sender.bytes.fetch_sub(bytes, Ordering::AcqRel);
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
    place: usize,
    bytes: usize,
}

impl Permit {
    fn sender(&self) -> Option<&Sender> {
        self.permits.senders.get(self.place)
    }

    /// Takes more.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), Full> {
        let bytes = match self.bytes {
            0 => bytes.max(self.permits.least_bytes),
            _ => bytes,
        };
        self.permits.take(self.sender(), bytes)?;
        self.bytes += bytes;
        Ok(())
    }

    /// Takes more if `total_bytes` are not taken yet.
    pub(crate) fn grow_to(&mut self, total_bytes: usize) -> Result<(), Full> {
        match total_bytes.saturating_sub(self.bytes) {
            0 => Ok(()),
            more => self.grow(more),
        }
    }

    /// Takes more or gives some back, so that `total_bytes` are taken.
    pub(crate) fn resize(&mut self, total_bytes: usize) -> Result<(), Full> {
        let total_bytes = total_bytes.max(self.permits.least_bytes);
        match self.bytes.checked_sub(total_bytes) {
            Some(less) => {
                self.give_back(less);
                Ok(())
            }
            None => self.grow_to(total_bytes),
        }
    }

    /// Takes more even where there is none: what is in memory already. Others are turned away until it is given back.
    pub(crate) fn weigh(&mut self, bytes: usize) {
        if bytes == 0 {
            return;
        }
        let before = self.permits.used_bytes.fetch_add(bytes, Ordering::AcqRel);
        self.permits.shown.show(before.saturating_add(bytes));
        if let Some(sender) = self.sender() {
            sender.bytes.fetch_add(bytes, Ordering::AcqRel);
        }
        self.bytes += bytes;
    }

    /// Gives some of it back.
    pub(crate) fn give_back(&mut self, bytes: usize) {
        let bytes = bytes.min(self.bytes);
        if bytes > 0 {
            self.permits.give_back(self.sender(), bytes);
            self.bytes -= bytes;
        }
    }

    /// Counts this request's body among those that come slowly, until the answer is dropped.
    pub(crate) fn slow(&self) -> Result<SlowBody, Full> {
        let permits = Arc::clone(&self.permits);
        let bodies = permits.slow_bodies.fetch_add(1, Ordering::AcqRel);
        let bytes = permits.slow_bytes.fetch_add(self.bytes, Ordering::AcqRel);
        let slow = SlowBody {
            permits,
            bytes: self.bytes,
        };
        // Less than what anybody may take, so that slow bodies alone put nobody under pressure.
        let most_bytes = self.permits.limit_bytes / 4;
        let fits =
            bodies < self.permits.most_slow && bytes.saturating_add(self.bytes) <= most_bytes;
        // A single one may be as large as bodies may be.
        if bodies == 0 || fits {
            return Ok(slow);
        }
        Err(Full::Slow { bodies, bytes })
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.give_back(self.bytes);
        if let Some(sender) = self.sender()
            && sender.requests.fetch_sub(1, Ordering::AcqRel) == 1
        {
            self.permits.present.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

/// A body that comes slowly.
#[derive(Debug)]
pub(crate) struct SlowBody {
    permits: Arc<Permits>,
    bytes: usize,
}

impl Drop for SlowBody {
    fn drop(&mut self) {
        self.permits.slow_bodies.fetch_sub(1, Ordering::AcqRel);
        self.permits
            .slow_bytes
            .fetch_sub(self.bytes, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests;
