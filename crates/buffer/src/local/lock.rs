//! One process per data directory.
//!
//! The lock is the operating system's: it ends with the process, however that ends. The file
//! stays, with the number of the process that took it last.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

const FILE: &str = "sluice.lock";

/// A directory that holds the embedded log, the spool, the archive.
#[derive(Debug)]
pub struct DataDir;

/// Held as long as this process uses the directory; dropping it lets another one in.
#[derive(Debug)]
pub struct DataDirLock {
    /// Locked while it is open.
    _file: File,
    dir: PathBuf,
}

/// The directory cannot be ours.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process has it.
    #[error("the data directory {} is in use by {}; stop it, or choose another data_dir", dir.display(), holder(*pid))]
    Held {
        /// The directory.
        dir: PathBuf,
        /// Who has it, if it could be read.
        pid: Option<u32>,
    },
    /// It cannot be made or written.
    #[error("the data directory {} cannot be used: {source}", dir.display())]
    Unusable {
        /// The directory.
        dir: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(
        || "another process".to_owned(),
        |pid| format!("another process (pid {pid})"),
    )
}

impl DataDir {
    /// Makes the directory if it is missing and locks it.
    ///
    /// # Errors
    /// When another process holds the lock, or the directory cannot be written.
    pub fn lock(dir: &Path) -> Result<DataDirLock, LockError> {
        let unusable = |source| LockError::Unusable {
            dir: dir.to_owned(),
            source,
        };
        std::fs::create_dir_all(dir).map_err(unusable)?;
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(dir.join(FILE))
            .map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                // Only for the message: a file that cannot be read names nobody.
                let pid = file
                    .read_to_string(&mut text)
                    .ok()
                    .and_then(|_| text.trim().parse().ok());
                return Err(LockError::Held {
                    dir: dir.to_owned(),
                    pid,
                });
            }
            Err(TryLockError::Error(source)) => return Err(unusable(source)),
        }
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", std::process::id()))
            .map_err(unusable)?;
        Ok(DataDirLock {
            _file: file,
            dir: dir.to_owned(),
        })
    }
}

impl DataDirLock {
    /// The directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }
}

#[cfg(test)]
mod tests;
