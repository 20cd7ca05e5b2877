//! Rates as debts: what is let in, and how long a sender waits.

use std::time::Duration;

use tokio::time::Instant;

use super::{Beyond, Buckets};
use crate::quotas::rules::Rate;

const RATE: Rate = Rate {
    per_second: 10.0,
    burst: 20.0,
};

#[test]
fn a_burst_passes_and_then_the_rate_holds() {
    let (buckets, now) = (Buckets::new(), Instant::now());
    let ask = |at| buckets.request(1, Some(RATE), None, at);
    for _ in 0..20 {
        assert_eq!(ask(now), Ok(()));
    }
    assert_eq!(ask(now), Err(Beyond::Requests(Duration::from_millis(100))));
    let later = now + Duration::from_secs(1);
    for _ in 0..10 {
        assert_eq!(ask(later), Ok(()));
    }
    assert!(ask(later).is_err());
}

#[test]
fn a_body_larger_than_the_burst_passes_and_is_waited_off() {
    let (buckets, now) = (Buckets::new(), Instant::now());
    let ask = |at| buckets.request(1, None, Some(RATE), at);
    assert_eq!(ask(now), Ok(()));
    buckets.spend(1, RATE, 119, now);
    let wait = Duration::from_secs(10);
    assert_eq!(ask(now), Err(Beyond::Samples(wait)));
    assert!(ask(now + Duration::from_millis(9900)).is_err());
    assert_eq!(ask(now + wait), Ok(()));
}

#[test]
fn a_clock_that_stands_still_gives_nothing_twice() {
    let (buckets, now) = (Buckets::new(), Instant::now());
    let later = now + Duration::from_secs(1);
    assert_eq!(buckets.take(1, RATE, 20, later), Ok(()));
    assert!(buckets.take(1, RATE, 1, now).is_err());
    assert!(buckets.take(1, RATE, 1, later).is_err());
}

#[test]
fn senders_without_end_share_a_bucket_until_others_are_idle() {
    let (buckets, now) = (Buckets::new(), Instant::now());
    for key in 1..=100_000 {
        buckets.spend(key, RATE, 1, now);
    }
    assert!(buckets.len() <= 16 * 1025, "{}", buckets.len());
    let late = buckets.request(200_001, None, Some(RATE), now);
    assert!(late.is_err(), "they owe together");
    // Those that fell silent make room.
    let later = now + Duration::from_secs(60);
    assert_eq!(buckets.request(300_001, None, Some(RATE), later), Ok(()));
    assert!(buckets.len() < 16 * 1025);
}
