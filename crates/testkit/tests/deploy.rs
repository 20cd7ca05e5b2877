//! Checks what is shipped beside the binary: alert rules, and versions that are written twice.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests: a panic is the report"
)]

use std::path::Path;

fn text(path: &str) -> String {
    std::fs::read_to_string(testkit::repository().join(path)).unwrap()
}

/// What stands between `before` and the next of `after`.
fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = text.split_once(before).unwrap();
    rest.split_once(after).unwrap().0
}

#[test]
fn alerts_fire_when_they_must_and_only_then() {
    let folder = testkit::repository().join("monitoring");
    testkit::promtool(&folder, &["check", "rules", "alerts.yaml"]).unwrap();
    testkit::promtool(&folder, &["test", "rules", "alerts_test.yaml"]).unwrap();
}

#[test]
fn the_image_is_built_with_the_toolchain_that_everybody_uses() {
    let toolchain = text("rust-toolchain.toml");
    let channel = between(&toolchain, "channel = \"", "\"");
    let dockerfile = text("Dockerfile");
    assert_eq!(between(&dockerfile, "FROM rust:", "-"), channel);
    assert_eq!(between(&dockerfile, "RUSTUP_TOOLCHAIN=", "\n"), channel);
}

#[test]
fn the_broker_of_compose_file_and_overlay_is_the_one_that_tests_run_against() {
    let pom = text("crates/testkit/kafka/pom.xml");
    let kafka = between(&pom, "<artifactId>kafka_2.13</artifactId>", "</dependency>");
    let tested = between(kafka, "<version>", "</version>");
    for file in ["docker-compose.yml", "k8s/overlays/local/kafka.yaml"] {
        assert_eq!(between(&text(file), "image: apache/kafka:", "\n"), tested);
    }
    let store = "image: victoriametrics/victoria-metrics:";
    let overlay = text("k8s/overlays/local/victoria-metrics.yaml");
    let compose = text("docker-compose.yml");
    assert_eq!(
        between(&overlay, store, "\n"),
        between(&compose, store, "\n")
    );
}

#[test]
fn files_that_containers_mount_exist() {
    for line in text("docker-compose.yml").lines() {
        if let Some(mount) = line.trim().strip_prefix("- ./") {
            let file = mount.split(':').next().unwrap();
            assert!(
                testkit::repository().join(Path::new(file)).is_file(),
                "{file}"
            );
        }
    }
}

#[test]
fn containers_need_no_privilege_and_no_writable_root() {
    let dockerfile = text("Dockerfile");
    let user = dockerfile
        .lines()
        .find_map(|line| line.strip_prefix("USER "));
    // A number, so that Kubernetes' runAsNonRoot can tell.
    assert!(user.is_some_and(|user| {
        user.split(':')
            .all(|part| part.parse::<u32>().is_ok_and(|id| id > 0))
    }));
    assert!(dockerfile.contains("VOLUME /var/lib/sluice"));

    let compose = text("docker-compose.yml");
    let shared = between(&compose, "x-sluice: &sluice\n", "\nservices:");
    for line in [
        "read_only: true",
        "cap_drop: [ALL]",
        "security_opt: [\"no-new-privileges:true\"]",
    ] {
        assert!(shared.contains(line), "{line}");
    }
    for role in ["gateway", "consumer"] {
        assert!(
            compose.contains(&format!("\n  {role}:\n    <<: *sluice\n")),
            "{role}"
        );
        let manifest = text(&format!("k8s/base/{role}.yaml"));
        for line in [
            "runAsNonRoot: true",
            "readOnlyRootFilesystem: true",
            "allowPrivilegeEscalation: false",
            "automountServiceAccountToken: false",
            "drop: [ALL]",
            "type: RuntimeDefault",
        ] {
            assert!(manifest.contains(line), "{role}: {line}");
        }
    }
}
