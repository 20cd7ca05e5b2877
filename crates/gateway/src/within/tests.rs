//! Deadlines of what is there, of what comes, and of what does not.

use std::future::{pending, ready};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{Late, within};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn what_is_there_is_taken_even_when_it_is_too_late() {
    let deadline = Instant::now();
    sleep(SECOND).await;
    assert_eq!(within(deadline, ready(1)).await, Ok(1));
}

#[tokio::test(start_paused = true)]
async fn what_comes_in_time_is_waited_for() {
    let started = Instant::now();
    let comes = within(started + 2 * SECOND, sleep(SECOND));
    assert_eq!(comes.await, Ok(()));
    assert_eq!(started.elapsed(), SECOND);
}

#[tokio::test(start_paused = true)]
async fn what_does_not_come_is_given_up_at_the_deadline() {
    let started = Instant::now();
    let never = within(started + SECOND, pending::<()>());
    assert_eq!(never.await, Err(Late));
    assert_eq!(started.elapsed(), SECOND);
}

#[test]
fn what_is_there_needs_no_timer() {
    // There is no runtime that would have one.
    let mut now = std::pin::pin!(within(Instant::now(), ready(1)));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let polled = now.as_mut().poll(&mut context);
    assert_eq!(polled, std::task::Poll::Ready(Ok(1)));
}
