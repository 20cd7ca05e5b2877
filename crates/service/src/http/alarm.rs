//! A deadline of a request, kept by the timer that its connection has anyway.
//!
//! A timer of its own for each request is made, found a place among those of all others, and taken out again, to fire for one
//! in a million. The connection's is moved once in a while.

use std::fmt;

use tokio::time::Instant;

use super::activity::Activity;

/// Wakes who answers a connection's requests.
#[derive(Clone)]
pub struct Alarm(Activity);

impl Alarm {
    pub(super) fn of(activity: &Activity) -> Self {
        Self(activity.clone())
    }

    /// Has the request's answer asked for again when it is `due`. False where that cannot be promised: the connection
    /// has several requests at a time, which are tasks of their own.
    #[must_use]
    pub fn set(&self, due: Instant) -> bool {
        self.0.wants_waking(due)
    }
}

impl fmt::Debug for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Alarm").finish_non_exhaustive()
    }
}
