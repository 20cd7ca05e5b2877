//! What a replay remembers on disk, so that the same command goes on where it was.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::{Deserialize, Serialize};

use super::plan::Span;

const VERSION: u32 = 1;

/// Two commands that differ in one of these are two replays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    /// The buffer that offsets are of.
    pub(crate) buffer: String,
    /// The store.
    pub(crate) to: String,
    /// Everything that chooses what is replayed, as it was given.
    pub(crate) choice: String,
}

/// An unfinished replay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct State {
    version: u32,
    #[serde(flatten)]
    pub(crate) identity: Identity,
    pub(crate) spans: Vec<Span>,
    /// Received in this time, milliseconds since the Unix epoch; the end is not in it.
    pub(crate) received_ms: (i64, i64),
    /// By partition, the offset to go on with.
    pub(crate) next: BTreeMap<i32, i64>,
    /// Samples that the store has taken.
    pub(crate) written: u64,
    /// What was chosen and is not in the store: records that had expired or cannot be decoded, samples that were refused.
    #[serde(default)]
    pub(crate) missed: u64,
}

impl State {
    /// Of a replay that begins.
    pub(crate) fn new(identity: Identity, spans: Vec<Span>, received_ms: (i64, i64)) -> Self {
        Self {
            version: VERSION,
            identity,
            spans,
            received_ms,
            next: BTreeMap::new(),
            written: 0,
            missed: 0,
        }
    }
}

/// The file of a replay.
#[derive(Debug, Clone)]
pub(crate) struct StateFile(pub(crate) PathBuf);

impl StateFile {
    /// Where a replay to this store is remembered when nobody says where.
    pub(crate) fn default_for(data_dir: &Path, to: &str) -> Self {
        let fits = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
        let name: String = to
            .chars()
            .map(|character| if fits(character) { character } else { '_' })
            .collect();
        Self(data_dir.join("replay").join(format!("{name}.json")))
    }

    /// Held by the one process that replays with this file; the system lets go of it when that ends.
    pub(crate) fn lock(&self) -> anyhow::Result<File> {
        let path = self.0.with_extension("lock");
        let open = || -> std::io::Result<File> {
            if let Some(dir) = path.parent() {
                fs::create_dir_all(dir)?;
            }
            File::options().create(true).append(true).open(&path)
        };
        let file = open().with_context(|| {
            format!(
                "{} cannot be used; name another file with --state",
                path.display()
            )
        })?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => anyhow::bail!(
                "another process replays with {}; wait for its end, or name another file with --state",
                self.0.display()
            ),
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("{} cannot be locked", path.display()))
            }
        }
    }

    /// The unfinished replay, if there is one.
    pub(crate) fn load(&self) -> anyhow::Result<Option<State>> {
        let path = self.0.display();
        let text = match fs::read(&self.0) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("{path} cannot be read")),
        };
        let state: State = serde_json::from_slice(&text).with_context(|| {
            format!("{path} is not a replay's; name another with --state, or delete it")
        })?;
        anyhow::ensure!(
            state.version == VERSION,
            "{path} is of another version of sluice"
        );
        Ok(Some(state))
    }

    /// Replaces what is remembered, durably: either the old or the new is there, whatever happens.
    pub(crate) fn save(&self, state: &State) -> anyhow::Result<()> {
        let save = || -> std::io::Result<()> {
            let dir = self.0.parent().unwrap_or(Path::new("."));
            fs::create_dir_all(dir)?;
            let temporary = self.0.with_extension("json.tmp");
            let mut file = File::create(&temporary)?;
            file.write_all(&serde_json::to_vec_pretty(state)?)?;
            file.sync_all()?;
            fs::rename(&temporary, &self.0)?;
            File::open(if dir.as_os_str().is_empty() {
                Path::new(".")
            } else {
                dir
            })?
            .sync_all()
        };
        save().with_context(|| {
            let path = self.0.display();
            format!("{path} cannot be written; name another file with --state")
        })
    }

    /// Forgets it.
    pub(crate) fn remove(&self) -> anyhow::Result<()> {
        match fs::remove_file(&self.0) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(error).with_context(|| format!("{} cannot be removed", self.0.display()))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
