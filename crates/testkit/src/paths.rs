//! Where the repository is, and where fetched servers are kept between runs.

use std::path::{Path, PathBuf};

/// The top folder of the repository.
#[must_use]
pub fn repository() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest
        .parent()
        .and_then(Path::parent)
        .map_or_else(|| manifest.to_owned(), Path::to_owned)
}

/// Where fetched servers are kept, so that a second run needs no network.
///
/// `SLUICE_TEST_CACHE`, or `.build/testkit` in the repository, which git ignores.
#[must_use]
pub fn cache_dir() -> PathBuf {
    std::env::var_os("SLUICE_TEST_CACHE").map_or_else(
        || repository().join(".build").join("testkit"),
        PathBuf::from,
    )
}
