//! At most so many samples a second, over all writes together.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// A rate, or none.
#[derive(Debug)]
pub(crate) struct Pace {
    per_second: Option<u64>,
    /// When the samples so far are due.
    free_at: Mutex<Instant>,
}

impl Pace {
    pub(crate) fn new(per_second: Option<u64>) -> Self {
        Self {
            per_second,
            free_at: Mutex::new(Instant::now()),
        }
    }

    /// Samples of one write at most, so that no write is a burst of more than a second.
    pub(crate) fn max_samples(&self) -> usize {
        let most = self.per_second.unwrap_or(u64::MAX).max(1);
        usize::try_from(most).unwrap_or(usize::MAX)
    }

    /// Waits until so many samples may go.
    pub(crate) async fn wait(&self, samples: usize) {
        if let Some(per_second) = self.per_second {
            sleep_until(self.slot(samples, per_second, Instant::now())).await;
        }
    }

    /// When they may go. What was not used before is gone: a store that was away gets no burst when it is back.
    fn slot(&self, samples: usize, per_second: u64, now: Instant) -> Instant {
        let nanos =
            u128::try_from(samples).unwrap_or(0) * 1_000_000_000 / u128::from(per_second.max(1));
        let takes = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        let mut free_at = self.free_at.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = (*free_at).max(now);
        *free_at = slot + takes;
        slot
    }
}

#[cfg(test)]
mod tests;
