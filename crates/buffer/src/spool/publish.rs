//! One record's way: to the upstream, or to the spool, or from one to the other.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::Upstream;
use super::handle::Spooled;
use super::lanes::{Appending, Tripped};
use super::late::Answer;
use super::shared::Shared;
use crate::metrics::spool as metrics;
use crate::{Durability, Publish, PublishError, Record};

/// Time between two attempts to send to a tripped part, where the spool does not take records.
const TRY_PAUSE: Duration = Duration::from_secs(1);

/// Where a record went first.
enum Sent<F> {
    Upstream(F),
    /// Kept, should the spool not take it.
    Spool(Record, Appending),
}

/// A record that is on its way to the upstream.
struct Flight<P: Upstream> {
    shared: Arc<Shared<P>>,
    part: usize,
    number: u64,
    size_bytes: usize,
}

impl<P: Upstream> Flight<P> {
    /// The upstream has answered. Answers the copy in the spool, if there is one.
    fn leave(&self) -> Option<Appending> {
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

impl<P: Upstream> Spooled<P> {
    fn send(
        &self,
        record: Record,
    ) -> impl Future<Output = Result<Durability, PublishError>> + Send + 'static {
        let shared = &self.0;
        let part = shared.upstream.part(&record);
        let size_bytes = record.key.len() + record.value.len();
        let mut lane = shared.lanes.lock(part);
        let (sent, flight) = if lane.is_tripped() && shared.is_usable() {
            let appending = shared.append(record.clone());
            (Sent::Spool(record, appending), None)
        } else {
            let number = lane.enter(record.clone());
            shared.fresh_bytes.fetch_add(size_bytes, Ordering::Relaxed);
            let answer = shared.upstream.publish(record);
            let flight = Flight {
                shared: Arc::clone(shared),
                part,
                number,
                size_bytes,
            };
            (Sent::Upstream(answer), Some(flight))
        };
        drop(lane);
        let shared = Arc::clone(shared);
        let due = Instant::now() + shared.limits.after;
        async move {
            match (sent, flight) {
                (Sent::Upstream(answer), Some(flight)) => fly(&flight, answer, due).await,
                (Sent::Upstream(answer), None) => answer.await,
                (Sent::Spool(record, appending), _) => match appending.await {
                    Ok(_) => Ok(Durability::Spool),
                    Err(error) => shared.try_anyhow(part, record, error).await,
                },
            }
        }
    }
}

/// Waits for the upstream, and for the spool if that takes too long.
async fn fly<P: Upstream>(
    flight: &Flight<P>,
    answer: impl Future<Output = Result<Durability, PublishError>> + Send + 'static,
    due: Instant,
) -> Result<Durability, PublishError> {
    let shared = &*flight.shared;
    let mut answer: Answer = Box::pin(answer);
    let error = match timeout_at(due, &mut answer).await {
        Ok(Ok(durability)) => {
            if let Some(copy) = flight.leave() {
                // The copy is not needed, which the drain waits to hear.
                let expected = Expected(shared);
                if let Ok(offset) = copy.await {
                    let known = std::future::ready(Ok(durability));
                    shared.late.add(offset, Box::pin(known));
                }
                drop(expected);
            }
            return Ok(durability);
        }
        // Neither would it be taken later; but a copy that is durable is not taken back: the drain decides on it.
        Ok(Err(error)) if error.is_final() => {
            let Some(copy) = flight.leave() else {
                return Err(error);
            };
            let expected = Expected(shared);
            let copied = copy.await;
            drop(expected);
            return copied.map(|_| Durability::Spool).map_err(|_| error);
        }
        Ok(Err(error)) => Some(error),
        Err(_) => None,
    };
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
    fn publish(
        &self,
        record: Record,
    ) -> impl Future<Output = Result<Durability, PublishError>> + Send + 'static {
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
