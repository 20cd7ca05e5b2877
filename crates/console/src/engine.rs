//! One sampler for all consoles: reads the registry, keeps the last minutes, and makes a snapshot once for everybody.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use model::Clock;
use service::health::Health;
use service::process::{Usage, usage};
use service::tasks::CancellationToken;
use service::telemetry::MetricsHandle;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::balance::{Balances, Sides};
use crate::history::History;
use crate::metrics;
use crate::picture::{Between, LOCAL, Marks, point, rounded};
use crate::reading::{Reader, Reading, count};
use crate::shapes::{Overview, Process, Readiness, Reason, Role};
use crate::watched::Watched;

/// Between two snapshots while somebody looks.
const OPEN: Duration = Duration::from_secs(1);

/// So many of these pass between two readings while nobody does.
const IDLE_TICKS: u32 = 5;

/// A reading that is younger is as good as another one.
const FRESH: Duration = Duration::from_millis(500);

/// What quantiles are of.
const MINUTE: Duration = Duration::from_secs(60);

/// What is known of a process from its start.
#[derive(Debug, Clone)]
pub struct About {
    /// What it does.
    pub role: Role,
    /// Its version.
    pub version: &'static str,
    /// The machine's name.
    pub hostname: String,
    /// `kafka` or `local`.
    pub buffer: &'static str,
    /// How long that keeps records.
    pub retention: Duration,
    /// The types of the stores, by name.
    pub stores: BTreeMap<String, String>,
}

/// What a console is made from, for one process.
pub(crate) struct Engine {
    about: About,
    started_at_ms: i64,
    started: Instant,
    health: Health,
    metrics: MetricsHandle,
    clock: Arc<dyn Clock>,
    stores: BTreeMap<String, Arc<Watched>>,
    state: Mutex<State>,
    frames: watch::Sender<Bytes>,
}

#[derive(Default)]
struct State {
    last: Option<Taken>,
    marks: VecDeque<(Instant, Marks)>,
    history: History,
    balances: Balances,
    overview: Option<Arc<Overview>>,
}

/// A reading, and when it was.
struct Taken {
    at: Instant,
    reading: Reading,
    usage: Usage,
}

impl Engine {
    pub(crate) fn new(
        about: About,
        health: Health,
        metrics: MetricsHandle,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let stores = about.stores.iter();
        let stores = stores
            .map(|(name, kind)| (name.clone(), Arc::new(Watched::new(kind.clone()))))
            .collect();
        Self {
            started_at_ms: clock.now_ms(),
            started: Instant::now(),
            about,
            health,
            metrics,
            clock,
            stores,
            state: Mutex::default(),
            frames: watch::Sender::new(Bytes::new()),
        }
    }

    /// Where a store's last words are noted; none of a store that is not in the settings.
    pub(crate) fn store(&self, name: &str) -> Option<Arc<Watched>> {
        self.stores.get(name).map(Arc::clone)
    }

    pub(crate) const fn about(&self) -> &About {
        &self.about
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads on, for as long as the process runs.
    pub(crate) async fn run(self: Arc<Self>, stopping: CancellationToken) {
        let mut ticks = interval(OPEN);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut idle_for = IDLE_TICKS;
        while stopping.run_until_cancelled(ticks.tick()).await.is_some() {
            let consoles = self.frames.receiver_count();
            metrics::open(consoles);
            idle_for += 1;
            if consoles > 0 || idle_for >= IDLE_TICKS {
                idle_for = 0;
                self.overview();
            }
        }
    }

    /// A snapshot that is not old. All open consoles get it.
    pub(crate) fn overview(&self) -> Arc<Overview> {
        let now = Instant::now();
        let mut state = self.state();
        if let (Some(overview), Some(last)) = (&state.overview, &state.last)
            && now.duration_since(last.at) < FRESH
        {
            return Arc::clone(overview);
        }
        let mut reader = Reader::default();
        // The reader takes everything.
        self.metrics.render_to(&mut reader).unwrap_or_default();
        let overview = Arc::new(self.snapshot(&mut state, reader.finish(), usage(), now));
        state.overview = Some(Arc::clone(&overview));
        if self.frames.receiver_count() > 0 {
            self.frames
                .send_replace(frame("snapshot", &json(&overview)));
        }
        drop(state);
        metrics::read(now.elapsed());
        overview
    }

    /// The history as the first event of a stream, and then a snapshot for each second: the next is the first that comes.
    pub(crate) fn subscribe(&self) -> (Bytes, watch::Receiver<Bytes>) {
        self.overview();
        let state = self.state();
        let mut first = frame("history", &state.history.json()).to_vec();
        if let Some(overview) = &state.overview {
            first.extend_from_slice(&frame("snapshot", &json(overview)));
        }
        let mut frames = self.frames.subscribe();
        frames.mark_unchanged();
        (first.into(), frames)
    }

    fn snapshot(
        &self,
        state: &mut State,
        reading: Reading,
        usage: Usage,
        now: Instant,
    ) -> Overview {
        let at_ms = self.clock.now_ms();
        state.marks.push_back((now, Marks::of(&reading)));
        // The oldest one is a minute old, or the first.
        while state
            .marks
            .get(1)
            .is_some_and(|(at, _)| now.duration_since(*at) >= MINUTE)
        {
            state.marks.pop_front();
        }
        let nothing = Marks::default();
        let since = state.last.as_ref().map_or(self.started, |last| last.at);
        let seconds = now.duration_since(since).as_secs_f64().max(0.001);
        let between = Between {
            now: &reading,
            before: state.last.as_ref().map(|last| &last.reading),
            minute_ago: state.marks.front().map_or(&nothing, |(_, marks)| marks),
            seconds,
        };
        let used_before = state.last.as_ref().and_then(|last| last.usage.cpu_seconds);
        let sides = self.sides();
        let stores = || {
            let of_settings = self.stores.iter();
            of_settings
                .map(|(name, watched)| between.store(name, watched))
                .collect()
        };
        let mut overview = Overview {
            at_ms,
            interval_s: rounded(seconds),
            process: Process {
                role: self.about.role,
                version: self.about.version.to_owned(),
                hostname: self.about.hostname.clone(),
                started_at_ms: self.started_at_ms,
                uptime_s: rounded(now.duration_since(self.started).as_secs_f64()),
                cpu_cores: usage
                    .cpu_seconds
                    .zip(used_before)
                    .map(|(now, before)| rounded((now - before) / seconds)),
                memory_bytes: usage.resident_bytes.map(count),
                consoles: self.frames.receiver_count(),
            },
            readiness: readiness(&self.health),
            gateway: sides.gateway.then(|| between.gateway()),
            buffer: between.buffer(self.about.buffer, self.about.retention.as_secs_f64()),
            partitions: between.partitions(sides.stores),
            stores: sides.stores.then(stores),
            ledger: state.balances.ledger(&reading, sides, now),
            point: BTreeMap::new(),
        };
        overview.point = point(&overview, &between);
        state.history.add(at_ms, &overview.point);
        state.last = Some(Taken {
            at: now,
            reading,
            usage,
        });
        overview
    }

    fn sides(&self) -> Sides {
        let role = self.about.role;
        Sides {
            gateway: role != Role::Consumer,
            stores: role != Role::Gateway,
            whole: role == Role::Standalone && self.about.buffer == LOCAL,
        }
    }
}

fn readiness(health: &Health) -> Readiness {
    let reasons: Vec<Reason> = health
        .reasons()
        .into_iter()
        .map(|(condition, reason)| Reason {
            condition: condition.to_owned(),
            reason,
        })
        .collect();
    Readiness {
        is_ready: reasons.is_empty(),
        reasons,
    }
}

fn json(overview: &Overview) -> String {
    // Texts, and numbers that are none become null.
    serde_json::to_string(overview).unwrap_or_default()
}

/// A server-sent event. JSON has no line breaks.
fn frame(event: &str, json: &str) -> Bytes {
    format!("event: {event}\ndata: {json}\n\n").into()
}

#[cfg(test)]
pub(crate) mod tests;
