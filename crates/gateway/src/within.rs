//! A deadline for what is mostly there already, which then needs no timer.

use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use service::http::Alarm;
use tokio::time::{Instant, Sleep, sleep_until};

/// It was not there in time.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Late;

/// By when, and what wakes who waits until then.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline<'a> {
    at: Instant,
    /// Where there is none, it is a timer.
    alarm: Option<&'a Alarm>,
}

impl<'a> Deadline<'a> {
    pub(crate) fn new(at: Instant, alarm: Option<&'a Alarm>) -> Self {
        Self { at, alarm }
    }

    pub(crate) fn at(self) -> Instant {
        self.at
    }
}

impl From<Instant> for Deadline<'_> {
    fn from(at: Instant) -> Self {
        Self::new(at, None)
    }
}

/// What `future` comes to, if it comes until then.
pub(crate) fn within<'a, F: Future>(deadline: impl Into<Deadline<'a>>, future: F) -> Within<'a, F> {
    Within {
        future,
        deadline: deadline.into(),
        has_alarm: false,
        timer: None,
    }
}

pin_project! {
    /// A future with a deadline.
    pub(crate) struct Within<'a, F> {
        #[pin]
        future: F,
        deadline: Deadline<'a>,
        // Whether the alarm is set, so that no timer is needed.
        has_alarm: bool,
        #[pin]
        timer: Option<Sleep>,
    }
}

impl<F: Future> Future for Within<'_, F> {
    type Output = Result<F::Output, Late>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let Poll::Ready(output) = this.future.poll(cx) {
            return Poll::Ready(Ok(output));
        }
        let Deadline { at, alarm } = *this.deadline;
        if *this.has_alarm {
            let is_late = Instant::now() >= at;
            return if is_late {
                Poll::Ready(Err(Late))
            } else {
                Poll::Pending
            };
        }
        if this.timer.is_none() {
            *this.has_alarm = alarm.is_some_and(|alarm| alarm.set(at));
            if *this.has_alarm {
                return Poll::Pending;
            }
            this.timer.set(Some(sleep_until(at)));
        }
        let timer = this.timer.as_mut().as_pin_mut();
        timer.map_or(Poll::Pending, |timer| timer.poll(cx).map(|()| Err(Late)))
    }
}

#[cfg(test)]
mod tests;
