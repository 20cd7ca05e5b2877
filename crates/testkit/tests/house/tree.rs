//! The repository's files, without what is built, fetched or private.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

/// Folders that git ignores, wherever they are.
const SKIPPED: [&str; 6] = [
    ".build",
    ".git",
    "__pycache__",
    "data",
    "node_modules",
    "target",
];

/// Every file with one of these extensions, relative to the top of the repository.
pub(crate) fn files(extensions: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    walk(&testkit::repository(), extensions, &mut found);
    found.sort();
    assert!(!found.is_empty(), "no files with {extensions:?}");
    found
}

fn walk(folder: &Path, extensions: &[&str], found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            if !SKIPPED.contains(&name) {
                walk(&path, extensions, found);
            }
        } else if extensions.iter().any(|extension| name.ends_with(extension)) {
            found.push(path.strip_prefix(testkit::repository()).unwrap().to_owned());
        }
    }
}

/// The text of a file, by its path relative to the top of the repository.
pub(crate) fn text(path: &Path) -> String {
    std::fs::read_to_string(testkit::repository().join(path))
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Fails with the list, if there is one.
#[track_caller]
pub(crate) fn none(rule: &str, broken: &[String]) {
    let broken: Vec<_> = broken
        .iter()
        .map(String::as_str)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    assert!(broken.is_empty(), "{rule}:\n  {}", broken.join("\n  "));
}
