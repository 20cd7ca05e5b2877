//! Settings are understood, or refused with the key that is wrong.

use serde_json::{Value, json};

use super::{Config, Store};
use crate::remote_write::{Names, Version};

fn parse(settings: Value) -> Result<Config, String> {
    serde_json::from_value(settings).map_err(|error| error.to_string())
}

fn remote_write(mut more: Value) -> Result<Config, String> {
    let settings = more.as_object_mut().unwrap();
    settings.insert("type".to_owned(), json!("remote_write"));
    settings
        .entry("url")
        .or_insert_with(|| json!("http://localhost:9090/api/v1/write"));
    parse(more)
}

/// What `check` says about a remote-write store with these settings.
#[track_caller]
fn check(more: Value, key: &str, why: &str) {
    let config = remote_write(more).unwrap();
    let (found, said) = config.check().unwrap_err();
    assert_eq!(found, key);
    assert!(said.contains(why), "{said}");
}

#[track_caller]
fn check_parse(settings: Value, words: &str) {
    let error = parse(settings).unwrap_err();
    assert!(error.contains(words), "{error}");
}

#[test]
fn the_documented_example_is_understood() {
    let config = parse(json!({
        "type": "remote_write", "url": "http://vm:8428/api/v1/write", "version": "1.0", "timeout": "30s",
    }));
    let Config::RemoteWrite(main) = config.unwrap() else {
        panic!("another type");
    };
    assert_eq!(
        (main.version, main.shards, main.max_samples),
        (Version::V1, 4, 2000)
    );
    let config = parse(json!({
        "type": "parquet", "dir": "./data/archive", "close_after": "60s", "retention": "0s",
    }));
    let Config::Parquet(archive) = config.unwrap() else {
        panic!("another type");
    };
    assert!(archive.retention.0.is_zero());
    assert_eq!(archive.check(), Ok(()));
}

#[test]
fn settings_survive_being_written_and_read() {
    for settings in [json!({"names": "underscores", "version": "2.0"}), json!({})] {
        let config = remote_write(settings).unwrap();
        assert_eq!(config.check(), Ok(()));
        let again = parse(serde_json::to_value(&config).unwrap()).unwrap();
        assert_eq!(again, config);
    }
    let archive = Config::Parquet(crate::parquet::Config::default());
    assert_eq!(
        parse(serde_json::to_value(&archive).unwrap()).unwrap(),
        archive
    );
}

#[test]
fn a_version_is_understood_without_its_quotes_too() {
    for (version, expected) in [
        (json!("1.0"), Version::V1),
        (json!(1.0), Version::V1),
        (json!(1), Version::V1),
        (json!("2.0"), Version::V2),
        (json!(2.0), Version::V2),
    ] {
        let Ok(Config::RemoteWrite(config)) = remote_write(json!({ "version": version })) else {
            panic!("{version}");
        };
        assert_eq!(config.version, expected);
        assert_eq!(config.names, Names::Utf8);
    }
}

#[test]
fn what_cannot_be_read_is_named() {
    check_parse(json!({}), "missing field `type`");
    check_parse(json!({"type": "graphite"}), "unknown variant `graphite`");
    check_parse(json!({"type": 7}), "type: 7");
    check_parse(
        json!({"type": "parquet", "url": "x"}),
        "unknown field `url`",
    );
    check_parse(
        json!({"type": "parquet", "close_after": 60}),
        "close_after: \"60\" has no unit",
    );
    check_parse(
        json!({"type": "remote_write", "version": "3.0"}),
        "version: \"3.0\"",
    );
    check_parse(
        json!({"type": "remote_write", "tls": {"ca": "x"}}),
        "tls.ca: unknown field `ca`",
    );
    check_parse(
        json!({"type": "remote_write", "bearer_token": 12345}),
        "bearer_token: ",
    );
}

#[test]
fn what_cannot_work_is_named() {
    check(json!({"url": ""}), "url", "required");
    check(json!({"url": "localhost:9090"}), "url", "http://");
    check(json!({"url": "/api/v1/write"}), "url", "not a URL");
    check(
        json!({"url": "http://user:hunter2@vm/write"}),
        "url",
        "basic_auth",
    );
    check(json!({"timeout": "0s"}), "timeout", "longer than");
    check(json!({"max_age": "0s"}), "max_age", "longer than");
    check(json!({"shards": 0}), "shards", "more than 0");
    check(json!({"shards": 5000}), "shards", "1024");
    check(json!({"max_samples": 0}), "max_samples", "more than 0");
    check(
        json!({"headers": {"Authorization": "x"}}),
        "headers.Authorization",
        "credentials",
    );
    check(
        json!({"headers": {"Content-Encoding": "gzip"}}),
        "headers.Content-Encoding",
        "set by Sluice",
    );
    check(
        json!({"headers": {"a b": "x"}}),
        "headers.a b",
        "not a header name",
    );
    check(
        json!({"headers": {"a": "x\ny"}}),
        "headers.a",
        "control characters",
    );
    check(
        json!({"bearer_token": "x", "basic_auth": {"username": "u", "password": "p"}}),
        "basic_auth",
        "bearer_token",
    );
    check(
        json!({"basic_auth": {"password": "p"}}),
        "basic_auth.username",
        "required",
    );
    check(
        json!({"basic_auth": {"username": "a:b", "password": "p"}}),
        "basic_auth.username",
        "colon",
    );
    check(
        json!({"basic_auth": {"username": "u"}}),
        "basic_auth.password",
        "password_file",
    );
    check(
        json!({"tls": {"cert_file": "c.pem"}}),
        "tls.cert_file",
        "key_file",
    );
}

#[test]
fn an_archive_that_cannot_work_is_named() {
    for (key, value) in [
        ("dir", json!("")),
        ("close_after", json!("0s")),
        ("max_size", json!("0B")),
        ("max_samples", json!(0)),
        ("max_samples", json!(5_000_000_000_u64)),
    ] {
        let config = parse(json!({"type": "parquet", key: value})).unwrap();
        assert_eq!(config.check().unwrap_err().0, key);
    }
}

#[test]
fn secrets_are_not_shown() {
    for settings in [
        json!({"bearer_token": "hunter2"}),
        json!({"headers": {"X-Api-Key": "hunter2"}}),
    ] {
        let config = remote_write(settings).unwrap();
        assert!(!format!("{config:?}").contains("hunter2"));
        assert!(!serde_json::to_string(&config).unwrap().contains("hunter2"));
    }
}

#[test]
fn a_type_opens_its_store() {
    let dir = tempfile::tempdir().unwrap();
    let archive = parse(json!({"type": "parquet", "dir": dir.path().join("a")})).unwrap();
    let store = archive.open("archive", "log/1", dir.path()).unwrap();
    assert!(store.archive().is_some());
    let main = remote_write(json!({}))
        .unwrap()
        .open("main", "log/1", dir.path());
    assert!(matches!(main, Ok(Store::RemoteWrite(_))), "{main:?}");
    let wrong = remote_write(json!({"url": "x"}))
        .unwrap()
        .open("main", "log/1", dir.path());
    assert!(wrong.unwrap_err().to_string().starts_with("url: "));
}

#[test]
fn the_schema_lists_all_types() {
    let schema = serde_json::to_string(&schemars::schema_for!(Config)).unwrap();
    for word in [
        "remote_write",
        "parquet",
        "influx",
        "clickhouse",
        "postgres",
        "kafka",
        "close_after",
        "bearer_token",
    ] {
        assert!(schema.contains(word), "{schema}");
    }
}

#[test]
fn an_object_store_is_checked_before_anybody_is_asked() {
    let refused = |settings: &str| {
        let settings = format!(
            "{{\"type\": \"parquet\", \"retention\": \"72h\", \"object_store\": {settings}}}"
        );
        let config: Config = serde_json::from_str(&settings).unwrap();
        config.check().unwrap_err()
    };
    let check = |settings, key: &str, why: &str| {
        let (found, sentence) = refused(settings);
        assert_eq!(found, format!("object_store.{key}"), "{sentence}");
        assert!(sentence.contains(why), "{sentence}");
    };
    check("{}", "url", "is required");
    check(
        r#"{"url": "https://x/y"}"#,
        "url",
        "must be such as s3://bucket/folder",
    );
    check(r#"{"url": "s3://"}"#, "url", "must be such as");
    check(
        r#"{"url": "s3://b", "endpoint": "minio:9000"}"#,
        "endpoint",
        "https://minio.example:9000",
    );
    check(
        r#"{"url": "s3://b", "access_key_id": "x"}"#,
        "access_key_id",
        "needs secret_access_key",
    );
    check(
        r#"{"url": "s3://b", "after": "73h"}"#,
        "after",
        "must not be longer",
    );
    check(
        r#"{"url": "s3://b", "retention": "72h"}"#,
        "retention",
        "must be longer",
    );
    check(
        r#"{"url": "s3://b", "timeout": "0s"}"#,
        "timeout",
        "longer than 0s",
    );
}
