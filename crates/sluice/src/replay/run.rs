//! A replay from its first to its last sample: starts the pipeline, watches it, remembers how far it is.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use consumer::{Pipeline, Report};
use service::health::Health;
use service::tasks::CancellationToken;
use service::units::Period;
use tokio::task::JoinSet;

use super::bar::{Bar, Look};
use super::drain::{Replaying, Wanted};
use super::pace::Pace;
use super::plan::Span;
use super::positions::Positions;
use super::report::{Ending, missing};
use super::state::{Identity, State, StateFile};
use super::tally::Tally;
use super::target::{Chosen, Target};
use super::{Arguments, Outcome};
use crate::settings::Settings;
use crate::signals::Signals;
use crate::stores::Opened;
use crate::tools::Usage;
use crate::tools::filter::Filter;
use crate::tools::output::{has_watcher, put, say};
use crate::tools::source::Source;

/// Between two looks at how far it is.
const LOOK: Duration = Duration::from_millis(250);

/// Between two notes of it on disk.
const SAVE: Duration = Duration::from_secs(1);

/// Between two lines where nobody watches.
const SAY: Duration = Duration::from_secs(10);

/// The name of the pipeline in logs.
const NAME: &str = "replay";

pub(crate) async fn run(settings: &Settings, arguments: &Arguments) -> anyhow::Result<Outcome> {
    let to = arguments.to.as_deref().unwrap_or_default();
    let config = Target::parse(to).config(settings)?;
    let filter = Filter::new(&arguments.chosen).map_err(Usage::of)?;
    let source = Source::open(settings)?;
    let file = match &arguments.state {
        Some(path) => StateFile(path.clone()),
        None => StateFile::default_for(&settings.data_dir, to),
    };
    let _lock = file.lock()?;
    let identity = Identity {
        buffer: source.id(settings),
        to: to.to_owned(),
        choice: arguments.which.text(&arguments.chosen),
    };
    let known = if arguments.restart {
        None
    } else {
        file.load()?
    };
    let (state, absent) = match known {
        Some(state) if state.identity == identity => {
            say(&format!(
                "sluice: goes on with the replay that {} remembers; --restart begins anew\n",
                file.0.display()
            ));
            (state, 0)
        }
        Some(_) => {
            return Err(Usage::of(format!(
                "{} remembers an unfinished replay with other options; repeat those, or say --restart, or name another \
                 file with --state",
                file.0.display()
            )));
        }
        None => begin(&source, settings, arguments, identity).await?,
    };
    // Before anything is written: it must be possible to go on.
    file.save(&state)?;
    // Offsets are of this buffer, and not of the consumer that fills the same kind of store.
    let name = format!("{NAME} of {}", state.identity.buffer);
    let store = crate::stores::open(&config, NAME, &name, &settings.data_dir)?;
    let tally = Arc::new(Tally::default());
    let replay = Replay {
        positions: Arc::new(Positions::new(&state.spans, &state.next)),
        written_before: state.written,
        missed_before: state.missed.saturating_sub(absent),
        state,
        file,
        tally: Arc::clone(&tally),
        missing: absent,
        started: Instant::now(),
    };
    let store = Chosen {
        store,
        filter: filter.clone(),
        pace: Pace::new(arguments.rate),
        tally,
    };
    let outcome = replay.run(settings, &source, store, filter).await;
    source.close().await;
    outcome
}

/// A replay that nothing is remembered of.
async fn begin(
    source: &Source,
    settings: &Settings,
    arguments: &Arguments,
    identity: Identity,
) -> anyhow::Result<(State, u64)> {
    let now_ms = service::clock::now_ms();
    let choice = arguments
        .which
        .look(source, settings, &arguments.chosen, now_ms)
        .await?;
    say(&missing(&choice.plan));
    let absent = choice.plan.missing.iter().map(Span::len).sum();
    let received_ms = choice.wanted.received_ms;
    let mut state = State::new(identity, choice.plan.spans, received_ms);
    // For who goes on, should this run end before it notes anything.
    state.missed = absent;
    Ok((state, absent))
}

struct Replay {
    state: State,
    file: StateFile,
    positions: Arc<Positions>,
    tally: Arc<Tally>,
    /// Samples that the store took in earlier runs.
    written_before: u64,
    /// What was missed in earlier runs.
    missed_before: u64,
    missing: u64,
    started: Instant,
}

impl Replay {
    async fn run(
        mut self,
        settings: &Settings,
        source: &Source,
        store: Chosen<Opened>,
        filter: Filter,
    ) -> anyhow::Result<Outcome> {
        let report = if self.positions.is_done() {
            Report {
                ledger: consumer::Ledger::default(),
                late: Vec::new(),
            }
        } else {
            self.feed(settings, source, store, filter).await?
        };
        let (done, total) = self.positions.progress();
        let ending = Ending {
            tally: &self.tally,
            ledger: report.ledger,
            written_before: self.written_before,
            done,
            total,
            missing: self.missing,
            missed_before: self.missed_before,
            took: self.started.elapsed(),
        };
        if !ending.is_stopped() {
            self.file.remove()?;
        }
        put(&ending.text())?;
        Ok(if ending.is_complete() {
            Outcome::Complete
        } else {
            Outcome::Incomplete
        })
    }

    async fn feed(
        &mut self,
        settings: &Settings,
        source: &Source,
        store: Chosen<Opened>,
        filter: Filter,
    ) -> anyhow::Result<Report> {
        let next = self.positions.next();
        let from = |span: &Span| next.get(&span.partition).copied().unwrap_or(span.from);
        let spans = self.state.spans.iter();
        let spans: Vec<Span> = spans
            .map(|span| Span {
                from: from(span),
                ..*span
            })
            .collect();
        let ranges: Vec<_> = spans.iter().map(Span::range).collect();
        let drain = Replaying {
            pieces: source.read(&ranges).await?,
            assigned: spans
                .iter()
                .map(|span| (span.partition, span.from))
                .collect(),
            wanted: Wanted {
                received_ms: self.state.received_ms,
                filter,
            },
            positions: Arc::clone(&self.positions),
            tally: Arc::clone(&self.tally),
            source: source.name().to_owned(),
            retention: settings.buffer.retention.0,
            is_paused: false,
        };
        let mut config = settings.consumer.clone();
        config.commit_interval = config.commit_interval.min(Period::millis(500));
        let stopping = CancellationToken::new();
        let pipeline = Pipeline {
            name: NAME.to_owned(),
            drain,
            store: Arc::new(store),
            dead: Arc::clone(&self.tally),
            config,
            clock: Arc::new(service::clock::now_ms),
            stopping: stopping.clone(),
            ready: Health::new().condition("replay", "starting"),
        };
        let mut running = JoinSet::new();
        running.spawn(consumer::run(pipeline));
        let outcome = self.watch(&mut running, &stopping).await;
        self.save()?;
        outcome
    }

    /// Until everything is in the store, or somebody wants it to stop; the second time at once.
    async fn watch(
        &mut self,
        running: &mut JoinSet<Result<Report, consumer::Error>>,
        stopping: &CancellationToken,
    ) -> anyhow::Result<Report> {
        let mut signals = Signals::new()?;
        let mut looks = tokio::time::interval(LOOK);
        let (is_watched, mut bar) = (has_watcher(), Bar::default());
        let (mut saved, mut said) = (Instant::now(), Instant::now());
        let positions = Arc::clone(&self.positions);
        let outcome = loop {
            let stopped = tokio::select! {
                Some(ended) = running.join_next() => break ended,
                () = positions.done(), if !stopping.is_cancelled() => {
                    stopping.cancel();
                    false
                }
                _ = signals.next() => true,
                _ = looks.tick() => false,
            };
            if stopped && stopping.is_cancelled() {
                anyhow::bail!("stopped at once; the same command goes on");
            }
            if stopped {
                say("\nsluice: stopping: writing what is in memory; once more stops at once\n");
                stopping.cancel();
            }
            let now = Instant::now();
            let line = bar.line(now, self.look());
            if is_watched {
                say(&format!("\r\x1b[K{line}"));
            } else if now.duration_since(said) >= SAY {
                said = now;
                say(&format!("{line}\n"));
            }
            if now.duration_since(saved) >= SAVE {
                saved = now;
                self.save()?;
            }
        };
        if is_watched {
            say(&format!(
                "\r\x1b[K{}\n",
                bar.line(Instant::now(), self.look())
            ));
        }
        Ok(outcome.context("the pipeline panicked")??)
    }

    fn look(&self) -> Look {
        let (done, total) = self.positions.progress();
        Look {
            done,
            total,
            samples: self.tally.written(),
        }
    }

    fn save(&mut self) -> anyhow::Result<()> {
        let next = self.positions.next();
        if next == self.state.next {
            return Ok(());
        }
        self.state.next = next;
        self.state.written = self.written_before + self.tally.written();
        self.state.missed = self.missed_before + self.missing + self.tally.missed();
        self.file.save(&self.state)
    }
}
