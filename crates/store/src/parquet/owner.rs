//! Keeps processes apart that write into one folder.
//!
//! Two kinds of trouble. Somebody gave the same folder to two stores: the second one does not start. And members
//! of one consumer group share a folder, which is allowed, and one of them, paused or cut off, goes on
//! with a partition that another has taken over: whoever resumed a partition last owns it, a file says so,
//! and nobody else's files become visible.

use std::fs;
use std::io::ErrorKind;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::disk::{self, Lock};
use super::error::Error;
use super::layout::Layout;

/// A file becomes visible within milliseconds; a process that holds a partition for longer is paused.
const PATIENCE: Duration = Duration::from_secs(2);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Who writes into the folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Writer {
    store: String,
    source: String,
}

/// Held for as long as the archive is open: its folder is this store's.
#[derive(Debug)]
pub(super) struct Membership(#[expect(dead_code, reason = "it is held")] Option<Lock>);

/// Joins those who write into the folder, which all are the same store of the same buffer.
pub(super) fn join(layout: &Layout, store: &str, source: &str) -> Result<Membership, Error> {
    let writer = Writer {
        store: store.to_owned(),
        source: source.to_owned(),
    };
    let lock = layout.writers_lock();
    let named = layout.manifests().join("writers.note");
    loop {
        match Lock::try_exclusive(&lock) {
            // Nobody else is here, whoever was the last.
            Ok(Some(alone)) => {
                let text = serde_json::to_vec(&writer)
                    .map_err(|error| Error::io("write", &named)(error.into()))?;
                disk::replace(&named, &text)?;
                drop(alone);
            }
            Ok(None) => {}
            // The file system has no locks: partitions are kept apart all the same, as well as it goes.
            Err(Error::Io { source, .. }) if source.kind() == ErrorKind::Unsupported => {
                return Ok(Membership(None));
            }
            Err(error) => return Err(error),
        }
        // Between the two locks another store may have come: what the file says now is what counts.
        let Some(shared) = Lock::try_shared(&lock)? else {
            pause();
            continue;
        };
        let text = fs::read(&named).map_err(Error::io("read", &named))?;
        match serde_json::from_slice::<Writer>(&text) {
            Ok(found) if found == writer => return Ok(Membership(Some(shared))),
            Ok(found) => {
                return Err(Error::Taken {
                    path: layout.root().to_owned(),
                    store: found.store,
                    buffer: found.source,
                });
            }
            Err(error) => return Err(Error::io("read", &named)(error.into())),
        }
    }
}

/// The right to write a partition, until somebody else resumes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ownership {
    partition: i32,
    token: String,
}

impl Ownership {
    /// Takes the partition over.
    pub(super) fn take(layout: &Layout, partition: i32) -> Result<Self, Error> {
        let _held = hold(layout, partition)?;
        let token = super::random_name();
        disk::replace(&layout.owner(partition), token.as_bytes())?;
        Ok(Self { partition, token })
    }

    /// Has the partition to itself while what it returns is held.
    pub(super) fn hold(&self, layout: &Layout) -> Result<Lock, Error> {
        let lock = hold(layout, self.partition)?;
        let path = layout.owner(self.partition);
        match fs::read(&path) {
            Ok(found) if found == self.token.as_bytes() => Ok(lock),
            Ok(_) => Err(Error::TakenOver(self.partition)),
            // A person removed it. Nobody else has the partition, or there would be another.
            Err(error) if error.kind() == ErrorKind::NotFound => {
                disk::replace(&path, self.token.as_bytes())?;
                Ok(lock)
            }
            Err(error) => Err(Error::io("read", &path)(error)),
        }
    }

    /// A part of names that no other owner uses.
    pub(super) fn token(&self) -> &str {
        &self.token
    }
}

fn hold(layout: &Layout, partition: i32) -> Result<Lock, Error> {
    let path = layout.partition_lock(partition);
    let started = Instant::now();
    loop {
        if let Some(lock) = disk::try_lock(&path)? {
            return Ok(lock);
        }
        if started.elapsed() >= PATIENCE {
            return Err(Error::Held(partition));
        }
        pause();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a thread of the archive's own, or the start of the process"
)]
fn pause() {
    std::thread::sleep(LOOK_AGAIN);
}
