//! A wrong setting stops the start with one line that names its key.

use super::{BufferKind, Role, Settings};

fn load(role: Role, yaml: &str, environment: &[(&str, &str)]) -> Result<Settings, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sluice.yaml");
    std::fs::write(&file, yaml).unwrap();
    let environment = environment
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Settings::load(role, Some(&file), environment).map_err(|error| {
        error
            .to_string()
            .replace(&file.display().to_string(), "FILE")
    })
}

#[track_caller]
fn refused(role: Role, yaml: &str, environment: &[(&str, &str)], expected: &str) {
    let error = load(role, yaml, environment).unwrap_err();
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(
        error.contains(expected),
        "{error:?} does not say {expected:?}"
    );
}

#[test]
fn standalone_needs_no_settings() {
    let settings = load(Role::Standalone, "", &[]).unwrap();
    assert_eq!(settings.buffer.kind, BufferKind::Local);
    assert_eq!(settings.stores.keys().collect::<Vec<_>>(), ["archive"]);
}

#[test]
fn the_environment_wins_over_the_file_and_reaches_into_maps() {
    let yaml = "stores:\n  main: {type: remote_write, url: 'http://file/api/v1/write'}\nkafka: {topic: a}\n";
    let environment = [
        (
            "SLUICE_STORES__MAIN__URL",
            "http://environment/api/v1/write",
        ),
        ("SLUICE_KAFKA__PARTITIONS", "7"),
    ];
    let settings = load(Role::Consumer, yaml, &environment).unwrap();
    assert_eq!(settings.kafka.topic, "a");
    assert_eq!(settings.kafka.partitions, 7);
    let stores = serde_json::to_value(&settings.stores).unwrap();
    assert_eq!(stores["main"]["url"], "http://environment/api/v1/write");
}

#[test]
fn a_file_that_names_stores_replaces_the_default_one() {
    let settings = load(
        Role::Standalone,
        "stores:\n  tsdb: {type: remote_write, url: 'http://x/'}\n",
        &[],
    )
    .unwrap();
    assert_eq!(settings.stores.keys().collect::<Vec<_>>(), ["tsdb"]);
}

#[test]
fn a_wrong_setting_is_named() {
    refused(Role::Gateway, "htpp: {}\n", &[], "htpp");
    refused(
        Role::Gateway,
        "http: {max_body: 16}\n",
        &[],
        "http.max_body",
    );
    refused(
        Role::Gateway,
        "",
        &[("SLUICE_HTTP__REQUEST_TIMEOUT", "soon")],
        "SLUICE_HTTP__REQUEST_TIMEOUT",
    );
    refused(
        Role::Gateway,
        "buffer: {kind: local}\n",
        &[],
        "buffer.kind: local is for `sluice standalone`",
    );
    refused(Role::Consumer, "", &[], "stores: a consumer needs a store");
    refused(
        Role::Standalone,
        "stores: {'a b': {type: parquet}}\n",
        &[],
        "stores.a b",
    );
    refused(
        Role::Standalone,
        "stores: {recent: {type: parquet}}\n",
        &[],
        "stores.recent",
    );
    refused(
        Role::Gateway,
        "admin: {listen: '0.0.0.0:8080'}\n",
        &[],
        "admin.listen: is the same address",
    );
    refused(
        Role::Gateway,
        "kafka: {delivery_timeout: 10s}\n",
        &[],
        "kafka.delivery_timeout: is 10s, but must be shorter than http.request_timeout (10s)",
    );
    refused(
        Role::Standalone,
        "consumer: {shutdown_timeout: 1m}\n",
        &[],
        "consumer.shutdown_timeout: is 1m, but the process ends after shutdown.deadline (20s)",
    );
    refused(
        Role::Gateway,
        "pushgateway: {topic: metrics}\n",
        &[],
        "pushgateway.topic: is metrics, and so is kafka.topic",
    );
    refused(
        Role::Gateway,
        "rejections: {topic: metrics-groups}\n",
        &[],
        "rejections.topic: is metrics-groups, and so is pushgateway.topic",
    );
    refused(
        Role::Gateway,
        "rejections: {topic: 'a b'}\n",
        &[],
        "rejections.topic: \"a b\" is not a topic name",
    );
    refused(
        Role::Standalone,
        "rejections: {topic: refused}\n",
        &[],
        "rejections.topic: needs Kafka",
    );
    refused(
        Role::Standalone,
        "pushgateway: {repeat: 1s}\n",
        &[],
        "pushgateway.repeat: is 1s; at least 5s, or 0s",
    );
}

#[test]
fn listeners_of_otlp_need_ports_of_their_own() {
    for (yaml, expected) in [
        (
            "otlp: {http_listen: '127.0.0.1:8080'}\n",
            "otlp.http_listen: is 127.0.0.1:8080, which http.listen listens on already",
        ),
        (
            "otlp: {grpc_listen: '0.0.0.0:8081'}\n",
            "which admin.listen listens on already",
        ),
        (
            "otlp: {http_listen: '0.0.0.0:4317', grpc_listen: '127.0.0.1:4317'}\n",
            "otlp.grpc_listen: is 127.0.0.1:4317, which otlp.http_listen listens on already",
        ),
        (
            "otlp: {delta_expire_after: 0s}\n",
            "otlp.delta_expire_after: must be longer than 0",
        ),
        (
            "otlp: {promote_resource_attributes: ['_']}\n",
            "otlp.promote_resource_attributes: has a name without",
        ),
    ] {
        refused(Role::Gateway, yaml, &[], expected);
    }
    let yaml = "otlp: {http_listen: '0.0.0.0:4318', grpc_listen: '0.0.0.0:4317', names: utf8, delta: refuse}\n";
    load(Role::Standalone, yaml, &[]).unwrap();
}

#[test]
fn statsd_is_set_by_words_addresses_and_lists() {
    let yaml = "statsd: {listen: off, buckets: [1, 2.5], unix_datagram: /run/dsd.socket}\n";
    let settings = load(Role::Gateway, yaml, &[]).unwrap();
    assert_eq!(settings.statsd.listen, gateway::Listen::Off);
    assert_eq!(settings.statsd.buckets, [1.0, 2.5]);
    let environment = [("SLUICE_STATSD__LISTEN", "127.0.0.1:9125")];
    let settings = load(Role::Gateway, "", &environment).unwrap();
    assert_eq!(settings.statsd.listen.to_string(), "127.0.0.1:9125");
    refused(
        Role::Gateway,
        "statsd: {listen: '8125'}",
        &[],
        "statsd.listen",
    );
    refused(
        Role::Gateway,
        "statsd: {sockets: 0}",
        &[],
        "statsd.sockets: must be",
    );
}
