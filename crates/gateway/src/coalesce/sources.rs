//! Who sent the samples of a record.
//!
//! Samples of many senders share a record, so that it names several of them: enough to find the sender of a
//! bad one, bounded so that a fleet does not fill the record's header.

use std::sync::Arc;

/// Names in one record. More are a single `…`.
const MOST: usize = 8;

#[derive(Debug, Default)]
pub(super) struct Sources {
    known: Vec<Arc<str>>,
    has_more: bool,
}

impl Sources {
    /// Notes a sender, if it is known.
    pub(super) fn add(&mut self, source: Option<&Arc<str>>) {
        let Some(source) = source else {
            return;
        };
        // One request after the other, mostly: the last one is the same.
        if self.known.iter().rev().any(|known| known == source) {
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
