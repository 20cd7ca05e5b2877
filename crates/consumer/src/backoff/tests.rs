//! Waits grow, differ, and respect the peer's wish.

use super::*;

const BACKOFF: Backoff = Backoff {
    min: Duration::from_millis(100),
    max: Duration::from_secs(30),
};

#[test]
fn waits_double_up_to_the_longest() {
    let waits: Vec<_> = [1, 2, 3, 9, 10, 1000]
        .map(|attempt| BACKOFF.delay(attempt, None, 0.0).as_millis())
        .into();
    assert_eq!(waits, [100, 200, 400, 25_600, 30_000, 30_000]);
}

#[test]
fn jitter_takes_off_at_most_half() {
    assert_eq!(BACKOFF.delay(1, None, 1.0), Duration::from_millis(50));
    assert_eq!(BACKOFF.delay(1, None, 0.5), Duration::from_millis(75));
}

#[test]
fn the_peers_wish_is_a_minimum() {
    let wish = Some(Duration::from_secs(7));
    for random in [0.0, 0.3, 1.0] {
        let wait = BACKOFF.delay(1, wish, random);
        assert!(wait >= Duration::from_secs(7), "{wait:?}");
        assert!(wait <= Duration::from_secs(8), "{wait:?}");
    }
    let short = Some(Duration::from_millis(1));
    assert_eq!(BACKOFF.delay(3, short, 0.0), Duration::from_millis(400));
}

#[test]
fn a_mistaken_wish_does_not_stop_the_pipeline_for_a_day() {
    let wish = Some(Duration::from_secs(86_400));
    assert_eq!(BACKOFF.delay(1, wish, 0.0), LONGEST_RETRY_AFTER);
}
