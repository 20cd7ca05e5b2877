//! Rules for what depends on what.

use std::{collections::BTreeMap, path::Path};

use crate::tree::{files, none, text};

/// Which of our crates each of them may name. Tests may name more: see `dev-dependencies`.
const MAY_NAME: [(&str, &[&str]); 17] = [
    ("model", &[]),
    ("service", &[]),
    ("codec", &["model"]),
    ("buffer", &["codec", "model", "service"]),
    ("store", &["codec", "model", "service"]),
    ("gateway", &["buffer", "codec", "model", "service"]),
    (
        "consumer",
        &["buffer", "codec", "model", "service", "store"],
    ),
    ("query", &["model", "service", "store"]),
    (
        "sluice",
        &[
            "buffer", "codec", "console", "consumer", "demo", "gateway", "model", "query",
            "service", "store",
        ],
    ),
    // Sends to the binary from outside, as senders do.
    ("demo", &["service"]),
    // Counts what a sample costs in each of them; nothing depends on it.
    (
        "guard",
        &[
            "buffer", "codec", "consumer", "gateway", "model", "service", "store",
        ],
    ),
    // Gives each of them bytes that nobody should send; nothing depends on it.
    (
        "hostile",
        &[
            "buffer", "codec", "consumer", "gateway", "model", "query", "service", "sluice",
            "store",
        ],
    ),
    // What the binary tells it; nothing but the binary depends on it.
    ("console", &["model", "service"]),
    ("testkit", &[]),
    ("e2e", &[]),
    // Breaks the binary from outside; what it reads back it decodes by the wire's own messages.
    ("faults", &["codec", "service", "store", "testkit"]),
    // Measures the binary from outside, with the servers that tests use.
    (
        "loadtest",
        &["buffer", "codec", "model", "service", "store", "testkit"],
    ),
];

/// What pure crates must not reach: the clock, the network, a runtime.
const IMPURE: [&str; 8] = [
    "axum", "hyper", "jiff", "rand", "reqwest", "service", "tokio", "tracing",
];

struct Manifest {
    name: String,
    /// Section and the line in it, for each line that names a dependency.
    dependencies: Vec<(String, String)>,
}

fn manifest(path: &Path) -> Manifest {
    let mut manifest = Manifest {
        name: String::new(),
        dependencies: Vec::new(),
    };
    let mut section = String::new();
    for line in text(path).lines().map(str::trim) {
        if let Some(header) = line.strip_prefix('[') {
            header.trim_end_matches(']').clone_into(&mut section);
        } else if section == "package" && line.starts_with("name =") {
            line.split('"')
                .nth(1)
                .unwrap()
                .clone_into(&mut manifest.name);
        } else if section.ends_with("dependencies") && !line.is_empty() && !line.starts_with('#') {
            manifest
                .dependencies
                .push((section.clone(), line.to_owned()));
        }
    }
    manifest
}

fn manifests() -> Vec<Manifest> {
    let all = files(&["Cargo.toml"]);
    all.iter()
        .filter(|path| path.components().count() > 1)
        .filter(|path| !path.components().any(|part| part.as_os_str() == "fuzz"))
        .map(|path| manifest(path))
        .collect()
}

fn dependency(line: &str) -> &str {
    line.split(['.', ' ', '=']).next().unwrap_or_default()
}

#[test]
fn crates_depend_in_one_direction() {
    let may_name: BTreeMap<_, _> = MAY_NAME.into_iter().collect();
    let mut broken = Vec::new();
    for manifest in manifests() {
        let Some(allowed) = may_name.get(manifest.name.as_str()) else {
            broken.push(format!("{}: not in this rule's table yet", manifest.name));
            continue;
        };
        for (section, line) in &manifest.dependencies {
            let name = dependency(line);
            if section == "dependencies" && may_name.contains_key(name) && !allowed.contains(&name)
            {
                broken.push(format!("{} must not depend on {name}", manifest.name));
            }
        }
    }
    none("see ARCHITECTURE.md for the direction", &broken);
}

#[test]
fn model_and_codec_stay_pure() {
    let mut broken = Vec::new();
    for manifest in manifests() {
        if ["model", "codec"].contains(&manifest.name.as_str()) {
            for (section, line) in &manifest.dependencies {
                if section == "dependencies" && IMPURE.contains(&dependency(line)) {
                    broken.push(format!("{}: {}", manifest.name, dependency(line)));
                }
            }
        }
    }
    none("no input, output or clock in the pure crates", &broken);
}

#[test]
fn versions_stand_in_the_workspace_manifest_alone() {
    let mut broken = Vec::new();
    for manifest in manifests() {
        for (_, line) in &manifest.dependencies {
            if !line.contains("workspace = true") {
                broken.push(format!("{}: {line}", manifest.name));
            }
        }
    }
    none("name the version in the root Cargo.toml", &broken);
}
