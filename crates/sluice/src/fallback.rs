//! A second Kafka cluster: kept ready, switched to when an operator says so, and always read.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use buffer::Switched;
use buffer::kafka::{Member, Producer, Reader};
use service::health::{Condition, Health};
use tokio::time::sleep;

use crate::console::Noted;
use crate::metrics;
use crate::pipelines::Pipelines;
use crate::process::Process;
use crate::rejections::Noting;
use crate::reload::Apply;
use crate::settings::Settings;

/// How often it is looked whether the clusters take records.
const LOOK: Duration = Duration::from_millis(250);

/// Where a gateway's records go: one cluster, or two of which one is in use.
pub(crate) fn switched(settings: &Settings, primary: &Arc<Producer>) -> Switched<Producer> {
    let fallback = settings.emergency.fallback.as_ref();
    let fallback = fallback.map(|config| Arc::new(Producer::beside(config, None)));
    let switched = Switched::new(Arc::clone(primary), fallback);
    switched.use_fallback(settings.emergency.is_on_fallback());
    switched
}

/// Keeps a condition true to whether the cluster in use takes records.
pub(crate) fn watch(
    process: &Process,
    settings: &Settings,
    switched: &Switched<Producer>,
    condition: Condition,
) {
    let (primary, fallback) = switched.places();
    // The switch is thrown while it runs; where it leads is what the process was started with.
    let started = settings.emergency.fallback.clone();
    let leads_elsewhere = move |settings: &Settings| {
        settings.emergency.is_on_fallback() && settings.emergency.fallback != started
    };
    let elsewhere = || {
        (
            "emergency.use_fallback".to_owned(),
            "it names a cluster that this process was not started with; restart it with emergency.fallback first"
                .to_owned(),
        )
    };
    let Some(fallback) = fallback else {
        keep_ready(process, settings, "kafka watch", primary, condition);
        process.reloads.on(move |settings| {
            if leads_elsewhere(settings) {
                return Err(elsewhere());
            }
            Ok(Box::new(|| {}) as Apply)
        });
        return;
    };
    let (primary_health, fallback_health) = (Health::new(), Health::new());
    let waiting = |brokers: &str| format!("waiting for a broker of {brokers}");
    let known = primary_health.condition("kafka", waiting(&settings.kafka.brokers));
    keep_ready(process, settings, "kafka watch", primary, known);
    let brokers = settings.emergency.fallback.as_ref();
    let brokers = brokers.map_or("", |fallback| &fallback.brokers);
    let known = fallback_health.condition("fallback", waiting(brokers));
    keep_ready(process, settings, "fallback watch", fallback, known);

    let on = switched.clone();
    process.reloads.on(move |settings| {
        if leads_elsewhere(settings) {
            return Err(elsewhere());
        }
        let (on, is_wanted) = (on.clone(), settings.emergency.is_on_fallback());
        Ok(Box::new(move || switch(&on, is_wanted)) as Apply)
    });
    if switched.is_on_fallback() {
        tracing::warn!("new samples go to the fallback cluster (emergency.use_fallback)");
    }
    let (switched, stopping) = (switched.clone(), process.tasks.stopping());
    process.tasks.spawn("fallback state", async move {
        let show = async {
            loop {
                metrics::fallback_ready(fallback_health.is_ready());
                let used = match switched.is_on_fallback() {
                    true => &fallback_health,
                    false => &primary_health,
                };
                match used.reasons().into_iter().next() {
                    None => condition.ready(),
                    Some((_, why)) => condition.not_ready(why),
                }
                sleep(LOOK).await;
            }
        };
        stopping.run_until_cancelled(show).await;
    });
}

fn switch(switched: &Switched<Producer>, is_wanted: bool) {
    match (switched.use_fallback(is_wanted), is_wanted) {
        (true, true) => tracing::warn!(
            "new samples go to the fallback cluster from now on (emergency.use_fallback), and so does the spool"
        ),
        (true, false) => tracing::warn!(
            "new samples go to kafka.brokers again; consumers read what is left on the fallback cluster"
        ),
        (false, _) => {}
    }
}

fn keep_ready(
    process: &Process,
    settings: &Settings,
    task: &'static str,
    producer: &Producer,
    condition: Condition,
) {
    let retention = settings.buffer.retention.0;
    let (watched, stopping) = (producer.clone(), process.tasks.stopping());
    process.tasks.spawn(task, async move {
        stopping
            .run_until_cancelled(watched.keep_ready(retention, condition))
            .await;
    });
}

/// Feeds every store from the fallback cluster, too: there is nothing to be read on most days.
pub(crate) fn feed_stores(
    process: &Process,
    settings: &Settings,
    pipelines: &mut Pipelines,
    member: impl Fn(&str) -> Member,
) -> anyhow::Result<()> {
    let Some(config) = &settings.emergency.fallback else {
        return Ok(());
    };
    // Not those of the process: one that is away on a usual day is nobody's trouble but the alert's.
    let health = Health::new();
    let letters = Producer::beside(config, Some(&settings.consumer.dead_letter_topic));
    let condition = health.condition("fallback", "opening");
    keep_ready(process, settings, "fallback letters", &letters, condition);
    let dead = Arc::new(Noting::new(Arc::new(letters), process.rejections.record()));
    let source = format!("kafka-fallback:{}", config.topic);
    for (store, store_config) in &settings.stores {
        let name = format!("{store}@fallback");
        let beside = store_config.clone().for_fallback();
        let opened = crate::stores::open_in(process, &beside, &name, &source, &settings.data_dir)?;
        let reader = Reader::new(config, &member(store), settings.buffer.retention.0)
            .with_context(|| format!("store {name}"))?;
        let ready = health.condition("store", format!("{name}: not assigned yet"));
        let consumer = &settings.consumer;
        let noted = Noted::new(Arc::new(opened), process.console.store(&name));
        pipelines.start_with(
            ready,
            consumer,
            &name,
            reader,
            Arc::new(noted),
            Arc::clone(&dead),
        );
    }
    Ok(())
}
