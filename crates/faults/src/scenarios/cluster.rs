//! Three brokers, of which two must have a record: one killed, two killed, leaders that move.

use std::time::Duration;

use testkit::Process;

use super::pipeline;
use crate::scenario::{Scenario, scripted};
use crate::stage::Stage;

pub(super) const ALL: &[Scenario] = &[
    scripted(
        "cluster-leaders-move",
        "every partition's leader moves three times: nobody is refused for long",
        leaders,
    ),
    scripted(
        "cluster-one-killed",
        "one of three brokers is killed: two replicas are enough, and it comes back",
        one,
    ),
    scripted(
        "cluster-two-killed",
        "two of three are killed: one replica is not enough, so 503 until one is back",
        two,
    ),
];

fn leaders(stage: &mut Stage<'_>) -> anyhow::Result<()> {
    let topics = stage.cluster_topics();
    pipeline::with(stage, topics, |stage, pipeline| {
        for broker in [0, 1, 2] {
            let topic = pipeline.topics.samples.clone();
            stage.cluster().move_leaders(&topic, broker);
            stage.wait(Duration::from_millis(700));
        }
        Ok(())
    })
}

fn one(stage: &mut Stage<'_>) -> anyhow::Result<()> {
    let topics = stage.cluster_topics();
    pipeline::with(stage, topics, |stage, _| {
        stage.cluster().with_broker(0, Process::kill);
        stage.wait(Duration::from_secs(8));
        stage.cluster().restart_broker(0);
        Ok(())
    })
}

fn two(stage: &mut Stage<'_>) -> anyhow::Result<()> {
    let topics = stage.cluster_topics();
    pipeline::with(stage, topics, |stage, _| {
        stage.cluster().with_broker(1, Process::kill);
        stage.wait(Duration::from_secs(2));
        stage.cluster().with_broker(2, Process::kill);
        stage.wait(Duration::from_secs(8));
        stage.cluster().restart_broker(1);
        stage.wait(Duration::from_secs(2));
        stage.cluster().restart_broker(2);
        Ok(())
    })?;
    let is_refused = stage.row.answered("503") > 0;
    stage.expect("senders were told to wait", is_refused);
    Ok(())
}
