//! What a partition's last batches became, so that records that come again replace what they were.
//!
//! A batch's entry is on the disk before its first file is visible. After a crash reading starts at
//! the last commit; when records of a remembered batch come again, its files go as theirs come.
//! Nothing goes before that: records that expired meanwhile, or that were of another log, do not come.
//! More than one batch is remembered, because a commit may still be on its way when the next batch
//! is written.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};

use serde::{Deserialize, Serialize};

use super::Span;
use super::error::Error;
use super::layout::Layout;

const VERSION: u32 = 1;

/// More batches than a consumer ever has between a write and its commit. As many are kept on either side of the
/// batch that was written last.
const KEPT: usize = 16;

/// A batch that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// The offset of its first record.
    pub(super) first: i64,
    /// The offset of its last record.
    pub(super) last: i64,
    /// When the first record was received: another record with its offset is of another log.
    pub(super) received_at_ms: i64,
    /// Its files, below the archive's folder.
    pub(super) files: Vec<String>,
}

/// The last batches of a partition, in the order of their offsets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    version: u32,
    /// The buffer whose offsets these are.
    source: String,
    batches: Vec<Entry>,
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

    /// Adds a batch and forgets those that are far from it. Higher offsets than its own are of batches that
    /// come again later, or of another log: they may not crowd it out.
    pub(super) fn push(&mut self, entry: Entry) {
        let at = self
            .batches
            .partition_point(|other| other.first <= entry.first);
        self.batches.insert(at, entry);
        self.batches.truncate(at + 1 + KEPT);
        let surplus = (at + 1).saturating_sub(KEPT);
        self.batches.drain(..surplus);
    }

    /// Takes the batches that `span` writes again, where reading had started at `resumed_at`.
    /// `received_at_ms` says when the span's record of an offset was received.
    pub(super) fn take_replaced(
        &mut self,
        resumed_at: i64,
        span: Span,
        received_at_ms: impl Fn(i64) -> Option<i64>,
    ) -> Vec<Entry> {
        let overlaps = |entry: &Entry| entry.first <= span.last && span.first <= entry.last;
        // Of a batch that began before, the first records do not come again.
        let (again, kept) = std::mem::take(&mut self.batches)
            .into_iter()
            .partition(|entry| entry.first >= resumed_at && overlaps(entry));
        self.batches = kept;
        let (same, other): (Vec<Entry>, Vec<Entry>) = Vec::into_iter(again).partition(|entry| {
            received_at_ms(entry.first).is_none_or(|at_ms| at_ms == entry.received_at_ms)
        });
        for entry in other {
            tracing::warn!(
                partition = span.partition,
                offset = entry.first,
                "archive: the buffer has another record at this offset than before, as after a topic was made anew; what was archived stays"
            );
        }
        same
    }

    /// Why some samples may be in the archive twice when reading starts at `offset`, if they may.
    pub(super) fn doubt(&self, offset: i64) -> Option<String> {
        let oldest = self.batches.first()?;
        if self.batches.len() >= KEPT && offset < oldest.first {
            return Some(format!(
                "reading starts at offset {offset}, the oldest batch that is remembered at {}",
                oldest.first
            ));
        }
        self.batches
            .iter()
            .find(|entry| entry.first < offset && offset <= entry.last)
            .map(|entry| {
                format!(
                    "reading starts at offset {offset}, inside the batch of {} to {}",
                    entry.first, entry.last
                )
            })
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

    /// The files of all partitions that may still have to be replaced.
    pub(super) fn live_files(layout: &Layout) -> Result<BTreeSet<String>, Error> {
        let dir = layout.manifests();
        let mut live = BTreeSet::new();
        for entry in fs::read_dir(&dir).map_err(Error::io("list", &dir))? {
            let path = entry.map_err(Error::io("list", &dir))?.path();
            if path.extension().is_none_or(|ending| ending != "json") {
                continue;
            }
            let text = fs::read(&path).map_err(Error::io("read", &path))?;
            // One that cannot be understood replaces nothing either.
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
