//! Settings that are shipped, in manifests and in the compose file, are settings that the binary takes.

use sluice::settings::{Role, Settings};
use testkit::repository;

#[test]
fn the_manifests_settings_suit_both_roles() {
    for file in ["k8s/base/sluice.yaml", "k8s/overlays/example/sluice.yaml"] {
        for role in [Role::Gateway, Role::Consumer] {
            Settings::load(role, Some(&repository().join(file)), [])
                .unwrap_or_else(|error| panic!("{file}: {error}"));
        }
    }
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
