//! The spool: a gateway that goes on without Kafka, and what can go wrong with that.

use std::time::Duration;

use testkit::{Network, Process};

use super::disk::small_disk;
use crate::load::{Load, Options, Sent};
use crate::scenario::{Scenario, random, scripted};
use crate::sluice::Sluice;
use crate::stage::{PATIENCE, Stage, Topics};

pub(super) const ALL: &[Scenario] = &[
    scripted(
        "spool-network",
        "no byte moves to or from Kafka for 8 s: only 2xx, and all of it in the topic afterwards",
        network,
    )
    .quick(),
    random(
        "spool-kill",
        "a gateway that spools is killed twice and started again without Kafka: nothing is lost",
        kill,
    ),
    random(
        "spool-kill-draining",
        "a gateway is killed while its spool drains: nothing is lost",
        kill_draining,
    ),
    scripted(
        "spool-replicas",
        "two of three brokers are killed, so too few replicas are left: only 2xx, and all of it in the topic afterwards",
        replicas,
    ),
    scripted(
        "spool-full",
        "the spool is as large as it may be: 503, readiness says why, and it goes on by itself",
        full,
    ),
    scripted(
        "spool-disk-full",
        "no room for the spool: 503, readiness says why, and it goes on by itself",
        disk_full,
    ),
    scripted(
        "spool-off",
        "without a spool: 503 after the delivery timeout, and no folder is needed",
        off,
    ),
];

/// Settings of a gateway with a spool in this folder.
fn settings(data_dir: &str) -> [(&str, &str); 3] {
    [
        ("SLUICE_DATA_DIR", data_dir),
        ("SLUICE_SPOOL__ENABLED", "true"),
        ("SLUICE_SPOOL__AFTER", "1s"),
    ]
}

pub(super) fn gateway(stage: &mut Stage<'_>, topics: &Topics, others: &[(&str, &str)]) -> Sluice {
    let data_dir = stage.folder.join("data").display().to_string();
    let mut all = settings(&data_dir).to_vec();
    all.extend_from_slice(others);
    stage.gateway(topics, &all)
}

/// What the topic has once the spool is empty.
pub(super) fn account(stage: &mut Stage<'_>, topics: &Topics, sent: &[Sent]) -> anyhow::Result<()> {
    let began = std::time::Instant::now();
    let mut found = stage.in_topic(topics, sent)?;
    while found.lost > 0 && began.elapsed() < PATIENCE {
        stage.wait(Duration::from_secs(1));
        found = stage.in_topic(topics, sent)?;
    }
    stage.row.account(sent, &[("the topic", found)]);
    Ok(())
}

pub(super) fn says_spool(stage: &mut Stage<'_>) {
    let is_spooled = stage.row.durability.contains_key("spool");
    stage.expect("some answers say Sluice-Durability: spool", is_spooled);
}

pub(super) fn only_2xx(stage: &mut Stage<'_>) {
    let is_good = stage
        .row
        .answers
        .keys()
        .all(|answer| answer.starts_with('2'));
    stage.expect("every request gets a 2xx", is_good);
}

/// Without Kafka, and with Kafka again at the end whatever happens.
fn without_kafka<T>(
    stage: &mut Stage<'_>,
    steps: impl FnOnce(&mut Stage<'_>) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    stage.kafka().proxy(0).set(Network::Stalled);
    let outcome = steps(stage);
    stage.kafka().proxy(0).set(Network::Good);
    outcome
}

fn network(stage: &mut Stage<'_>) -> anyhow::Result<()> {
    let topics = stage.topics();
    let mut gateway = gateway(stage, &topics, &[]);
    let load = stage.load(&[gateway.port()])?;
    stage.wait(Duration::from_secs(1));
    without_kafka(stage, |stage| {
        stage.wait(Duration::from_secs(8));
        Ok(())
    })?;
    stage.wait(Duration::from_secs(3));
    let sent = load.finish()?;
    account(stage, &topics, &sent)?;
    only_2xx(stage);
    says_spool(stage);
    super::pipeline::stop(stage, &mut gateway);
    Ok(())
}

fn kill(stage: &mut Stage<'_>) -> anyhow::Result<()> {
    let topics = stage.topics();
    let mut gateway = gateway(stage, &topics, &[]);
    let load = stage.load(&[gateway.port()])?;
    stage.wait_between(50, 300);
    without_kafka(stage, |stage| {
        for _ in 0..2 {
            stage.wait_between(900, 2500);
            gateway.kill();
            // Ready or not: it has no Kafka.
            gateway.begin();
        }
        stage.wait_between(900, 2500);
        Ok(())
    })?;
    gateway.wait_until_ready();
    let sent = load.finish()?;
    account(stage, &topics, &sent)?;
    says_spool(stage);
    Ok(())
}

fn kill_draining(stage: &mut Stage<'_>) -> anyhow::Result<()> {
    let topics = stage.topics();
    let mut gateway = gateway(stage, &topics, &[]);
    let load = stage.load(&[gateway.port()])?;
    stage.wait_between(50, 300);
    without_kafka(stage, |stage| {
        stage.wait_between(2500, 4000);
        Ok(())
    })?;
    for _ in 0..2 {
        stage.wait_between(10, 800);
        gateway.kill();
        gateway.again();
    }
    let sent = load.finish()?;
    account(stage, &topics, &sent)?;
    says_spool(stage);
    Ok(())
}

fn replicas(stage: &mut Stage<'_>) -> anyhow::Result<()> {
    let topics = stage.cluster_topics();
    let gateway = gateway(stage, &topics, &[]);
    let load = stage.load(&[gateway.port()])?;
    stage.wait(Duration::from_secs(1));
    stage.cluster().with_broker(1, Process::kill);
    stage.cluster().with_broker(2, Process::kill);
    stage.wait(Duration::from_secs(10));
    stage.cluster().restart_broker(1);
    stage.cluster().restart_broker(2);
    stage.wait(Duration::from_secs(3));
    let sent = load.finish()?;
    account(stage, &topics, &sent)?;
    only_2xx(stage);
    says_spool(stage);
    drop(gateway);
    Ok(())
}

/// Waits until senders are refused, and looks what readiness says.
fn until_refused(
    stage: &mut Stage<'_>,
    gateway: &Sluice,
    patience: Duration,
) -> anyhow::Result<()> {
    let mut words = String::new();
    stage.eventually(
        "readiness says that the spool has no room",
        patience,
        || {
            let (status, said) = gateway.readiness()?;
            words = said;
            Ok(status == 503 && words.contains("spool"))
        },
    )?;
    stage.note(format!("/readyz answers {}", words.trim()));
    Ok(())
}

fn full(stage: &mut Stage<'_>) -> anyhow::Result<()> {
    let topics = stage.topics();
    let gateway = gateway(stage, &topics, &[("SLUICE_SPOOL__MAX_SIZE", "16MiB")]);
    let load = Load::start(Options::to(&[gateway.port()]).at_rate(40_000))?;
    stage.wait(Duration::from_secs(1));
    without_kafka(stage, |stage| {
        until_refused(stage, &gateway, Duration::from_secs(60))?;
        stage.wait(Duration::from_secs(2));
        Ok(())
    })?;
    stage.eventually("it is ready again", PATIENCE, || {
        Ok(gateway.readiness()?.0 == 200)
    })?;
    let sent = load.finish()?;
    account(stage, &topics, &sent)?;
    says_spool(stage);
    let is_refused = stage.row.answered("503") > 0;
    stage.expect("senders are told to wait", is_refused);
    Ok(())
}

fn disk_full(stage: &mut Stage<'_>) -> anyhow::Result<()> {
    let Some(disk) = small_disk(stage, 192)? else {
        return Ok(());
    };
    let topics = stage.topics();
    let data_dir = disk.folder().join("data").display().to_string();
    let mut gateway = stage.gateway(&topics, &settings(&data_dir));
    let load = stage.load(&[gateway.port()])?;
    stage.wait(Duration::from_secs(1));
    without_kafka(stage, |stage| {
        stage.wait(Duration::from_secs(3));
        disk.fill()?;
        until_refused(stage, &gateway, Duration::from_secs(20))?;
        disk.free()?;
        stage.wait(Duration::from_secs(5));
        Ok(())
    })?;
    let sent = load.finish()?;
    account(stage, &topics, &sent)?;
    says_spool(stage);
    let is_refused = stage.row.answered("503") > 0;
    stage.expect("senders are told to wait", is_refused);
    gateway.kill();
    Ok(())
}

fn off(stage: &mut Stage<'_>) -> anyhow::Result<()> {
    let topics = stage.topics();
    let gateway = stage.gateway(&topics, &[("SLUICE_SPOOL__ENABLED", "false")]);
    let load = stage.load(&[gateway.port()])?;
    stage.wait(Duration::from_secs(1));
    without_kafka(stage, |stage| {
        stage.wait(Duration::from_secs(7));
        Ok(())
    })?;
    let sent = load.finish()?;
    account(stage, &topics, &sent)?;
    let is_refused = stage.row.answered("503") > 0;
    stage.expect("senders are told to wait", is_refused);
    let has_folder = gateway.data_dir().exists();
    stage.expect("no folder is made", !has_folder);
    Ok(())
}
