//! A rate is kept over all writes together.

use std::time::Duration;

use tokio::time::Instant;

use super::Pace;

#[tokio::test(start_paused = true)]
async fn so_many_samples_go_in_a_second() {
    let pace = Pace::new(Some(1000));
    let started = Instant::now();
    for _ in 0..10 {
        pace.wait(500).await;
    }
    // The first goes at once.
    assert_eq!(started.elapsed(), Duration::from_millis(4500));
}

#[tokio::test(start_paused = true)]
async fn time_that_was_not_used_gives_no_burst() {
    let pace = Pace::new(Some(1000));
    tokio::time::advance(Duration::from_secs(60)).await;
    let started = Instant::now();
    pace.wait(1000).await;
    pace.wait(1000).await;
    assert_eq!(started.elapsed(), Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn without_a_rate_nothing_waits() {
    let pace = Pace::new(None);
    let started = Instant::now();
    pace.wait(1_000_000_000).await;
    assert_eq!(started.elapsed(), Duration::ZERO);
    assert_eq!(pace.max_samples(), usize::MAX);
}
