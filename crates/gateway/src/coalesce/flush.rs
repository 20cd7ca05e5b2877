//! The task of a shard: publishes windows in order, and settles tickets.
//!
//! The next window does not wait for the buffer's answers. When told to stop, the task publishes
//! what is there, and ends when all of it is answered.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use buffer::{Publish, PublishError};
use futures::stream::{FuturesUnordered, StreamExt as _};
use service::log_limit::LogLimit;
use service::tasks::CancellationToken;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::open::Sealed;
use super::shard::Shard;
use crate::error::publish_code;
use crate::metrics;

pub(super) async fn run<P: Publish>(
    shard: Arc<Shard>,
    publisher: Arc<P>,
    window: Duration,
    stopping: CancellationToken,
    alive: mpsc::Sender<()>,
) {
    let mut unanswered = FuturesUnordered::new();
    while !stopping.is_cancelled() {
        {
            let due = shard.due(window);
            tokio::pin!(due);
            loop {
                tokio::select! {
                    biased;
                    () = stopping.cancelled() => break,
                    () = &mut due => break,
                    Some(()) = unanswered.next(), if !unanswered.is_empty() => {}
                }
            }
        }
        shard.follow(publisher.max_record_bytes());
        unanswered.extend(publish_all(publisher.as_ref(), shard.take()));
    }
    unanswered.extend(publish_all(publisher.as_ref(), shard.close()));
    while unanswered.next().await.is_some() {}
    drop(alive);
}

/// Enqueues every record before the first future is polled, in order.
fn publish_all<P: Publish>(
    publisher: &P,
    (sealed, opened_at): (Vec<Sealed>, Option<Instant>),
) -> Vec<impl Future<Output = ()> + use<'_, P>> {
    if let Some(opened_at) = opened_at {
        metrics::window_closed(opened_at.elapsed());
    }
    sealed
        .into_iter()
        .map(
            |Sealed {
                 record,
                 claims,
                 samples,
             }| {
                let size_bytes = record.key.len() + record.value.len();
                metrics::record_published(size_bytes, samples);
                let published_at = Instant::now();
                let answer = publisher.publish(record);
                async move {
                    let result = answer.await;
                    let code = result.as_ref().err().map(publish_code);
                    metrics::record_settled(code, published_at.elapsed());
                    if let Err(error) = &result {
                        log(error);
                    }
                    claims.settle(&result);
                }
            },
        )
        .collect()
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
