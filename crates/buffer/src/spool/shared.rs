//! What publishing, draining and watching share.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use model::Clock;
use service::health::Health;
use service::log_limit::LogLimit;
use tokio::time::Instant;

use super::lanes::{Appending, Lanes};
use super::late::Late;
use crate::local::{Log, MAX_RECORD_BYTES, Writer};
use crate::metrics::spool as metrics;
use crate::{PublishError, Record};

/// The settings, as they are needed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) after: Duration,
    pub(super) max_bytes: u64,
    pub(super) max_age: Duration,
    /// Of the bytes on their way to the upstream, more than 0 and less than 1.
    pub(super) backlog_share: f64,
    pub(super) window_bytes: usize,
}

/// One spool.
pub(super) struct Shared<P> {
    pub(super) upstream: Arc<P>,
    pub(super) log: Log,
    pub(super) writer: Writer,
    pub(super) limits: Limits,
    pub(super) lanes: Lanes,
    pub(super) late: Late,
    /// Whether the upstream says that it takes records.
    pub(super) upstream_health: Health,
    /// Whether the log does.
    pub(super) log_health: Health,
    /// Bytes of fresh records that are on their way to the upstream.
    pub(super) fresh_bytes: AtomicUsize,
    /// How far the drain is.
    pub(super) backlog: Progress,
    /// Time that a jump of the clock does not change.
    pub(super) steady: Steady,
    pub(super) clock: Arc<dyn Clock>,
    reason: Mutex<Arc<str>>,
}

/// How far the drain is.
#[derive(Debug)]
pub(super) struct Progress {
    /// The next offset of the log that is read.
    pub(super) position: AtomicU64,
    /// Records that were read and are not with the upstream.
    pub(super) held: AtomicUsize,
    /// When the oldest of them was received; [`i64::MAX`] without one.
    pub(super) oldest_ms: AtomicI64,
    /// Whether nothing of what was sent last was taken.
    pub(super) is_stuck: AtomicBool,
    /// Whether the log cannot be read any more: nothing is put into it then.
    pub(super) is_broken: AtomicBool,
}

impl Default for Progress {
    fn default() -> Self {
        Self {
            position: AtomicU64::new(0),
            held: AtomicUsize::new(0),
            oldest_ms: AtomicI64::new(i64::MAX),
            is_stuck: AtomicBool::new(false),
            is_broken: AtomicBool::new(false),
        }
    }
}

/// Unix time that goes on evenly while the process runs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Steady {
    started: Instant,
    started_ms: i64,
}

impl Steady {
    pub(super) fn from(now_ms: i64) -> Self {
        Self {
            started: Instant::now(),
            started_ms: now_ms,
        }
    }

    pub(super) fn now_ms(self) -> i64 {
        let elapsed = i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX);
        self.started_ms.saturating_add(elapsed)
    }
}

impl<P> Shared<P> {
    pub(super) fn new(
        upstream: Arc<P>,
        log: Log,
        limits: Limits,
        (upstream_health, log_health): (Health, Health),
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            upstream,
            writer: log.writer(),
            log,
            limits,
            lanes: Lanes::new(),
            late: Late::default(),
            upstream_health,
            log_health,
            fresh_bytes: AtomicUsize::new(0),
            backlog: Progress::default(),
            steady: Steady::from(clock.now_ms()),
            clock,
            reason: Mutex::new(Arc::from("nothing was sent yet")),
        }
    }

    /// Enqueues a record for the log before it returns.
    pub(super) fn append(&self, record: Record) -> Appending {
        let size_bytes = record.key.len() + record.value.len();
        let appended = self.writer.append(record);
        Box::pin(async move {
            let appended = appended.await;
            metrics::appended(appended.is_ok(), size_bytes);
            appended
        })
    }

    /// How many records are in the log and not with the upstream, as far as is known.
    pub(super) fn waiting_records(&self) -> u64 {
        let position = self.backlog.position.load(Ordering::Acquire);
        let unread = self.log.end().saturating_sub(position);
        unread + self.backlog.held.load(Ordering::Acquire) as u64
    }

    /// Whether the log may be used.
    pub(super) fn is_usable(&self) -> bool {
        !self.backlog.is_broken.load(Ordering::Acquire)
    }

    /// What the upstream said last.
    pub(super) fn reason(&self) -> Arc<str> {
        let reason = self.reason.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&reason)
    }

    /// Takes note of why the upstream does not take records.
    pub(super) fn note(&self, reason: &str) {
        let mut kept = self.reason.lock().unwrap_or_else(PoisonError::into_inner);
        if **kept != *reason {
            *kept = Arc::from(reason);
        }
    }

    /// Whether the log holds as much as it may.
    pub(super) fn is_full(&self) -> bool {
        self.log.size_bytes() + MAX_RECORD_BYTES as u64 > self.limits.max_bytes
    }

    /// Records go to the log from now on.
    pub(super) fn say_tripped(&self, reason: &str) {
        static LIMIT: LogLimit = LogLimit::new();
        if let Some(suppressed) = LIMIT.pass() {
            tracing::warn!(
                reason,
                suppressed,
                "kafka does not take records in time; they go to the spool"
            );
        }
    }

    /// No part is tripped any more.
    pub(super) fn say_closed(&self) {
        static LIMIT: LogLimit = LogLimit::new();
        if let Some(suppressed) = LIMIT.pass() {
            tracing::info!(
                waiting_records = self.waiting_records(),
                waiting_bytes = self.log.size_bytes(),
                suppressed,
                "kafka takes records again"
            );
        }
    }

    /// A part of the upstream takes records.
    pub(super) fn close_lane(&self, part: usize) {
        if self.lanes.close(part) {
            self.say_closed();
        }
    }

    /// What to answer when neither takes a record.
    pub(super) fn neither(&self, upstream: &str, spool: PublishError) -> PublishError {
        match spool {
            PublishError::Full(_) if self.is_full() => {
                let max_size = service::units::Size(self.limits.max_bytes);
                PublishError::Full(format!(
                    "kafka does not take records ({upstream}), and the spool is full: {max_size} wait for it already (spool.max_size)"
                ))
            }
            PublishError::Full(why) => PublishError::Full(format!(
                "kafka does not take records ({upstream}), nor does the spool: {why}"
            )),
            PublishError::QueueFull => PublishError::QueueFull,
            other => PublishError::Unconfirmed(format!("{upstream}; and the spool: {other}")),
        }
    }
}

impl<P> std::fmt::Debug for Shared<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared")
            .field("log", &self.log)
            .field("lanes", &self.lanes.tripped())
            .field("backlog", &self.backlog)
            .finish_non_exhaustive()
    }
}
