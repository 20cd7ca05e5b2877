//! Servers and clients that `scripts/test-setup` fetches, asked for when a test needs one.

use std::{collections::HashSet, path::PathBuf, process::Command, sync::Mutex};

static READY: Mutex<Option<HashSet<&'static str>>> = Mutex::new(None);

/// The folder of a fetched piece; fetches it now if `make test` has not.
///
/// # Panics
///
/// When it is not there and cannot be fetched. The message says what to install.
#[track_caller]
pub(crate) fn fetched(piece: &'static str) -> PathBuf {
    // Held while the script runs, so that a process asks once.
    let mut ready = READY
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let ready = ready.get_or_insert_default();
    if !ready.contains(piece) {
        let output = Command::new(crate::repository().join("scripts").join("test-setup"))
            .arg(piece)
            .output()
            .unwrap_or_else(|error| panic!("scripts/test-setup: {error}"));
        assert!(
            output.status.success(),
            "this test needs {piece}, and `scripts/test-setup {piece}` could not fetch it:\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
        ready.insert(piece);
    }
    crate::cache_dir().join(piece)
}
