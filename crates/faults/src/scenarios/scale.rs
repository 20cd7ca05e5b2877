//! A whole cluster under load: every process restarted, some added, some removed, and who handled what.

use std::time::{Duration, Instant};

use testkit::{Backend, Haproxy, Process, VictoriaMetrics};

use super::spool::only_2xx;
use crate::handled::Handled;
use crate::load::{Load, Options, Sent};
use crate::look;
use crate::receiver::Receiver;
use crate::scenario::{Scenario, scripted};
use crate::sluice::Sluice;
use crate::stage::{PATIENCE, Stage, Topics};
use crate::tally::{Tally, Verdict};

pub(super) const ALL: &[Scenario] = &[
    scripted(
        "scale-rolling",
        "three gateways behind HAProxy, two consumers of two stores and three brokers restart one after another: not one request fails",
        rolling,
    ),
    scripted(
        "scale-members",
        "a gateway and a consumer join, others leave, under load: not one request fails, and everybody works",
        members,
    ),
];

const RATE: u64 = 5_000;

/// How long a load balancer, a group and leaders settle.
const SETTLE: Duration = Duration::from_secs(3);

/// Everything that runs.
struct Cluster {
    topics: Topics,
    gateways: Vec<Sluice>,
    consumers: Vec<Sluice>,
    victoria: VictoriaMetrics,
    receiver: Receiver,
    balancer: Haproxy,
    handled: Handled,
}

impl Cluster {
    /// Starts it with so many gateways, of which some start later, and so many consumers of two stores.
    fn start(stage: &mut Stage<'_>, gateways: usize, later: usize) -> anyhow::Result<Self> {
        let topics = stage.cluster_topics();
        let patient = [
            // As they are without settings; scenarios about refusals have shorter ones.
            ("SLUICE_KAFKA__DELIVERY_TIMEOUT", "9s"),
            ("SLUICE_HTTP__REQUEST_TIMEOUT", "10s"),
            // Longer than the load balancer takes to notice.
            ("SLUICE_SHUTDOWN__DELAY", "1s"),
        ];
        let mut all: Vec<_> = (0..gateways + later)
            .map(|_| Sluice::prepare(stage.plan("gateway", &topics.with(&patient))))
            .collect();
        for gateway in all.iter_mut().take(gateways) {
            gateway.again();
        }
        let backends: Vec<_> = all.iter().map(backend).collect();
        let (victoria, receiver) = (VictoriaMetrics::start(), stage.receiver()?);
        let mut cluster = Self {
            topics,
            gateways: all,
            consumers: Vec::new(),
            balancer: Haproxy::start(&backends),
            victoria,
            receiver,
            handled: Handled::default(),
        };
        for _ in 0..2 {
            cluster.add_consumer(stage);
        }
        Ok(cluster)
    }

    /// One of both stores.
    fn add_consumer(&mut self, stage: &mut Stage<'_>) {
        let name = format!("member-{}", self.consumers.len() + 1);
        let (receiver, victoria) = (self.receiver.url(), self.victoria.write_url());
        let settings = [
            ("SLUICE_STORES__COPY__TYPE", "remote_write"),
            ("SLUICE_STORES__COPY__URL", receiver.as_str()),
            // A restart that is shorter than its session moves no partitions.
            ("SLUICE_CONSUMER__INSTANCE_ID", name.as_str()),
            ("SLUICE_CONSUMER__SESSION_TIMEOUT", "10s"),
        ];
        let consumer = stage.consumer(&self.topics, &victoria, &settings);
        self.consumers.push(consumer);
    }

    fn load(&self) -> anyhow::Result<Load> {
        let options = Options {
            senders: 16,
            ..Options::to(&[self.balancer.port()])
        };
        Load::start(options.at_rate(RATE))
    }

    /// Accounts for both stores and the topic, and tells who handled what.
    fn account(mut self, stage: &mut Stage<'_>, sent: &[Sent]) -> anyhow::Result<()> {
        let copied = stage.until_received(&self.receiver, sent)?;
        let victoria = &self.victoria;
        let written = stage.until_found(sent, || Ok(in_victoria(victoria, sent)))?;
        let kept = stage.in_topic(&self.topics, sent)?;
        let places = [
            ("the topic", kept),
            ("VictoriaMetrics", written),
            ("the second store", copied),
        ];
        stage.row.account(sent, &places);
        only_2xx(stage);
        for sluice in self.gateways.iter_mut().chain(&mut self.consumers) {
            if sluice.is_running() {
                stop(stage, sluice, &mut self.handled)?;
            }
        }
        let leads = stage.cluster().replicas(&self.topics.samples);
        for broker in 0..3 {
            let led = leads.iter().filter(|(leader, _)| *leader == Some(broker));
            let led = led.count();
            let handled = &mut self.handled;
            let note = |process: &Process| handled.note_broker(broker, process, led);
            stage.cluster().with_broker(broker, note)?;
        }
        stage.note(self.handled.table());
        Ok(())
    }
}

fn backend(gateway: &Sluice) -> Backend {
    Backend {
        port: gateway.port(),
        check_port: gateway.admin_port(),
    }
}

fn in_victoria(victoria: &VictoriaMetrics, sent: &[Sent]) -> Verdict {
    let mut tally = Tally::default();
    look::victoria(victoria, &mut tally);
    tally.verdict(sent)
}

/// Ends one in good order, after noting what it did.
fn stop(stage: &mut Stage<'_>, sluice: &mut Sluice, handled: &mut Handled) -> anyhow::Result<()> {
    handled.note(sluice)?;
    super::pipeline::stop(stage, sluice);
    Ok(())
}

/// Before the next broker ends: with fewer, Kafka could not take records.
fn until_in_sync(stage: &mut Stage<'_>, topic: &str) {
    let began = Instant::now();
    let is_in_sync = |(_, in_sync): &(Option<usize>, usize)| *in_sync == 3;
    while !stage.cluster().replicas(topic).iter().all(is_in_sync) {
        if began.elapsed() > PATIENCE {
            stage.expect("all replicas are in sync again", false);
            return;
        }
        stage.wait(Duration::from_millis(500));
    }
}

fn rolling(stage: &mut Stage<'_>) -> anyhow::Result<()> {
    let mut cluster = Cluster::start(stage, 3, 0)?;
    let load = cluster.load()?;
    stage.wait(SETTLE);
    for sluice in cluster.gateways.iter_mut().chain(&mut cluster.consumers) {
        stop(stage, sluice, &mut cluster.handled)?;
        sluice.again();
        stage.wait(SETTLE);
    }
    let topic = cluster.topics.samples.clone();
    for broker in 0..3 {
        cluster.handled.restart_broker(stage.cluster(), broker)?;
        until_in_sync(stage, &topic);
    }
    stage.wait(SETTLE);
    let sent = load.finish()?;
    cluster.account(stage, &sent)
}

fn members(stage: &mut Stage<'_>) -> anyhow::Result<()> {
    let mut cluster = Cluster::start(stage, 2, 1)?;
    let load = cluster.load()?;
    stage.wait(SETTLE);
    for gateway in cluster.gateways.iter_mut().skip(2) {
        gateway.again();
    }
    stage.wait(SETTLE);
    cluster.add_consumer(stage);
    stage.wait(SETTLE);
    for sluice in cluster
        .gateways
        .iter()
        .skip(2)
        .chain(cluster.consumers.iter().skip(2))
    {
        // A group may need a second round before a newcomer has partitions.
        let handled = &cluster.handled;
        stage.eventually("who joined has handled samples", PATIENCE, || {
            Ok(handled.samples(sluice)? > 0.0)
        })?;
    }
    for leaving in [&mut cluster.gateways, &mut cluster.consumers] {
        if let Some(first) = leaving.first_mut() {
            stop(stage, first, &mut cluster.handled)?;
        }
        stage.wait(SETTLE);
    }
    let sent = load.finish()?;
    cluster.account(stage, &sent)
}
