//! A consumer that restarts every second, beside one that stays.

use std::time::Duration;

use crate::scenario::{Scenario, scripted};
use crate::stage::Stage;

pub(super) const ALL: &[Scenario] = &[scripted(
    "rebalance-storm",
    "a consumer joins, and is killed or asked to stop, eight times: the store has everything",
    storm,
)];

fn storm(stage: &mut Stage<'_>) -> anyhow::Result<()> {
    let topics = stage.topics();
    let store = stage.receiver()?;
    let gateway = stage.gateway(&topics, &[]);
    let steady = stage.consumer(&topics, &store.url(), &[]);
    let mut restless = stage.consumer(&topics, &store.url(), &[]);
    let load = stage.load(&[gateway.port()])?;
    for turn in 0..8 {
        stage.wait(Duration::from_secs(1));
        if turn % 2 == 0 {
            restless.kill();
        } else {
            restless.stop();
        }
        // Not waited for: the next restart may come before it has any partition.
        restless.begin();
    }
    let sent = load.finish()?;
    let found = stage.until_received(&store, &sent)?;
    stage.row.account(&sent, &[("the store", found)]);
    let refused = stage.row.answered("503");
    stage.expect("senders notice nothing", refused == 0);
    stage.expect("the other one stays", steady.process()?.exited().is_none());
    Ok(())
}
