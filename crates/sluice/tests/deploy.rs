//! Settings that are shipped, in manifests, in the compose file and in documents, are settings that the binary takes.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests: a panic is the report"
)]

use std::path::Path;
use std::process::{Command, Output};

use sluice::settings::{Role, Settings};
use testkit::repository;

const ROLES: [&str; 3] = ["gateway", "consumer", "standalone"];

/// A key and its certificate, for settings that name some: they are read at the start.
fn certificate(folder: &Path) {
    let key = rcgen::KeyPair::generate().unwrap();
    let names = vec!["localhost".to_owned()];
    let parameters = rcgen::CertificateParams::new(names).unwrap();
    let certificate = parameters.self_signed(&key).unwrap();
    std::fs::write(folder.join("key.pem"), key.serialize_pem()).unwrap();
    std::fs::write(folder.join("cert.pem"), certificate.pem()).unwrap();
}

/// The text with files of that folder instead of those of a machine.
fn with_files(text: &str, folder: &Path) -> String {
    let text = with_files_below(text, "/etc/", folder);
    with_files_below(&text, "/run/secrets/", folder)
}

fn with_files_below(text: &str, below: &str, folder: &Path) -> String {
    let mut parts = text.split(below);
    let mut made = parts.next().unwrap().to_owned();
    for part in parts {
        let end = part.find(|c: char| c.is_whitespace() || ",}\"".contains(c));
        let (path, rest) = part.split_at(end.unwrap_or(part.len()));
        let file = if path.contains("key") && !path.contains("ca.") {
            "key.pem"
        } else {
            "cert.pem"
        };
        made.push_str(&folder.join(file).display().to_string());
        made.push_str(rest);
    }
    made
}

/// What `sluice check-config` says of these settings.
fn check_config(role: &str, settings: &str, environment: &[(String, String)]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    certificate(folder.path());
    let file = folder.path().join("sluice.yaml");
    std::fs::write(&file, with_files(settings, folder.path())).unwrap();
    Command::new(env!("CARGO_BIN_EXE_sluice"))
        .args(["check-config", "--role", role, "--config"])
        .arg(&file)
        .current_dir(folder.path())
        .env_clear()
        .envs(environment.iter().cloned())
        .output()
        .unwrap()
}

/// Settings with TLS towards Kafka are taken by a binary that is built with it, and by no other.
fn is_as_it_should_be(settings: &str, output: &Output) -> Result<(), String> {
    let secured = settings.contains("security.protocol");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if secured && !cfg!(feature = "kafka-security") {
        return if said.contains("`--features kafka-security`") {
            Ok(())
        } else {
            Err(said)
        };
    }
    if output.status.success() {
        Ok(())
    } else {
        Err(said)
    }
}

/// Builds and checks the overlays, and gives what each of their roles reads at its start to the binary.
#[test]
fn every_overlay_is_what_kubernetes_and_sluice_take() {
    let built = Command::new(repository().join("scripts/manifests"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&built.stderr);
    assert!(built.status.success(), "scripts/manifests: {said}");
    let mut seen = Vec::new();
    for overlay in ["local", "production", "example"] {
        for role in ["gateway", "consumer"] {
            let folder = repository().join(".build/manifests").join(overlay);
            let read =
                |end: &str| std::fs::read_to_string(folder.join(format!("{role}.{end}"))).unwrap();
            let environment: Vec<_> = read("env")
                .lines()
                .filter_map(|line| line.split_once('='))
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect();
            let settings = read("yaml");
            let output = check_config(role, &settings, &environment);
            if let Err(why) = is_as_it_should_be(&settings, &output) {
                panic!("{overlay}, {role}: {why}");
            }
            seen.push(settings);
        }
    }
    assert_eq!(seen.len(), 6);
}

/// A document's blocks of YAML that are settings, by their first line.
fn examples(text: &str) -> Vec<String> {
    let blocks = text.split("```yaml\n").skip(1);
    let keys = serde_json::to_value(Settings::defaults(Role::Standalone)).unwrap();
    blocks
        .map(|block| block.split("```").next().unwrap().to_owned())
        .filter(|block| {
            let mut own = block.lines().filter_map(|line| line.split_once(':'));
            own.any(|(key, _)| keys.get(key).is_some())
        })
        .collect()
}

#[test]
fn every_example_of_settings_in_the_documents_is_taken() {
    let mut seen = 0;
    let folder = repository().join("docs");
    let folders = [folder.clone(), folder.join("protocols"), repository()];
    let files = folders.iter().flat_map(|folder| {
        let all = std::fs::read_dir(folder).unwrap();
        all.map(|file| file.unwrap().path())
    });
    for file in files.filter(|file| file.extension().is_some_and(|end| end == "md")) {
        for example in examples(&std::fs::read_to_string(&file).unwrap()) {
            let answers: Vec<_> = ROLES
                .iter()
                .map(|role| is_as_it_should_be(&example, &check_config(role, &example, &[])))
                .collect();
            assert!(
                answers.iter().any(Result::is_ok),
                "{}:\n{example}\n{answers:?}",
                file.display()
            );
            seen += 1;
        }
    }
    assert!(seen >= 5, "{seen}");
}

#[test]
fn the_compose_files_settings_suit_their_roles() {
    let compose = std::fs::read_to_string(repository().join("docker-compose.yml")).unwrap();
    let (_, gateway) = compose.split_once("\n  gateway:\n").unwrap();
    let (gateway, rest) = gateway.split_once("\n  load-balancer:\n").unwrap();
    let (_, consumer) = rest.split_once("\n  consumer:\n").unwrap();
    let (consumer, _) = consumer.split_once("\n  victoria-metrics:\n").unwrap();
    let variables = |section: &str| -> Vec<(String, String)> {
        section
            .lines()
            .filter_map(|line| line.trim().strip_prefix("SLUICE_")?.split_once(": "))
            .map(|(key, value)| (format!("SLUICE_{key}"), value.trim_matches('"').to_owned()))
            .collect()
    };
    let shared = variables(gateway);
    assert!(shared.len() >= 4, "{shared:?}");
    Settings::load(Role::Gateway, None, shared.clone()).unwrap();

    // As YAML's merge key does: what the consumer says itself comes over what it shares.
    let own = variables(consumer);
    let inherited = shared
        .into_iter()
        .filter(|(key, _)| own.iter().all(|(other, _)| other != key));
    let all: Vec<_> = inherited.chain(own.iter().cloned()).collect();
    let settings = Settings::load(Role::Consumer, None, all).unwrap();
    assert_eq!(settings.kafka.brokers, "kafka:9092");
    assert_eq!(settings.stores.len(), 1);
}

#[test]
fn the_security_documents_settings_are_taken() {
    let document = std::fs::read_to_string(repository().join("docs/security.md")).unwrap();
    let (_, rest) = document.split_once("```yaml\n").unwrap();
    let (yaml, _) = rest.split_once("```").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sluice.yaml");
    std::fs::write(&file, yaml).unwrap();
    let settings = Settings::load(Role::Gateway, Some(&file), []).unwrap();
    assert_eq!(settings.access.keys.len(), 2);
    assert_eq!(settings.access.certificates.len(), 2);
}
