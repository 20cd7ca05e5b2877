//! A value that readers get without a lock, and that a reload replaces.
//!
//! Whoever has read it keeps what was in force then, for as long as the request or the connection takes.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use arc_swap::ArcSwap;

/// A value that can be replaced while it is read. Clones share it.
pub struct Live<T>(Arc<ArcSwap<T>>);

/// What was in force when it was read; for a moment, not for across an `await`.
pub struct InForce<T>(arc_swap::Guard<Arc<T>>);

impl<T> Live<T> {
    /// With a first value.
    #[must_use]
    pub fn new(value: T) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(value)))
    }

    /// What is in force, at the cost of a few instructions.
    #[must_use]
    pub fn read(&self) -> InForce<T> {
        InForce(self.0.load())
    }

    /// What is in force, to be kept for longer.
    #[must_use]
    pub fn keep(&self) -> Arc<T> {
        self.0.load_full()
    }

    /// Puts another value in force: for who reads from now on.
    pub fn replace(&self, value: T) {
        self.0.store(Arc::new(value));
    }
}

impl<T> Clone for Live<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Deref for InForce<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: fmt::Debug> fmt::Debug for Live<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Live").field(&*self.read()).finish()
    }
}

impl<T: fmt::Debug> fmt::Debug for InForce<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

#[cfg(test)]
mod tests;
