//! A disk that fills up, or that takes no writes: a small tmpfs, which only root can mount. For tests.

use std::path::Path;
use std::process::Command;

/// Unmounted when dropped.
pub(crate) struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// None when this user may not mount; where everything is meant to run, that is a failure.
    pub(crate) fn mount(bytes: u64) -> Option<Self> {
        let root = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={bytes}"), "tmpfs"])
            .arg(root.path())
            .output();
        if mounted.is_ok_and(|mount| mount.status.success()) {
            return Some(Self(root));
        }
        assert!(
            std::env::var_os("CI").is_none(),
            "only root can mount the small disk that this test fills"
        );
        eprintln!("skipped: only root can mount the small disk that this test fills");
        None
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a failed test may still have the log open.
        let unmounted = Command::new("umount").arg("-l").arg(self.path()).status();
        assert!(unmounted.is_ok_and(|status| status.success()));
    }
}
