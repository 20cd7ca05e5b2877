//! Which parts of the upstream take records: a circuit for each, and what is on its way to it.
//!
//! A part that did not confirm a record in time is *tripped*: what is on its way to it is copied to the spool, in
//! order, and what comes goes there without being tried, until the part confirms something of its backlog.

use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::{PublishError, Record};

/// Parts beyond this share circuits; a prime, so that those of several topics spread.
const LANES: usize = 509;

/// Answers the offset of a record in the spool once it is durable there.
pub(super) type Appending =
    Pin<Box<dyn Future<Output = Result<u64, PublishError>> + Send + 'static>>;

/// All of them.
#[derive(Debug)]
pub(super) struct Lanes {
    lanes: Box<[Mutex<Lane>]>,
    tripped: AtomicUsize,
}

/// One part's.
#[derive(Default)]
pub(super) struct Lane {
    is_tripped: bool,
    /// When the upstream was tried though tripped, for want of the spool.
    tried_at: Option<Instant>,
    /// The number of the first record in `flying`.
    first: u64,
    /// What the upstream has not answered, in order; none for what it has.
    flying: VecDeque<Option<Record>>,
    /// Copies of what was on its way when the lane was tripped, until those who wait for it fetch them.
    copies: HashMap<u64, Appending>,
}

/// What became of a record's copy.
pub(super) struct Tripped {
    /// The copy in the spool, if there is one.
    pub(super) copy: Option<Appending>,
    /// How many records were copied to the spool now.
    pub(super) copied: usize,
    /// Whether this was the first tripped lane.
    pub(super) is_first: bool,
}

impl Lanes {
    pub(super) fn new() -> Self {
        Self {
            lanes: (0..LANES).map(|_| Mutex::default()).collect(),
            tripped: AtomicUsize::new(0),
        }
    }

    /// Whoever holds it decides on the order of the part's records.
    pub(super) fn lock(&self, part: usize) -> MutexGuard<'_, Lane> {
        #[expect(clippy::indexing_slicing, reason = "the remainder is below the length")]
        self.lanes[part % LANES]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// How many are tripped.
    pub(super) fn tripped(&self) -> usize {
        self.tripped.load(Ordering::Acquire)
    }

    /// A record was not confirmed in time. If its lane had not been tripped since, it is now.
    pub(super) fn trip(
        &self,
        part: usize,
        number: u64,
        append: impl Fn(Record) -> Appending,
    ) -> Tripped {
        let mut lane = self.lock(part);
        let mut tripped = Tripped {
            copy: None,
            copied: 0,
            is_first: false,
        };
        if lane.is_flying(number) {
            if !lane.is_tripped {
                lane.is_tripped = true;
                lane.tried_at = None;
                tripped.is_first = self.tripped.fetch_add(1, Ordering::AcqRel) == 0;
            }
            let first = lane.first;
            lane.first += lane.flying.len() as u64;
            let flying = std::mem::take(&mut lane.flying);
            for (record, number) in flying.into_iter().zip(first..) {
                if let Some(record) = record {
                    tripped.copied += 1;
                    lane.copies.insert(number, append(record));
                }
            }
        }
        tripped.copy = lane.copies.remove(&number);
        tripped
    }

    /// The part takes records again. Answers whether this was the last tripped lane.
    pub(super) fn close(&self, part: usize) -> bool {
        let mut lane = self.lock(part);
        std::mem::take(&mut lane.is_tripped) && self.tripped.fetch_sub(1, Ordering::AcqRel) == 1
    }

    /// Every part is tried again, because the spool cannot be used. Answers whether one was tripped.
    pub(super) fn close_all(&self) -> bool {
        let last_closed = (0..LANES).filter(|part| self.close(*part));
        last_closed.count() > 0
    }
}

impl Lane {
    /// Whether records go to the spool at once.
    pub(super) const fn is_tripped(&self) -> bool {
        self.is_tripped
    }

    /// A record is on its way to the upstream; answers its number.
    pub(super) fn enter(&mut self, record: Record) -> u64 {
        self.flying.push_back(Some(record));
        self.first + self.flying.len() as u64 - 1
    }

    fn place(&mut self, number: u64) -> Option<&mut Option<Record>> {
        let place = usize::try_from(number.checked_sub(self.first)?).ok()?;
        self.flying.get_mut(place)
    }

    fn is_flying(&mut self, number: u64) -> bool {
        self.place(number).is_some_and(|place| place.is_some())
    }

    /// The upstream has answered a record, or nobody waits for it any more. Answers its copy in the spool, if it
    /// got one meanwhile.
    pub(super) fn leave(&mut self, number: u64) -> Option<Appending> {
        if let Some(place) = self.place(number) {
            *place = None;
        }
        while let Some(None) = self.flying.front() {
            self.flying.pop_front();
            self.first += 1;
        }
        self.copies.remove(&number)
    }

    /// Whether to try the upstream although the lane is tripped: now and then, where the spool does not take records.
    pub(super) fn may_try(&mut self, pause: Duration) -> bool {
        let now = Instant::now();
        let may = self.tried_at.is_none_or(|at| now >= at + pause);
        if may {
            self.tried_at = Some(now);
        }
        may
    }
}

impl std::fmt::Debug for Lane {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lane")
            .field("is_tripped", &self.is_tripped)
            .field("flying", &self.flying.len())
            .field("copies", &self.copies.len())
            .finish_non_exhaustive()
    }
}
