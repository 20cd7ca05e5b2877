//! What every task of one pipeline shares.

use std::sync::Arc;

use service::log_limit::LogLimit;

use crate::backoff::Backoff;
use crate::ledger::Counters;

/// One pipeline's surroundings.
#[derive(Debug)]
pub(crate) struct Context<W, B> {
    /// The store's name.
    pub(crate) name: String,
    /// Where records come from, for dead letters.
    pub(crate) source: String,
    pub(crate) store: Arc<W>,
    pub(crate) dead: Arc<B>,
    /// Whether a record must stay whole: the store's batches are the borders of commits.
    pub(crate) whole_records: bool,
    pub(crate) backoff: Backoff,
    pub(crate) counters: Counters,
    pub(crate) logs: Logs,
}

/// The limits of repeated messages, per pipeline: one store's trouble must not hide another's.
#[derive(Debug, Default)]
pub(crate) struct Logs {
    pub(crate) retried: LogLimit,
    pub(crate) refused: LogLimit,
    pub(crate) poison: LogLimit,
    pub(crate) not_buried: LogLimit,
    pub(crate) not_resumed: LogLimit,
    pub(crate) not_read: LogLimit,
    pub(crate) divided: LogLimit,
}
