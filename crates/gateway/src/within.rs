//! A deadline for what is mostly there already, which then needs no timer.

use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until};

/// It was not there in time.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Late;

/// What `future` comes to, if it comes until then.
pub(crate) fn within<F: Future>(deadline: Instant, future: F) -> Within<F> {
    Within {
        future,
        deadline,
        timer: None,
    }
}

pin_project! {
    /// A future with a deadline.
    pub(crate) struct Within<F> {
        #[pin]
        future: F,
        deadline: Instant,
        #[pin]
        timer: Option<Sleep>,
    }
}

impl<F: Future> Future for Within<F> {
    type Output = Result<F::Output, Late>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let Poll::Ready(output) = this.future.poll(cx) {
            return Poll::Ready(Ok(output));
        }
        if this.timer.is_none() {
            this.timer.set(Some(sleep_until(*this.deadline)));
        }
        let timer = this.timer.as_mut().as_pin_mut();
        timer.map_or(Poll::Pending, |timer| timer.poll(cx).map(|()| Err(Late)))
    }
}

#[cfg(test)]
mod tests;
