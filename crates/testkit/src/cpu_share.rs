//! A bound on the processor time of processes, as a container has it.
//!
//! A control group of Linux, of either version, which only root may make.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::Process;

/// The kernel hands out time in periods of this length, in microseconds.
const PERIOD_US: f64 = 100_000.0;

/// A bound that processes can be put under; dropping it removes the group, if they have ended.
#[derive(Debug)]
pub struct CpuShare(PathBuf);

impl CpuShare {
    /// A bound of so many cores: 0.5 is half of one.
    ///
    /// # Errors
    ///
    /// When a control group cannot be made here.
    pub fn new(cores: f64) -> io::Result<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("sluice-{}-{number}", std::process::id());
        let quota_us = (cores * PERIOD_US).max(1000.0).round();
        let (first, second) = (Path::new("/sys/fs/cgroup/cpu"), Path::new("/sys/fs/cgroup"));
        if first.join("cpu.cfs_quota_us").exists() {
            let share = Self::made(first.join(name))?;
            share.set("cpu.cfs_period_us", &format!("{PERIOD_US}"))?;
            share.set("cpu.cfs_quota_us", &format!("{quota_us}"))?;
            return Ok(share);
        }
        let share = Self::made(second.join(name))?;
        share.set("cpu.max", &format!("{quota_us} {PERIOD_US}"))?;
        Ok(share)
    }

    fn made(folder: PathBuf) -> io::Result<Self> {
        fs::create_dir(&folder)?;
        Ok(Self(folder))
    }

    fn set(&self, file: &str, value: &str) -> io::Result<()> {
        let path = self.0.join(file);
        let told = |error: io::Error| io::Error::other(format!("{}: {error}", path.display()));
        fs::write(&path, value).map_err(told)
    }

    /// Puts a process under it, with all its threads.
    ///
    /// # Errors
    ///
    /// When it has ended.
    pub fn add(&self, process: &Process) -> io::Result<()> {
        self.set("cgroup.procs", &process.pid().to_string())
    }
}

impl Drop for CpuShare {
    fn drop(&mut self) {
        // Refused while a process is in it; an empty group costs nothing.
        fs::remove_dir(&self.0).unwrap_or_default();
    }
}
