//! The alarm before records expire that a store does not have: how urgent it is, and how often it is said. Pure.

use std::time::Duration;

use tokio::time::Instant;

/// Between two alarms.
const AGAIN_AFTER: Duration = Duration::from_mins(1);

/// How urgent it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Urgency {
    /// A person should look.
    Soon,
    /// Data is lost in a moment.
    Now,
}

/// The partition that loses records first, and how many others are near it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Alarm {
    pub(crate) urgency: Urgency,
    pub(crate) partition: i32,
    /// Below 0 when its time is over.
    pub(crate) headroom_seconds: f64,
    /// This one included.
    pub(crate) partitions: usize,
}

/// Says so when the headroom is low, and not all the time.
#[derive(Debug, Default)]
pub(crate) struct Alarms {
    told: Option<(Urgency, Instant)>,
}

impl Alarms {
    /// The alarm that is due, from the headroom of each partition. `percent` of the retention is low, a fifth of that
    /// is urgent.
    pub(crate) fn due(
        &mut self,
        headrooms: impl IntoIterator<Item = (i32, f64)>,
        retention: Duration,
        percent: u8,
        now: Instant,
    ) -> Option<Alarm> {
        let low = retention.as_secs_f64() * f64::from(percent) / 100.0;
        let mut worst: Option<Alarm> = None;
        let mut partitions = 0;
        for (partition, headroom_seconds) in headrooms {
            // What is not known is not low.
            if headroom_seconds.is_nan() || headroom_seconds >= low {
                continue;
            }
            partitions += 1;
            if worst.is_none_or(|worst| headroom_seconds < worst.headroom_seconds) {
                let urgency = if headroom_seconds < low / 5.0 {
                    Urgency::Now
                } else {
                    Urgency::Soon
                };
                worst = Some(Alarm {
                    urgency,
                    partition,
                    headroom_seconds,
                    partitions: 0,
                });
            }
        }
        let alarm = Alarm {
            partitions,
            ..worst?
        };
        let is_known = self.told.is_some_and(|(urgency, at)| {
            alarm.urgency <= urgency && now.duration_since(at) < AGAIN_AFTER
        });
        if is_known {
            return None;
        }
        self.told = Some((alarm.urgency, now));
        Some(alarm)
    }
}

#[cfg(test)]
mod tests;
