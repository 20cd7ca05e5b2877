//! What all gateways have to agree on: a small durable map from keys to values.
//!
//! Small means that every process holds all of it in memory: it is read from its beginning at every
//! start. What somebody put is kept until somebody puts something else or deletes it.

use std::sync::Arc;

use bytes::Bytes;

use crate::{DrainError, PublishError};

/// A small durable map, shared by every process on the same buffer: a compacted Kafka topic, or a
/// keyspace of the embedded log.
pub trait Table: Send + Sync + 'static {
    /// Sets (`Some`) or deletes (`None`) an entry: enqueued *before it returns*, durable when answered.
    ///
    /// Puts of one key keep the order of the calls. The own change comes back through [`Follow`],
    /// before or after the answer. Dropping the future does not take it back.
    fn put(
        &self,
        key: Bytes,
        value: Option<Bytes>,
    ) -> impl Future<Output = Result<(), PublishError>> + Send;
}

impl<T: Table> Table for Arc<T> {
    fn put(
        &self,
        key: Bytes,
        value: Option<Bytes>,
    ) -> impl Future<Output = Result<(), PublishError>> + Send {
        self.as_ref().put(key, value)
    }
}

/// The longest key that a table takes, in bytes.
pub const MAX_KEY_BYTES: usize = 32 * 1024;

/// Whether an entry is small enough for a table that takes so much key plus value.
pub(crate) fn check_size(
    key: &Bytes,
    value: Option<&Bytes>,
    limit_bytes: usize,
) -> Result<(), PublishError> {
    let size_bytes = key.len() + value.map_or(0, Bytes::len);
    for (size_bytes, limit_bytes) in [(key.len(), MAX_KEY_BYTES), (size_bytes, limit_bytes)] {
        if size_bytes > limit_bytes {
            return Err(PublishError::TooLarge {
                size_bytes,
                limit_bytes,
            });
        }
    }
    Ok(())
}

/// What has happened to the table, in order per key, from its beginning on. Changes that a later one
/// of the same key made void may be left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// This is the key's value from now on.
    Put {
        /// The key.
        key: Bytes,
        /// Its value; may be empty.
        value: Bytes,
    },
    /// The key is not there any more, or never was.
    Deleted {
        /// The key.
        key: Bytes,
    },
    /// Everything that was there at the start has been told. Comes once.
    CaughtUp,
}

/// Tells what happens to a table, whoever did it.
pub trait Follow: Send + 'static {
    /// The next change; waits for one. Cancel-safe: a dropped future loses nothing.
    ///
    /// After [`DrainError::Unavailable`] it goes on when it is called again: where it was, or with all
    /// entries anew, from the beginning, if the topic is another one. After [`DrainError::Fatal`] nothing more comes.
    fn next(&mut self) -> impl Future<Output = Result<Change, DrainError>> + Send;
}
