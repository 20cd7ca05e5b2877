//! How a batch becomes files, in steps between which the process may die.
//!
//! 1. [`stage`]: every day's file, written and synced under a name that readers do not see. Killed
//!    before the end: leftovers, removed by the next [`resume`].
//! 2. [`Manifest::save`]: the batch, the names of its files, and those of the files that they replace.
//!    Killed after it: any of them may be visible, and when the records come again all of them go.
//! 3. [`remove_replaced`], then [`install`]: the files get their names. Only then the write is
//!    answered, and only after the answer the offset is committed.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::Span;
use super::disk::{self, Lock};
use super::error::Error;
use super::file::{Origin, Writer};
use super::layout::{Day, Layout};
use super::manifest::Manifest;
use super::rows::Rows;

/// Files that are complete and not yet visible.
#[derive(Debug, Default)]
pub(super) struct Staged {
    files: Vec<StagedFile>,
    /// What they take on the disk, in bytes.
    pub(super) bytes: u64,
}

#[derive(Debug)]
struct StagedFile {
    temporary: PathBuf,
    name: String,
}

impl Staged {
    /// The names that the files will have, below the archive's folder.
    pub(super) fn names(&self) -> Vec<String> {
        self.files.iter().map(|file| file.name.clone()).collect()
    }

    /// Gives the disk space back. Best effort: what stays is removed when the partition is resumed.
    pub(super) fn discard(&self) {
        for file in &self.files {
            if let Err(error) = disk::remove(&file.temporary) {
                tracing::debug!(%error, "archive: a temporary file stays for now");
            }
        }
    }
}

/// Makes the archive's own folders.
pub(super) fn prepare(layout: &Layout) -> Result<(), Error> {
    fs::create_dir_all(layout.root()).map_err(Error::io("make", layout.root()))?;
    disk::make_dir(&layout.incoming())?;
    disk::make_dir(&layout.manifests())
}

/// Writes a file per day, one after the other, with `token` in their temporary names. Names in `replaced` are
/// free. On an error nothing stays.
pub(super) fn stage(
    layout: &Layout,
    token: &str,
    origin: Origin<'_>,
    rows: &Rows<'_>,
    replaced: &BTreeSet<String>,
    keep_on: &dyn Fn() -> Result<(), Error>,
) -> Result<Staged, Error> {
    let Span {
        partition, first, ..
    } = origin.span;
    let mut staged = Staged::default();
    for day in rows.days() {
        let file = StagedFile {
            temporary: layout.temporary(partition, first, day, token),
            name: layout.free_name(partition, first, day, replaced),
        };
        let written = keep_on().and_then(|()| write_day(&file.temporary, origin, rows, day));
        staged.files.push(file);
        match written {
            Ok(bytes) => staged.bytes += bytes,
            Err(error) => {
                staged.discard();
                return Err(error);
            }
        }
    }
    Ok(staged)
}

fn write_day(path: &Path, origin: Origin<'_>, rows: &Rows<'_>, day: Day) -> Result<u64, Error> {
    let mut writer = Writer::create(path, &origin.metadata())?;
    for series in rows.of_day(day) {
        writer.series(series.metric(), series.labels());
        for (at_ms, value, tenant) in series.rows() {
            writer.push(at_ms, value, tenant)?;
        }
    }
    writer.finish()
}

/// Makes the files visible, durably.
pub(super) fn install(layout: &Layout, staged: &Staged) -> Result<(), Error> {
    install_some(layout, staged, usize::MAX)
}

/// The first `count` renames of [`install`].
pub(super) fn install_some(layout: &Layout, staged: &Staged, count: usize) -> Result<(), Error> {
    let mut folders: BTreeSet<PathBuf> = BTreeSet::new();
    for file in staged.files.iter().take(count) {
        let target = layout.root().join(&file.name);
        let folder = target.parent().unwrap_or_else(|| layout.root());
        if folders.insert(folder.to_owned()) {
            disk::make_dir(folder)?;
        }
        rename(&file.temporary, &target)?;
    }
    folders.iter().try_for_each(|folder| disk::sync_dir(folder))
}

fn rename(from: &Path, to: &Path) -> Result<(), Error> {
    fs::rename(from, to).map_err(Error::io("rename into place", to))
}

/// Removes the files that the batch's own do not overwrite.
pub(super) fn remove_replaced(
    layout: &Layout,
    replaced: &BTreeSet<String>,
    staged: &Staged,
) -> Result<(), Error> {
    let names: BTreeSet<String> = staged.names().into_iter().collect();
    disk::remove_files(layout, replaced.difference(&names))
}

/// Records the batch and makes its files visible in the place of those that they replace.
pub(super) fn publish(
    layout: &Layout,
    manifest: &Manifest,
    partition: i32,
    staged: &Staged,
    replaced: &BTreeSet<String>,
) -> Result<(), Error> {
    let _lock = Lock::shared(&layout.install_lock())?;
    manifest.save(layout, partition)?;
    remove_replaced(layout, replaced, staged)?;
    install(layout, staged)
}

/// Removes what an unfinished write left and reads what is remembered.
pub(super) fn resume(
    layout: &Layout,
    source: &str,
    partition: i32,
    offset: i64,
) -> Result<Manifest, Error> {
    disk::remove_temporaries(layout, partition)?;
    let manifest = Manifest::load(layout, partition, source)?;
    if let Some(why) = manifest.doubt(offset) {
        tracing::warn!(
            partition,
            offset,
            why,
            "archive: some samples that are read again will be in it twice"
        );
    }
    Ok(manifest)
}
