//! The only broker: paused, killed.

use std::time::Duration;

use testkit::Process;

use super::pipeline;
use crate::scenario::{Scenario, scripted};
use crate::stage::Stage;

/// Longer than `kafka.delivery_timeout` of the scenarios, so that senders get to see it.
const OUTAGE: Duration = Duration::from_secs(7);

pub(super) const ALL: &[Scenario] = &[
    scripted(
        "broker-paused",
        "SIGSTOP for 7 s: 503 after the delivery timeout, and all is well after SIGCONT",
        paused,
    ),
    scripted(
        "broker-killed",
        "kill -9 and a new start: 503 meanwhile, and all is well afterwards",
        killed,
    ),
];

fn paused(stage: &mut Stage<'_>) -> anyhow::Result<()> {
    let topics = stage.topics();
    pipeline::with(stage, topics, |stage, _| {
        stage.kafka().with_broker(0, Process::pause);
        stage.wait(OUTAGE);
        stage.kafka().with_broker(0, Process::resume);
        Ok(())
    })
}

fn killed(stage: &mut Stage<'_>) -> anyhow::Result<()> {
    let topics = stage.topics();
    pipeline::with(stage, topics, |stage, _| {
        stage.kafka().with_broker(0, Process::kill);
        stage.wait(Duration::from_secs(2));
        stage.kafka().restart_broker(0);
        Ok(())
    })
}
