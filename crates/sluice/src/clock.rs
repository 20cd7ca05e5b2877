//! The machine's clock, and the warning when somebody sets it.
//!
//! Ages are counted by time that goes by, so that a jump loses nothing ([`model::Aging`]). What cannot do without the
//! wall clock (times of samples, the times of records in Kafka) may be wrong after one: that is said here.

use std::time::{Duration, Instant};

use model::Clock;

use crate::metrics;

/// How often the two clocks are compared.
const EVERY: Duration = Duration::from_secs(5);

/// Less than this is what time servers mend all the time.
const JUMP_MS: i64 = 30_000;

/// The wall clock, with the steady one beside it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Machine(Instant);

impl Default for Machine {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Clock for Machine {
    fn now_ms(&self) -> i64 {
        service::clock::now_ms()
    }

    fn steady_ms(&self) -> i64 {
        i64::try_from(self.0.elapsed().as_millis()).unwrap_or(i64::MAX)
    }
}

/// Compares the clocks.
#[derive(Debug)]
struct Watch {
    /// The wall clock's lead over the steady one.
    lead_ms: i64,
    /// All jumps together.
    offset_ms: i64,
}

impl Watch {
    fn new(clock: &dyn Clock) -> Self {
        Self {
            lead_ms: clock.now_ms().saturating_sub(clock.steady_ms()),
            offset_ms: 0,
        }
    }

    /// How far the wall clock was set since the last look, if it was.
    fn jump_ms(&mut self, clock: &dyn Clock) -> Option<i64> {
        let lead_ms = clock.now_ms().saturating_sub(clock.steady_ms());
        let jump_ms = lead_ms.saturating_sub(self.lead_ms);
        self.lead_ms = lead_ms;
        self.offset_ms = self.offset_ms.saturating_add(jump_ms);
        (jump_ms.abs() >= JUMP_MS).then_some(jump_ms)
    }
}

/// Looks at the clock for as long as the process runs.
pub(crate) async fn watch(clock: impl Clock) {
    let mut watch = Watch::new(&clock);
    loop {
        if let Some(jump_ms) = watch.jump_ms(&clock) {
            let jump_s = jump_ms / 1000;
            metrics::clock_jump(jump_ms > 0);
            tracing::error!(
                jump_s,
                "THE CLOCK OF THIS MACHINE WAS SET; records and their expiry go on as if it had not been, but samples may \
                 be refused as too old or as of the future, and records are kept in Kafka by its time"
            );
        }
        metrics::clock_offset(watch.offset_ms as f64 / 1000.0);
        tokio::time::sleep(EVERY).await;
    }
}

#[cfg(test)]
mod tests {
    use model::ManualClock;

    use super::*;

    #[test]
    fn a_clock_that_is_set_is_noticed_and_one_that_is_mended_is_not() {
        let clock = ManualClock::new(1_700_000_000_000);
        let mut watch = Watch::new(&clock);
        let mut after = |passes_ms: i64, jumps_ms: i64| {
            clock.set(clock.now_ms() + passes_ms);
            clock.jump(jumps_ms);
            watch.jump_ms(&clock)
        };
        let day_ms = 86_400_000;
        assert_eq!(after(5000, 0), None);
        assert_eq!(after(5000, 200), None);
        assert_eq!(after(5000, day_ms), Some(day_ms));
        assert_eq!(after(day_ms, 0), None);
        assert_eq!(after(5000, -2 * day_ms), Some(-2 * day_ms));
        assert_eq!(watch.offset_ms, 200 - day_ms);
    }
}
