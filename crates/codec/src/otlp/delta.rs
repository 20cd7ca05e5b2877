//! Delta points added up: what each series has counted since it was first seen here.
//!
//! Bounded in bytes: when all are taken, new series and further buckets are refused, and known ones go on. A series
//! that nothing came of for a while is forgotten, and begins again at zero with a new start time. A point that is sent
//! again gets the same answer and is not counted twice; one that is older than what is counted is refused.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use model::{Code, Refusal};

use super::exponential::Exponential;
use super::histogram::Explicit;
use super::translate::to_ms;

/// What an entry takes beside its key and its buckets, about.
const ENTRY_BYTES: usize = 200;

/// How often all entries may be looked at for old ones.
const SWEEP_MS: i64 = 1000;

/// What a data point counted.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Amount {
    Number(f64),
    Explicit(Explicit),
    Exponential(Exponential),
}

/// When a point counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start_ns: u64,
    pub(super) at_ns: u64,
}

/// The sums of all series with delta temporality that a process has seen lately.
#[derive(Debug)]
pub struct Deltas {
    max_bytes: usize,
    expiry_ms: i64,
    sums: Mutex<Sums>,
}

#[derive(Debug, Default)]
struct Sums {
    series: HashMap<Box<[u8]>, Sum, RandomState>,
    bytes: usize,
    swept_ms: i64,
}

#[derive(Debug, Clone)]
struct Sum {
    amount: Amount,
    start_ns: u64,
    last: Span,
    seen_ms: i64,
    bytes: usize,
}

impl Deltas {
    /// Sums of at most so many bytes, each kept until nothing came of it for `expiry`.
    #[must_use]
    pub fn new(max_bytes: usize, expiry: Duration) -> Self {
        Self {
            max_bytes,
            expiry_ms: i64::try_from(expiry.as_millis()).unwrap_or(i64::MAX),
            sums: Mutex::default(),
        }
    }

    /// How many series are known.
    #[must_use]
    pub fn series(&self) -> usize {
        self.lock().series.len()
    }

    /// Adds a point to its series: when the series began, in Unix milliseconds, and its sum.
    pub(super) fn add(
        &self,
        key: &[u8],
        span: Span,
        amount: Amount,
        now_ms: i64,
    ) -> Result<(i64, Amount), Refusal> {
        let mut sums = self.lock();
        let is_old = |sum: &Sum| now_ms.saturating_sub(sum.seen_ms) > self.expiry_ms;
        // Other or more buckets make a known series larger, at most by those of the point.
        let bytes = size(key, &amount);
        if sums.bytes + bytes > self.max_bytes
            && now_ms.saturating_sub(sums.swept_ms).abs() >= SWEEP_MS
        {
            sums.swept_ms = now_ms;
            sums.series.retain(|_, sum| !is_old(sum));
            sums.bytes = sums.series.values().map(|sum| sum.bytes).sum();
        }
        let all_bytes = sums.bytes;
        let is_tight = all_bytes + bytes > self.max_bytes;
        if let Some(sum) = sums.series.get_mut(key) {
            if !is_old(sum) {
                let before = sum.bytes;
                let undo = is_tight.then(|| sum.clone());
                sum.take(span, amount, now_ms)?;
                sum.bytes = size(key, &sum.amount);
                let after = (all_bytes + sum.bytes).saturating_sub(before);
                if let Some(undo) = undo
                    && sum.bytes > before
                    && after > self.max_bytes
                {
                    *sum = undo;
                    return Err(self.full(sums.series.len()));
                }
                let answer = (to_ms(sum.start_ns), sum.amount.clone());
                sums.bytes = after;
                return Ok(answer);
            }
            sums.remove(key);
        }
        if sums.bytes + bytes > self.max_bytes {
            return Err(self.full(sums.series.len()));
        }
        sums.bytes += bytes;
        let sum = Sum {
            amount: amount.clone(),
            start_ns: span.start_ns,
            last: span,
            seen_ms: now_ms,
            bytes,
        };
        sums.series.insert(key.into(), sum);
        Ok((to_ms(span.start_ns), amount))
    }

    fn full(&self, series: usize) -> Refusal {
        let message = format!(
            "the sums of {series} delta series take all of otlp.delta_max_memory ({} bytes); \
             raise it, or let the SDK prefer cumulative temporality",
            self.max_bytes
        );
        Refusal::new(Code::TooManySeries, message)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Sums> {
        // Nothing in here stops half way.
        self.sums.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sums {
    fn remove(&mut self, key: &[u8]) {
        if let Some(sum) = self.series.remove(key) {
            self.bytes = self.bytes.saturating_sub(sum.bytes);
        }
    }
}

impl Sum {
    fn take(&mut self, span: Span, amount: Amount, now_ms: i64) -> Result<(), Refusal> {
        // The sender did not hear our answer.
        if span == self.last {
            self.seen_ms = now_ms;
            return Ok(());
        }
        if span.at_ns <= self.last.at_ns {
            let message = format!(
                "the delta point is of {} ms, but its series is counted up to {} ms already",
                to_ms(span.at_ns),
                to_ms(self.last.at_ns)
            );
            return Err(Refusal::new(Code::OutOfOrder, message));
        }
        if !self.amount.add(&amount) {
            // Other buckets: it starts anew.
            self.amount = amount;
            self.start_ns = span.start_ns;
        }
        self.last = span;
        self.seen_ms = now_ms;
        Ok(())
    }
}

impl Amount {
    fn add(&mut self, delta: &Self) -> bool {
        match (self, delta) {
            (Self::Number(sum), Self::Number(more)) => {
                *sum += more;
                true
            }
            (Self::Explicit(sum), Self::Explicit(more)) => sum.add(more),
            (Self::Exponential(sum), Self::Exponential(more)) => sum.add(more),
            _ => false,
        }
    }
}

fn size(key: &[u8], amount: &Amount) -> usize {
    let buckets = match amount {
        Amount::Number(_) => 0,
        Amount::Explicit(explicit) => explicit.counts.len() + explicit.bounds.len(),
        Amount::Exponential(histogram) => {
            2 * (histogram.positive.0.len() + histogram.negative.0.len())
        }
    };
    ENTRY_BYTES + key.len() + 8 * buckets
}

/// What identifies a series: tenant, name, and labels, sorted.
pub(super) fn key(tenant: &str, name: &str, labels: &[(&str, &str)]) -> Vec<u8> {
    let texts = [tenant, name].into_iter();
    let texts = texts.chain(labels.iter().flat_map(|(name, value)| [*name, *value]));
    let mut key = Vec::with_capacity(128);
    for text in texts {
        key.extend_from_slice(&text.len().to_le_bytes());
        key.extend_from_slice(text.as_bytes());
    }
    key
}
