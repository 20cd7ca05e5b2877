//! What is seen of Sluice's processes while they run: memory, unexpected ends, panics.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use testkit::Process;

/// Shared by all processes of a scenario.
#[derive(Debug, Clone, Default)]
pub(crate) struct Watch(Arc<Mutex<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    peak_rss_bytes: u64,
    failures: Vec<String>,
    logs: Vec<PathBuf>,
}

impl Watch {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a log file to look through at the end.
    pub(crate) fn log(&self, path: &Path) {
        let mut seen = self.seen();
        if !seen.logs.iter().any(|log| log == path) {
            seen.logs.push(path.to_owned());
        }
    }

    /// Looks at a process that should be running, before it is made to end.
    pub(crate) fn look(&self, name: &str, process: &Process) {
        if let Some(status) = process.exited() {
            let why = format!("{name} ended by itself: {status}");
            self.seen().failures.push(why);
            return;
        }
        // Gone between the two questions: then the next look says so.
        let rss = testkit::usage::peak_resident_bytes(process.pid()).unwrap_or(0);
        let mut seen = self.seen();
        seen.peak_rss_bytes = seen.peak_rss_bytes.max(rss);
    }

    pub(crate) fn peak_rss_bytes(&self) -> u64 {
        self.seen().peak_rss_bytes
    }

    /// What should not have happened, panics in the logs included.
    pub(crate) fn failures(&self) -> Vec<String> {
        let seen = self.seen();
        let mut failures = seen.failures.clone();
        for log in &seen.logs {
            let text = std::fs::read(log).unwrap_or_default();
            let text = String::from_utf8_lossy(&text);
            let is_panic = |line: &&str| line.contains("panicked at") || line.contains("panic: ");
            if let Some(line) = text.lines().find(is_panic) {
                failures.push(format!("{}: {line}", log.display()));
            }
        }
        failures
    }
}
