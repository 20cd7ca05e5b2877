//! Two processes that want the same data directory.

use std::time::Duration;

use crate::scenario::{Scenario, scripted};
use crate::sluice::Sluice;
use crate::stage::{Stage, owned};

pub(super) const ALL: &[Scenario] = &[scripted(
    "directory-shared",
    "a second standalone on the same directory ends at once and says why; the first goes on",
    shared,
)
.quick()];

fn shared(stage: &mut Stage<'_>) -> anyhow::Result<()> {
    let store = stage.receiver()?;
    let data_dir = stage.folder.join("data");
    let url = store.url();
    let stores = [
        ("SLUICE_STORES__MAIN__TYPE", "remote_write"),
        ("SLUICE_STORES__MAIN__URL", &url),
    ];
    let mut first = stage.standalone(&data_dir, &stores);
    let load = stage.load(&[first.port()])?;
    stage.wait(Duration::from_millis(500));
    let folder = data_dir.display().to_string();
    let plan = stage.plan("standalone", &owned(&[("SLUICE_DATA_DIR", &folder)]));
    let mut second = Sluice::prepare(plan);
    second.begin();
    let status = second.process()?.wait_for_exit(Duration::from_secs(30));
    second.forget();
    stage.expect("the second ends with a failure", !status.success());
    let log = second.log();
    stage.expect("it names the directory", log.contains(&folder));
    let lines = log.lines().count();
    stage.expect(
        &format!("it says so in a line or two, not {lines}"),
        lines <= 3,
    );
    stage.wait(Duration::from_millis(500));
    let sent = load.finish()?;
    let found = stage.until_received(&store, &sent)?;
    stage
        .row
        .account(&sent, &[("the store of the first", found)]);
    let is_quiet = stage
        .row
        .answers
        .keys()
        .all(|answer| answer.starts_with('2'));
    stage.expect("the first does not notice", is_quiet);
    first.stop();
    Ok(())
}
