//! The roles on Kafka: a gateway, a consumer, or both in one process.

use std::sync::Arc;

use anyhow::Context;
use buffer::kafka::{Member, Producer, Reader, Rejections, Table, Tail};
use buffer::local::{DataDir, DataDirLock};
use buffer::spool::{Place, Spooled};
use buffer::{Publish, Switched};
use gateway::{Beside, PushGroups, RejectionTopic};
use service::health::Health;
use store::parquet::Archive;
use store::recent::Recent;

use crate::clock::Machine;
use crate::console::OfWindow;
use crate::described;
use crate::fallback;
use crate::pipelines::Pipelines;
use crate::process::Process;
use crate::public::Public;
use crate::queries;
use crate::rejections::{Late, Noting};
use crate::settings::{Role, Settings, Source, WINDOW};

/// Runs a role until it is told to stop.
pub(crate) async fn run(source: Source, settings: Settings) -> anyhow::Result<()> {
    let role = source.role();
    let lock = lock_for_spool(role, &settings)?;
    let process = Process::start(source, &settings).await?;
    let dead_letters =
        Some(settings.consumer.dead_letter_topic.as_str()).filter(|_| role != Role::Gateway);
    let producer = Producer::with_dead_letters(&settings.kafka, dead_letters);
    let producer = Arc::new(producer);
    let switched = match role {
        // It reads both clusters, and writes dead letters.
        Role::Consumer => Switched::new(Arc::clone(&producer), None),
        Role::Gateway | Role::Standalone => fallback::switched(&settings, &producer),
    };
    let waiting = format!("waiting for a broker of {}", settings.kafka.brokers);
    let Some(lock) = lock else {
        let condition = process.health.condition("kafka", waiting);
        fallback::watch(&process, &settings, &switched, condition);
        let publisher = Arc::new(switched);
        return serve(role, process, &settings, &producer, publisher).await;
    };
    let place = Place {
        dir: lock.dir().join("spool"),
        retention: settings.buffer.retention.0,
        window_bytes: settings.kafka.max_queue.bytes(),
        clock: Arc::new(Machine::default()),
    };
    let readiness = process.health.condition("buffer", waiting.as_str());
    let upstream = Arc::new(switched.clone());
    let (spooled, drainer) = Spooled::open(upstream, &settings.spool, &place, readiness).await?;
    let condition = spooled.upstream_condition(waiting);
    fallback::watch(&process, &settings, &switched, condition);
    process
        .tasks
        .spawn("spool", drainer.run(process.tasks.stopping()));
    let publisher = Arc::new(spooled.clone());
    let outcome = serve(role, process, &settings, &producer, publisher).await;
    spooled.close().await;
    drop(lock);
    outcome
}

/// The data directory, where records may have to be kept for a while.
fn lock_for_spool(role: Role, settings: &Settings) -> anyhow::Result<Option<DataDirLock>> {
    if role == Role::Consumer || !settings.spool.enabled {
        return Ok(None);
    }
    let lock = DataDir::lock(&settings.data_dir)
        .context("the spool needs it; spool.enabled: false does without")?;
    Ok(Some(lock))
}

/// Runs a role whose gateway, if it has one, publishes to `publisher`.
async fn serve<P: Publish>(
    role: Role,
    process: Process,
    settings: &Settings,
    producer: &Arc<Producer>,
    publisher: Arc<P>,
) -> anyhow::Result<()> {
    let letters = Tail::of(&settings.kafka, &settings.consumer.dead_letter_topic);
    process.rejections.also(Late::Topic(letters));
    let dead = Arc::new(Noting::new(
        Arc::clone(producer),
        process.rejections.record(),
    ));
    let mut pipelines = Pipelines::default();
    let mut beside = Beside::default();
    let mut archive = None;
    if role != Role::Gateway {
        archive = feed_stores(&process, settings, &dead, &mut pipelines)?;
        let member = |store: &str| member(settings, store);
        fallback::feed_stores(&process, settings, &mut pipelines, member)?;
    }
    if role == Role::Standalone {
        let recent = Recent::new(&settings.recent);
        process.console.knows(OfWindow(recent.clone()));
        let answers = queries::queries(settings, recent.clone(), archive);
        process.queries.is(&answers);
        beside.routes = query::router(answers);
        beside.api = Some(described::queries);
        // Its own place in the topic, remembered: a restart continues instead of reading a whole day again.
        let reader = reader(
            settings,
            &format!("{WINDOW}-{}", service::process::hostname()),
        )?;
        pipelines.start(
            &process,
            &settings.consumer,
            WINDOW,
            reader,
            Arc::new(recent),
            Arc::clone(&dead),
        );
    }
    if role != Role::Consumer {
        beside.groups = Some(push_groups(&process, settings)?);
        beside.rejection_topic = rejection_topic(&process, settings);
    }
    let public = match role {
        Role::Consumer => None,
        Role::Gateway | Role::Standalone => {
            Some(Public::start(&process, settings, publisher, beside).await?)
        }
    };
    tracing::info!(
        brokers = settings.kafka.brokers,
        topic = settings.kafka.topic,
        stores = ?settings.stores.keys().collect::<Vec<_>>(),
        "{} is starting",
        role.as_str()
    );

    let outcome = process.until_stopped(pipelines.failed()).await;
    if let Some(public) = public {
        public.stop(&process).await;
    }
    process.step("stores", pipelines.stop()).await;
    process.finish().await;
    outcome
}

/// The groups of batch jobs, in a compacted topic of their own.
fn push_groups(process: &Process, settings: &Settings) -> anyhow::Result<PushGroups> {
    let topic = settings.groups_topic();
    let (table, follower) = Table::open(&settings.kafka, &topic)
        .with_context(|| format!("pushgateway.topic {topic}"))?;
    // Not one of the process: whoever may not have this topic still takes every other push.
    let condition = Health::new().condition("groups", "opening");
    let watched = table.clone();
    process.tasks.watch("groups watch", async move {
        watched.keep_ready(condition).await;
    });
    Ok(PushGroups::new(table, follower))
}

/// Where the bytes of refused samples are kept, if that is wanted.
fn rejection_topic(process: &Process, settings: &Settings) -> Option<RejectionTopic> {
    let max_queue = settings.rejections.max_queue;
    let name = settings.rejections.topic.as_deref()?;
    let topic = Rejections::new(&settings.kafka, name, max_queue);
    // Not one of the process, like that of the groups.
    let condition = Health::new().condition("rejections", "opening");
    let retention = settings.buffer.retention.0;
    let watched = topic.clone();
    process.tasks.watch("rejections watch", async move {
        watched.keep_ready(retention, condition).await;
    });
    Some(RejectionTopic::start(
        topic,
        max_queue.bytes(),
        &process.tasks,
    ))
}

/// Starts to fill the stores, and answers which archive can be read.
fn feed_stores(
    process: &Process,
    settings: &Settings,
    dead: &Arc<Noting<Producer>>,
    pipelines: &mut Pipelines,
) -> anyhow::Result<Option<Archive>> {
    let mut archive = None;
    // Offsets are of this topic in this cluster; an archive must not take another's for them.
    let source = format!("kafka:{}", settings.kafka.topic);
    for (name, config) in &settings.stores {
        let store = crate::stores::open_in(process, config, name, &source, &settings.data_dir)?;
        archive = archive.or(queries::archive(&store));
        let reader = reader(settings, name)?;
        pipelines.start(
            process,
            &settings.consumer,
            name,
            reader,
            Arc::new(store),
            Arc::clone(dead),
        );
    }
    Ok(archive)
}

fn member(settings: &Settings, store: &str) -> Member {
    let consumer = &settings.consumer;
    Member {
        instance_id: consumer.instance_id.clone(),
        session_timeout: consumer.session_timeout.0,
        // The consumer ends its own wait first, and still has to commit.
        handover_timeout: consumer.handover_timeout.0 * 2,
        order_patience: consumer.order_patience.0,
        ..Member::of(consumer.group(store))
    }
}

fn reader(settings: &Settings, store: &str) -> anyhow::Result<Reader> {
    let member = member(settings, store);
    Reader::new(&settings.kafka, &member, settings.buffer.retention.0)
        .with_context(|| format!("store {store}"))
}
