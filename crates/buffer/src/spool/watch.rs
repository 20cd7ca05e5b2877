//! Shows what the spool holds, and whether records can be taken at all.

use std::sync::atomic::Ordering;
use std::time::Duration;

use service::health::{Condition, Health};
use tokio::time::{Instant, sleep};

use super::Upstream;
use super::shared::Shared;
use crate::metrics::spool as metrics;

const EVERY: Duration = Duration::from_millis(250);

/// How long a process that has just started waits for the upstream before it says that the spool will do: a restart
/// beside a healthy Kafka then spools nothing.
const START_PATIENCE: Duration = Duration::from_secs(10);

/// Never ends: drop it.
pub(super) async fn run<P: Upstream>(shared: &Shared<P>, readiness: &Condition) {
    let started = Instant::now();
    let mut was_ready = false;
    loop {
        show(shared);
        let upstream = reason(&shared.upstream_health);
        was_ready |= upstream.is_none();
        let is_starting = !was_ready && started.elapsed() < START_PATIENCE;
        match why_not(shared).or(upstream.filter(|_| is_starting)) {
            None => readiness.ready(),
            Some(why) => readiness.not_ready(why),
        }
        sleep(EVERY).await;
    }
}

fn show<P: Upstream>(shared: &Shared<P>) {
    let oldest_ms = shared.backlog.oldest_ms.load(Ordering::Acquire);
    let age_ms = shared.steady.now_ms().saturating_sub(oldest_ms).max(0);
    metrics::holds(
        shared.waiting_records(),
        shared.log.size_bytes(),
        Duration::from_millis(age_ms.unsigned_abs()),
    );
    metrics::circuits(shared.lanes.tripped());
}

/// Why no record can be taken; none while the upstream or the spool takes them.
fn why_not<P: Upstream>(shared: &Shared<P>) -> Option<String> {
    let spool = why_not_spool(shared);
    let is_stuck = shared.backlog.is_stuck.load(Ordering::Acquire) && shared.lanes.tripped() > 0;
    let upstream = match reason(&shared.upstream_health) {
        Some(reason) => Some(reason),
        None if is_stuck => Some(shared.reason().to_string()),
        None => None,
    };
    Some(format!("kafka: {}; spool: {}", upstream?, spool?))
}

fn why_not_spool<P: Upstream>(shared: &Shared<P>) -> Option<String> {
    if !shared.is_usable() {
        return Some("it cannot be read, the log says why".to_owned());
    }
    let reason = reason(&shared.log_health)?;
    if shared.is_full() {
        let max_size = service::units::Size(shared.limits.max_bytes);
        return Some(format!("it is full: {max_size} wait (spool.max_size)"));
    }
    Some(reason)
}

fn reason(health: &Health) -> Option<String> {
    health.reasons().into_iter().next().map(|(_, why)| why)
}
