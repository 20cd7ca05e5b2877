//! Gateways behind a real load balancer, restarted one after another.

use std::time::Duration;

use testkit::{Backend, Haproxy};

use super::pipeline::{stop, usual};
use crate::load::Load;
use crate::scenario::{Scenario, scripted};
use crate::stage::Stage;

pub(super) const ALL: &[Scenario] = &[scripted(
    "rolling-restart",
    "three gateways behind HAProxy restart one after another: not one request fails",
    rolling,
)];

fn rolling(stage: &mut Stage<'_>) -> anyhow::Result<()> {
    let topics = stage.topics();
    // Longer than the load balancer takes to notice.
    let delay = [("SLUICE_SHUTDOWN__DELAY", "1s")];
    let mut gateways = [
        stage.gateway(&topics, &delay),
        stage.gateway(&topics, &delay),
        stage.gateway(&topics, &delay),
    ];
    let backends = gateways.each_ref().map(|gateway| Backend {
        port: gateway.port(),
        check_port: gateway.admin_port(),
    });
    let balancer = Haproxy::start(&backends);
    let mut options = usual(&[balancer.port()]);
    options.senders = 16;
    options.period = Duration::from_millis(100);
    let load = Load::start(options)?;
    stage.wait(Duration::from_secs(1));
    for gateway in &mut gateways {
        stop(stage, gateway);
        gateway.again();
        stage.wait(Duration::from_secs(1));
    }
    let sent = load.finish()?;
    let found = stage.in_topic(&topics, &sent)?;
    stage.row.account(&sent, &[("the topic", found)]);
    let failed: Vec<_> = stage.row.answers.keys().cloned().collect();
    let is_good = failed
        .iter()
        .all(|answer| answer == "200" || answer == "204");
    stage.expect("every request gets a 2xx", is_good);
    Ok(())
}
