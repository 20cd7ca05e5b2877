//! A disk so small that it can be filled: a tmpfs, which only root may mount.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

/// A mounted file system; dropping it unmounts it.
#[derive(Debug)]
pub(crate) struct SmallDisk {
    folder: PathBuf,
}

impl SmallDisk {
    /// Mounts one of so many MiB; `Err` says why this machine does not let us.
    pub(crate) fn mount(folder: PathBuf, mib: u32) -> anyhow::Result<Result<Self, String>> {
        std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={mib}m"), "tmpfs"])
            .arg(&folder)
            .output()
            .context("mount")?;
        if mounted.status.success() {
            return Ok(Ok(Self { folder }));
        }
        let said = String::from_utf8_lossy(&mounted.stderr).trim().to_owned();
        Ok(Err(format!(
            "a small disk needs root and the right to mount a tmpfs: {said}"
        )))
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Takes all room that is left.
    pub(crate) fn fill(&self) -> anyhow::Result<()> {
        let mut file = File::options()
            .create(true)
            .append(true)
            .open(self.ballast())
            .context("ballast")?;
        let block = vec![0x5a; 16 << 10];
        // Until it fails is the point.
        while file.write_all(&block).is_ok() {}
        Ok(())
    }

    /// Gives it back.
    pub(crate) fn free(&self) -> anyhow::Result<()> {
        std::fs::remove_file(self.ballast()).context("ballast")
    }

    fn ballast(&self) -> PathBuf {
        self.folder.join("ballast")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily, since a process that is being killed may still have a file open.
        let unmounted = Command::new("umount").arg("-l").arg(&self.folder).status();
        unmounted.map(drop).unwrap_or_default();
    }
}
