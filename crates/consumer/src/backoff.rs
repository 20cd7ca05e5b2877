//! How long to wait before the next try. Pure.

use std::time::Duration;

/// A store may ask to be left alone, but not for so long that it looks dead: a mistaken header must not
/// outlive the buffer's retention.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(15 * 60);

/// Exponential, with jitter, between two bounds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Backoff {
    /// The wait after the first failure.
    pub(crate) min: Duration,
    /// The longest one.
    pub(crate) max: Duration,
}

impl Backoff {
    /// The wait after failure number `attempt` (from 1). `random` is between 0 and 1 and takes off up to half, so
    /// that many consumers do not come back together; the peer's own wish is a minimum and is only added to.
    pub(crate) fn delay(
        &self,
        attempt: u32,
        retry_after: Option<Duration>,
        random: f64,
    ) -> Duration {
        let doublings = attempt.saturating_sub(1).min(20);
        let full = self.min.saturating_mul(1 << doublings).min(self.max);
        let own = full.mul_f64(1.0 - random.clamp(0.0, 1.0) / 2.0);
        match retry_after {
            None => own,
            Some(wish) => {
                let wish = wish.min(LONGEST_RETRY_AFTER);
                own.max(wish + wish.min(self.max).mul_f64(random.clamp(0.0, 1.0) / 10.0))
            }
        }
    }

    /// The same with real randomness.
    pub(crate) fn wait(&self, attempt: u32, retry_after: Option<Duration>) -> Duration {
        self.delay(attempt, retry_after, rand::random())
    }
}

#[cfg(test)]
mod tests;
