//! What happens to groups while nobody pushes: repetition, being overdue, and the end.
//!
//! Times are multiples of the interval and ends are computed, so gateways that do this side by side write
//! identical samples, which stores collapse.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::stream::{self, StreamExt as _};
use service::log_limit::LogLimit;
use tokio::time::{Instant, sleep};

use super::group::Group;
use super::samples::Samples;
use super::{Groups, OWN_PROTOCOL, OWN_WORK, origin_of};
use crate::error::Error;
use crate::metrics;

/// How long after its time a beat happens: by then every gateway knows the pushes before it.
const SETTLING_MS: i64 = 2000;

/// How often it is said whether pushes are overdue, where values are not repeated.
const WITHOUT_REPEAT: Duration = Duration::from_secs(60);

/// Groups that end at the same time.
const ENDS_AT_A_TIME: usize = 32;

/// Samples that are given to the pipeline at a time.
const STEP: usize = 10_000;

/// Beats until it is dropped.
pub(crate) async fn run(groups: Arc<Groups>) {
    let interval_ms = interval_ms(&groups);
    let mut last_ms = at_or_before(groups.now_ms() - SETTLING_MS, interval_ms);
    let failures = LogLimit::new();
    loop {
        let now_ms = groups.now_ms();
        let due_ms = last_ms + interval_ms + SETTLING_MS;
        // A clock that was set back must not silence the groups until it is where it was.
        let wait_ms = (due_ms - now_ms).clamp(100, interval_ms + SETTLING_MS);
        sleep(Duration::from_millis(wait_ms.unsigned_abs())).await;
        let at_ms = at_or_before(groups.now_ms() - SETTLING_MS, interval_ms);
        if at_ms == last_ms {
            continue;
        }
        last_ms = at_ms;
        if let Err(error) = beat(&groups, at_ms).await
            && groups.pipeline.check_open().is_ok()
            && let Some(suppressed) = failures.pass()
        {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                suppressed,
                "pushed groups could not be repeated; the next time is in {} s",
                interval_ms / 1000
            );
        }
    }
}

fn interval(groups: &Groups) -> Duration {
    let repeat = groups.config.repeat.0;
    if repeat.is_zero() {
        WITHOUT_REPEAT
    } else {
        repeat
    }
}

fn interval_ms(groups: &Groups) -> i64 {
    i64::try_from(interval(groups).as_millis()).unwrap_or(i64::MAX)
}

fn at_or_before(at_ms: i64, interval_ms: i64) -> i64 {
    at_ms.div_euclid(interval_ms) * interval_ms
}

/// What is due at this time.
///
/// # Errors
/// A failure to store; the others are tried all the same.
pub(crate) async fn beat(groups: &Groups, at_ms: i64) -> Result<(), Error> {
    if groups.check_known().is_err() || groups.pipeline.check_open().is_err() {
        return Ok(());
    }
    groups.locks.tidy();
    let (all, bytes) = {
        let mut state = groups.state();
        state.tidy();
        (state.all(), state.bytes())
    };
    let now_ms = groups.now_ms();
    let overdue = all
        .iter()
        .filter(|(_, group)| group.is_overdue(now_ms) == Some(true))
        .count();
    metrics::push_groups(all.len(), bytes, overdue);
    let (ended, alive): (Vec<_>, Vec<_>) = all
        .into_iter()
        .partition(|(_, group)| groups.has_ended(group, now_ms));
    let mut outcome = repeat(groups, &alive, at_ms).await;
    // Where ends cannot be stored, each takes long; what is left ends at the next time.
    let until = Instant::now() + interval(groups) / 2;
    let mut ends = stream::iter(ended)
        .take_while(|_| std::future::ready(Instant::now() < until))
        .map(async |(key, group)| expire(groups, &key, &group).await)
        .buffer_unordered(ENDS_AT_A_TIME);
    while let Some(end) = ends.next().await {
        outcome = outcome.and(end);
    }
    outcome
}

/// Stores what the groups were at this time once more.
async fn repeat(groups: &Groups, alive: &[(Bytes, Arc<Group>)], at_ms: i64) -> Result<(), Error> {
    let is_repeating = !groups.config.repeat.0.is_zero();
    let mut outcome = Ok(());
    let mut rest = alive;
    while let Some((_, first)) = rest.first() {
        let mut samples = Samples::default();
        let mut taken = 0;
        for (key, group) in rest {
            if group.tenant != first.tenant || samples.len() > STEP {
                break;
            }
            taken += 1;
            // What changed since is newer than this time, and what changes now will be.
            let was_it =
                group.touched_ms() <= at_ms && groups.ends_ms(group).is_none_or(|end| end > at_ms);
            if !was_it || groups.locks.is_held(key) || is_changed(groups, key, group) {
                continue;
            }
            if is_repeating {
                samples.add_own(group, at_ms);
                samples.add_repeated(group, at_ms);
            } else {
                samples.add_overdue(group, at_ms);
            }
        }
        let decoded = samples.finish();
        if decoded.objects > 0 {
            let origin = origin_of(first);
            let stored = groups.pipeline.store(OWN_PROTOCOL, &origin, decoded).await;
            outcome = outcome.and(stored.map(drop));
        }
        rest = rest.get(taken..).unwrap_or_default();
    }
    outcome
}

fn is_changed(groups: &Groups, key: &Bytes, group: &Arc<Group>) -> bool {
    let now = groups.state().get(key);
    now.is_none_or(|now| !Arc::ptr_eq(&now, group))
}

/// Ends a group at the time that its last push and its time to live make.
async fn expire(groups: &Groups, key: &Bytes, group: &Arc<Group>) -> Result<(), Error> {
    let deadline = Instant::now() + OWN_WORK;
    let guard = groups.lock(key, deadline).await?;
    let Some(ends_ms) = groups.ends_ms(group) else {
        return Ok(());
    };
    if !is_changed(groups, key, group) {
        groups.end(key, group, ends_ms, deadline).await?;
    }
    drop(guard);
    Ok(())
}
