//! One record's way: to the upstream, or to the spool, or from one to the other.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures::future::FutureExt as _;
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep, timeout_at};

use super::Upstream;
use super::handle::Spooled;
use super::lanes::{Appending, Tripped};
use super::late::Answer;
use super::shared::Shared;
use crate::metrics::spool as metrics;
use crate::{Durability, Publish, PublishError, Record};

/// Time between two attempts to send to a tripped part, where the spool does not take records.
const TRY_PAUSE: Duration = Duration::from_secs(1);

/// A record that is on its way to the upstream.
struct Flight<P: Upstream> {
    shared: Arc<Shared<P>>,
    part: usize,
    number: u64,
    size_bytes: usize,
    has_left: bool,
}

impl<P: Upstream> Flight<P> {
    /// The upstream has answered, or nobody waits for it any more. Answers the copy in the spool, if there is one.
    fn leave(&mut self) -> Option<Appending> {
        if std::mem::replace(&mut self.has_left, true) {
            return None;
        }
        self.shared.lanes.lock(self.part).leave(self.number)
    }

    /// It was not confirmed in time: answers its copy in the spool.
    fn trip(&self, reason: &str) -> Option<Appending> {
        let shared = &self.shared;
        let Tripped {
            copy,
            copied,
            is_first,
        } = shared.lanes.trip(self.part, self.number, |record| {
            // Before anybody can read the copy.
            shared.late.expect(1);
            shared.append(record)
        });
        if copied > 0 {
            shared.note(reason);
        }
        if is_first {
            metrics::tripped();
            shared.say_tripped(reason);
        }
        copy
    }
}

impl<P: Upstream> Drop for Flight<P> {
    fn drop(&mut self) {
        if self.leave().is_some() {
            self.shared.late.arrived();
        }
        self.shared
            .fresh_bytes
            .fetch_sub(self.size_bytes, Ordering::Relaxed);
    }
}

/// Says that a copy is not expected any more, also when nobody waits for its record.
struct Expected<'s, P>(&'s Shared<P>);

impl<P> Drop for Expected<'_, P> {
    fn drop(&mut self) {
        self.0.late.arrived();
    }
}

type Outcome = Result<Durability, PublishError>;

pin_project! {
    /// A record until it is durable somewhere. There is one for each record under way, and nearly all of them are
    /// confirmed in time: what the others need has memory of its own.
    #[project = Stage]
    enum Way<P: Upstream> {
        Upstream {
            // None when it has ended.
            flight: Option<(Flight<P>, Answer)>,
            #[pin]
            due: Sleep,
        },
        Rest {
            rest: Pin<Box<dyn Future<Output = Outcome> + Send>>,
        },
    }
}

impl<P: Upstream> Future for Way<P> {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome> {
        let mut rest = match self.as_mut().project() {
            Stage::Rest { rest } => return rest.as_mut().poll(cx),
            Stage::Upstream { flight, due } => {
                let answered = flight.as_mut().map(|(_, answer)| answer.as_mut().poll(cx));
                let answered = match answered {
                    Some(Poll::Ready(answered)) => Some(answered),
                    Some(Poll::Pending) => {
                        ready!(due.poll(cx));
                        None
                    }
                    None => None,
                };
                let Some((mut flight, answer)) = flight.take() else {
                    // It has ended.
                    return Poll::Ready(Err(PublishError::Closed));
                };
                match answered {
                    Some(Ok(durability)) => match flight.leave() {
                        None => return Poll::Ready(Ok(durability)),
                        Some(copy) => not_needed(flight, durability, copy).boxed(),
                    },
                    Some(Err(error)) => fail(flight, Some(error), answer).boxed(),
                    None => fail(flight, None, answer).boxed(),
                }
            }
        };
        let outcome = rest.as_mut().poll(cx);
        if outcome.is_pending() {
            self.set(Self::Rest { rest });
        }
        outcome
    }
}

impl<P: Upstream> Spooled<P> {
    fn send(&self, record: Record) -> Way<P> {
        let shared = &self.0;
        let part = shared.upstream.part(&record);
        let size_bytes = record.key.len() + record.value.len();
        let mut lane = shared.lanes.lock(part);
        if lane.is_tripped() && shared.is_usable() {
            let appending = shared.append(record.clone());
            drop(lane);
            let shared = Arc::clone(shared);
            let rest = async move {
                match appending.await {
                    Ok(_) => Ok(Durability::Spool),
                    // It is kept, should the spool not take it.
                    Err(error) => shared.try_anyhow(part, record, error).await,
                }
            };
            return Way::Rest { rest: rest.boxed() };
        }
        let answer = shared.upstream.publish_kept(&record);
        let number = lane.enter(record);
        drop(lane);
        shared.fresh_bytes.fetch_add(size_bytes, Ordering::Relaxed);
        let flight = Flight {
            shared: Arc::clone(shared),
            part,
            number,
            size_bytes,
            has_left: false,
        };
        Way::Upstream {
            flight: Some((flight, Box::pin(answer))),
            due: sleep(shared.limits.after),
        }
    }
}

/// The upstream has a record, and the spool a copy of it, which is not needed: the drain waits to hear that.
async fn not_needed<P: Upstream>(
    flight: Flight<P>,
    durability: Durability,
    copy: Appending,
) -> Outcome {
    let expected = Expected(&*flight.shared);
    if let Ok(offset) = copy.await {
        let known = std::future::ready(Ok(durability));
        flight.shared.late.add(offset, Box::pin(known));
    }
    drop(expected);
    Ok(durability)
}

/// The upstream did not take a record, or not in time: waits for the spool.
async fn fail<P: Upstream>(
    mut flight: Flight<P>,
    error: Option<PublishError>,
    answer: Answer,
) -> Outcome {
    let error = match error {
        // Neither would it be taken later; but a copy that is durable is not taken back: the drain decides on it.
        Some(error) if error.is_final() => {
            let Some(copy) = flight.leave() else {
                return Err(error);
            };
            let expected = Expected(&*flight.shared);
            let copied = copy.await;
            drop(expected);
            return copied.map(|_| Durability::Spool).map_err(|_| error);
        }
        passing => passing,
    };
    let shared = &*flight.shared;
    let reason = error.as_ref().map_or_else(
        || format!("no answer within {:?}", shared.limits.after),
        ToString::to_string,
    );
    if !shared.is_usable() {
        return match error {
            Some(error) => Err(error),
            None => answer.await,
        };
    }
    let Some(copy) = flight.trip(&reason) else {
        // Impossible: whoever waits for a record is the only one to fetch its copy.
        return Err(PublishError::Unconfirmed(reason));
    };
    let expected = Expected(shared);
    let copied = copy.await;
    match (copied, error) {
        (Ok(_), Some(_)) => {}
        (Ok(offset), None) => shared.late.add(offset, answer),
        (Err(spool), Some(_)) => return Err(shared.neither(&reason, spool)),
        (Err(spool), None) => {
            drop(expected);
            return match answer.await {
                Ok(durability) => {
                    shared.close_lane(flight.part);
                    Ok(durability)
                }
                Err(error) if error.is_final() => Err(error),
                Err(error) => Err(shared.neither(&error.to_string(), spool)),
            };
        }
    }
    drop(expected);
    Ok(Durability::Spool)
}

impl<P: Upstream> Shared<P> {
    /// The spool does not take a record of a tripped part: now and then, the upstream is asked all the same.
    async fn try_anyhow(
        &self,
        part: usize,
        record: Record,
        error: PublishError,
    ) -> Result<Durability, PublishError> {
        if !self.lanes.lock(part).may_try(TRY_PAUSE) {
            return Err(self.neither(&self.reason(), error));
        }
        let due = Instant::now() + self.limits.after;
        match timeout_at(due, self.upstream.publish(record)).await {
            Ok(Ok(durability)) => {
                self.close_lane(part);
                Ok(durability)
            }
            Ok(Err(failed)) if failed.is_final() => Err(failed),
            Ok(Err(failed)) => {
                let reason = failed.to_string();
                self.note(&reason);
                Err(self.neither(&reason, error))
            }
            Err(_) => Err(self.neither(&self.reason(), error)),
        }
    }
}

impl<P: Upstream> Publish for Spooled<P> {
    fn publish(&self, record: Record) -> impl Future<Output = Outcome> + Send + 'static {
        self.send(record)
    }

    fn durability(&self) -> Durability {
        self.0.upstream.durability()
    }

    fn max_record_bytes(&self) -> usize {
        // What the upstream takes must fit into the spool as well.
        let most_bytes = crate::local::MAX_RECORD_BYTES;
        self.0.upstream.max_record_bytes().min(most_bytes)
    }

    fn partitions(&self) -> usize {
        self.0.upstream.partitions()
    }

    fn partition(&self, record: &Record) -> Option<usize> {
        self.0.upstream.partition(record)
    }

    async fn flush(&self, deadline: Duration) -> usize {
        self.finish(deadline).await
    }
}
