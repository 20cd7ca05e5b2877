//! The buffer on Kafka. The only code that names `rdkafka`.
//!
//! [`Producer`] answers when every in-sync replica has a record, [`Reader`] is one member of a
//! consumer group whose offsets move only when it is told so, and [`ensure_topic`] creates what is
//! missing and never changes what is there. A Kafka that does not answer is a passing fault
//! everywhere: nothing here ends the process.

mod barrier;
mod config;
mod errors;
mod logs;
mod partitioner;
mod producer;
mod properties;
mod ranges;
mod reader;
mod rejections;
mod table;
mod tail;
mod topic;

pub use config::{Compression, Config, Member, check_topic_name};
pub use errors::ClientError;
pub use partitioner::partition_for;
pub use producer::Producer;
pub use properties::Properties;
pub use ranges::{RangeReader, Ranges};
pub use reader::{Committer, Reader};
pub use rejections::Rejections;
pub use table::{Follower, Table};
pub use tail::{Found as TailFound, Look, Tail, TailRecord};
pub use topic::{
    Description, Difference, PartitionLayout, Purpose, Topic, TopicError, describe_topic,
    ensure_dead_letter_topic, ensure_rejections_topic, ensure_table_topic, ensure_topic,
};

#[cfg(test)]
mod tests;
