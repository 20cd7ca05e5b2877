//! A repeated failure is logged at most once in ten seconds, with the number left out.
//!
//! ```ignore
//! static REFUSED: LogLimit = LogLimit::new();
//! if let Some(suppressed) = REFUSED.pass() {
//!     tracing::warn!(suppressed, "store refused a batch");
//! }
//! ```

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

const INTERVAL_MS: u64 = 10_000;

/// The limit of one call site; a `static` beside it.
#[derive(Debug)]
pub struct LogLimit {
    /// Milliseconds since [`uptime_ms`] began; nothing passes before.
    next_ms: AtomicU64,
    suppressed: AtomicU64,
}

impl Default for LogLimit {
    fn default() -> Self {
        Self::new()
    }
}

impl LogLimit {
    /// Lets the first one pass.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            next_ms: AtomicU64::new(0),
            suppressed: AtomicU64::new(0),
        }
    }

    /// If this one should be logged, how many since the last were not.
    pub fn pass(&self) -> Option<u64> {
        self.pass_at(uptime_ms())
    }

    fn pass_at(&self, now_ms: u64) -> Option<u64> {
        let next_ms = self.next_ms.load(Ordering::Relaxed);
        let passes = now_ms >= next_ms
            && self
                .next_ms
                .compare_exchange(
                    next_ms,
                    now_ms + INTERVAL_MS,
                    Ordering::Relaxed,
                    Ordering::Relaxed,
                )
                .is_ok();
        if passes {
            return Some(self.suppressed.swap(0, Ordering::Relaxed));
        }
        self.suppressed.fetch_add(1, Ordering::Relaxed);
        None
    }
}

fn uptime_ms() -> u64 {
    static STARTED: OnceLock<Instant> = OnceLock::new();
    let elapsed = STARTED.get_or_init(Instant::now).elapsed();
    u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
