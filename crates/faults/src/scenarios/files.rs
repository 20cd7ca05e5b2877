//! Damaged files of the embedded log: a torn tail, a flipped bit.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;

use crate::load::Sent;
use crate::receiver::{Mood, Receiver};
use crate::scenario::{Scenario, random};
use crate::sluice::Sluice;
use crate::stage::Stage;

pub(super) const ALL: &[Scenario] = &[
    random(
        "files-log-torn",
        "the newest file of the embedded log ends in half a write: nothing acknowledged is missing",
        torn,
    ),
    random(
        "files-log-flipped",
        "a bit of the embedded log is flipped: that is noticed and said, and nothing wrong is delivered",
        flipped,
    ),
];

/// A standalone whose store took nothing, killed: its log holds everything.
fn filled(stage: &mut Stage<'_>, store: &Receiver) -> anyhow::Result<(Sluice, Vec<Sent>)> {
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

fn torn(stage: &mut Stage<'_>) -> anyhow::Result<()> {
    let store = stage.receiver()?;
    let (mut sluice, sent) = filled(stage, &store)?;
    let path = journal(&sluice.data_dir())?;
    let bytes = fs::read(&path).with_context(|| path.display().to_string())?;
    // The beginning of another write, as a crash leaves it: what a write begins with, broken off.
    let end = used(&bytes);
    let whole = trailers(&bytes).next().context("no write in the journal")?;
    let len = 1 + stage.random_below(whole as u64);
    let torn: Vec<u8> = bytes.iter().copied().take(usize::try_from(len)?).collect();
    if end == bytes.len() {
        let mut file = File::options().append(true).open(&path)?;
        file.write_all(&torn)?;
    } else {
        let mut bytes = bytes;
        for (place, byte) in bytes.iter_mut().skip(end).zip(torn) {
            *place = byte;
        }
        fs::write(&path, bytes)?;
    }
    sluice.again();
    let found = stage.until_received(&store, &sent)?;
    stage.row.account(&sent, &[("the store", found)]);
    Ok(())
}

fn flipped(stage: &mut Stage<'_>) -> anyhow::Result<()> {
    let store = stage.receiver()?;
    let (mut sluice, sent) = filled(stage, &store)?;
    let path = journal(&sluice.data_dir())?;
    let good = fs::read(&path).with_context(|| path.display().to_string())?;
    let mut at = usize::try_from(stage.random_below(used(&good).max(1) as u64))?;
    if stage.random_below(2) == 0 {
        // Most bytes are of values, which have checksums. What is between them is more interesting.
        let head = trailers(&good).find(|trailer| *trailer > at);
        let into = usize::try_from(stage.random_below(40))?;
        at = head.map_or(at, |head| (head + into).min(used(&good) - 1));
    }
    let mut bad = good.clone();
    if let Some(byte) = bad.get_mut(at) {
        *byte ^= 1 << stage.random_below(8);
    }
    fs::write(&path, bad)?;
    let before = sluice.log().len();
    sluice.begin();
    let told = |sluice: &Sluice| {
        let log = sluice.log();
        let log = log.get(before..).unwrap_or_default().to_lowercase();
        [
            "corrupt", "damage", "checksum", "invalid", "truncat", "torn",
        ]
        .iter()
        .any(|word| log.contains(word))
    };
    // Either it refuses to start, or it starts and delivers what can be read.
    let mut has_ended = false;
    for _ in 0..600 {
        has_ended = sluice.process()?.exited().is_some();
        if has_ended || sluice.readiness().is_ok_and(|(status, _)| status == 200) {
            break;
        }
        stage.wait(Duration::from_millis(100));
    }
    let is_told = told(&sluice);
    if has_ended {
        sluice.forget();
        stage.note(format!(
            "byte {at} flipped: it does not start, and says why: {is_told}"
        ));
        stage.expect("it says what is damaged", is_told);
        fs::write(&path, good)?;
        sluice.again();
        let found = stage.until_received(&store, &sent)?;
        stage
            .row
            .account(&sent, &[("the store, from a copy", found)]);
        return Ok(());
    }
    stage.wait(Duration::from_secs(3));
    let found = store.tally().verdict(&sent);
    let (lost, wrong) = (found.lost, found.wrong);
    stage.note(format!(
        "byte {at} flipped: it starts, says so: {is_told}, and misses {lost}"
    ));
    stage.expect("nothing wrong is delivered", wrong == 0);
    stage.expect("what is missing is said", lost == 0 || is_told);
    // A damaged disk is not a crash: what it destroyed is missing, and that must be said.
    let acknowledged: u64 = sent.iter().map(Sent::acknowledged).sum();
    stage.row.sent += acknowledged;
    stage.row.acknowledged += acknowledged;
    stage.row.found += found.found;
    Ok(())
}

/// The file of the log that was written to last.
fn journal(data_dir: &Path) -> anyhow::Result<PathBuf> {
    let mut files = Vec::new();
    walk(&data_dir.join("log"), &mut files)?;
    let newest = files
        .into_iter()
        .filter_map(|path| {
            let metadata = path.metadata().ok()?;
            let is_journal = path.extension().is_some_and(|ending| ending == "jnl");
            Some(((is_journal, metadata.modified().ok()?), path))
        })
        .max();
    newest.map(|(_, path)| path).context("the log has no file")
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            walk(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

/// Where the writes of a journal end.
fn trailers(bytes: &[u8]) -> impl Iterator<Item = usize> {
    let found = bytes.windows(4).enumerate();
    found.filter_map(|(at, window)| (window == b"FJL\x03").then_some(at + 4))
}

/// Bytes up to the last that is not zero: files may be allocated ahead.
fn used(bytes: &[u8]) -> usize {
    let last = bytes.iter().rposition(|byte| *byte != 0);
    last.map_or(0, |at| at + 1)
}
