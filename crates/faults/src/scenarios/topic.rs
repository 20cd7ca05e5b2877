//! A topic that is deleted, or is not as it should be.

use std::time::Duration;

use crate::scenario::{Scenario, scripted};
use crate::stage::Stage;
use crate::tally::Verdict;

pub(super) const ALL: &[Scenario] = &[
    scripted(
        "topic-deleted",
        "the topic is deleted when the store has all of it: both go on by themselves, at first with 503",
        deleted,
    ),
    scripted(
        "topic-other-partitions",
        "the topic exists with 2 partitions and grows to 5: it is used as it is, and nothing is missed",
        partitions,
    ),
    scripted(
        "topic-shorter-retention",
        "the topic exists and keeps an hour: a warning and a metric say so, and it is not changed",
        retention,
    ),
];

fn deleted(stage: &mut Stage<'_>) -> anyhow::Result<()> {
    let topics = stage.topics();
    let before = stage.receiver()?;
    let gateway = stage.gateway(&topics, &[]);
    let _consumer = stage.consumer(&topics, &before.url(), &[]);
    let load = stage.load(&[gateway.port()])?;
    stage.wait(Duration::from_secs(2));
    let first = load.finish()?;
    let first_found = stage.until_received(&before, &first)?;
    stage.row.account(&first, &[("the store", first_found)]);
    stage.kafka().delete_topic(&topics.samples);
    // The answer comes before the broker has let go of the old log: what it confirms until then goes with it.
    stage.wait(Duration::from_secs(1));
    // Other numbers than before: what came before is not counted again.
    *before.tally() = crate::tally::Tally::default();
    let load = stage.load(&[gateway.port()])?;
    stage.wait(Duration::from_secs(6));
    let second = load.finish()?;
    let found = stage.until_received(&before, &second)?;
    stage.row.account(&second, &[("the store", found)]);
    Ok(())
}

fn partitions(stage: &mut Stage<'_>) -> anyhow::Result<()> {
    let topics = stage.topics();
    let name = topics.samples.clone();
    stage.kafka().create_topic(&name, 2, 1, &[]);
    let found = straight_through(stage, &topics, |stage| {
        stage.kafka().grow_topic(&name, 5);
        // Both ask for metadata now and then.
        stage.wait(Duration::from_secs(5));
    })?;
    stage.expect("nothing is wrong", found.wrong == 0);
    let partitions = stage.kafka().topic_setting(&name, "partitions");
    stage.expect("the topic is not changed", partitions == "5");
    Ok(())
}

fn retention(stage: &mut Stage<'_>) -> anyhow::Result<()> {
    let topics = stage.topics();
    let name = topics.samples.clone();
    let hour = "3600000";
    stage
        .kafka()
        .create_topic(&name, 6, 1, &[("retention.ms", hour)]);
    straight_through(stage, &topics, |_| ())?;
    let kept = stage.kafka().topic_setting(&name, "retention.ms");
    stage.expect("the topic is not changed", kept == hour);
    Ok(())
}

/// Loads gateway, topic, consumer and store, and accounts for what the store has.
fn straight_through(
    stage: &mut Stage<'_>,
    topics: &crate::stage::Topics,
    meanwhile: impl FnOnce(&mut Stage<'_>),
) -> anyhow::Result<Verdict> {
    let store = stage.receiver()?;
    let faster = [(
        "SLUICE_KAFKA__PROPERTIES__topic.metadata.refresh.interval.ms",
        "1000",
    )];
    let gateway = stage.gateway(topics, &faster);
    let _consumer = stage.consumer(topics, &store.url(), &faster);
    let mismatch = gateway.metric("buffer_topic_mismatch")?;
    stage.expect("the metric of a mismatch is 1", mismatch > 0.0);
    let log = gateway.log();
    let warns = log
        .lines()
        .any(|line| line.to_lowercase().contains("warn") && line.contains("topic"));
    stage.expect("a warning names the topic", warns);
    let load = stage.load(&[gateway.port()])?;
    stage.wait(Duration::from_secs(2));
    meanwhile(stage);
    stage.wait(Duration::from_secs(1));
    let sent = load.finish()?;
    let found = stage.until_received(&store, &sent)?;
    let kept = stage.in_topic(topics, &sent)?;
    let places = [("the topic", kept), ("the store", found.clone())];
    stage.row.account(&sent, &places);
    Ok(found)
}
