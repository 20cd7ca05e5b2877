//! Rules for metric names: each is declared once, in its crate's `metrics.rs`, and documented.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use crate::tree::{files, none, text};

/// Metric names that stand in quotes in this text.
fn names(text: &str) -> Vec<String> {
    text.split('"')
        .filter(|part| {
            part.strip_prefix("sluice_").is_some_and(|rest| {
                rest.contains('_')
                    && rest.bytes().all(|byte| {
                        byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_'
                    })
            })
        })
        .map(str::to_owned)
        .collect()
}

fn is_a_test(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == "tests")
        || path.file_name().is_some_and(|name| name == "tests.rs")
}

fn declares_metrics(path: &Path) -> bool {
    path.components()
        .any(|part| part.as_os_str() == "metrics.rs" || part.as_os_str() == "metrics")
}

fn product_sources() -> Vec<PathBuf> {
    let all = files(&[".rs"]);
    all.into_iter()
        .filter(|path| path.starts_with("crates") && !path.starts_with("crates/testkit"))
        .filter(|path| !path.starts_with("crates/e2e") && !is_a_test(path))
        .collect()
}

#[test]
fn metric_names_stand_only_in_metrics_rs() {
    let mut broken = Vec::new();
    for path in product_sources() {
        if !declares_metrics(&path) {
            for name in names(&text(&path)) {
                broken.push(format!("{}: {name}", path.display()));
            }
        }
    }
    none(
        "declare the metric in the crate's metrics.rs and use its constant",
        &broken,
    );
}

#[test]
fn every_metric_is_declared_once_and_documented() {
    let documented = text(Path::new("docs/metrics.md"));
    let mut declared: BTreeMap<String, PathBuf> = BTreeMap::new();
    let mut broken = Vec::new();
    for path in product_sources() {
        for name in names(&text(&path)) {
            if !documented.contains(&format!("`{name}`")) {
                broken.push(format!(
                    "{}: {name} is not in docs/metrics.md",
                    path.display()
                ));
            }
            if let Some(first) = declared.insert(name.clone(), path.clone()) {
                broken.push(format!(
                    "{}: {name} stands in {}, too",
                    path.display(),
                    first.display()
                ));
            }
        }
    }
    none(
        "each metric's name is written once, and listed in the documentation",
        &broken,
    );
}

#[test]
fn alerts_and_dashboards_name_only_metrics_that_exist() {
    let documented = text(Path::new("docs/metrics.md"));
    let mut broken = Vec::new();
    for path in files(&[".yml", ".yaml", ".json"]) {
        if !path.starts_with("monitoring") && !path.starts_with("k8s") {
            continue;
        }
        let content = text(&path);
        let words = content.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        for word in words.filter(|word| word.starts_with("sluice_")) {
            let base = ["_bucket", "_sum", "_count"]
                .iter()
                .find_map(|suffix| word.strip_suffix(suffix))
                .unwrap_or(word);
            let known = [word, base]
                .iter()
                .any(|name| documented.contains(&format!("`{name}`")));
            if !known {
                broken.push(format!("{}: {word}", path.display()));
            }
        }
    }
    none("no such metric in docs/metrics.md", &broken);
}
