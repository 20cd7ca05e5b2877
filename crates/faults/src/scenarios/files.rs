//! Damaged files of the embedded log and of the spool: a torn tail, a flipped bit.

use std::time::Duration;

use testkit::Network;

use super::damage::{flip, journal, tear};
use super::spool::{account, gateway};
use crate::load::Sent;
use crate::receiver::{Mood, Receiver};
use crate::scenario::{Scenario, random};
use crate::sluice::Sluice;
use crate::stage::{Stage, Topics};
use crate::tally::Verdict;

pub(super) const ALL: &[Scenario] = &[
    random(
        "files-log-torn",
        "the newest file of the embedded log ends in half a write: nothing acknowledged is missing",
        log_torn,
    ),
    random(
        "files-log-flipped",
        "a bit of the embedded log is flipped: that is noticed and said, and nothing wrong is delivered",
        log_flipped,
    ),
    random(
        "files-spool-torn",
        "the newest file of the spool ends in half a write: nothing acknowledged is missing",
        spool_torn,
    ),
    random(
        "files-spool-flipped",
        "a bit of the spool is flipped: that is noticed and said, and nothing wrong is delivered",
        spool_flipped,
    ),
];

/// A standalone whose store took nothing, killed: its log holds everything.
fn filled_log(stage: &mut Stage<'_>, store: &Receiver) -> anyhow::Result<(Sluice, Vec<Sent>)> {
    store.set(Mood::Says(503));
    let url = store.url();
    let stores = [
        ("SLUICE_STORES__MAIN__TYPE", "remote_write"),
        ("SLUICE_STORES__MAIN__URL", &url),
        ("SLUICE_CONSUMER__RETRY_MAX", "500ms"),
    ];
    let data_dir = stage.folder.join("data");
    let mut sluice = stage.standalone(&data_dir, &stores);
    let load = stage.load(&[sluice.port()])?;
    stage.wait(Duration::from_millis(1500));
    let sent = load.finish()?;
    sluice.kill();
    store.set(Mood::Good);
    Ok((sluice, sent))
}

/// A gateway without Kafka, killed: its spool holds everything.
fn filled_spool(stage: &mut Stage<'_>, topics: &Topics) -> anyhow::Result<(Sluice, Vec<Sent>)> {
    let mut gateway = gateway(stage, topics, &[]);
    stage.kafka().proxy(0).set(Network::Stalled);
    let load = stage.load(&[gateway.port()])?;
    stage.wait(Duration::from_millis(3500));
    let sent = load.finish();
    gateway.kill();
    stage.kafka().proxy(0).set(Network::Good);
    Ok((gateway, sent?))
}

fn log_torn(stage: &mut Stage<'_>) -> anyhow::Result<()> {
    let store = stage.receiver()?;
    let (mut sluice, sent) = filled_log(stage, &store)?;
    tear(stage, &journal(&sluice.data_dir().join("log"))?)?;
    sluice.again();
    let found = stage.until_received(&store, &sent)?;
    stage.row.account(&sent, &[("the store", found)]);
    Ok(())
}

fn spool_torn(stage: &mut Stage<'_>) -> anyhow::Result<()> {
    let topics = stage.topics();
    let (mut gateway, sent) = filled_spool(stage, &topics)?;
    tear(stage, &journal(&gateway.data_dir().join("spool"))?)?;
    gateway.again();
    account(stage, &topics, &sent)
}

fn log_flipped(stage: &mut Stage<'_>) -> anyhow::Result<()> {
    let store = stage.receiver()?;
    let (sluice, sent) = filled_log(stage, &store)?;
    flipped(stage, sluice, "log", &sent, |_| {
        Ok(store.tally().verdict(&sent))
    })
}

fn spool_flipped(stage: &mut Stage<'_>) -> anyhow::Result<()> {
    let topics = stage.topics();
    let (gateway, sent) = filled_spool(stage, &topics)?;
    flipped(stage, gateway, "spool", &sent, |stage| {
        stage.in_topic(&topics, &sent)
    })
}

/// Flips a bit in a folder of the data directory and starts the process again.
///
/// Either it refuses to start, or it starts and delivers what can be read. Both must say what is
/// damaged, if anything is missing; and with the bit as it was, everything is there.
fn flipped(
    stage: &mut Stage<'_>,
    mut sluice: Sluice,
    folder: &str,
    sent: &[Sent],
    mut look: impl FnMut(&mut Stage<'_>) -> anyhow::Result<Verdict>,
) -> anyhow::Result<()> {
    let path = journal(&sluice.data_dir().join(folder))?;
    let good = std::fs::read(&path)?;
    let at = flip(stage, &path)?;
    let before = sluice.log().len();
    sluice.begin();
    let mut has_ended = false;
    for _ in 0..600 {
        has_ended = sluice.process()?.exited().is_some();
        let is_ready = || sluice.readiness().is_ok_and(|(status, _)| status == 200);
        if has_ended || is_ready() {
            break;
        }
        stage.wait(Duration::from_millis(100));
    }
    let log = sluice.log();
    let log = log.get(before..).unwrap_or_default().to_lowercase();
    let words = ["corrupt", "damage", "checksum", "journalrecovery"];
    let is_told = words.iter().any(|word| log.contains(word));
    if has_ended {
        sluice.forget();
        stage.note(format!(
            "byte {at} flipped: it does not start, and says why: {is_told}"
        ));
        stage.expect("it says what is damaged", is_told);
        std::fs::write(&path, good)?;
        sluice.again();
    }
    let acknowledged: u64 = sent.iter().map(Sent::acknowledged).sum();
    let mut found = look(stage)?;
    for _ in 0..20 {
        if found.found == acknowledged {
            break;
        }
        stage.wait(Duration::from_millis(500));
        found = look(stage)?;
    }
    if !has_ended {
        let lost = found.lost;
        stage.note(format!(
            "byte {at} flipped: it starts, says so: {is_told}, and misses {lost}"
        ));
        if is_told {
            // A damaged disk is not a crash: what it destroyed is missing, and that was said.
            found.lost = 0;
        }
    }
    stage.row.account(sent, &[(folder, found)]);
    Ok(())
}
