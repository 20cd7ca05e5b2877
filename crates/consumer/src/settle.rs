//! Writes a batch until every sample of it is in the store or with the dead letters.

use std::sync::Arc;
use std::time::Duration;

use buffer::{BuryDead, PublishError};
use futures::future::join_all;
use store::{Batch, Write, WriteError};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::context::Context;
use crate::letter::Letter;
use crate::metrics;
use crate::split::{Halved, halve, size};
use crate::work::Work;

/// So many dead letters are on their way at once.
const LETTERS_AT_ONCE: usize = 64;

/// Works until nothing remains, or until `wake` ends a wait between two attempts: then partitions may have gone,
/// and whoever called looks at the rest. An attempt itself is never cut off.
pub(crate) async fn settle<W: Write, B: BuryDead>(
    context: Arc<Context<W, B>>,
    mut work: Work,
    wake: CancellationToken,
) -> Work {
    loop {
        if let Some(not_before) = work.not_before {
            tokio::select! {
                biased;
                () = wake.cancelled() => return work,
                () = tokio::time::sleep_until(not_before) => work.not_before = None,
            }
        }
        work.drop_ended(&context.counters);
        if work.letters.len() >= LETTERS_AT_ONCE || work.todo.is_empty() {
            bury(&context, &mut work).await;
            if work.is_settled() {
                return work;
            }
        } else if let Some(batch) = work.todo.pop() {
            write(&context, &mut work, batch).await;
        }
    }
}

async fn write<W: Write, B: BuryDead>(context: &Context<W, B>, work: &mut Work, batch: Batch) {
    let name = context.name.as_str();
    let samples = batch.samples();
    let started = Instant::now();
    let answer = context.store.write(&batch).await;
    let took = started.elapsed();
    match answer {
        Ok(()) => {
            metrics::write(name, "ok", took);
            if work.attempt > 1 {
                tracing::info!(
                    store = name,
                    attempts = work.attempt,
                    "store takes batches again"
                );
            }
            work.attempt = 0;
            work.run.broken();
            work.settled(samples);
            let left_out = context.store.left_out(&batch);
            let skipped = left_out.map_or(0, |left| left.samples);
            if let Some(left) = left_out {
                context.counters.left_out(left.reason, left.samples);
            }
            context.counters.written(samples.saturating_sub(skipped));
        }
        Err(WriteError::Retryable {
            message,
            retry_after,
        }) => {
            metrics::write(name, "retryable", took);
            let reason = match retry_after {
                Some(_) => "asked_to_wait",
                None => "unavailable",
            };
            let wait = retry(context, work, reason, retry_after);
            if let Some(suppressed) = context.logs.retried.pass() {
                tracing::warn!(
                    store = name,
                    reason,
                    message,
                    attempt = work.attempt,
                    samples,
                    wait_ms = wait.as_millis(),
                    suppressed,
                    "store did not take a batch; it is written again"
                );
            }
            work.todo.push(batch);
        }
        Err(WriteError::Refused { reason, message }) => {
            metrics::write(name, "refused", took);
            work.attempt = 0;
            refused(context, work, batch, reason, &message);
        }
    }
}

fn refused<W, B>(
    context: &Context<W, B>,
    work: &mut Work,
    batch: Batch,
    reason: &'static str,
    message: &str,
) {
    let samples = batch.samples();
    let size = size(&batch.items);
    let lane = batch.lane;
    let halved = if work.run.gives_up_on(reason, size) {
        Halved::Whole(batch.items)
    } else {
        halve(batch.items, context.whole_records)
    };
    match halved {
        Halved::Halves(first, second) => {
            work.todo.push(Batch {
                lane,
                items: second,
            });
            work.todo.push(Batch { lane, items: first });
        }
        Halved::Whole(items) => {
            work.run.refused(reason, size);
            if let Some(suppressed) = context.logs.refused.pass() {
                let source = items.first().map(|item| item.source);
                tracing::warn!(
                    store = context.name,
                    reason,
                    message,
                    samples,
                    partition = source.map(|source| source.partition),
                    offset = source.map(|source| source.offset),
                    suppressed,
                    "store refused samples for good; they go to the dead letters"
                );
            }
            let letters = Letter::of_samples(items, reason, message, &work.keys);
            work.letters.extend(letters);
        }
    }
}

/// Buries the letters, some at once. Those that are not confirmed stay.
async fn bury<W: Write, B: BuryDead>(context: &Context<W, B>, work: &mut Work) {
    let mut letters = std::mem::take(&mut work.letters);
    let mut failure = None;
    while !letters.is_empty() && failure.is_none() {
        let rest = letters.split_off(letters.len().min(LETTERS_AT_ONCE));
        let now = std::mem::replace(&mut letters, rest);
        let answers = join_all(now.into_iter().map(|letter| bury_one(context, letter))).await;
        for (letter, answer) in answers {
            match answer {
                Ok(()) => buried(context, work, &letter),
                Err(PublishError::TooLarge { .. }) if letter.is_divisible() => {
                    work.letters.extend(letter.halve());
                }
                Err(error) => {
                    work.letters.push(letter);
                    failure = Some(error);
                }
            }
        }
    }
    work.letters.append(&mut letters);
    match failure {
        None => work.attempt = 0,
        Some(error) => {
            let wait = retry(context, work, "dead_letter", None);
            if let Some(suppressed) = context.logs.not_buried.pass() {
                tracing::error!(
                    store = context.name,
                    error = &error as &dyn std::error::Error,
                    letters = work.letters.len(),
                    attempt = work.attempt,
                    wait_ms = wait.as_millis(),
                    suppressed,
                    "dead letters cannot be written; their partitions stop until they can"
                );
            }
        }
    }
}

async fn bury_one<W, B: BuryDead>(
    context: &Context<W, B>,
    letter: Letter,
) -> (Letter, Result<(), PublishError>) {
    let sealed = letter.seal(&context.name, &context.source);
    let answer = context.dead.bury(sealed).await;
    (letter, answer)
}

fn buried<W, B>(context: &Context<W, B>, work: &Work, letter: &Letter) {
    match letter.samples() {
        Some(samples) => {
            work.settled(samples);
            context.counters.dead_lettered(letter.reason, samples);
        }
        None => context.counters.record_dead_lettered(letter.reason),
    }
}

fn retry<W, B>(
    context: &Context<W, B>,
    work: &mut Work,
    reason: &'static str,
    retry_after: Option<Duration>,
) -> Duration {
    metrics::retry(&context.name, reason);
    work.attempt = work.attempt.saturating_add(1);
    let wait = context.backoff.wait(work.attempt, retry_after);
    work.not_before = Some(Instant::now() + wait);
    wait
}
