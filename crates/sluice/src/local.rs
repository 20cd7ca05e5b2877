//! Standalone on the embedded log: one process, one data directory, nothing else.

use std::sync::Arc;

use anyhow::Context;
use buffer::local::{DataDir, Log, Start};
use gateway::{Beside, PushGroups};
use store::recent::Recent;

use crate::clock::Machine;
use crate::console::OfWindow;
use crate::described;
use crate::pipelines::Pipelines;
use crate::process::Process;
use crate::public::Public;
use crate::queries;
use crate::rejections::Late;
use crate::settings::{Settings, Source, WINDOW};

/// The table of the log that holds the groups of batch jobs.
const GROUPS: &str = "push-groups";

/// Runs until it is told to stop.
pub(crate) async fn standalone(source: Source, settings: Settings) -> anyhow::Result<()> {
    let lock = DataDir::lock(&settings.data_dir)?;
    let data_dir = lock.dir().canonicalize().context("data_dir")?;
    let process = Process::start(source, &settings).await?;
    let clock = Arc::new(Machine::default());
    let log = Log::open(
        &data_dir.join("log"),
        &settings.local,
        settings.buffer.retention.0,
        clock,
        process.health.condition("log", "opening"),
    )?;
    forget_removed_stores(&log, &settings).await?;
    process.rejections.also(Late::Log(log.clone()));
    process.tails.of(log.clone());
    let writer = Arc::new(log.writer());

    let mut pipelines = Pipelines::default();
    let mut archive = None;
    for (name, config) in &settings.stores {
        let store = crate::stores::open_in(&process, config, name, log.id(), &data_dir)?;
        archive = archive.or(queries::archive(&store));
        let reader = log
            .reader(&settings.consumer.group(name), Start::Cursor)
            .await?;
        pipelines.start(
            &process,
            &settings.consumer,
            name,
            reader,
            Arc::new(store),
            Arc::clone(&writer),
        );
    }
    let recent = Recent::new(&settings.recent);
    process.console.knows(OfWindow(recent.clone()));
    let window_ms = i64::try_from(settings.recent.window.0.as_millis()).unwrap_or(i64::MAX);
    let from_ms = service::clock::now_ms().saturating_sub(window_ms);
    let reader = log.reader(WINDOW, Start::At(from_ms)).await?;
    pipelines.start(
        &process,
        &settings.consumer,
        WINDOW,
        reader,
        Arc::new(recent.clone()),
        Arc::clone(&writer),
    );

    let (table, follower) = log.table(GROUPS)?;
    let answers = queries::queries(&settings, recent, archive);
    process.queries.is(&answers);
    let beside = Beside {
        routes: query::router(answers),
        api: Some(described::queries),
        groups: Some(PushGroups::new(table, follower)),
        ..Beside::default()
    };
    let public = Public::start(&process, &settings, writer, beside).await?;
    tracing::info!(
        "look at what arrives with GET /api/v1/recent/samples?metric_name=… on the same port"
    );
    tracing::info!(stores = ?settings.stores.keys().collect::<Vec<_>>(), "the data is in {}", data_dir.display());

    let outcome = process.until_stopped(pipelines.failed()).await;
    public.stop(&process).await;
    process.step("stores", pipelines.stop()).await;
    process.step("log", log.close()).await;
    process.finish().await;
    outcome
}

/// A store that is no longer in the settings must not hold on to what it has not read: the log would fill up for it.
async fn forget_removed_stores(log: &Log, settings: &Settings) -> anyhow::Result<()> {
    let readers: Vec<String> = settings
        .stores
        .keys()
        .map(|name| settings.consumer.group(name))
        .collect();
    for (reader, offset) in log.readers() {
        if !readers.iter().any(|name| **name == *reader) {
            tracing::warn!(
                reader = &*reader,
                offset,
                "this reader's store is not in the settings any more; what it has not read is not kept for it"
            );
            log.forget_reader(&reader).await?;
        }
    }
    Ok(())
}
