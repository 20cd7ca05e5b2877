//! When a future is asked that is asked rarely.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::Rarely;

/// Counts how often it is asked, and never has an answer.
#[derive(Debug, Default)]
struct Counting {
    asked: usize,
    waker: Option<Waker>,
}

impl Future for Counting {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.asked += 1;
        self.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

#[derive(Default)]
struct Task(AtomicUsize);

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Task {
    fn poll(self: &Arc<Self>, rarely: &mut Rarely<Counting>) {
        let waker = Waker::from(Arc::clone(self));
        let polled = Pin::new(rarely).poll(&mut Context::from_waker(&waker));
        assert_eq!(polled, Poll::Pending);
    }

    fn woken(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

#[test]
fn it_is_asked_once_until_it_wakes_its_task() {
    let task = Arc::new(Task::default());
    let mut rarely = Rarely::new(Counting::default());
    for _ in 0..3 {
        task.poll(&mut rarely);
    }
    assert_eq!((rarely.future.asked, task.woken()), (1, 0));
    rarely.future.waker.take().unwrap().wake();
    assert_eq!(task.woken(), 1);
    for _ in 0..3 {
        task.poll(&mut rarely);
    }
    assert_eq!((rarely.future.asked, task.woken()), (2, 1));
}

#[test]
fn the_task_that_waits_last_is_woken() {
    let (first, second) = (Arc::new(Task::default()), Arc::new(Task::default()));
    let mut rarely = Rarely::new(Counting::default());
    first.poll(&mut rarely);
    second.poll(&mut rarely);
    rarely.future.waker.take().unwrap().wake();
    assert_eq!((first.woken(), second.woken()), (0, 1));
}

#[test]
fn one_that_has_changed_is_asked_again() {
    let task = Arc::new(Task::default());
    let mut rarely = Rarely::new(Counting::default());
    task.poll(&mut rarely);
    rarely.has_changed();
    task.poll(&mut rarely);
    assert_eq!((rarely.future.asked, task.woken()), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_timer_fires_through_it() {
    let started = Instant::now();
    let mut rarely = Rarely::new(Box::pin(sleep(Duration::from_secs(1))));
    (&mut rarely).await;
    assert_eq!(started.elapsed(), Duration::from_secs(1));
    // And says so until it is set anew.
    (&mut rarely).await;
    let next = Instant::now() + Duration::from_secs(1);
    rarely.future.as_mut().reset(next);
    rarely.has_changed();
    (&mut rarely).await;
    assert_eq!(started.elapsed(), Duration::from_secs(2));
}
