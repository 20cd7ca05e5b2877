//! Folders for what a test's servers write, removed by a later run.
//!
//! A folder outlives its test process, so that the logs of a failed run can be read. The next
//! process that needs a folder removes those whose process is gone.

use std::{
    path::{Path, PathBuf},
    sync::{
        Once,
        atomic::{AtomicU32, Ordering},
    },
};

static SWEEP: Once = Once::new();
static NEXT: AtomicU32 = AtomicU32::new(0);

/// A new folder, `<cache>/run/<pid of this process>-<n>-<name>`.
///
/// # Panics
///
/// When it cannot be made.
#[must_use]
pub fn run_dir(name: &str) -> PathBuf {
    let runs = crate::cache_dir().join("run");
    SWEEP.call_once(|| sweep(&runs));
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let folder = runs.join(format!("{}-{number}-{name}", std::process::id()));
    if folder.exists() {
        // Of an earlier process that had our pid.
        std::fs::remove_dir_all(&folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    }
    std::fs::create_dir_all(&folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    folder
}

fn sweep(runs: &Path) {
    let Ok(entries) = std::fs::read_dir(runs) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let pid = name.to_str().and_then(|name| name.split_once('-'));
        if let Some((pid, _)) = pid
            && !Path::new("/proc").join(pid).exists()
        {
            // A server that is being killed may still write into it; then a later run removes it.
            std::fs::remove_dir_all(entry.path()).unwrap_or_default();
        }
    }
}
