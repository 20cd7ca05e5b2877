//! One lock per group, first come first served, for as long as somebody wants it.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use bytes::Bytes;
use hashbrown::HashMap;
use tokio::sync::{Mutex as Lock, OwnedMutexGuard};

#[derive(Debug, Default)]
pub(crate) struct Locks(Mutex<HashMap<Bytes, Weak<Lock<()>>>>);

impl Locks {
    /// Waits for the lock of this group.
    pub(crate) async fn lock(&self, key: &Bytes) -> OwnedMutexGuard<()> {
        let lock = {
            let mut locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let slot = locks.entry(key.clone()).or_default();
            slot.upgrade().unwrap_or_else(|| {
                let lock = Arc::new(Lock::new(()));
                *slot = Arc::downgrade(&lock);
                lock
            })
        };
        lock.lock_owned().await
    }

    /// Whether somebody holds the lock of this group, or waits for it.
    pub(crate) fn is_held(&self, key: &Bytes) -> bool {
        let locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        locks.get(key).is_some_and(|lock| lock.strong_count() > 0)
    }

    /// Forgets the locks that nobody wants.
    pub(crate) fn tidy(&self) {
        let mut locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        locks.retain(|_, lock| lock.strong_count() > 0);
    }
}
