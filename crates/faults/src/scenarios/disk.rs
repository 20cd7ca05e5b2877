//! A full disk under the embedded log, and under the archive.

use std::time::Duration;

use crate::disk::SmallDisk;
use crate::look;
use crate::scenario::{Scenario, scripted};
use crate::stage::Stage;
use crate::tally::Tally;

pub(super) const ALL: &[Scenario] = &[
    scripted(
        "disk-full-log",
        "no room for the embedded log for 5 s: 503, readiness says why, and it goes on by itself",
        log,
    ),
    scripted(
        "disk-full-archive",
        "no room for the archive for 5 s: senders notice nothing, and it catches up",
        archive,
    ),
];

/// A disk of this size, or a row that says why not.
pub(super) fn small_disk(stage: &mut Stage<'_>, mib: u32) -> anyhow::Result<Option<SmallDisk>> {
    match SmallDisk::mount(stage.folder.join("disk"), mib)? {
        Ok(disk) => Ok(Some(disk)),
        Err(why) => {
            stage.row.skipped = Some(why);
            Ok(None)
        }
    }
}

fn log(stage: &mut Stage<'_>) -> anyhow::Result<()> {
    let Some(disk) = small_disk(stage, 192)? else {
        return Ok(());
    };
    let store = stage.receiver()?;
    let url = store.url();
    let stores = [
        ("SLUICE_STORES__MAIN__TYPE", "remote_write"),
        ("SLUICE_STORES__MAIN__URL", &url),
        ("SLUICE_LOCAL__MAX_SIZE", "64MiB"),
    ];
    let data_dir = disk.folder().join("data");
    let mut sluice = stage.standalone(&data_dir, &stores);
    let load = stage.load(&[sluice.port()])?;
    stage.wait(Duration::from_secs(1));
    disk.fill()?;
    stage.wait(Duration::from_secs(2));
    let (status, words) = sluice.readiness()?;
    stage.note(format!(
        "with a full disk /readyz answers {status}: {}",
        words.trim()
    ));
    stage.wait(Duration::from_secs(3));
    disk.free()?;
    stage.eventually("it is ready again", Duration::from_secs(30), || {
        Ok(sluice.readiness()?.0 == 200)
    })?;
    stage.wait(Duration::from_secs(1));
    let sent = load.finish()?;
    let stored = stage.until_received(&store, &sent)?;
    stage.row.account(&sent, &[("the store", stored)]);
    stage.expect("readiness says why", status == 503);
    let is_refused = stage.row.answered("503") > 0;
    stage.expect("senders are told to wait", is_refused);
    sluice.kill();
    sluice.again();
    sluice.stop();
    Ok(())
}

fn archive(stage: &mut Stage<'_>) -> anyhow::Result<()> {
    let Some(disk) = small_disk(stage, 8)? else {
        return Ok(());
    };
    let dir = disk.folder().join("archive");
    let archive_dir = dir.display().to_string();
    let stores = [
        ("SLUICE_STORES__ARCHIVE__TYPE", "parquet"),
        ("SLUICE_STORES__ARCHIVE__DIR", archive_dir.as_str()),
        ("SLUICE_STORES__ARCHIVE__CLOSE_AFTER", "300ms"),
        ("SLUICE_CONSUMER__RETRY_MAX", "1s"),
    ];
    let data_dir = stage.folder.join("data");
    let mut sluice = stage.standalone(&data_dir, &stores);
    let load = stage.load(&[sluice.port()])?;
    stage.wait(Duration::from_secs(1));
    disk.fill()?;
    stage.wait(Duration::from_secs(5));
    disk.free()?;
    stage.wait(Duration::from_secs(2));
    let sent = load.finish()?;
    sluice.stop();
    let mut tally = Tally::default();
    look::archive(&dir, &mut tally)?;
    let verdict = tally.verdict(&sent);
    stage.expect("the archive has nothing twice", verdict.doubled == 0);
    stage.row.account(&sent, &[("the archive", verdict)]);
    let refused = stage.row.answered("503");
    stage.expect("senders notice nothing", refused == 0);
    Ok(())
}
