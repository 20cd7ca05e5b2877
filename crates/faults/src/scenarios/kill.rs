//! Kill -9 at random moments: of a gateway, of a consumer, of a standalone.

use crate::look;
use crate::scenario::{Scenario, random};
use crate::stage::Stage;
use crate::tally::Tally;

pub(super) const ALL: &[Scenario] = &[
    random(
        "kill-gateway",
        "a gateway is killed twice and started again; the topic has all that it acknowledged",
        gateway,
    )
    .quick(),
    random(
        "kill-consumer",
        "a consumer is killed twice and started again; the store has everything",
        consumer,
    ),
    random(
        "kill-standalone",
        "a standalone is killed twice; archive and store have everything",
        standalone,
    )
    .quick(),
];

fn gateway(stage: &mut Stage<'_>) -> anyhow::Result<()> {
    let topics = stage.topics();
    let mut gateway = stage.gateway(&topics, &[]);
    let load = stage.load(&[gateway.port()])?;
    for _ in 0..2 {
        stage.wait_between(50, 900);
        gateway.kill();
        gateway.again();
    }
    stage.wait_between(50, 300);
    let sent = load.finish()?;
    gateway.stop();
    let found = stage.in_topic(&topics, &sent)?;
    stage.row.account(&sent, &[("the topic", found)]);
    Ok(())
}

fn consumer(stage: &mut Stage<'_>) -> anyhow::Result<()> {
    let topics = stage.topics();
    let store = stage.receiver()?;
    let mut gateway = stage.gateway(&topics, &[]);
    let mut consumer = stage.consumer(&topics, &store.url(), COMMITS_OFTEN);
    let load = stage.load(&[gateway.port()])?;
    for _ in 0..2 {
        stage.wait_between(50, 900);
        consumer.kill();
        consumer.again();
    }
    let sent = load.finish()?;
    let found = stage.until_received(&store, &sent)?;
    stage.row.account(&sent, &[("the store", found)]);
    gateway.stop();
    Ok(())
}

/// So that a kill falls beside a commit.
const COMMITS_OFTEN: &[(&str, &str)] = &[
    ("SLUICE_CONSUMER__COMMIT_INTERVAL", "100ms"),
    ("SLUICE_STORES__MAIN__MAX_AGE", "50ms"),
];

fn standalone(stage: &mut Stage<'_>) -> anyhow::Result<()> {
    let store = stage.receiver()?;
    let data_dir = stage.folder.join("data");
    let url = store.url();
    let settings = [
        ("SLUICE_STORES__ARCHIVE__TYPE", "parquet"),
        ("SLUICE_STORES__ARCHIVE__CLOSE_AFTER", "200ms"),
        ("SLUICE_STORES__MAIN__TYPE", "remote_write"),
        ("SLUICE_STORES__MAIN__URL", &url),
        ("SLUICE_STORES__MAIN__MAX_AGE", "50ms"),
        ("SLUICE_CONSUMER__COMMIT_INTERVAL", "100ms"),
    ];
    let mut sluice = stage.standalone(&data_dir, &settings);
    let load = stage.load(&[sluice.port()])?;
    for _ in 0..2 {
        stage.wait_between(50, 900);
        sluice.kill();
        sluice.again();
    }
    stage.wait_between(50, 300);
    let sent = load.finish()?;
    let stored = stage.until_received(&store, &sent)?;
    let status = sluice.stop();
    stage.expect(
        "it ends with 0",
        status.is_some_and(|status| status.success()),
    );
    let mut archived = Tally::default();
    look::archive(&data_dir.join("archive"), &mut archived)?;
    let archived = archived.verdict(&sent);
    let places = [("the store", stored), ("the archive", archived)];
    stage.row.account(&sent, &places);
    Ok(())
}
