//! The task of some shards: publishes their windows in order, and settles tickets.
//!
//! A window is published when the one before it is answered, so that a lone request waits for nobody and
//! many requests share large records: what comes while the buffer works is one window. It is never open
//! for longer than `coalesce.window`, so a buffer that is slow, or silent about one record, holds up no
//! other. When told to stop, the task publishes what is there, and ends when all of it is answered.

use std::error::Error;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use buffer::{Publish, PublishError};
use futures::future::FutureExt as _;
use futures::stream::StreamExt as _;
use futures_buffered::FuturesUnordered;
use service::log_limit::LogLimit;
use service::tasks::CancellationToken;
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, Sleep, sleep_until};

use super::open::Sealed;
use super::parties::{Claims, Parties};
use super::shard::{MOST_SEALED, Shard, Taken};
use super::ticket::Settled;
use crate::error::publish_code;
use crate::heat::Heat;
use crate::metrics::RecordMeters;

/// When windows are published.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// Not before, unless the window is full.
    pub linger: Duration,
    /// Not after.
    pub window: Duration,
}

/// Shards whose windows are published together.
#[derive(Debug)]
pub(super) struct Lane {
    pub shards: Vec<Arc<Shard>>,
    /// Wakes the task when a shard's window opens, and when it is full.
    pub changed: Arc<Notify>,
    pub pace: Pace,
    pub heat: Option<Arc<Heat>>,
}

/// A record that the buffer has answered.
struct Answered {
    window: u64,
    /// The number of its parties.
    parties: usize,
    result: Settled,
    claims: Claims,
    published_at: Instant,
}

pub(super) async fn run<P: Publish>(
    lane: Lane,
    publisher: Arc<P>,
    stopping: CancellationToken,
    alive: mpsc::Sender<()>,
) {
    let publisher = publisher.as_ref();
    let mut windows = Windows::default();
    let mut unanswered = FuturesUnordered::new();
    let mut crowd = Crowd::default();
    let mut taken = Taken::default();
    let mut timer = pin!(sleep_until(Instant::now()));
    loop {
        tokio::select! {
            biased;
            () = stopping.cancelled() => break,
            () = due(&lane, &mut windows, &mut unanswered, timer.as_mut()) => {}
        }
        // By itself it keeps the room of the largest crowd that it ever had.
        if unanswered.is_empty() && unanswered.capacity() > crowd.most_room() {
            unanswered = FuturesUnordered::new();
        }
        let max_record_bytes = publisher.max_record_bytes();
        windows.next();
        let now = Instant::now();
        for shard in &lane.shards {
            shard.follow(max_record_bytes);
            let opened_at = shard.take(&mut taken);
            windows.closed(opened_at, now);
            for answer in windows.publish(&lane, publisher, &mut taken, now) {
                unanswered.push(answer);
            }
        }
        crowd.came(unanswered.len());
    }
    let now = Instant::now();
    for shard in &lane.shards {
        let opened_at = shard.close(&mut taken);
        windows.closed(opened_at, now);
        for answer in windows.publish(&lane, publisher, &mut taken, now) {
            unanswered.push(answer);
        }
    }
    while let Some(answered) = unanswered.next().await {
        windows.settle(answered, Instant::now());
    }
    drop(alive);
}

/// How many records were under way at once, lately: room for a crowd that comes again and again is kept, or the system
/// would be asked for it each time.
#[derive(Debug, Default)]
struct Crowd(usize);

impl Crowd {
    /// With a window, there are so many. Forgets a sixteenth of what was before.
    fn came(&mut self, count: usize) {
        self.0 = count.max(self.0 - self.0.div_ceil(16));
    }

    fn most_room(&self) -> usize {
        // It is up to twice as much as was needed, and stays until a crowd is a quarter of what it was.
        MOST_SEALED.max(self.0 * 8)
    }
}

/// Ends when what is open should be published. Settles what is answered meanwhile.
async fn due(
    lane: &Lane,
    windows: &mut Windows,
    unanswered: &mut FuturesUnordered<impl Future<Output = Answered>>,
    mut timer: Pin<&mut Sleep>,
) {
    loop {
        let (opened_at, is_full) = lane.state();
        if let Some(opened_at) = opened_at {
            let due_at = opened_at + lane.pace.wait(windows.is_last_answered());
            if is_full || due_at <= Instant::now() {
                return;
            }
            if timer.deadline() != due_at {
                timer.as_mut().reset(due_at);
            }
        }
        tokio::select! {
            biased;
            Some(answered) = unanswered.next(), if !unanswered.is_empty() => {
                // They come in bursts. The time is the same for all of these, and so is what is asked above.
                let now = Instant::now();
                windows.settle(answered, now);
                while let Some(Some(answered)) = unanswered.next().now_or_never() {
                    windows.settle(answered, now);
                }
            }
            () = lane.changed.notified() => {}
            () = timer.as_mut(), if opened_at.is_some() => {}
        }
    }
}

impl Pace {
    fn wait(self, is_last_answered: bool) -> Duration {
        if is_last_answered {
            self.linger.min(self.window)
        } else {
            self.window
        }
    }
}

impl Lane {
    fn count<P: Publish>(&self, publisher: &P, sealed: &[Sealed]) {
        if let Some(heat) = &self.heat {
            let records = sealed.iter().map(|sealed| (&sealed.record, sealed.samples));
            heat.count(publisher, records);
        }
    }

    /// Since when the oldest window is open, and whether one is full.
    fn state(&self) -> (Option<Instant>, bool) {
        let mut oldest: Option<Instant> = None;
        let mut is_full = false;
        for shard in &self.shards {
            let (opened_at, full) = shard.state();
            is_full |= full;
            oldest = match (oldest, opened_at) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
        }
        (oldest, is_full)
    }
}

/// What was published and is not answered.
#[derive(Default)]
struct Windows {
    meters: RecordMeters,
    last: u64,
    /// Records of the last window.
    open: usize,
    waiting: Waiting,
}

/// Who waits for the records that are under way: by shard and window, at places that are used again.
#[derive(Debug, Default)]
struct Waiting {
    parties: Vec<Parties>,
    /// Places of those that are settled.
    free: Vec<usize>,
    /// Their memory.
    spare: Vec<Parties>,
}

/// The memory of so many windows is used again, unless they had far more requests than most do.
const MOST_SPARE: usize = 16;
const MOST_SPARE_ROOM: usize = 256;

impl Waiting {
    /// Keeps those who wait for what was taken of a shard, and answers where.
    fn add(&mut self, taken: &mut Taken) -> usize {
        let parties = taken.parties(self.spare.pop().unwrap_or_default());
        if let Some(place) = self.free.pop()
            && let Some(slot) = self.parties.get_mut(place)
        {
            *slot = parties;
            return place;
        }
        self.parties.push(parties);
        self.parties.len() - 1
    }

    fn settle(&mut self, place: usize, claims: Claims, result: &Settled) {
        let Some(parties) = self.parties.get_mut(place) else {
            return;
        };
        parties.settle(claims, result);
        if parties.is_settled() {
            let mut settled = std::mem::take(parties);
            self.free.push(place);
            if self.spare.len() < MOST_SPARE && settled.room() <= MOST_SPARE_ROOM {
                settled.forget();
                self.spare.push(settled);
            }
        }
    }
}

impl Windows {
    fn next(&mut self) {
        self.last += 1;
        self.open = 0;
    }

    fn is_last_answered(&self) -> bool {
        self.open == 0
    }

    /// Notes since when a shard's window was open, if it was.
    fn closed(&self, opened_at: Option<Instant>, now: Instant) {
        if let Some(opened_at) = opened_at {
            self.meters
                .window_closed(now.saturating_duration_since(opened_at));
        }
    }

    /// Counts what was taken of a shard, and enqueues each record before the future of its answer is polled.
    fn publish<'w, 'p, P: Publish>(
        &'w mut self,
        lane: &Lane,
        publisher: &'p P,
        taken: &'w mut Taken,
        now: Instant,
    ) -> impl Iterator<Item = impl Future<Output = Answered> + use<'p, P>> + use<'w, 'p, P> {
        lane.count(publisher, &taken.sealed);
        let parties = if taken.sealed.is_empty() {
            0
        } else {
            self.waiting.add(taken)
        };
        let sealed = taken.sealed.drain(..);
        sealed.map(move |sealed| self.publish_one(publisher, sealed, parties, now))
    }

    fn publish_one<'p, P: Publish>(
        &mut self,
        publisher: &'p P,
        sealed: Sealed,
        parties: usize,
        now: Instant,
    ) -> impl Future<Output = Answered> + use<'p, P> {
        let Sealed {
            record,
            claims,
            samples,
        } = sealed;
        self.open += 1;
        let size_bytes = record.key.len() + record.value.len();
        self.meters.published(size_bytes, samples);
        let window = self.last;
        let answer = publisher.publish(record);
        async move {
            Answered {
                window,
                parties,
                result: answer.await,
                claims,
                published_at: now,
            }
        }
    }

    fn settle(&mut self, answered: Answered, now: Instant) {
        let Answered {
            window,
            parties,
            result,
            claims,
            published_at,
        } = answered;
        if window == self.last {
            self.open = self.open.saturating_sub(1);
        }
        let code = result.as_ref().err().map(publish_code);
        let took = now.saturating_duration_since(published_at);
        self.meters.settled(code, took);
        if let Err(error) = &result {
            log(error);
        }
        self.waiting.settle(parties, claims, &result);
    }
}

fn log(error: &PublishError) {
    static FAILED: LogLimit = LogLimit::new();
    static TOO_LARGE: LogLimit = LogLimit::new();
    let error_field = error as &dyn Error;
    if let PublishError::TooLarge { .. } = error {
        if let Some(suppressed) = TOO_LARGE.pass() {
            tracing::error!(
                error = error_field,
                suppressed,
                "the buffer takes smaller records than it said; lower coalesce.max_record"
            );
        }
    } else if let Some(suppressed) = FAILED.pass() {
        tracing::warn!(
            error = error_field,
            suppressed,
            "the buffer did not confirm a record"
        );
    }
}

#[cfg(test)]
mod tests;
