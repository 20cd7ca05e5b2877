//! The threat model names tests that exist.

use std::path::{Path, PathBuf};

use crate::tree::{none, text};

const DOCUMENT: &str = "docs/security.md";

/// The tests of a row: `[name](../path)`, or `[name](../path) …` several times.
fn tests(row: &str) -> Vec<(String, PathBuf)> {
    let mut found = Vec::new();
    let mut rest = row;
    while let Some((before, after)) = rest.split_once("](../") {
        let name = before.rsplit('[').next().unwrap_or_default();
        let (path, next) = after.split_once(')').unwrap_or((after, ""));
        found.push((name.trim_matches('`').to_owned(), PathBuf::from(path)));
        rest = next;
    }
    found
}

fn rows(document: &str) -> impl Iterator<Item = &str> {
    let mut is_threats = false;
    document.lines().filter(move |line| {
        if line.starts_with('#') || line.is_empty() {
            is_threats = false;
        }
        let is_row = is_threats && line.starts_with('|') && !line.starts_with("|---");
        is_threats |= line.starts_with("| Threat |");
        is_row
    })
}

#[test]
fn every_threat_has_a_test_and_every_test_is_there() {
    let document = text(Path::new(DOCUMENT));
    let mut broken = Vec::new();
    let mut count = 0;
    for row in rows(&document) {
        count += 1;
        let threat = row.split('|').nth(1).unwrap_or_default().trim();
        let tests = tests(row);
        if tests.is_empty() {
            broken.push(format!("{threat}: no test"));
        }
        for (name, path) in tests {
            let source = testkit::repository().join(&path);
            let is_there = std::fs::read_to_string(source).is_ok_and(|source| {
                source.contains(&format!("fn {name}(")) || source.contains(&format!("\"{name}\""))
            });
            if !is_there {
                broken.push(format!("{threat}: {name} is not in {}", path.display()));
            }
        }
    }
    assert!(count > 20, "{count} threats were found");
    none("name the test that proves it", &broken);
}

#[test]
fn the_checker_sees_rows_and_tests() {
    let document = "| Threat | Defence | Test |\n|---|---|---|\n| a | b | [`x`](../c.rs), [`y`](../d.rs) |\n\n| other |\n";
    let rows: Vec<&str> = rows(document).collect();
    assert_eq!(rows.len(), 1);
    let expected = [("x", "c.rs"), ("y", "d.rs")];
    let expected = expected.map(|(name, path)| (name.to_owned(), PathBuf::from(path)));
    assert_eq!(tests(rows[0]), expected);
}
