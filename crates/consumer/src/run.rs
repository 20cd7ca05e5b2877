//! One pipeline: the loop that owns everything, and the writes that it starts.
//!
//! The loop alone reads events, fills lanes, moves frontiers and commits, so none of that needs a
//! lock. What takes time (writes, resumes, burials, decoding of much) runs beside it as tasks that
//! hand their work back.

mod dispatch;
mod intake;
mod leave;
mod tasks;
mod watch;

use std::collections::{BTreeMap, HashMap};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use buffer::{BuryDead, Commit, Drain, DrainError, Event};
use model::Clock;
use service::health::Condition;
use store::{Batching, Lane, Write};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::backoff::Backoff;
use crate::commits::Commits;
use crate::config::Config;
use crate::context::{Context, Logs};
use crate::decode::Decoded;
use crate::headroom::Alarms;
use crate::lane::LaneQueue;
use crate::ledger::{Counters, Ledger};
use crate::letter::Letter;
use crate::partition::Partition;
use crate::route::Router;

use leave::{Leaving, Shutdown};
use tasks::{Done, Flight};

/// Everything that one pipeline is made of.
pub struct Pipeline<D, W, B> {
    /// The store's name: in metrics, logs and dead letters.
    pub name: String,
    /// The store's own reader of the buffer.
    pub drain: D,
    /// The store.
    pub store: Arc<W>,
    /// Where records go that nobody can store.
    pub dead: Arc<B>,
    /// The settings.
    pub config: Config,
    /// For lag and headroom.
    pub clock: Arc<dyn Clock>,
    /// Starts the shutdown.
    pub stopping: CancellationToken,
    /// Met after the first assignment, or after `session_timeout` in a group that has no partition to give.
    pub ready: Condition,
}

impl<D, W, B> std::fmt::Debug for Pipeline<D, W, B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pipeline")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// How a pipeline ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// What became of the samples.
    pub ledger: Ledger,
    /// What was not done by the deadline of the shutdown, in words. Nothing of it is lost: it is not committed and is
    /// read again by the next start.
    pub late: Vec<String>,
}

/// Why a pipeline cannot go on. What it had written is committed as far as that was still possible.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The buffer cannot be read or committed to any more.
    #[error("store {store}: {source}")]
    Buffer {
        /// The pipeline.
        store: String,
        /// Why.
        source: DrainError,
    },
    /// A task of the pipeline panicked.
    #[error("store {store}: a defect ended {what}: {why}")]
    Defect {
        /// The pipeline.
        store: String,
        /// Which task.
        what: String,
        /// The panic's words.
        why: String,
    },
}

/// Feeds a store until `stopping` is cancelled and everything in memory is written and committed, or the deadline of
/// the shutdown has passed.
///
/// # Errors
/// When the buffer answers that it cannot go on, or when a task panicked. Nothing is lost then: what is not
/// committed is read again.
pub async fn run<D: Drain, W: Write, B: BuryDead>(
    pipeline: Pipeline<D, W, B>,
) -> Result<Report, Error> {
    let Pipeline {
        name,
        mut drain,
        store,
        dead,
        config,
        clock,
        stopping,
        ready,
    } = pipeline;
    let batching = store.batching();
    let router = Router::new(store.lanes(), batching);
    let context = Arc::new(Context {
        source: drain.source().to_owned(),
        counters: Counters::new(&name),
        name,
        store,
        dead,
        whole_records: router.whole_records(),
        backoff: Backoff {
            min: config.retry_min.0,
            max: config.retry_max.0,
        },
        logs: Logs::default(),
    });
    let now = Instant::now();
    let mut running = Running {
        commits: Commits::new(drain.committer(), &context.name),
        context: Arc::clone(&context),
        retention: drain.retention(),
        joined_at: Some(now + config.session_timeout.0),
        config,
        clock,
        batching,
        router,
        balance_not_before: now,
        partitions: BTreeMap::new(),
        lanes: BTreeMap::new(),
        graves: Vec::new(),
        tasks: JoinSet::new(),
        flights: HashMap::new(),
        wake: CancellationToken::new(),
        decoding: None,
        leaving: Vec::new(),
        shutdown: None,
        stopping,
        paused: false,
        tenures: 0,
        read_attempt: 0,
        read_not_before: now,
        ready,
        alarms: Alarms::default(),
        failure: None,
    };
    let ended = running.run(&mut drain).await;
    let mut late = running.stop(ended.is_ok()).await;
    let Running {
        shutdown, failure, ..
    } = running;
    let deadline = shutdown.map_or_else(|| Instant::now() + LAST_STEPS, |shutdown| shutdown.end);
    if timeout_at(deadline, drain.close()).await.is_err() {
        late.push("leaving the group".to_owned());
    }
    let ledger = context.counters.snapshot();
    for what in &late {
        tracing::warn!(
            store = context.name,
            late = what,
            "shutdown: not done in time"
        );
    }
    tracing::info!(
        store = context.name,
        consumed = ledger.consumed,
        written = ledger.written,
        dead_lettered = ledger.dead_lettered,
        skipped = ledger.skipped,
        "store is not fed any more"
    );
    ended?;
    match failure {
        Some(failure) => Err(failure),
        None => Ok(Report { ledger, late }),
    }
}

/// For commit and close when nothing says how long they may take.
const LAST_STEPS: Duration = Duration::from_secs(5);

struct Running<C, W, B> {
    context: Arc<Context<W, B>>,
    config: Config,
    clock: Arc<dyn Clock>,
    batching: Batching,
    router: Router,
    /// When names may be divided again.
    balance_not_before: Instant,
    /// How long the buffer keeps records.
    retention: Duration,
    commits: Commits<C>,
    partitions: BTreeMap<i32, Partition>,
    lanes: BTreeMap<Lane, LaneQueue>,
    /// Records that cannot be decoded, on their way to the dead letters.
    graves: Vec<Letter>,
    tasks: JoinSet<Done>,
    flights: HashMap<tokio::task::Id, Flight>,
    /// Ends the waits between two attempts of every task. Replaced when used.
    wake: CancellationToken,
    decoding: Option<JoinHandle<Vec<Decoded>>>,
    leaving: Vec<Leaving>,
    shutdown: Option<Shutdown>,
    stopping: CancellationToken,
    paused: bool,
    tenures: u64,
    /// Failures of reading in a row, and when to try again.
    read_attempt: u32,
    read_not_before: Instant,
    ready: Condition,
    alarms: Alarms,
    /// When silence means that the group has no partition for us.
    joined_at: Option<Instant>,
    /// Reading is over for good, for this reason.
    failure: Option<Error>,
}

impl<C: Commit, W: Write, B: BuryDead> Running<C, W, B> {
    async fn run<D: Drain<Committer = C>>(&mut self, drain: &mut D) -> Result<(), Error> {
        let mut ticks = interval(self.config.commit_interval.0);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut paused = false;
        loop {
            if paused || self.wants_pause() {
                paused = self.wants_pause();
                drain.pause(paused);
            }
            // One future until it answers: a read that is cut off by every write that ends would never end itself.
            let mut event = pin!(next(drain, self.read_not_before));
            let event = loop {
                self.dispatch();
                self.relieve();
                self.finish_handovers().await;
                self.notice_silence();
                if self.is_finished() {
                    return Ok(());
                }
                if paused != self.wants_pause() {
                    break None;
                }
                let deadline = self.next_deadline();
                let reads = self.decoding.is_none() && self.failure.is_none();
                // In this order: what frees memory before what takes it.
                tokio::select! {
                    biased;
                    Some(joined) = self.tasks.join_next_with_id() => self.joined(joined)?,
                    answer = self.commits.finished() => self.committed(answer),
                    () = self.stopping.cancelled(), if self.shutdown.is_none() => self.begin_shutdown(),
                    _ = ticks.tick() => self.tick(),
                    () = sleep_until(deadline) => {}
                    decoded = decoded(&mut self.decoding) => self.decoded(decoded)?,
                    event = &mut event, if reads => break Some(event),
                }
            };
            if let Some(event) = event {
                self.event(event);
            }
        }
    }

    fn wants_pause(&self) -> bool {
        self.paused || self.shutdown.is_some()
    }

    fn buffer_failed(&mut self, source: DrainError) {
        if self.failure.is_none() {
            tracing::error!(
                store = self.context.name,
                error = &source as &dyn std::error::Error,
                "the buffer cannot be read any more; writing what is in memory"
            );
            self.failure = Some(Error::Buffer {
                store: self.context.name.clone(),
                source,
            });
            self.begin_shutdown();
        }
    }
}

async fn next<D: Drain>(drain: &mut D, not_before: Instant) -> Result<Event, DrainError> {
    if not_before > Instant::now() {
        sleep_until(not_before).await;
    }
    drain.next().await
}

async fn decoded(
    decoding: &mut Option<JoinHandle<Vec<Decoded>>>,
) -> Result<Vec<Decoded>, tokio::task::JoinError> {
    match decoding {
        None => std::future::pending().await,
        Some(handle) => {
            let decoded = handle.await;
            *decoding = None;
            decoded
        }
    }
}

#[cfg(test)]
mod tests;
