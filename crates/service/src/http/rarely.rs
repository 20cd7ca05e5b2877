//! A future beside a busy one, which is asked when it has something to say.
//!
//! A connection is polled several times for each request, its timer and its end of the process each time with it. Both
//! have locks that all connections share, and say nothing for minutes.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// Polls its future when that has woken it, and the first time.
#[derive(Debug)]
pub(super) struct Rarely<F> {
    pub(super) future: F,
    woken: Arc<Woken>,
    waker: Waker,
}

#[derive(Debug)]
struct Woken {
    is_woken: AtomicBool,
    /// What waits for the future.
    task: Mutex<Option<Waker>>,
}

impl<F> Rarely<F> {
    pub(super) fn new(future: F) -> Self {
        let woken = Arc::new(Woken {
            is_woken: AtomicBool::new(true),
            task: Mutex::default(),
        });
        Self {
            future,
            waker: Waker::from(Arc::clone(&woken)),
            woken,
        }
    }

    /// The future is another one than it was: it is asked the next time.
    pub(super) fn has_changed(&self) {
        self.woken.is_woken.store(true, Ordering::Release);
    }
}

impl<F: Future + Unpin> Future for Rarely<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        // Before the look at whether it was woken: whatever wakes it from then on finds the task.
        self.woken.wait_for(cx.waker());
        if !self.woken.is_woken.swap(false, Ordering::AcqRel) {
            return Poll::Pending;
        }
        let Self { future, waker, .. } = &mut *self;
        let polled = Pin::new(future).poll(&mut Context::from_waker(waker));
        // A timer that has fired says so each time until it is set anew.
        if polled.is_ready() {
            self.has_changed();
        }
        polled
    }
}

impl Woken {
    fn wait_for(&self, waker: &Waker) {
        let mut task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        if !task.as_ref().is_some_and(|task| task.will_wake(waker)) {
            *task = Some(waker.clone());
        }
    }
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.is_woken.store(true, Ordering::Release);
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = task.clone();
        // What is woken may be polled at once.
        drop(task);
        if let Some(task) = waiting {
            task.wake();
        }
    }
}

#[cfg(test)]
mod tests;
