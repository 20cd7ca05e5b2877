//! Whether this process should get traffic, and if not, why.
//!
//! Ready means that every condition is met. A condition starts unmet, so that forgetting to meet one
//! keeps traffic away instead of sending it to a process that is not there yet.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The conditions of one process. Clones share them.
#[derive(Clone, Default)]
pub struct Health(Arc<Mutex<Vec<Entry>>>);

struct Entry {
    name: &'static str,
    /// Why it is not met; none when it is.
    reason: Option<String>,
}

/// One condition of a [`Health`]. Clones are the same condition.
#[derive(Clone)]
pub struct Condition {
    health: Health,
    index: usize,
}

impl Health {
    /// Without a condition, which is ready.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a condition that is not met, for this reason. Two of one name are two conditions.
    #[must_use]
    pub fn condition(&self, name: &'static str, reason: impl Into<String>) -> Condition {
        let mut entries = self.entries();
        let index = entries.len();
        entries.push(Entry {
            name,
            reason: Some(reason.into()),
        });
        drop(entries);
        Condition {
            health: self.clone(),
            index,
        }
    }

    /// Whether every condition is met.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.entries().iter().all(|entry| entry.reason.is_none())
    }

    /// The conditions that are not met, in the order in which they were added.
    #[must_use]
    pub fn reasons(&self) -> Vec<(&'static str, String)> {
        self.entries()
            .iter()
            .filter_map(|entry| Some((entry.name, entry.reason.clone()?)))
            .collect()
    }

    fn entries(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Condition {
    /// It is met.
    pub fn ready(&self) {
        self.set(None);
    }

    /// It is not met, or no longer.
    pub fn not_ready(&self, reason: impl Into<String>) {
        self.set(Some(reason.into()));
    }

    fn set(&self, reason: Option<String>) {
        let mut entries = self.health.entries();
        let Some(entry) = entries.get_mut(self.index) else {
            return;
        };
        if entry.reason == reason {
            return;
        }
        let was_met = entry.reason.is_none();
        let name = entry.name;
        entry.reason.clone_from(&reason);
        drop(entries);
        match reason {
            None => tracing::info!(condition = name, "condition met"),
            Some(reason) if was_met => {
                tracing::warn!(condition = name, reason, "condition no longer met");
            }
            Some(_) => {}
        }
    }
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Health").field(&self.reasons()).finish()
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Condition").field(&self.index).finish()
    }
}

#[cfg(test)]
mod tests;
