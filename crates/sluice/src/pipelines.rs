//! The pipelines of a process, one per store: started, watched, and stopped together.

use std::sync::Arc;

use anyhow::Context;
use buffer::{BuryDead, Drain};
use consumer::Pipeline;
use service::health::Condition;
use service::tasks::CancellationToken;
use store::Write;
use tokio::task::JoinSet;

use crate::console::Noted;
use crate::process::Process;

/// The running pipelines.
#[derive(Debug, Default)]
pub(crate) struct Pipelines {
    stopping: CancellationToken,
    running: JoinSet<anyhow::Result<String>>,
}

impl Pipelines {
    /// Starts to feed a store.
    pub(crate) fn start<D: Drain, W: Write, B: BuryDead>(
        &mut self,
        process: &Process,
        config: &consumer::Config,
        name: &str,
        drain: D,
        store: Arc<W>,
        dead: Arc<B>,
    ) {
        let ready = process
            .health
            .condition("store", format!("{name}: not assigned yet"));
        let noted = Noted::new(store, process.console.store(name));
        self.start_with(ready, config, name, drain, Arc::new(noted), dead);
    }

    /// The same with a condition that need not be the process's.
    pub(crate) fn start_with<D: Drain, W: Write, B: BuryDead>(
        &mut self,
        ready: Condition,
        config: &consumer::Config,
        name: &str,
        drain: D,
        store: Arc<W>,
        dead: Arc<B>,
    ) {
        let pipeline = Pipeline {
            name: name.to_owned(),
            drain,
            store,
            dead,
            config: config.clone(),
            clock: Arc::new(service::clock::now_ms),
            stopping: self.stopping.clone(),
            ready,
        };
        let name = name.to_owned();
        self.running.spawn(async move {
            consumer::run(pipeline).await?;
            Ok(name)
        });
    }

    /// Waits until a pipeline has ended, which none does before [`Self::stop`] unless it failed.
    pub(crate) async fn failed(&mut self) -> anyhow::Error {
        let Some(ended) = self.running.join_next().await else {
            return std::future::pending().await;
        };
        match ended.context("a pipeline panicked").flatten() {
            Ok(name) => anyhow::anyhow!("store {name}: its pipeline ended by itself"),
            Err(error) => error,
        }
    }

    /// Writes and commits what is in memory. Each pipeline says at its end what its store got.
    pub(crate) async fn stop(mut self) {
        self.stopping.cancel();
        while let Some(ended) = self.running.join_next().await {
            if let Err(error) = ended.context("a pipeline panicked").flatten() {
                tracing::error!(error = %format_args!("{error:#}"), "store did not finish");
            }
        }
    }
}
