//! The partition of a record whose key may have several.

use super::super::barrier::Barrier;
use super::super::partitioner::partition_for;
use crate::Spread;

/// The partition that is chosen here; none where the client chooses that of the key, which is the same as ever.
pub(super) fn chosen(key: &[u8], spread: Spread, partitions: i32) -> Option<i32> {
    let is_chosen = spread.lane > 0 && partitions > 0;
    is_chosen.then(|| of(key, spread, partitions))
}

/// The partition, of so many.
pub(super) fn of(key: &[u8], spread: Spread, partitions: i32) -> i32 {
    shifted(partition_for(key, partitions), spread.lane, partitions)
}

fn shifted(own: i32, lane: u32, partitions: i32) -> i32 {
    let shifted = (i64::from(own) + i64::from(lane)) % i64::from(partitions);
    i32::try_from(shifted).unwrap_or(own)
}

/// What has to be read before a record whose series may have been elsewhere.
pub(super) fn before(key: &[u8], spread: Spread, partitions: i32) -> Option<Barrier> {
    let moved = spread.moved.filter(|_| partitions > 0)?;
    let own = partition_for(key, partitions);
    let here = shifted(own, spread.lane, partitions);
    let mut before: Vec<i32> = moved
        .sources(spread.lane)
        .map(|lane| shifted(own, lane, partitions))
        .filter(|partition| *partition != here)
        .collect();
    before.sort_unstable();
    before.dedup();
    (!before.is_empty()).then_some(Barrier {
        settled_at_ms: moved.settled_at_ms,
        partitions: before,
    })
}

#[cfg(test)]
mod tests;
