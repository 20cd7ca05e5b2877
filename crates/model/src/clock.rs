//! Time as an argument, so that tests decide what time it is.

use std::sync::atomic::{AtomicI64, Ordering};

/// A source of wall-clock time.
pub trait Clock: Send + Sync + 'static {
    /// Milliseconds since the Unix epoch, UTC.
    fn now_ms(&self) -> i64;

    /// Milliseconds that went by, from any beginning: never backwards, and without the jumps that wall clocks make when
    /// somebody sets them. A clock that cannot tell answers its wall-clock time.
    fn steady_ms(&self) -> i64 {
        self.now_ms()
    }
}

/// What ages are counted by: goes exactly as fast as time, from the time that was known last.
///
/// So a day that somebody adds to the wall clock, or that a process was away for, makes nothing a day older; and a day
/// that is taken back does not stop anything from getting older. It may be far from the wall clock: show it to nobody.
#[derive(Debug, Clone, Copy)]
pub struct Aging {
    at_ms: i64,
    steady_ms: i64,
}

impl Aging {
    /// Begins at a time that was known last, or with the wall clock.
    #[must_use]
    pub fn new(last_ms: Option<i64>, clock: &dyn Clock) -> Self {
        Self {
            at_ms: last_ms.unwrap_or_else(|| clock.now_ms()),
            steady_ms: clock.steady_ms(),
        }
    }

    /// Milliseconds. Never less than before.
    pub fn now_ms(&mut self, clock: &dyn Clock) -> i64 {
        let elapsed_ms = clock.steady_ms().saturating_sub(self.steady_ms).max(0);
        self.steady_ms = self.steady_ms.saturating_add(elapsed_ms);
        self.at_ms = self.at_ms.saturating_add(elapsed_ms);
        self.at_ms
    }
}

/// A clock that stands still until it is told to move.
#[derive(Debug, Default)]
pub struct ManualClock {
    wall_ms: AtomicI64,
    /// How far somebody has set the wall clock since.
    jumped_ms: AtomicI64,
}

impl ManualClock {
    /// A clock that shows `at_ms`.
    #[must_use]
    pub const fn new(at_ms: i64) -> Self {
        Self {
            wall_ms: AtomicI64::new(at_ms),
            jumped_ms: AtomicI64::new(0),
        }
    }

    /// Sets the time; backwards is allowed, as real clocks do it too.
    pub fn set(&self, at_ms: i64) {
        self.wall_ms.store(at_ms, Ordering::SeqCst);
    }

    /// Sets the wall clock forward or back, while no time goes by.
    pub fn jump(&self, by_ms: i64) {
        self.wall_ms.fetch_add(by_ms, Ordering::SeqCst);
        self.jumped_ms.fetch_add(by_ms, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now_ms(&self) -> i64 {
        self.wall_ms.load(Ordering::SeqCst)
    }

    fn steady_ms(&self) -> i64 {
        self.now_ms() - self.jumped_ms.load(Ordering::SeqCst)
    }
}

impl<F: Fn() -> i64 + Send + Sync + 'static> Clock for F {
    fn now_ms(&self) -> i64 {
        self()
    }
}

#[cfg(test)]
mod tests;
