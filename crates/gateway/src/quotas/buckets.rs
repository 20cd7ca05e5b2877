//! How much of their rates senders have used, for a bounded number of senders.
//!
//! A bucket fills with time and is emptied by what comes. It may be emptied below nothing: who sent more than there
//! was waits until that is made up for, so that a body larger than the burst still passes, and the rate holds. (That,
//! limits that change while buckets stand, and a table with a bound are what `governor` does not have.)

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::rules::Rate;

const SHARDS: usize = 16;

/// Senders of a shard. More share one bucket, if none of the others is full again.
const MOST: usize = 1024;

/// How often a shard without room looks for buckets that are full again.
const SWEEP: Duration = Duration::from_secs(1);

/// Whoever came when there was no room.
const OTHERS: u64 = 0;

/// What is left of a rate.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bucket {
    tokens: f64,
    at: Instant,
}

impl Bucket {
    fn full(rate: Rate, now: Instant) -> Self {
        Self {
            tokens: rate.burst,
            at: now,
        }
    }

    fn fill(&mut self, rate: Rate, now: Instant) {
        let elapsed = now.saturating_duration_since(self.at).as_secs_f64();
        self.tokens = (self.tokens + elapsed * rate.per_second).min(rate.burst);
        self.at = self.at.max(now);
    }

    /// Takes all or nothing; answers how long to wait for it.
    fn take(&mut self, rate: Rate, count: f64) -> Result<(), Duration> {
        if self.tokens >= count {
            self.tokens -= count;
            return Ok(());
        }
        Err(wait(count - self.tokens, rate))
    }

    /// How long until there is something, if there is nothing.
    fn check(&self, rate: Rate) -> Result<(), Duration> {
        if self.tokens > 0.0 {
            return Ok(());
        }
        Err(wait(1.0 - self.tokens, rate))
    }
}

/// No sender is asked to wait longer than a day, and a duration has a largest.
fn wait(missing: f64, rate: Rate) -> Duration {
    Duration::from_secs_f64((missing / rate.per_second).clamp(0.0, 86_400.0))
}

/// Requests, and samples.
#[derive(Debug, Default)]
struct Meter {
    requests: Option<(Bucket, Rate)>,
    samples: Option<(Bucket, Rate)>,
}

impl Meter {
    /// Whether it says nothing that a new one does not.
    fn is_idle(&self, now: Instant) -> bool {
        [self.requests, self.samples]
            .into_iter()
            .flatten()
            .all(|(mut bucket, rate)| {
                bucket.fill(rate, now);
                bucket.tokens >= rate.burst
            })
    }
}

fn filled(slot: &mut Option<(Bucket, Rate)>, rate: Rate, now: Instant) -> &mut Bucket {
    let (bucket, known) = slot.get_or_insert_with(|| (Bucket::full(rate, now), rate));
    *known = rate;
    bucket.fill(rate, now);
    bucket
}

#[derive(Debug)]
struct Shard {
    meters: HashMap<u64, Meter>,
    swept_at: Option<Instant>,
}

#[derive(Debug)]
pub(super) struct Buckets([Mutex<Shard>; SHARDS]);

/// What a sender has too much of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beyond {
    Requests(Duration),
    Samples(Duration),
}

impl Buckets {
    pub(super) fn new() -> Self {
        Self(std::array::from_fn(|_| {
            Mutex::new(Shard {
                meters: HashMap::new(),
                swept_at: None,
            })
        }))
    }

    /// Takes one request, unless that is one too many or samples are owed.
    pub(super) fn request(
        &self,
        key: u64,
        requests: Option<Rate>,
        samples: Option<Rate>,
        now: Instant,
    ) -> Result<(), Beyond> {
        self.with(key, now, |meter| {
            if let Some(rate) = samples {
                let bucket = filled(&mut meter.samples, rate, now);
                bucket.check(rate).map_err(Beyond::Samples)?;
            }
            if let Some(rate) = requests {
                let bucket = filled(&mut meter.requests, rate, now);
                bucket.take(rate, 1.0).map_err(Beyond::Requests)?;
            }
            Ok(())
        })
    }

    /// Takes so many samples, whether there are so many or not.
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    pub(super) fn spend(&self, key: u64, rate: Rate, count: u64, now: Instant) {
        self.with(key, now, |meter| {
            filled(&mut meter.samples, rate, now).tokens -= count as f64;
        });
    }

    /// Takes so many samples, or none; answers how long to wait for them.
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    pub(super) fn take(
        &self,
        key: u64,
        rate: Rate,
        count: u64,
        now: Instant,
    ) -> Result<(), Duration> {
        self.with(key, now, |meter| {
            filled(&mut meter.samples, rate, now).take(rate, count as f64)
        })
    }

    fn with<R>(&self, key: u64, now: Instant, then: impl FnOnce(&mut Meter) -> R) -> R {
        let key = key.max(OTHERS + 1);
        let shard = usize::try_from(key % SHARDS as u64).unwrap_or_default();
        let [first, ..] = &self.0;
        let shard = self.0.get(shard).unwrap_or(first);
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        let key = if shard.meters.contains_key(&key) || shard.has_room(now) {
            key
        } else {
            OTHERS
        };
        then(shard.meters.entry(key).or_default())
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        let len = |shard: &Mutex<Shard>| shard.lock().unwrap().meters.len();
        self.0.iter().map(len).sum()
    }
}

impl Shard {
    fn has_room(&mut self, now: Instant) -> bool {
        if self.meters.len() < MOST {
            return true;
        }
        let is_due = self
            .swept_at
            .is_none_or(|at| now.saturating_duration_since(at) >= SWEEP);
        if is_due {
            self.swept_at = Some(now);
            self.meters.retain(|_, meter| !meter.is_idle(now));
        }
        self.meters.len() < MOST
    }
}

#[cfg(test)]
mod tests;
