//! Damages files as crashes and disks do.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::stage::Stage;

/// What ends a write in a journal of the embedded log's engine.
const TRAILER: &[u8] = b"FJL\x03";

/// The journal in this folder that was written to last.
pub(super) fn journal(folder: &Path) -> anyhow::Result<PathBuf> {
    let mut newest = None;
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "jnl") {
            newest = newest.max(Some((path.metadata()?.modified()?, path)));
        }
    }
    let newest = newest.with_context(|| format!("no journal in {}", folder.display()))?;
    Ok(newest.1)
}

/// Puts the beginning of another write behind the last one, as a crash leaves it.
pub(super) fn tear(stage: &mut Stage<'_>, path: &Path) -> anyhow::Result<()> {
    let mut bytes = fs::read(path).with_context(|| path.display().to_string())?;
    let whole = trailers(&bytes).next().context("no write in the journal")?;
    let len = usize::try_from(1 + stage.random_below(whole as u64 - 1))?;
    let torn = bytes.get(..len).unwrap_or_default().to_vec();
    let end = used(&bytes);
    if end == bytes.len() {
        let mut file = File::options().append(true).open(path)?;
        file.write_all(&torn)?;
        return Ok(());
    }
    for (place, byte) in bytes.iter_mut().skip(end).zip(torn) {
        *place = byte;
    }
    fs::write(path, bytes)?;
    Ok(())
}

/// Flips a bit of what was written, and answers where.
pub(super) fn flip(stage: &mut Stage<'_>, path: &Path) -> anyhow::Result<usize> {
    let mut bytes = fs::read(path).with_context(|| path.display().to_string())?;
    let end = used(&bytes);
    let mut at = usize::try_from(stage.random_below(end.max(1) as u64))?;
    if stage.random_below(2) == 0 {
        // Most bytes are of values, which have checksums. What is between them is more interesting.
        let head = trailers(&bytes).find(|trailer| *trailer > at);
        let into = usize::try_from(stage.random_below(40))?;
        at = head.map_or(at, |head| (head + into).min(end - 1));
    }
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 1 << stage.random_below(8);
    }
    fs::write(path, bytes)?;
    Ok(at)
}

/// Where the writes of a journal end.
fn trailers(bytes: &[u8]) -> impl Iterator<Item = usize> {
    let found = bytes.windows(TRAILER.len()).enumerate();
    found.filter_map(|(at, window)| (window == TRAILER).then_some(at + TRAILER.len()))
}

/// Bytes up to the last that is not zero: files are allocated ahead.
fn used(bytes: &[u8]) -> usize {
    let last = bytes.iter().rposition(|byte| *byte != 0);
    last.map_or(0, |at| at + 1)
}
