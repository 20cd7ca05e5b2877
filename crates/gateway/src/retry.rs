//! How long a sender is asked to wait before it tries again.
//!
//! Longer for each time that it has tried already, and the fuller the gateway is; never the same for all, so that a
//! fleet that was turned away together does not come back together; and never longer than a setting says.

use std::hash::BuildHasher as _;
use std::sync::atomic::{AtomicU64, Ordering};

use foldhash::quality::RandomState;
use http::HeaderName;

use crate::error::Error;
use crate::protocol::Head;

/// Prometheus, Mimir and others say here how often they have tried: nothing the first time, then 1, 2, ….
const ATTEMPT: HeaderName = HeaderName::from_static("retry-attempt");

/// From here on only the setting decides.
const MOST_DOUBLINGS: u32 = 16;

#[derive(Debug)]
pub(crate) struct Backoff {
    max_secs: f64,
    hasher: RandomState,
    asked: AtomicU64,
}

impl Backoff {
    pub(crate) fn new(max_secs: u64) -> Self {
        Self {
            max_secs: u32::try_from(max_secs).map_or(f64::from(u32::MAX), f64::from),
            hasher: RandomState::default(),
            asked: AtomicU64::new(0),
        }
    }

    /// The seconds for `Retry-After`, where trying again helps.
    pub(crate) fn after(&self, head: &Head<'_>, error: &Error) -> Option<u32> {
        let least_secs = error.retry_after_secs()?;
        let attempt = head.header(&ATTEMPT);
        let attempt = attempt.and_then(|text| text.trim().parse().ok());
        let pressure = head.app.pipeline.permits.pressure();
        Some(self.seconds(least_secs, attempt.unwrap_or(0), pressure))
    }

    fn seconds(&self, least_secs: u32, attempt: u32, pressure: f64) -> u32 {
        let doublings = attempt.min(MOST_DOUBLINGS);
        let grown = f64::from(least_secs) * f64::from(1_u32 << doublings);
        let pressed = grown * (1.0 + pressure.clamp(0.0, 2.0));
        let waited = (pressed * (1.0 + self.dice())).min(self.max_secs * (0.5 + self.dice() / 2.0));
        whole(waited.max(1.0))
    }

    /// From 0 to 1, and each time another.
    fn dice(&self) -> f64 {
        let asked = self.asked.fetch_add(1, Ordering::Relaxed);
        let number = u32::try_from(self.hasher.hash_one(asked) >> 32).unwrap_or(u32::MAX);
        f64::from(number) / f64::from(u32::MAX)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast of a float stops at the bounds"
)]
fn whole(seconds: f64) -> u32 {
    seconds.round() as u32
}

#[cfg(test)]
mod tests {
    use super::Backoff;

    #[test]
    fn the_wait_grows_with_each_attempt_and_with_pressure_up_to_the_bound() {
        let backoff = Backoff::new(30);
        let range = |attempt, pressure| {
            let all: Vec<u32> = (0..200)
                .map(|_| backoff.seconds(1, attempt, pressure))
                .collect();
            (all.iter().min().copied(), all.iter().max().copied())
        };
        assert_eq!(range(0, 0.0), (Some(1), Some(2)));
        assert_eq!(range(2, 0.0), (Some(4), Some(8)));
        assert_eq!(range(2, 1.0), (Some(8), Some(16)));
        assert_eq!(range(40, 2.0), (Some(15), Some(30)));
    }

    #[test]
    fn senders_that_were_turned_away_together_are_told_different_times() {
        let backoff = Backoff::new(30);
        let all: std::collections::BTreeSet<u32> =
            (0..200).map(|_| backoff.seconds(1, 9, 1.0)).collect();
        assert!(all.len() > 8, "{all:?}");
    }
}
