//! What the consumer asks of a store.
//!
//! The consumer puts the series of consumed records into *lanes*; each lane has one write in
//! flight, so samples of one series reach the store in order. A store says how many lanes it
//! wants and how large a batch may grow; retries, splitting around refused samples, dead letters
//! and commits are the consumer's and are the same for every store.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use model::{Block, SeriesView};

/// How a store's input is spread over concurrent writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lanes {
    /// So many lanes. All of a series is in the same one of them, and of a metric name, too, as long as one lane can
    /// keep up with it.
    BySeries(NonZeroUsize),
    /// A lane per partition of the buffer; a batch never mixes partitions and holds whole records.
    ByPartition,
}

/// Which lane a batch belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Lane {
    /// The number of a series lane.
    Series(usize),
    /// A partition.
    Partition(i32),
}

/// When a batch is written: at the first of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batching {
    /// Samples in the batch.
    pub max_samples: usize,
    /// Memory that its items hold, in bytes.
    pub max_bytes: usize,
    /// Time since its first item.
    pub max_age: Duration,
}

/// Where a record was in the buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Source {
    /// The partition.
    pub partition: i32,
    /// The offset.
    pub offset: i64,
    /// When the gateway received it, milliseconds since the Unix epoch.
    pub received_at_ms: i64,
}

/// A record of the buffer, decoded.
#[derive(Debug)]
pub struct Record {
    /// Its series.
    pub block: Block,
    /// Where it came from.
    pub source: Source,
    /// Whose samples these are.
    pub tenant: Option<Arc<str>>,
    /// Who sent them, for people: not a part of their identity.
    pub sender: Option<Arc<str>>,
}

/// One series of one record, which is what it dereferences to. Small and cheap to clone, because there is one for
/// nearly every sample: the record is shared.
#[derive(Debug, Clone)]
pub struct Item {
    /// The record.
    pub record: Arc<Record>,
    /// Which of its series.
    pub series: u32,
    /// The part of its samples that counts: points first, then histograms, numbered through.
    /// The whole series unless a refused batch was split below it; empty for a series of nothing but exemplars.
    pub samples: std::ops::Range<u32>,
}

impl std::ops::Deref for Item {
    type Target = Record;

    fn deref(&self) -> &Record {
        &self.record
    }
}

impl Item {
    /// The series.
    ///
    /// # Panics
    /// When `series` is not a number of `block`, which only a defect of the consumer can make.
    #[inline(always)]
    #[must_use]
    pub fn view(&self) -> SeriesView<'_> {
        self.record
            .block
            .series(self.series as usize)
            .expect("an item names a series of its own block")
    }

    /// The float samples that count.
    #[must_use]
    pub fn points(&self) -> &[model::Point] {
        self.points_of(self.view())
    }

    #[inline(always)]
    fn points_of<'a>(&self, view: SeriesView<'a>) -> &'a [model::Point] {
        let all = view.points();
        let start = (self.samples.start as usize).min(all.len());
        let end = (self.samples.end as usize).min(all.len());
        all.get(start..end).unwrap_or_default()
    }

    /// The native histograms that count.
    #[must_use]
    pub fn histograms(&self) -> &[model::Histogram] {
        self.histograms_of(self.view())
    }

    #[inline(always)]
    fn histograms_of<'a>(&self, view: SeriesView<'a>) -> &'a [model::Histogram] {
        let all = view.histograms();
        if all.is_empty() {
            return all;
        }
        let floats = view.points().len();
        let within = |at: u32| (at as usize).saturating_sub(floats).min(all.len());
        all.get(within(self.samples.start)..within(self.samples.end))
            .unwrap_or_default()
    }

    /// The exemplars that count. They are the series': where that was split, they go with its first part.
    #[must_use]
    pub fn exemplars(&self) -> &[model::Exemplar] {
        self.exemplars_of(self.view())
    }

    #[inline(always)]
    fn exemplars_of<'a>(&self, view: SeriesView<'a>) -> &'a [model::Exemplar] {
        if self.samples.start == 0 {
            view.exemplars()
        } else {
            &[]
        }
    }

    /// The series and its only sample, where it is [plain](SeriesView::plain) and all of it counts.
    ///
    /// # Panics
    /// Like [`Self::view`].
    #[inline(always)]
    #[must_use]
    pub fn plain(&self) -> Option<(SeriesView<'_>, &model::Point)> {
        let view = self.view();
        let is_whole = (self.samples.start, self.samples.end) == (0, 1);
        Some((view, view.plain().filter(|_| is_whole)?))
    }

    /// Everything that counts, looked up once: floats, native histograms, exemplars.
    ///
    /// # Panics
    /// Like [`Self::view`].
    #[inline(always)]
    #[must_use]
    pub fn parts(&self) -> Parts<'_> {
        let view = self.view();
        Parts {
            view,
            points: self.points_of(view),
            histograms: self.histograms_of(view),
            exemplars: self.exemplars_of(view),
        }
    }

    /// How many samples count.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.samples.len()
    }

    /// Whether none does.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }
}

/// What counts of an [`Item`].
#[derive(Debug, Clone, Copy)]
pub struct Parts<'a> {
    /// The series.
    pub view: SeriesView<'a>,
    /// Its float samples.
    pub points: &'a [model::Point],
    /// Its native histograms.
    pub histograms: &'a [model::Histogram],
    /// Its exemplars.
    pub exemplars: &'a [model::Exemplar],
}

/// What a store writes at once: items in arrival order.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The lane.
    pub lane: Lane,
    /// The items. Items of one series are in the order in which they were received.
    pub items: Vec<Item>,
}

impl Batch {
    /// Samples of all items.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.items.iter().map(Item::len).sum()
    }
}

/// The store did not take a batch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// Passing. The consumer backs off and writes the same batch again, as long as the buffer keeps it.
    #[error("{message}")]
    Retryable {
        /// The store's words.
        message: String,
        /// How long the store asks to be left alone.
        retry_after: Option<Duration>,
    },
    /// The store will never take this batch as it is; some of its samples may be fine.
    #[error("{message}")]
    Refused {
        /// A stable code, for metrics and dead letters.
        reason: &'static str,
        /// The store's words.
        message: String,
    },
}

/// Samples that a store has no form for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeftOut {
    /// A stable code, for metrics.
    pub reason: &'static str,
    /// How many.
    pub samples: usize,
}

/// A time-series store.
pub trait Write: Send + Sync + 'static {
    /// How many writes at once, and what they have in common.
    fn lanes(&self) -> Lanes;

    /// How large a batch may grow.
    fn batching(&self) -> Batching;

    /// Called before the first batch of a partition: everything below `offset` is committed, so
    /// whatever an earlier owner wrote from there on will be written again.
    ///
    /// # Errors
    /// When the store cannot tell or cannot undo; the consumer tries again.
    fn resume(
        &self,
        partition: i32,
        offset: i64,
    ) -> impl Future<Output = Result<(), WriteError>> + Send;

    /// Writes a batch. After `Ok` every sample of it survives a crash of this process, and what the
    /// store promises of its own.
    ///
    /// # Errors
    /// Nothing or part of the batch may have been written then; writing it again is harmless.
    fn write(&self, batch: &Batch) -> impl Future<Output = Result<(), WriteError>> + Send;

    /// Samples of a batch that [`Self::write`] leaves out because the store has no form for them, such as numbers that
    /// are none. Asked after its `Ok`: they count as skipped, and not as written.
    fn left_out(&self, batch: &Batch) -> Option<LeftOut> {
        let _: &Batch = batch;
        None
    }
}
