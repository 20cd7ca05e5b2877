//! When the alarm is raised, and how often.

use std::time::Duration;

use tokio::time::Instant;

use super::{Alarms, Urgency};

const DAY: Duration = Duration::from_secs(86_400);

fn due(
    alarms: &mut Alarms,
    headrooms: &[(i32, f64)],
    now: Instant,
) -> Option<(Urgency, i32, usize)> {
    let alarm = alarms.due(headrooms.iter().copied(), DAY, 25, now)?;
    Some((alarm.urgency, alarm.partition, alarm.partitions))
}

#[test]
fn a_quarter_of_the_retention_is_low_and_a_twentieth_is_urgent() {
    let now = Instant::now();
    for (headroom, expected) in [
        (86_400.0, None),
        (21_600.0, None),
        (21_599.0, Some(Urgency::Soon)),
        (4_320.0, Some(Urgency::Soon)),
        (4_319.0, Some(Urgency::Now)),
        (-5.0, Some(Urgency::Now)),
        (f64::NAN, None),
    ] {
        let found = due(&mut Alarms::default(), &[(0, headroom)], now);
        assert_eq!(found.map(|(urgency, ..)| urgency), expected, "{headroom}");
    }
}

#[test]
fn the_partition_that_loses_first_is_named_and_the_others_are_counted() {
    let headrooms = [(0, 20_000.0), (1, 80_000.0), (2, 9_000.0), (3, f64::NAN)];
    let found = due(&mut Alarms::default(), &headrooms, Instant::now());
    assert_eq!(found, Some((Urgency::Soon, 2, 2)));
}

#[test]
fn it_is_said_once_a_minute_and_at_once_when_it_becomes_urgent() {
    let mut alarms = Alarms::default();
    let start = Instant::now();
    let after = |seconds| start + Duration::from_secs(seconds);
    assert!(due(&mut alarms, &[(0, 20_000.0)], after(0)).is_some());
    assert!(due(&mut alarms, &[(0, 19_000.0)], after(59)).is_none());
    assert!(due(&mut alarms, &[(0, 4_000.0)], after(59)).is_some());
    assert!(due(&mut alarms, &[(0, 20_000.0)], after(80)).is_none());
    assert!(due(&mut alarms, &[(0, 20_000.0)], after(120)).is_some());
}
