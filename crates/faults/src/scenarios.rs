//! All scenarios, in the order in which they are run.

mod balancer;
mod broker;
mod cluster;
mod damage;
mod directory;
mod disk;
mod files;
mod kill;
mod network;
mod outage;
mod pipeline;
mod rebalance;
mod scale;
mod spool;
mod store;
mod topic;

use crate::scenario::Scenario;

/// Every one.
pub(crate) fn all() -> Vec<Scenario> {
    let groups = [
        kill::ALL,
        broker::ALL,
        network::ALL,
        topic::ALL,
        rebalance::ALL,
        balancer::ALL,
        store::ALL,
        directory::ALL,
        disk::ALL,
        files::ALL,
        outage::ALL,
        cluster::ALL,
        scale::ALL,
        spool::ALL,
    ];
    groups.into_iter().flatten().copied().collect()
}
