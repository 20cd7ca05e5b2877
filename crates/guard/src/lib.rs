//! What a sample costs on the hot path, counted instead of timed.
//!
//! Each path is real code between the borders of a process: requests go through the gateway's front, some of them
//! from a connection's bytes on, into a buffer that confirms everything, records through the consumer into a server that
//! takes everything. Instructions are counted by valgrind, allocations by the allocator, so neighbours and clock rates of
//! a machine do not matter.
#![warn(missing_docs)]

pub mod baseline;
mod bodies;
mod consumed;
pub mod count;
mod gateway_path;
mod http_path;
mod null;
pub mod paths;

use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

/// Counts, whoever allocates.
#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Blocks that were allocated or moved to another size since the process began.
#[must_use]
pub fn allocations() -> u64 {
    let stats = ALLOCATOR.stats();
    (stats.allocations + stats.reallocations) as u64
}
