//! The network between gateway, Kafka and consumer, and between consumer and store.

use std::net::Ipv4Addr;
use std::time::Duration;

use testkit::{Network, Proxy, VictoriaMetrics};

use super::pipeline;
use crate::look;
use crate::scenario::{Scenario, scripted};
use crate::stage::{PATIENCE, Stage};
use crate::tally::{Tally, Verdict};

/// Longer than `kafka.delivery_timeout` of the scenarios, so that senders get to see it.
const OUTAGE: Duration = Duration::from_secs(7);

pub(super) const ALL: &[Scenario] = &[
    scripted(
        "network-kafka-cut",
        "connections to Kafka end, and new ones end at once, for 7 s",
        |stage| kafka(stage, Network::Cut),
    ),
    scripted(
        "network-kafka-stalled",
        "no byte moves to or from Kafka for 7 s: nobody hangs",
        |stage| kafka(stage, Network::Stalled),
    )
    .quick(),
    scripted(
        "network-kafka-reset",
        "connections to Kafka are reset for 7 s",
        |stage| kafka(stage, Network::Reset),
    ),
    scripted(
        "network-kafka-half-open",
        "Kafka's bytes arrive, and what is sent to it does not, for 7 s",
        |stage| kafka(stage, Network::DeafTarget),
    ),
    scripted(
        "network-store-cut",
        "connections to the store end for 4 s",
        |stage| store(stage, Network::Cut),
    ),
    scripted(
        "network-store-stalled",
        "no byte moves to or from the store for 7 s, longer than its timeout",
        |stage| store(stage, Network::Stalled),
    ),
    scripted(
        "network-store-reset",
        "connections to the store are reset for 4 s",
        |stage| store(stage, Network::Reset),
    ),
    scripted(
        "network-store-half-open",
        "the store's bytes arrive, and what is sent to it does not, for 7 s",
        |stage| store(stage, Network::DeafTarget),
    ),
];

fn kafka(stage: &mut Stage<'_>, network: Network) -> anyhow::Result<()> {
    let topics = stage.topics();
    let outcome = pipeline::with(stage, topics, |stage, _| {
        stage.kafka().proxy(0).set(network);
        stage.wait(OUTAGE);
        stage.kafka().proxy(0).set(Network::Good);
        Ok(())
    });
    stage.kafka().proxy(0).set(Network::Good);
    outcome
}

fn store(stage: &mut Stage<'_>, network: Network) -> anyhow::Result<()> {
    let store = VictoriaMetrics::start();
    let proxy = Proxy::start((Ipv4Addr::LOCALHOST, store.port()));
    let topics = stage.topics();
    let gateway = stage.gateway(&topics, &[]);
    let url = format!("http://{}/api/v1/write", proxy.address());
    let consumer = stage.consumer(&topics, &url, &[]);
    let load = stage.load(&[gateway.port()])?;
    stage.wait(Duration::from_secs(1));
    proxy.set(network);
    let outage = match network {
        Network::Stalled | Network::DeafTarget => OUTAGE,
        _ => Duration::from_secs(4),
    };
    stage.wait(outage);
    proxy.set(Network::Good);
    stage.wait(Duration::from_secs(1));
    let sent = load.finish()?;
    let look = || -> anyhow::Result<Verdict> {
        let mut tally = Tally::default();
        look::victoria(&store, &mut tally);
        Ok(tally.verdict(&sent))
    };
    let found = stage.until_found(&sent, look)?;
    stage.row.account(&sent, &[("VictoriaMetrics", found)]);
    let refused = stage.row.answered("503");
    stage.expect("senders notice nothing", refused == 0);
    stage.eventually("the consumer is ready again", PATIENCE, || {
        Ok(consumer.readiness()?.0 == 200)
    })
}
