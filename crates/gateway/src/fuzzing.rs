//! Doors for `crates/hostile` alone: what is read of the outside, without a server around it.
//!
//! No stable interface, and nothing that a process calls. Everything else of the gateway is reached through
//! [`crate::router()`].

use bytes::Bytes;

use crate::pushgateway::group_of_path;
use crate::pushgateway::read_shared;
pub use crate::statsd::packets_of;

/// The labels of the group that a path of the Pushgateway's API names.
///
/// # Errors
/// A sentence about what is wrong with it.
pub fn group_labels(path: &str) -> Result<Vec<(String, String)>, String> {
    Ok(group_of_path(path)?.into_iter().collect())
}

/// A record of the shared table as another gateway, or anybody else who may write to it, has put it there.
#[must_use]
pub fn shared_group(key: &Bytes, value: &[u8]) -> bool {
    read_shared(key, value)
}
