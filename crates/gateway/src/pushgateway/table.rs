//! The shared table behind the groups, without its type: pushes are rare enough for a box each.

use buffer::{Change, DrainError, Follow, PublishError, Table};
use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::BoxFuture;

/// Where the groups are kept, and what tells of their changes: give it to [`crate::router()`].
pub struct PushGroups {
    pub(crate) table: Box<dyn AnyTable>,
    pub(crate) follow: Box<dyn AnyFollow>,
}

impl PushGroups {
    /// The groups in this table, whose changes come from `follow`.
    pub fn new(table: impl Table, follow: impl Follow) -> Self {
        Self {
            table: Box::new(table),
            follow: Box::new(follow),
        }
    }
}

impl std::fmt::Debug for PushGroups {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PushGroups").finish_non_exhaustive()
    }
}

pub(crate) trait AnyTable: Send + Sync {
    fn put(&self, key: Bytes, value: Option<Bytes>) -> BoxFuture<'_, Result<(), PublishError>>;
}

impl<T: Table> AnyTable for T {
    fn put(&self, key: Bytes, value: Option<Bytes>) -> BoxFuture<'_, Result<(), PublishError>> {
        Table::put(self, key, value).boxed()
    }
}

pub(crate) trait AnyFollow: Send {
    fn next(&mut self) -> BoxFuture<'_, Result<Change, DrainError>>;
}

impl<F: Follow> AnyFollow for F {
    fn next(&mut self) -> BoxFuture<'_, Result<Change, DrainError>> {
        Follow::next(self).boxed()
    }
}
