//! What the log knows of itself in memory: segments and cursors. Rebuilt whenever it is opened.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use super::config::Tuning;
use super::entry;
use super::failure::Failure;
use super::segments::{Added, Segment, Segments};
use super::store::{Batch, CURSORS_PREFIX, Lane, Store};

/// Segments of both lanes, and where each named reader goes on.
#[derive(Debug)]
pub(super) struct Index {
    pub(super) records: Segments,
    pub(super) dead: Segments,
    pub(super) cursors: BTreeMap<Arc<str>, u64>,
}

impl Index {
    /// Reads what is stored, and the entries that came after the last closed segment.
    pub(super) fn load(store: &Store, tuning: &Tuning) -> Result<Self, Failure> {
        let mut cursors = BTreeMap::new();
        for (name, offset) in store.meta(CURSORS_PREFIX)? {
            let offset = number(&offset)?;
            cursors.insert(Arc::from(String::from_utf8_lossy(&name)), offset);
        }
        Ok(Self {
            records: load_segments(store, Lane::Records, tuning)?,
            dead: load_segments(store, Lane::Dead, tuning)?,
            cursors,
        })
    }

    pub(super) fn lane(&self, lane: Lane) -> &Segments {
        match lane {
            Lane::Records => &self.records,
            Lane::Dead => &self.dead,
        }
    }

    fn lane_mut(&mut self, lane: Lane) -> &mut Segments {
        match lane {
            Lane::Records => &mut self.records,
            Lane::Dead => &mut self.dead,
        }
    }

    /// Below this, every named reader has read everything. Without a reader nothing is read.
    pub(super) fn floor(&self) -> u64 {
        self.cursors.values().copied().min().unwrap_or(0)
    }

    /// Adds an entry to a batch; answers its offset.
    pub(super) fn append(
        &mut self,
        store: &Store,
        batch: &mut Batch,
        lane: Lane,
        stored: Bytes,
        added: Added,
    ) -> u64 {
        let segments = self.lane_mut(lane);
        let offset = segments.end();
        if let Some(closed) = segments.add(added) {
            batch.put(lane.segment_key(closed.first), &closed.encode());
        }
        store.append(batch, lane, offset, stored);
        offset
    }

    /// Adds to a batch that everything below `start` is forgotten.
    pub(super) fn forget_below(&mut self, batch: &mut Batch, lane: Lane, start: u64) {
        for first in self.lane_mut(lane).forget_below(start) {
            batch.remove(lane.segment_key(first));
        }
        batch.put(lane.start_key(), &start.to_be_bytes());
    }
}

fn number(stored: &[u8]) -> Result<u64, Failure> {
    let stored = stored
        .try_into()
        .map_err(|_| Failure::corrupt("an offset is not a number".to_owned()))?;
    Ok(u64::from_be_bytes(stored))
}

fn load_segments(store: &Store, lane: Lane, tuning: &Tuning) -> Result<Segments, Failure> {
    let mut closed = Vec::new();
    for (first, stored) in store.meta(&lane.segments_prefix())? {
        let segment = Segment::decode(number(&first)?, &stored);
        closed
            .push(segment.ok_or_else(|| Failure::corrupt("a segment cannot be read".to_owned()))?);
    }
    let start = store.start(lane)?;
    let mut segments = Segments::new(start, closed, tuning.segment_bytes, tuning.segment_age_ms);
    let end_of_closed = segments.end();
    for found in store.scan(lane, end_of_closed, u64::MAX) {
        let (offset, stored) = found?;
        if offset != segments.end() {
            tracing::error!(
                lane = lane.name(),
                from = segments.end(),
                to = offset,
                "entries of the log are missing"
            );
            segments.skip_to(offset);
        }
        let (appended_ms, received_ms) = entry::times(&stored)
            .map_err(|error| Failure::corrupt(format!("entry {offset}: {error}")))?;
        segments.extend(Added {
            bytes: stored.len() as u64,
            appended_ms,
            received_ms,
        });
    }
    Ok(segments)
}
