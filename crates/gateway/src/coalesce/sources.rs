//! Who sent the samples of a record.
//!
//! Samples of many senders share a record, so that it names several of them: enough to find the sender of a
//! bad one, bounded so that a fleet does not fill the record's header.

use std::sync::Arc;

use smallvec::SmallVec;

/// Names in one record. More are a single `…`.
const MOST: usize = 8;

#[derive(Debug, Default)]
pub(super) struct Sources {
    /// Of one, mostly, which needs no memory of its own.
    known: SmallVec<[Arc<str>; 1]>,
    has_more: bool,
}

impl Sources {
    /// Notes a sender, if it is known.
    pub(super) fn add(&mut self, source: Option<&Arc<str>>) {
        let Some(source) = source else {
            return;
        };
        // One request after the other, mostly: the last one is the same.
        let is_it = |known: &Arc<str>| Arc::ptr_eq(known, source) || known == source;
        if self.known.iter().rev().any(is_it) {
            return;
        }
        if self.known.len() < MOST {
            self.known.push(Arc::clone(source));
        } else {
            self.has_more = true;
        }
    }

    /// The header's text.
    pub(super) fn joined(mut self) -> Option<Arc<str>> {
        if self.known.len() <= 1 {
            return self.known.pop();
        }
        let mut joined = self.known.join(",");
        if self.has_more {
            joined.push_str(",…");
        }
        Some(joined.into())
    }
}

#[cfg(test)]
mod tests;
