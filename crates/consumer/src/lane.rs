//! The items that wait for one lane's next write, and where a batch is cut. Pure.
//!
//! There is an item for nearly every sample, so what waits is small: what the items of a record have in common is kept
//! once, and an item becomes one only in its batch.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use store::{Batching, Item, Record};
use tokio::time::Instant;

/// An item of a record that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pick {
    /// As in [`Item`].
    pub(crate) series: u32,
    /// As in [`Item`].
    pub(crate) samples: Range<u32>,
}

impl Pick {
    pub(crate) fn len(&self) -> usize {
        self.samples.len()
    }
}

/// What an item takes in memory beside its part of the record, here or in a batch.
pub(crate) const ITEM_BYTES: usize = size_of::<Item>() + size_of::<Pick>();

/// What a lane takes in memory for each record that it has something of.
pub(crate) const SHARE_BYTES: usize = size_of::<Share>();

/// A record's key that is not the metric name: another producer's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ForeignKey(pub(crate) Option<Bytes>);

/// A record that waits for its stores.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    pub(crate) record: Arc<Record>,
    /// Its key where that is not the metric name.
    pub(crate) foreign_key: Option<Arc<ForeignKey>>,
    /// Memory of an item.
    item_bytes: usize,
    /// The record's memory for each of its samples and exemplars.
    value_bytes: usize,
}

impl Waiting {
    pub(crate) fn new(record: Arc<Record>, foreign_key: Option<Arc<ForeignKey>>) -> Self {
        // Exemplars take memory as samples do, and a series may have nothing else.
        let values = record.block.samples() + record.block.exemplars();
        let value_bytes = record.block.size_bytes() / values.max(1);
        Self {
            record,
            foreign_key,
            item_bytes: ITEM_BYTES,
            value_bytes,
        }
    }

    /// The samples and the share of the memory of some parts.
    fn size(&self, picks: &[Pick]) -> (usize, usize) {
        let samples = picks.iter().map(Pick::len).sum();
        let bytes = match self.record.block.exemplars() {
            0 => self.item_bytes * picks.len() + self.value_bytes * samples,
            _ => picks.iter().map(|pick| self.bytes(pick)).sum(),
        };
        (samples, bytes)
    }

    /// A part's share of the memory.
    fn bytes(&self, pick: &Pick) -> usize {
        let exemplars = match pick.samples.start {
            0 if self.record.block.exemplars() > 0 => {
                let view = self.record.block.series(pick.series as usize);
                view.map_or(0, |view| view.exemplars().len())
            }
            _ => 0,
        };
        self.item_bytes + self.value_bytes * (pick.len() + exemplars)
    }
}

/// What a lane has of one record.
#[derive(Debug)]
struct Share {
    of: Waiting,
    /// When it was queued.
    since: Instant,
    /// How many of the lane's items.
    count: usize,
    samples: usize,
    bytes: usize,
}

/// A batch that was cut.
#[derive(Debug, Default)]
pub(crate) struct Cut {
    pub(crate) items: Vec<Item>,
    /// The records that they are of, in their order, and how many of the items.
    pub(crate) records: Vec<(Waiting, usize)>,
    pub(crate) samples: usize,
}

/// One lane.
#[derive(Debug, Default)]
pub(crate) struct LaneQueue {
    shares: VecDeque<Share>,
    /// The items of all shares.
    picks: VecDeque<Pick>,
    samples: usize,
    bytes: usize,
    /// Since when it has had two full batches.
    crowded_since: Option<Instant>,
    /// Whether a write is in flight.
    pub(crate) busy: bool,
}

impl LaneQueue {
    /// Adds items of a record.
    pub(crate) fn push(&mut self, of: Waiting, picks: &[Pick], since: Instant) {
        let (samples, bytes) = of.size(picks);
        self.samples += samples;
        self.bytes += bytes;
        self.picks.extend(picks.iter().cloned());
        self.shares.push_back(Share {
            of,
            since,
            count: picks.len(),
            samples,
            bytes,
        });
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.picks.is_empty()
    }

    /// Memory of what waits here.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Samples that wait here.
    pub(crate) fn samples(&self) -> usize {
        self.samples
    }

    /// When a batch should be cut: now that it is full, later when it is old enough, never when there is nothing.
    pub(crate) fn due(&self, batching: &Batching, now: Instant) -> Option<Instant> {
        let first = self.shares.front()?;
        if self.samples >= batching.max_samples || self.bytes >= batching.max_bytes {
            return Some(now);
        }
        Some(first.since + batching.max_age)
    }

    /// Whether it has had two full batches for longer than `patience`, and has let its first item wait as long: a
    /// crowd that has just come, or a lane that is always full and quick, is not behind.
    pub(crate) fn is_behind(&self, patience: Duration, now: Instant) -> bool {
        let is_long = |since: Instant| now.duration_since(since) > patience;
        self.crowded_since.is_some_and(is_long)
            && self
                .shares
                .front()
                .is_some_and(|share| is_long(share.since))
    }

    /// Takes note of whether it has two full batches.
    pub(crate) fn note_crowd(&mut self, batching: &Batching, now: Instant) {
        let is_twice = |size: usize, most: usize| size / 2 >= most;
        let is_crowded = is_twice(self.samples, batching.max_samples)
            || is_twice(self.bytes, batching.max_bytes);
        self.crowded_since = is_crowded.then(|| self.crowded_since.unwrap_or(now));
    }

    /// What it has of each record, in order, and how many samples these are.
    pub(crate) fn shares(
        &self,
    ) -> impl Iterator<Item = (&Record, impl Iterator<Item = &Pick>, usize)> {
        let mut start = 0;
        self.shares.iter().map(move |share| {
            let picks = self.picks.range(start..start + share.count);
            start += share.count;
            (&*share.of.record, picks, share.samples)
        })
    }

    /// Takes everything, to be queued elsewhere: items of a record, and since when they wait.
    pub(crate) fn take(&mut self) -> impl Iterator<Item = (Waiting, Vec<Pick>, Instant)> + use<> {
        let Self {
            shares, mut picks, ..
        } = std::mem::take(self);
        let shares = shares.into_iter();
        shares.map(move |share| {
            let of_it = picks.drain(..share.count).collect();
            (share.of, of_it, share.since)
        })
    }

    /// Takes the next batch: at least one unit, and as many as fit. A unit is an item, or a whole record.
    pub(crate) fn cut(&mut self, batching: &Batching, whole_records: bool) -> Cut {
        let mut cut = Cut::default();
        let most = self.picks.len().min(batching.max_samples);
        cut.items.reserve_exact(most);
        let mut bytes = 0;
        while let Some(share) = self.shares.front_mut() {
            let is_full = |samples: usize, bytes: usize| {
                samples > batching.max_samples || bytes > batching.max_bytes
            };
            let mut taken = (share.count, share.samples, share.bytes);
            if is_full(cut.samples + share.samples, bytes + share.bytes) {
                let is_first = cut.items.is_empty();
                if !whole_records {
                    let (samples, bytes) = (cut.samples, bytes);
                    taken = share.head(&self.picks, |count, more_samples, more_bytes| {
                        (count > 0 || !is_first)
                            && is_full(samples + more_samples, bytes + more_bytes)
                    });
                } else if !is_first {
                    break;
                }
            }
            let (count, share_samples, share_bytes) = taken;
            if count == 0 {
                break;
            }
            cut.take(&share.of, &self.picks, count);
            self.picks.drain(..count);
            cut.samples += share_samples;
            bytes += share_bytes;
            share.count -= count;
            share.samples -= share_samples;
            share.bytes -= share_bytes;
            if share.count > 0 {
                break;
            }
            self.shares.pop_front();
        }
        self.samples -= cut.samples;
        self.bytes -= bytes;
        cut
    }

    /// Drops what came from partitions that `gone` says yes to, and answers how many samples that was.
    pub(crate) fn drop_partitions(&mut self, gone: impl Fn(i32) -> bool) -> usize {
        let before = self.samples;
        let mut kept = VecDeque::new();
        for share in std::mem::take(&mut self.shares) {
            let picks = self.picks.drain(..share.count);
            if gone(share.of.record.source.partition) {
                self.samples -= share.samples;
                self.bytes -= share.bytes;
            } else {
                kept.extend(picks);
                self.shares.push_back(share);
            }
        }
        self.picks = kept;
        before - self.samples
    }
}

impl Share {
    /// The first items until `stop`, told what there is and what there would be with the next one: how many, their
    /// samples and their memory.
    fn head(
        &self,
        picks: &VecDeque<Pick>,
        stop: impl Fn(usize, usize, usize) -> bool,
    ) -> (usize, usize, usize) {
        let mut head = (0, 0, 0);
        for pick in picks.range(..self.count) {
            let (samples, bytes) = (head.1 + pick.len(), head.2 + self.of.bytes(pick));
            if stop(head.0, samples, bytes) {
                break;
            }
            head = (head.0 + 1, samples, bytes);
        }
        head
    }
}

impl Cut {
    /// Takes the first items of a lane, all of one record.
    fn take(&mut self, of: &Waiting, picks: &VecDeque<Pick>, count: usize) {
        self.records.push((of.clone(), count));
        // Slices, which are several times cheaper to go through than a queue.
        let (first, second) = picks.as_slices();
        let (first, rest) = first.split_at(count.min(first.len()));
        let (second, _) = second.split_at((count - first.len()).min(second.len()));
        debug_assert!(
            rest.is_empty() || second.is_empty(),
            "the queue has an order"
        );
        for picks in [first, second] {
            self.items.extend(picks.iter().map(|pick| Item {
                record: Arc::clone(&of.record),
                series: pick.series,
                samples: pick.samples.clone(),
            }));
        }
    }
}

#[cfg(test)]
mod tests;
