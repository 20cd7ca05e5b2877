//! File system steps that survive a power failure once they have answered.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Component, Path, PathBuf};

use super::error::Error;
use super::layout::Layout;

/// Makes the names in `dir` durable.
pub(super) fn sync_dir(dir: &Path) -> Result<(), Error> {
    File::open(dir)
        .and_then(|dir| dir.sync_all())
        .map_err(Error::io("sync", dir))
}

/// Makes `dir`, durably, if it is missing.
pub(super) fn make_dir(dir: &Path) -> Result<(), Error> {
    match fs::create_dir(dir) {
        Ok(()) => match dir.parent() {
            Some(parent) => sync_dir(parent),
            None => Ok(()),
        },
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(Error::io("make", dir)(error)),
    }
}

/// Held until dropped, also against other processes.
#[derive(Debug)]
pub(super) struct Lock(
    #[expect(dead_code, reason = "the lock lives as long as its file is open")] File,
);

impl Lock {
    fn open(path: &Path) -> Result<File, Error> {
        File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)
            .map_err(Error::io("open", path))
    }

    /// Beside others who share it. Where the file system has no locks, nobody can hold it alone either.
    pub(super) fn shared(path: &Path) -> Result<Self, Error> {
        let file = Self::open(path)?;
        match file.lock_shared() {
            Err(error) if error.kind() != ErrorKind::Unsupported => {
                Err(Error::io("lock", path)(error))
            }
            _ => Ok(Self(file)),
        }
    }

    /// Beside others who share it, if nobody has it alone now.
    pub(super) fn try_shared(path: &Path) -> Result<Option<Self>, Error> {
        let file = Self::open(path)?;
        match file.try_lock_shared() {
            Ok(()) => Ok(Some(Self(file))),
            Err(fs::TryLockError::WouldBlock) => Ok(None),
            Err(fs::TryLockError::Error(error)) => Err(Error::io("lock", path)(error)),
        }
    }

    /// Alone.
    pub(super) fn exclusive(path: &Path) -> Result<Self, Error> {
        let file = Self::open(path)?;
        file.lock().map_err(Error::io("lock", path))?;
        Ok(Self(file))
    }

    /// Alone, if nobody has it now.
    pub(super) fn try_exclusive(path: &Path) -> Result<Option<Self>, Error> {
        let file = Self::open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self(file))),
            Err(fs::TryLockError::WouldBlock) => Ok(None),
            Err(fs::TryLockError::Error(error)) => Err(Error::io("lock", path)(error)),
        }
    }
}

/// Alone, if nobody has it now. Where the file system has no locks, it is not asked for any.
pub(super) fn try_lock(path: &Path) -> Result<Option<Lock>, Error> {
    match Lock::try_exclusive(path) {
        Err(Error::Io { source, .. }) if source.kind() == ErrorKind::Unsupported => {
            Ok(Some(Lock(Lock::open(path)?)))
        }
        other => other,
    }
}

/// Replaces a file: afterwards the old or the new one is there, whole, also after a power failure.
pub(super) fn replace(path: &Path, text: &[u8]) -> Result<(), Error> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".tmp");
    let temporary = PathBuf::from(temporary);
    let mut file = File::create(&temporary).map_err(Error::io("create", &temporary))?;
    file.write_all(text)
        .map_err(Error::io("write", &temporary))?;
    file.sync_all().map_err(Error::io("sync", &temporary))?;
    fs::rename(&temporary, path).map_err(Error::io("rename", &temporary))?;
    path.parent().map_or(Ok(()), sync_dir)
}

/// Removes a file that may already be gone.
pub(super) fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::io("remove", path)(error)),
        _ => Ok(()),
    }
}

/// Removes what a partition's unfinished writes left behind.
pub(super) fn remove_temporaries(layout: &Layout, partition: i32) -> Result<(), Error> {
    let dir = layout.incoming();
    let prefix = Layout::prefix(partition);
    let entries = match fs::read_dir(&dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Error::io("list", &dir)(error)),
    };
    for entry in entries {
        let entry = entry.map_err(Error::io("list", &dir))?;
        if entry.file_name().to_string_lossy().starts_with(&prefix) {
            remove(&entry.path())?;
        }
    }
    Ok(())
}

/// Removes files of the archive, durably: none of them comes back with the next power failure.
pub(super) fn remove_files<'n>(
    layout: &Layout,
    names: impl Iterator<Item = &'n String>,
) -> Result<(), Error> {
    let mut folders: BTreeSet<PathBuf> = BTreeSet::new();
    for name in names {
        let relative = Path::new(name);
        // A manifest is a file that a person may have edited.
        if !relative
            .components()
            .all(|component| matches!(component, Component::Normal(_)))
        {
            tracing::warn!(
                name,
                "archive: the manifest names a file outside the archive"
            );
            continue;
        }
        let path = layout.root().join(relative);
        remove(&path)?;
        if let Some(folder) = path.parent().filter(|folder| folder.exists()) {
            folders.insert(folder.to_owned());
        }
    }
    for folder in folders {
        match sync_dir(&folder) {
            // The folder went past its retention meanwhile, and the files with it.
            Err(Error::Io { source, .. }) if source.kind() == ErrorKind::NotFound => {}
            other => other?,
        }
    }
    Ok(())
}
