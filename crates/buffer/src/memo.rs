//! What the first reader of a record made of it, for those that read it too.
//!
//! Several readers in one process get the same records at the same time, and each would decode them.
//! Whoever claims a record first decodes it; the others come back to it later. Nothing is kept alive
//! here: what its makers have dropped is made again.

use std::any::Any;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// A place for what readers make of a record. Clones are the same place; the default one is nobody
/// else's and remembers nothing.
#[derive(Debug, Clone, Default)]
pub struct Memo(Option<Arc<Mutex<State>>>);

#[derive(Debug, Default)]
enum State {
    #[default]
    Empty,
    Claimed,
    Made(Weak<dyn Any + Send + Sync>),
}

/// Who makes it.
#[derive(Debug)]
pub enum Claim<T> {
    /// It is there.
    Made(Arc<T>),
    /// Whoever asked, and says so with [`Memo::made`].
    Yours,
    /// Another reader is at it, or has failed.
    Foreign,
}

impl Memo {
    /// A place that clones share.
    #[must_use]
    pub fn shared() -> Self {
        Self(Some(Arc::default()))
    }

    fn state(&self) -> Option<MutexGuard<'_, State>> {
        let state = self.0.as_ref()?;
        Some(state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What is there, or who makes it.
    #[must_use]
    pub fn claim<T: Any + Send + Sync>(&self) -> Claim<T> {
        let Some(mut state) = self.state() else {
            return Claim::Yours;
        };
        match &*state {
            State::Claimed => return Claim::Foreign,
            State::Made(made) => {
                if let Some(made) = made.upgrade().and_then(|made| made.downcast().ok()) {
                    return Claim::Made(made);
                }
            }
            State::Empty => {}
        }
        *state = State::Claimed;
        Claim::Yours
    }

    /// Shows it to the others for as long as somebody has it.
    pub fn made<T: Any + Send + Sync>(&self, made: &Arc<T>) {
        if let Some(mut state) = self.state() {
            let made: Arc<dyn Any + Send + Sync> = Arc::<T>::clone(made);
            *state = State::Made(Arc::downgrade(&made));
        }
    }
}

#[cfg(test)]
mod tests;
