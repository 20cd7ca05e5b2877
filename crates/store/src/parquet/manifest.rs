//! What a partition's last batches became, so that a crash before their commit can be undone.
//!
//! A batch's entry is on the disk before its first file is visible. An entry at or above the offset
//! at which reading starts again was never committed, and its records come again: its files go.
//! More than one batch is remembered, because a commit may still be on its way when the next batch
//! is written.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};

use serde::{Deserialize, Serialize};

use super::error::Error;
use super::layout::Layout;

const VERSION: u32 = 1;

/// More batches than a consumer ever has between a write and its commit.
const KEPT: usize = 16;

/// A batch that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// The end of the batch before it, or where reading had started: a commit that lies from here to
    /// `first` does not cover this batch. Records between the two were not for this store.
    pub(super) start: i64,
    /// The offset of its first record.
    pub(super) first: i64,
    /// The offset of its last record.
    pub(super) last: i64,
    /// Its files, below the archive's folder.
    pub(super) files: Vec<String>,
}

/// The last batches of a partition, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    version: u32,
    /// The buffer whose offsets these are.
    source: String,
    batches: Vec<Entry>,
}

/// What the offset at which reading starts says about the last batches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Resumed {
    /// These were never committed. Their records will be read again.
    pub(super) again: Vec<Entry>,
    /// The offset is not what this manifest would lead to: offsets were reset, or the buffer was
    /// replaced. What was written stays, and may come twice.
    pub(super) surprise: Option<String>,
}

impl Manifest {
    /// A manifest without batches.
    pub(super) fn new(source: &str) -> Self {
        Self {
            version: VERSION,
            source: source.to_owned(),
            batches: Vec::new(),
        }
    }

    /// Adds a batch and forgets the oldest.
    pub(super) fn push(&mut self, entry: Entry) {
        self.batches.push(entry);
        let surplus = self.batches.len().saturating_sub(KEPT);
        self.batches.drain(..surplus);
    }

    /// Takes the batches that will come again when reading starts at `offset`.
    pub(super) fn resume(&mut self, offset: i64) -> Resumed {
        let mut resumed = Resumed::default();
        let Some(oldest) = self.batches.first() else {
            return resumed;
        };
        if offset < oldest.start {
            // How much of it comes again, and whether it is the same log at all, cannot be told.
            resumed.surprise = Some(format!(
                "reading starts at offset {offset}, before the last known batches, which start at {}",
                oldest.start
            ));
            self.batches.clear();
            return resumed;
        }
        let below = self.batches.partition_point(|entry| entry.first < offset);
        resumed.again = self.batches.split_off(below);
        if let Some(split) = self.batches.last().filter(|entry| offset <= entry.last) {
            resumed.surprise = Some(format!(
                "reading starts at offset {offset}, inside the batch of {} to {}",
                split.first, split.last
            ));
        }
        resumed
    }

    /// Reads a partition's manifest. One of another buffer, or one that cannot be understood, is as
    /// good as none: the files that it names stay.
    pub(super) fn load(layout: &Layout, partition: i32, source: &str) -> Result<Self, Error> {
        let path = layout.manifest(partition);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::new(source)),
            Err(error) => return Err(Error::io("read", &path)(error)),
        };
        let why = match serde_json::from_slice::<Self>(&text) {
            Ok(found) if found.version != VERSION => {
                format!(
                    "it has version {}, this program writes {VERSION}",
                    found.version
                )
            }
            Ok(found) if found.source == source => return Ok(found),
            Ok(found) => format!("it is of the buffer {:?}, this is {source:?}", found.source),
            Err(error) => error.to_string(),
        };
        tracing::warn!(
            partition,
            path = %path.display(),
            why,
            "archive: the manifest is not used; if its last batch was not committed, its samples will be there twice"
        );
        Ok(Self::new(source))
    }

    /// The files of all partitions that may still have to be taken back.
    pub(super) fn live_files(layout: &Layout) -> Result<BTreeSet<String>, Error> {
        let dir = layout.manifests();
        let mut live = BTreeSet::new();
        for entry in fs::read_dir(&dir).map_err(Error::io("list", &dir))? {
            let path = entry.map_err(Error::io("list", &dir))?.path();
            if path.extension().is_none_or(|ending| ending != "json") {
                continue;
            }
            let text = fs::read(&path).map_err(Error::io("read", &path))?;
            // One that cannot be understood undoes nothing either.
            if let Ok(manifest) = serde_json::from_slice::<Self>(&text) {
                live.extend(manifest.batches.into_iter().flat_map(|entry| entry.files));
            }
        }
        Ok(live)
    }

    /// Replaces a partition's manifest on the disk: afterwards either the old or the new one is there, whole.
    pub(super) fn save(&self, layout: &Layout, partition: i32) -> Result<(), Error> {
        let path = layout.manifest(partition);
        let temporary = path.with_extension("json.tmp");
        self.save_aside(&temporary)?;
        fs::rename(&temporary, &path).map_err(Error::io("rename", &temporary))?;
        super::disk::sync_dir(&layout.manifests())
    }

    /// The first half of [`Self::save`].
    pub(super) fn save_aside(&self, temporary: &std::path::Path) -> Result<(), Error> {
        let text = serde_json::to_vec_pretty(self)
            .map_err(|error| Error::io("write", temporary)(error.into()))?;
        let mut file = File::create(temporary).map_err(Error::io("create", temporary))?;
        file.write_all(&text)
            .map_err(Error::io("write", temporary))?;
        file.sync_all().map_err(Error::io("sync", temporary))
    }
}

#[cfg(test)]
mod tests;
