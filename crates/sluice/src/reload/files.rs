//! Whether files have changed, by what is in them.
//!
//! Not by inotify: it is silent on network file systems and on the symbolic links by which Kubernetes swaps a mounted
//! `ConfigMap` or Secret, and its watches end when an editor replaces a file. Not by the time of the last change, which
//! a copy may set to anything. These are a few small files, so they are read.

use std::hash::{BuildHasher as _, RandomState};
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::OnceLock;

/// What files hold, as far as it matters for whether they changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fingerprint(Vec<Result<u64, ErrorKind>>);

impl Fingerprint {
    pub(super) fn of(files: &[PathBuf]) -> Self {
        static KEY: OnceLock<RandomState> = OnceLock::new();
        let key = KEY.get_or_init(RandomState::new);
        let print = |path: &PathBuf| match std::fs::read(path) {
            Ok(content) => Ok(key.hash_one(content)),
            Err(error) => Err(error.kind()),
        };
        Self(files.iter().map(print).collect())
    }
}
