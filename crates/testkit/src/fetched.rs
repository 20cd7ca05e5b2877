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

/// Where the libraries of a fetched piece are, for the loader.
pub(crate) fn libraries(root: &std::path::Path) -> String {
    [
        "usr/lib/x86_64-linux-gnu",
        "usr/lib/aarch64-linux-gnu",
        "lib/x86_64-linux-gnu",
        "lib/aarch64-linux-gnu",
    ]
    .map(|folder| root.join(folder).display().to_string())
    .join(":")
}

/// A `PATH` that finds the programs of these fetched pieces, and Python's, before those of the machine.
///
/// # Panics
///
/// When one is not there and cannot be fetched.
#[must_use]
#[track_caller]
pub fn path_with(pieces: &[&'static str]) -> String {
    let mut path: Vec<String> = pieces
        .iter()
        .map(|piece| match *piece {
            "python" => fetched(piece).join("venv/bin"),
            piece => fetched(piece).join("usr/bin"),
        })
        .map(|folder| folder.display().to_string())
        .collect();
    path.push(
        std::env::var_os("PATH")
            .map_or_else(String::new, |path| path.to_string_lossy().into_owned()),
    );
    path.join(":")
}
