//! Gateway, Kafka, consumer and store in a row, with a fault somewhere between.

use std::time::Duration;

use crate::load::Options;
use crate::sluice::Sluice;
use crate::stage::{Stage, Topics};

/// What a fault may act on.
#[derive(Debug)]
pub(super) struct Pipeline {
    pub topics: Topics,
    pub gateway: Sluice,
    pub consumer: Sluice,
}

/// Loads the pipeline, lets the fault happen meanwhile, and accounts for topic and store.
///
/// Every sample that was acknowledged must be in both, and the pipeline must be ready at the end.
pub(super) fn with(
    stage: &mut Stage<'_>,
    topics: Topics,
    fault: impl FnOnce(&mut Stage<'_>, &mut Pipeline) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let store = stage.receiver()?;
    let mut pipeline = Pipeline {
        gateway: stage.gateway(&topics, &[]),
        consumer: stage.consumer(&topics, &store.url(), &[]),
        topics,
    };
    let load = stage.load(&[pipeline.gateway.port()])?;
    stage.wait(Duration::from_secs(1));
    fault(stage, &mut pipeline)?;
    stage.wait(Duration::from_secs(1));
    let sent = load.finish()?;
    let stored = stage.until_received(&store, &sent)?;
    let kept = stage.in_topic(&pipeline.topics, &sent)?;
    let places = [("the topic", kept), ("the store", stored)];
    stage.row.account(&sent, &places);
    for (name, sluice) in [
        ("the gateway", &pipeline.gateway),
        ("the consumer", &pipeline.consumer),
    ] {
        let what = format!("{name} is ready at the end");
        stage.eventually(&what, Duration::from_secs(20), || {
            Ok(sluice.readiness()?.0 == 200)
        })?;
    }
    stop(stage, &mut pipeline.gateway);
    stop(stage, &mut pipeline.consumer);
    Ok(())
}

/// Ends it as an orchestrator does.
pub(super) fn stop(stage: &mut Stage<'_>, sluice: &mut Sluice) {
    let status = sluice.stop();
    let is_good = status.is_some_and(|status| status.success());
    stage.expect("a process that is asked to stop ends with 0", is_good);
}

/// The usual load, to several gateways or the only one.
pub(super) fn usual(ports: &[u16]) -> Options {
    Options::to(ports)
}
