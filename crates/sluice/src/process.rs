//! What every role does alike: logs, metrics, the admin listener, signals, and stopping in order.
//!
//! Stopping: not ready → wait for load balancers → stop accepting → finish requests → flush the
//! buffer → finish the stores → end everything else. Every step has a deadline and names who is late.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ::console::Console;
use anyhow::Context;
use service::catalogue::Metric;
use service::health::{Condition, Health};
use service::http::{Answers, Connections, Door, serve};
use service::tasks::{CancellationToken, Tasks};
use service::telemetry::{MetricsHandle, install_metrics};
use tokio::net::TcpListener;

use crate::cardinality;
use crate::clock::{self, Machine};
use crate::described;
use crate::heat;
use crate::metrics;
use crate::queries;
use crate::rejections;
use crate::reload::{Reloader, Reloads};
use crate::settings::{Settings, Source};
use crate::signals::Signals;
use crate::tail;
use crate::tls::{self, scheme};

/// Every metric that this binary can show, by the part that counts it.
pub const CATALOGUES: [(&str, &[Metric]); 13] = [
    ("Gateway", gateway::CATALOGUE),
    ("Quotas and repeats", gateway::QUOTAS_CATALOGUE),
    ("Hot names", gateway::HEAT_CATALOGUE),
    ("Modes", gateway::MODE_CATALOGUE),
    ("StatsD", gateway::STATSD_CATALOGUE),
    ("Buffer", buffer::metrics::CATALOGUE),
    ("Spool", buffer::metrics::spool::CATALOGUE),
    ("Consumer", consumer::metrics::CATALOGUE),
    ("Stores", store::metrics::CATALOGUE),
    ("Console", ::console::CATALOGUE),
    ("Queries", query::metrics::CATALOGUE),
    ("Every process", service::metrics::CATALOGUE),
    ("Settings and stopping", metrics::CATALOGUE),
];

/// The parts of a running process that do not depend on its role.
#[derive(Debug)]
pub(crate) struct Process {
    /// What runs beside the listeners; stopped last.
    pub(crate) tasks: Tasks,
    /// Whether traffic is wanted.
    pub(crate) health: Health,
    /// What is refused, and why.
    pub(crate) rejections: rejections::Shown,
    /// How many series there are.
    pub(crate) cardinality: cardinality::Shown,
    /// Which names and partitions get most.
    pub(crate) heat: heat::Shown,
    /// Who answers questions about what is kept.
    pub(crate) queries: queries::Shown,
    /// What arrives, for those who look.
    pub(crate) tails: tail::Tails,
    /// What people see of it.
    pub(crate) console: Console,
    /// What can change while it runs.
    pub(crate) reloads: Reloads,
    running: Condition,
    shutdown_delay: Duration,
    /// For each step of stopping.
    pub(crate) deadline: Duration,
}

impl Process {
    /// Starts counting and opens the admin listener.
    pub(crate) async fn start(source: Source, settings: &Settings) -> anyhow::Result<Self> {
        let catalogues = CATALOGUES.map(|(_, catalogue)| catalogue);
        let metrics: MetricsHandle = install_metrics(&catalogues);
        let tasks = Tasks::new();
        metrics.run(&tasks, env!("CARGO_PKG_VERSION"), source.role().as_str());
        tasks.watch("clock watch", clock::watch(Machine::default()));
        let about = crate::console::about(source.role(), settings);
        let role = source.role();
        let reloads = reloads(source, settings, &tasks)?;
        let health = Health::new();
        let running = health.condition("running", "starting");
        let admin = listen("admin.listen", settings.admin.listen).await?;
        let address = admin.local_addr()?;
        let url = format!(
            "{}://{}",
            scheme(settings.admin.tls.as_ref()),
            reachable(address)
        );
        tracing::info!("the console is at {url}/, and beside it /livez, /readyz, /metrics");
        let rejections = rejections::Shown::new(settings.rejections.max_memory.bytes());
        let cardinality = cardinality::Shown::default();
        let heat = heat::Shown::default();
        let queries = queries::Shown::default();
        let tails = tail::Tails::default();
        let console = Console::start(
            about,
            health.clone(),
            metrics.clone(),
            Arc::new(service::clock::now_ms),
            &tasks,
        );
        let parts = AdminParts {
            rejections: rejections.clone(),
            cardinality: cardinality.clone(),
            heat: heat.clone(),
            tails: tails.clone(),
            queries: queries.clone(),
        };
        let routes = service::admin::router(health.clone(), metrics).merge(parts.routes());
        let router = described::with(routes, role);
        let hosts = &settings.admin.hosts;
        let (index, nowhere) = (service::admin::index, service::admin::not_found);
        let router = console.router(router, address, hosts, index, nowhere);
        let connections = Connections::default();
        let stopping = tasks.stopping();
        let admin = Door {
            tls: tls::acceptor("admin", &settings.admin.tls, &tasks, &reloads, |settings| {
                &settings.admin.tls
            })?,
            listener: admin,
        };
        tasks.spawn("admin listener", async move {
            serve(admin, router, connections, stopping, Duration::from_secs(1)).await;
        });
        Ok(Self {
            tasks,
            health,
            rejections,
            cardinality,
            heat,
            queries,
            tails,
            console,
            reloads,
            running,
            shutdown_delay: settings.shutdown.delay.0,
            deadline: settings.shutdown.deadline.0,
        })
    }

    /// Declares the process started, and returns when it should stop: not ready any more, and load
    /// balancers have had time to notice.
    ///
    /// # Errors
    /// When a part of the process has failed: it stops and is started again, it does not limp on.
    pub(crate) async fn until_stopped(
        &self,
        failed: impl Future<Output = anyhow::Error>,
    ) -> anyhow::Result<()> {
        let mut signals = Signals::new()?;
        self.reloads.begin();
        self.running.ready();
        let outcome = tokio::select! {
            signal = signals.next() => Ok(signal),
            task = self.tasks.failed() => Err(anyhow::anyhow!("{task} failed, the log says why")),
            error = failed => Err(error),
        };
        self.running.not_ready("stopping");
        if let Ok(signal) = &outcome {
            tracing::info!(
                signal,
                delay_ms = self.shutdown_delay.as_millis(),
                "stopping"
            );
            tokio::select! {
                () = tokio::time::sleep(self.shutdown_delay) => {}
                _ = signals.next() => {}
            }
        }
        outcome.map(drop)
    }

    /// Deletes an archive's old days for as long as the process runs.
    pub(crate) fn keep_archive(&self, store: &store::Store) {
        let Some(archive) = store.archive().cloned() else {
            return;
        };
        self.tasks.watch("archive retention", async move {
            archive.maintain(service::clock::now_ms).await;
        });
    }

    /// Runs one step of stopping within the deadline, and says when it was late.
    pub(crate) async fn step<T>(
        &self,
        name: &'static str,
        step: impl Future<Output = T>,
    ) -> Option<T> {
        let started = Instant::now();
        let outcome = tokio::time::timeout(self.deadline, step).await.ok();
        let elapsed = started.elapsed();
        metrics::shutdown_step(name, elapsed);
        if outcome.is_none() {
            tracing::warn!(
                step = name,
                elapsed_ms = elapsed.as_millis(),
                "did not finish in time"
            );
        }
        outcome
    }

    /// Ends what is left.
    pub(crate) async fn finish(self) {
        let late = self.tasks.stop(Duration::from_secs(5)).await;
        if late.is_empty() {
            tracing::info!("stopped");
        }
    }

    /// Serves a public listener until `stopping`, as a task that [`Self::step`] can wait for.
    pub(crate) fn serve_public(
        &self,
        name: &'static str,
        door: Door,
        answers: impl Answers + Sync,
        connections: Connections,
        stopping: CancellationToken,
    ) -> tokio::sync::oneshot::Receiver<usize> {
        let (done, wait) = tokio::sync::oneshot::channel();
        let deadline = self.deadline;
        self.tasks.spawn(name, async move {
            let cut = serve(door, answers, connections, stopping, deadline).await;
            // Nobody waits any more when stopping was given up.
            done.send(cut).unwrap_or_default();
        });
        wait
    }
}

/// What the admin listener shows of the parts of a process, once they are there.
#[derive(Debug, Default)]
pub(crate) struct AdminParts {
    rejections: rejections::Shown,
    cardinality: cardinality::Shown,
    heat: heat::Shown,
    tails: tail::Tails,
    queries: queries::Shown,
}

impl AdminParts {
    /// Their routes.
    pub(crate) fn routes(self) -> axum::Router {
        axum::Router::new()
            .merge(tail::router(self.tails))
            .merge(rejections::router(self.rejections))
            .merge(cardinality::router(self.cardinality))
            .merge(heat::router(self.heat))
            .merge(queries::router(self.queries))
    }
}

/// Starts to read settings again when asked to.
fn reloads(source: Source, settings: &Settings, tasks: &Tasks) -> anyhow::Result<Reloads> {
    metrics::settings_loaded();
    let reloads = Reloads::default();
    reloads.on(|settings| {
        let log = settings.log.clone();
        log.check()
            .map_err(|(key, why)| (format!("log.{key}"), why))?;
        Ok(Box::new(move || {
            // Checked above.
            service::telemetry::set_level(&log).unwrap_or_default();
        }))
    });
    let reloader = Reloader::new(source, settings, reloads.clone())?;
    tasks.watch("settings reload", reloader.run());
    Ok(reloads)
}

/// Opens a listener, or says which setting to change.
pub(crate) async fn listen(key: &str, address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("{key}: cannot listen on {address}"))
}

/// The address that a person on this machine would type: a wildcard is reached by `localhost`.
pub(crate) fn reachable(address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        format!("localhost:{}", address.port())
    } else {
        address.to_string()
    }
}
