//! Small files of a past day become large ones, in one step that readers cannot see half of.
//!
//! The day's new folder is prepared beside the archive and then exchanged with the old one, which
//! the file system does at once or not at all. Killed before: leftovers beside the archive. Killed
//! after: the old folder lies there. The next pass removes either. Files that a partition may still
//! have to replace (its manifest names them) are not merged; they move along as they are.
//!
//! A query that listed a folder before the exchange may miss a file afterwards and fail; it finds
//! all of it when it is run again, and no sample twice.

mod stream;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::bucket::Moving;
use super::disk::{self, Lock};
use super::error::Error;
use super::layout::{Day, Layout};
use super::manifest::Manifest;
pub(super) use stream::{Input, merge as merge_files, read_chunks};

/// How long a day must be over: most late samples are there by then.
pub(super) const SETTLED_MS: i64 = 3_600_000;

/// Fewer small files are not worth the readers' trouble.
pub(super) const FEWEST: usize = 8;

/// A file of this size is not small.
pub(super) const LARGE_BYTES: u64 = 64 << 20;

/// Files that are read at once, each with a chunk of rows in memory.
pub(super) const FAN_IN: usize = 64;

/// What a merged file may come from.
pub(super) const MERGED_BYTES: u64 = 256 << 20;

/// How many files became how many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Merged {
    /// Small files that are gone.
    pub before: usize,
    /// Files that came instead.
    pub after: usize,
}

/// A day's folder that is complete beside the archive.
struct Prepared {
    folder: PathBuf,
    inputs: BTreeSet<OsString>,
    outputs: usize,
}

/// Merges what there is to merge, unless another process does.
pub(super) fn merge(layout: &Layout, now_ms: i64) -> Result<Merged, Error> {
    let Some(_lock) = Lock::try_exclusive(&layout.merge_lock())? else {
        return Ok(Merged::default());
    };
    let Some(beside) = layout.merging() else {
        return Ok(Merged::default());
    };
    remove_tree(&beside)?;
    let mut merged = Merged::default();
    let mut failed = None;
    for name in settled_days(layout, now_ms)? {
        match merge_day(layout, &beside, &name, now_ms) {
            Ok(of_day) => {
                merged.before += of_day.before;
                merged.after += of_day.after;
            }
            // A damaged file stays damaged: the days behind it must not wait for it for ever.
            Err(error @ (Error::Decode { .. } | Error::Miscounted { .. })) => {
                failed = failed.or(Some(error));
            }
            Err(error) => return Err(error),
        }
    }
    remove_tree(&beside)?;
    failed.map_or(Ok(merged), Err)
}

fn merge_day(layout: &Layout, beside: &Path, name: &str, now_ms: i64) -> Result<Merged, Error> {
    let mut merged = Merged::default();
    if let Some(prepared) = prepare(layout, beside, name, now_ms)? {
        if exchange_day(layout, &prepared, name)? {
            merged.before += prepared.inputs.len();
            merged.after += prepared.outputs;
        }
        remove_tree(&prepared.folder)?;
    }
    Ok(merged)
}

fn settled_days(layout: &Layout, now_ms: i64) -> Result<Vec<String>, Error> {
    let mut days: Vec<String> = list(layout.root())?
        .into_iter()
        .filter_map(|name| name.into_string().ok())
        .filter(|name| {
            Day::parse(name).is_some_and(|day| day.end_ms().saturating_add(SETTLED_MS) <= now_ms)
        })
        .collect();
    days.sort();
    Ok(days)
}

/// Writes the day's merged files beside the archive, if it has enough small ones.
fn prepare(
    layout: &Layout,
    beside: &Path,
    name: &str,
    now_ms: i64,
) -> Result<Option<Prepared>, Error> {
    let folder = layout.root().join(name);
    let groups = groups(small_files(layout, &folder, name)?);
    if groups.is_empty() {
        return Ok(None);
    }
    fs::create_dir_all(beside).map_err(Error::io("make", beside))?;
    probe(layout, beside)?;
    let prepared = beside.join(name);
    disk::make_dir(&prepared)?;
    let mut inputs = BTreeSet::new();
    for (number, group) in groups.iter().enumerate() {
        // Never a name that was there before: a reader with the old list must not find new rows under it.
        let output = (number..)
            .map(|number| format!("merged-{now_ms:013}-{number:04}.parquet"))
            .find(|output| !folder.join(output).exists() && !prepared.join(output).exists())
            .unwrap_or_default();
        stream::merge(group, &prepared.join(output))?;
        inputs.extend(group.iter().map(Input::name));
    }
    Ok(Some(Prepared {
        folder: prepared,
        inputs,
        outputs: groups.len(),
    }))
}

/// The day's files that may be merged. What cannot be read, or is not ours, stays as it is.
fn small_files(layout: &Layout, folder: &Path, name: &str) -> Result<Vec<Input>, Error> {
    let mut names: Vec<String> = list(folder)?
        .into_iter()
        .filter_map(|file| file.into_string().ok())
        .filter(|file| Layout::is_ours(file))
        .collect();
    // After the list: a file is in its manifest before it is visible, so none of them is overlooked.
    let live = Manifest::live_files(layout)?;
    // What goes to the object store goes as it is, or it would be there twice.
    let moving = Moving::load(layout)?;
    names.retain(|file| {
        let name = format!("{name}/{file}");
        !live.contains(&name) && !moving.has(&name)
    });
    names.sort();
    let mut inputs = Vec::new();
    for file in names {
        let path = folder.join(&file);
        match Input::inspect(&path) {
            Ok(Some(input)) if input.bytes < LARGE_BYTES => inputs.push(input),
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "archive: a file is left out of merging"),
        }
    }
    Ok(inputs)
}

/// Cuts the files into those that become one. A file that would be alone stays as it is.
fn groups(inputs: Vec<Input>) -> Vec<Vec<Input>> {
    if inputs.len() < FEWEST {
        return Vec::new();
    }
    let mut groups: Vec<Vec<Input>> = Vec::new();
    let mut bytes = 0;
    for input in inputs {
        bytes += input.bytes;
        match groups.last_mut() {
            Some(group) if group.len() < FAN_IN && bytes <= MERGED_BYTES => group.push(input),
            _ => {
                bytes = input.bytes;
                groups.push(vec![input]);
            }
        }
    }
    groups.retain(|group| group.len() > 1);
    groups
}

/// Completes the prepared folder with what is not merged and exchanges it with the day's. Answers
/// `false`, with nothing changed, when the day is not what it was when it was read.
fn exchange_day(layout: &Layout, prepared: &Prepared, name: &str) -> Result<bool, Error> {
    let folder = layout.root().join(name);
    let _lock = Lock::exclusive(&layout.install_lock())?;
    let now: BTreeSet<OsString> = list(&folder)?.into_iter().collect();
    if !prepared.inputs.is_subset(&now) {
        return Ok(false);
    }
    for other in now.difference(&prepared.inputs) {
        let (from, to) = (folder.join(other), prepared.folder.join(other));
        fs::hard_link(&from, &to).map_err(Error::io("link", &from))?;
    }
    disk::sync_dir(&prepared.folder)?;
    exchange(&folder, &prepared.folder)?;
    disk::sync_dir(layout.root())?;
    if let Some(beside) = prepared.folder.parent() {
        disk::sync_dir(beside)?;
    }
    Ok(true)
}

fn exchange(one: &Path, other: &Path) -> Result<(), Error> {
    renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE)
        .map_err(|error| Error::io("exchange", one)(error.into()))
}

/// Finds out, before the work is done, whether a folder of the archive can be exchanged with one beside it.
fn probe(layout: &Layout, beside: &Path) -> Result<(), Error> {
    let (within, without) = (
        layout.incoming().join("merge-probe"),
        beside.join("merge-probe"),
    );
    disk::make_dir(&within)?;
    disk::make_dir(&without)?;
    let exchanged = exchange(&within, &without);
    remove_tree(&within)?;
    remove_tree(&without)?;
    exchanged
}

pub(super) fn list(folder: &Path) -> Result<Vec<OsString>, Error> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::io("list", folder)(error)),
    };
    entries
        .map(|entry| Ok(entry.map_err(Error::io("list", folder))?.file_name()))
        .collect()
}

fn remove_tree(folder: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(Error::io("remove", folder)(error))
        }
        _ => Ok(()),
    }
}
