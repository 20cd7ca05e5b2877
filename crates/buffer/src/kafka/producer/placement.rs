//! The partition of a record whose key may have several.

use super::super::barrier::Barrier;
use super::super::partitioner::partition_for;
use crate::{Moved, Spread};

/// The partition that is chosen here; none where the client chooses that of the key, which is the same as ever.
pub(super) fn chosen(key: &[u8], spread: Spread, partitions: i32) -> Option<i32> {
    let is_chosen = spread.lane > 0 && partitions > 0;
    is_chosen.then(|| of(key, spread, partitions))
}

/// The partition, of so many.
pub(super) fn of(key: &[u8], spread: Spread, partitions: i32) -> i32 {
    let lane = spread.lane % most(partitions);
    shifted(partition_for(key, partitions), lane, partitions)
}

/// As many lanes as have a partition each: those that share some could wait for each other in a circle. A power of two,
/// as numbers of lanes are, so that each of them divides the other.
fn most(partitions: i32) -> u32 {
    u32::try_from(partitions)
        .ok()
        .and_then(u32::checked_ilog2)
        .map_or(1, |bits| 1 << bits)
}

fn shifted(own: i32, lane: u32, partitions: i32) -> i32 {
    let shifted = (i64::from(own) + i64::from(lane)) % i64::from(partitions);
    i32::try_from(shifted).unwrap_or(own)
}

/// What has to be read before a record whose series may have been elsewhere.
pub(super) fn before(key: &[u8], spread: Spread, partitions: i32) -> Option<Barrier> {
    let moved = spread.moved.filter(|_| partitions > 0)?;
    let most = most(partitions);
    let lane = spread.lane % most;
    let moved = Moved {
        was: moved.was.min(most),
        over: moved.over.min(most),
        ..moved
    };
    if moved.was == moved.over {
        return None;
    }
    let own = partition_for(key, partitions);
    let here = shifted(own, lane, partitions);
    let mut before: Vec<i32> = moved
        .sources(lane)
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
