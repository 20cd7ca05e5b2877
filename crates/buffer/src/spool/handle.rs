//! A handle of the spool: opening it, finishing it, closing it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use service::health::{Condition, Health};
use service::units::{Period, Size};
use tokio::time::{Instant, sleep};

use super::backlog::Backlog;
use super::config::{Config, Place};
use super::drain::Drainer;
use super::shared::{Limits, Shared};

use super::Upstream;
use crate::local::{self, Log, OpenError, Start};
use crate::metrics::spool as metrics;
use crate::{Commit as _, Drain as _, Publish as _};

/// The name of the one reader.
const READER: &str = "upstream";

/// Records wait for Kafka, not for time to pass: the drain decides what waited too long.
const FOR_EVER: Duration = Duration::from_hours(24 * 365 * 100);

const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Longer than the pause between two attempts to send.
const GIVE_UP_AFTER: Duration = Duration::from_secs(3);

/// An upstream with a spool behind it. Clones are the same.
#[derive(Debug)]
pub struct Spooled<P>(pub(super) Arc<Shared<P>>);

impl<P> Clone for Spooled<P> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<P: Upstream> Spooled<P> {
    /// Opens the spool, or makes one. What is in it is sent on as soon as the drainer runs. Blocks shortly.
    ///
    /// `readiness` is met while the upstream or the spool takes records, as the drainer finds.
    ///
    /// # Errors
    /// When the folder is not a spool, another process has it, or the disk fails.
    pub async fn open(
        upstream: Arc<P>,
        config: &Config,
        place: &Place,
        readiness: Condition,
    ) -> Result<(Self, Drainer<P>), OpenError> {
        let log_health = Health::new();
        let log = Log::open(
            &place.dir,
            &log_config(config),
            FOR_EVER,
            Arc::clone(&place.clock),
            log_health.condition("spool", "opening"),
        )?;
        let failed = |error| OpenError::Failed {
            dir: place.dir.clone(),
            source: Box::new(error),
        };
        let reader = log.reader(READER, Start::Cursor).await.map_err(failed)?;
        let committer = reader.committer();
        metrics::limit(config.max_size.0);
        let limits = Limits {
            after: config.after.0,
            max_bytes: config.max_size.0,
            max_age: config.max_age(place.retention),
            backlog_share: config.backlog_share,
            window_bytes: place.window_bytes,
        };
        let health = (Health::new(), log_health);
        let clock = Arc::clone(&place.clock);
        let shared = Arc::new(Shared::new(upstream, log, limits, health, clock));
        let states = committer.state();
        let committed = states.first().and_then(|state| state.committed);
        let position = u64::try_from(committed.unwrap_or_default()).unwrap_or_default();
        shared.backlog.position.store(position, Ordering::Release);
        let drainer = Drainer {
            shared: Arc::clone(&shared),
            reader,
            committer,
            backlog: Backlog::default(),
            position: 0,
            committed: 0,
            readiness,
            was_ready: false,
        };
        Ok((Self(shared), drainer))
    }

    /// What the upstream says about itself is met or not here; the spool decides what that means for readiness.
    #[must_use]
    pub fn upstream_condition(&self, reason: impl Into<String>) -> Condition {
        self.0.upstream_health.condition("kafka", reason)
    }

    /// How many records wait for the upstream.
    #[must_use]
    pub fn waiting_records(&self) -> u64 {
        self.0.waiting_records()
    }

    /// The log below, for whoever wants to look into it.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.0.log
    }

    /// Waits until the disk has what was appended, and the upstream what it takes within the deadline. The rest stays
    /// for the next start. Answers how many records are nowhere.
    pub(super) async fn finish(&self, deadline: Duration) -> usize {
        let until = Instant::now() + deadline;
        let open = self.0.writer.flush(deadline).await;
        let mut hopeful_at = Instant::now();
        while self.0.waiting_records() > 0 && Instant::now() < until {
            if !self.is_in_vain() {
                hopeful_at = Instant::now();
            } else if hopeful_at.elapsed() >= GIVE_UP_AFTER {
                break;
            }
            sleep(LOOK_EVERY).await;
        }
        let records = self.0.waiting_records();
        if records > 0 {
            tracing::warn!(
                records,
                bytes = self.0.log.size_bytes(),
                reason = &*self.0.reason(),
                "records stay in the spool; the next start sends them"
            );
        }
        open
    }

    fn is_in_vain(&self) -> bool {
        let shared = &self.0;
        shared.backlog.is_stuck.load(Ordering::Acquire)
            || !shared.is_usable()
            || !shared.upstream_health.is_ready()
    }

    /// Closes the files. The drainer has to have ended.
    pub async fn close(&self) {
        self.0.log.close().await;
    }
}

fn log_config(config: &Config) -> local::Config {
    local::Config {
        max_size: config.max_size,
        // What Kafka refuses for good is little, or something is wrong with the topic.
        dead_letters_max_size: Size(config.max_size.0 / 16).clamp(Size::mib(1), Size::mib(64)),
        dead_letters_retention: Period(Duration::from_hours(7 * 24)),
        ..local::Config::default()
    }
}
