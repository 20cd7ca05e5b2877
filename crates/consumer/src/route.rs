//! Which lane a series goes to.

use std::hash::{BuildHasher, Hash, Hasher};

use foldhash::quality::RandomState;
use model::{Block, SeriesView};
use store::{Batching, Item, Lane, Lanes, Source};

/// Spreads records over a store's lanes.
#[derive(Debug)]
pub(crate) struct Router {
    lanes: Lanes,
    /// Random per pipeline, so that nobody can choose labels that all meet in one lane.
    hasher: RandomState,
    /// A series of one record never holds more samples than this in one item.
    max_item_samples: usize,
}

impl Router {
    pub(crate) fn new(lanes: Lanes, batching: Batching) -> Self {
        let max_item_samples = match lanes {
            Lanes::BySeries(_) => batching.max_samples.max(1),
            Lanes::ByPartition => usize::MAX,
        };
        Self {
            lanes,
            hasher: RandomState::default(),
            max_item_samples,
        }
    }

    /// Whether batches hold whole records of one partition.
    pub(crate) fn whole_records(&self) -> bool {
        matches!(self.lanes, Lanes::ByPartition)
    }

    /// The items of a record, in its order, each with its part of the record's memory.
    pub(crate) fn items(
        &self,
        block: &std::sync::Arc<Block>,
        source: Source,
        tenant: Option<&std::sync::Arc<str>>,
        sender: Option<&std::sync::Arc<str>>,
    ) -> Vec<Item> {
        let mut items = Vec::with_capacity(block.len());
        for (series, view) in block.iter().enumerate() {
            let samples = view.points().len() + view.histograms().len();
            if samples == 0 && view.exemplars().is_empty() {
                continue;
            }
            // Senders give exemplars a series of their own, without a sample: that is an item too.
            let mut start = 0_usize;
            loop {
                let end = samples.min(start.saturating_add(self.max_item_samples));
                items.push(Item {
                    block: std::sync::Arc::clone(block),
                    series,
                    samples: start..end,
                    source,
                    tenant: tenant.cloned(),
                    sender: sender.cloned(),
                });
                if end >= samples {
                    break;
                }
                start = end;
            }
        }
        items
    }

    /// The lane of an item: the same one for every item of its series.
    pub(crate) fn lane(&self, item: &Item) -> Lane {
        match self.lanes {
            Lanes::ByPartition => Lane::Partition(item.source.partition),
            Lanes::BySeries(count) if count.get() == 1 => Lane::Series(0),
            Lanes::BySeries(count) => {
                let hash = self.hash(item.view(), item.tenant.as_deref());
                let count = u64::try_from(count.get()).unwrap_or(u64::MAX);
                Lane::Series(usize::try_from(hash % count).unwrap_or(0))
            }
        }
    }

    /// The same for any order of the labels: a foreign producer may not sort them.
    fn hash(&self, view: SeriesView<'_>, tenant: Option<&str>) -> u64 {
        let labels = view.labels().fold(0_u64, |sum, label| {
            sum.wrapping_add(self.hasher.hash_one(label))
        });
        let mut hasher = self.hasher.build_hasher();
        labels.hash(&mut hasher);
        tenant.hash(&mut hasher);
        hasher.finish()
    }
}
