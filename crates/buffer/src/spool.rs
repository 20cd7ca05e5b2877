//! The spool: records that Kafka does not take now, kept on this machine until it does.
//!
//! While Kafka confirms in time, nothing touches the disk. A record that it does not confirm is appended to an
//! fsynced log, acknowledged as [`Durability::Spool`], and sent on, in order per key, when
//! Kafka takes records again; fresh records go directly to it meanwhile. Nothing leaves the log before Kafka has
//! confirmed it, so a crash repeats records and loses none. Only what Kafka refuses for good, or what waited past
//! `spool.max_age` while Kafka took nothing, leaves otherwise: logged and counted, sample by sample.

mod backlog;
mod config;
mod drain;
mod handle;
mod lanes;
mod late;
mod publish;
mod shared;
mod watch;

pub use config::{Config, Place};
pub use drain::Drainer;
pub use handle::Spooled;

use crate::{Durability, Publish, PublishError, Record};

/// What a spool stands in front of.
pub trait Upstream: Publish {
    /// The part of it that a record belongs to, the same for all of one key and tenant. Parts fail one by one: a
    /// partition has one leader.
    fn part(&self, record: &Record) -> usize;

    /// [`Publish::publish`] of a record that the caller keeps.
    fn publish_kept(
        &self,
        record: &Record,
    ) -> impl Future<Output = Result<Durability, PublishError>> + Send + 'static {
        self.publish(record.clone())
    }
}

#[cfg(test)]
mod tests;
