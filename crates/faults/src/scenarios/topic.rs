//! A topic that is deleted, or is not as it should be.

use std::time::{Duration, Instant};

use crate::scenario::{Scenario, scripted};
use crate::stage::{PATIENCE, Stage};
use crate::tally::Verdict;

pub(super) const ALL: &[Scenario] = &[
    scripted(
        "topic-deleted",
        "the topic is deleted when the store has all of it: both go on by themselves, at first late or with 503",
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
    let old = stage.kafka().topic_ids(&topics.samples);
    stage.expect("the broker has a log of the topic", !old.is_empty());
    stage.kafka().delete_topic(&topics.samples);
    // The answer comes before the broker lets go of the logs, one after the other: what they confirm until then goes
    // with them, and a request whose other records wait for the new topic is acknowledged even later. So what
    // counts is what is sent from here on.
    let began = Instant::now();
    let lets_go = |stage: &mut Stage<'_>| {
        let ids = stage.kafka().topic_ids(&topics.samples);
        ids.is_disjoint(&old)
    };
    while !lets_go(stage) && began.elapsed() < PATIENCE {
        stage.wait(Duration::from_millis(20));
    }
    let gone = "the broker lets go of the deleted topic's logs";
    let is_gone = lets_go(stage);
    stage.expect(gone, is_gone);
    // Other numbers than before: what came before is not counted again.
    *before.tally() = crate::tally::Tally::default();
    let load = stage.load(&[gateway.port()])?;
    stage.wait(Duration::from_secs(6));
    let second = load.finish()?;
    let found = stage.until_received(&before, &second)?;
    let kept = stage.in_topic(&topics, &second)?;
    let places = [("the topic", kept), ("the store", found)];
    stage.row.account(&second, &places);
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
