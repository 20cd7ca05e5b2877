//! Nobody changes clusters by mistake.

use crate::settings::{Role, Settings};

fn load(yaml: &str) -> Result<Settings, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sluice.yaml");
    std::fs::write(&file, yaml).unwrap();
    let loaded = Settings::load(Role::Gateway, Some(&file), Vec::new());
    let name = file.display().to_string();
    loaded.map_err(|error| error.to_string().replace(&name, "FILE"))
}

const WITH_FALLBACK: &str =
    "kafka: {brokers: \"a:9092\"}\nemergency:\n  fallback: {brokers: \"b:9092,c:9092\"}\n";

#[test]
fn without_the_phrase_nothing_goes_to_the_fallback() {
    assert!(!load("").unwrap().emergency.is_on_fallback());
    assert!(!load(WITH_FALLBACK).unwrap().emergency.is_on_fallback());
}

#[test]
fn only_the_phrase_that_names_the_cluster_goes_there() {
    let with = |value: &str| load(&format!("{WITH_FALLBACK}  use_fallback: {value}\n"));
    let settings = with("write to b:9092,c:9092").unwrap();
    assert!(settings.emergency.is_on_fallback());
    for value in ["\"\"", "\"yes\"", "\"true\"", "write to a:9092"] {
        let error = with(value).unwrap_err();
        let wanted =
            "to send new samples to the other cluster it must be \"write to b:9092,c:9092\"";
        assert!(
            error.starts_with("FILE:4: emergency.use_fallback: is "),
            "{error}"
        );
        assert!(error.contains(wanted), "{error}");
    }
}

#[test]
fn a_fallback_is_another_cluster_of_kafka() {
    let error = load("emergency: {use_fallback: write to b:9092}\n").unwrap_err();
    assert!(
        error.contains("emergency.use_fallback: there is no emergency.fallback"),
        "{error}"
    );
    let error =
        load("kafka: {brokers: \"a:9092\"}\nemergency: {fallback: {brokers: \"a:9092\"}}\n");
    let error = error.unwrap_err();
    assert!(
        error.contains("emergency.fallback.brokers: is a:9092, which is kafka.brokers"),
        "{error}"
    );
    let error = load("emergency: {fallback: {brokers: \"b:9092\", partitions: 0}}\n").unwrap_err();
    assert!(
        error.contains("emergency.fallback.partitions: must be at least 1"),
        "{error}"
    );
    let slow = "emergency: {fallback: {brokers: \"b:9092\", delivery_timeout: 10s}}\n";
    let error = load(slow).unwrap_err();
    assert!(
        error.contains("must be shorter than http.request_timeout (10s)"),
        "{error}"
    );
}
