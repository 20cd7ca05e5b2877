//! Rules for the text of source files.

use crate::tree::{files, none, text};

const MOST_LINES: usize = 500;

#[test]
fn no_source_file_is_longer_than_500_lines() {
    let broken: Vec<_> = files(&[".rs", ".py", ".java"])
        .iter()
        .map(|path| (path, text(path).lines().count()))
        .filter(|(_, lines)| *lines > MOST_LINES)
        .map(|(path, lines)| format!("{}: {lines} lines", path.display()))
        .collect();
    none("split the file where its subject changes", &broken);
}

#[test]
fn every_source_file_opens_with_what_it_is_for() {
    let broken: Vec<_> = files(&[".rs"])
        .iter()
        .filter(|path| {
            let text = text(path);
            let first = text.lines().next().unwrap_or_default();
            // One word is a stub's, not a promise.
            first
                .strip_prefix("//! ")
                .is_none_or(|words| words.split(' ').count() < 3)
        })
        .map(|path| path.display().to_string())
        .collect();
    none(
        "the first line must be a `//!` that says what the file is for",
        &broken,
    );
}

#[test]
fn nothing_names_a_path_of_somebodys_machine() {
    // In two parts, or this file would break its own rule.
    let paths = [
        concat!("/wo", "rk/"),
        concat!("/ro", "ot/"),
        concat!("/ho", "me/"),
    ];
    let mut broken = Vec::new();
    let kinds = [
        ".rs",
        ".md",
        ".toml",
        ".yaml",
        ".yml",
        ".json",
        ".java",
        ".py",
        ".sh",
        ".cfg",
        "Makefile",
        "Dockerfile",
    ];
    for path in files(&kinds) {
        for (number, line) in text(&path).lines().enumerate() {
            if paths.iter().any(|word| line.contains(word)) {
                broken.push(format!(
                    "{}:{}: {}",
                    path.display(),
                    number + 1,
                    line.trim()
                ));
            }
        }
    }
    none("a path that only one machine has", &broken);
}

#[test]
fn no_map_hashes_what_senders_choose_without_a_random_key() {
    // In two parts, or this file would break its own rule.
    let fixed = [
        concat!("Fixed", "State"),
        concat!("Fx", "Hash"),
        concat!("BuildHasher", "Default"),
        concat!("Default", "Hasher::new"),
    ];
    let mut broken = Vec::new();
    for path in files(&[".rs"]) {
        // The load generator numbers its own samples, and tests choose theirs.
        let is_ours = path.starts_with("loadtest") || path.ends_with("tests.rs");
        if is_ours || path.components().any(|part| part.as_os_str() == "tests") {
            continue;
        }
        let text = text(&path);
        for name in fixed.iter().filter(|name| text.contains(**name)) {
            broken.push(format!("{}: {name}", path.display()));
        }
    }
    none(
        "keys that are the same in every process let a sender choose what collides",
        &broken,
    );
}
