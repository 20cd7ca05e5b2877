//! What fits is taken, what does not is explained in one line.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{File, load, load_with_sources};
use crate::secret::Secret;
use crate::units::{Period, Size};

mod errors;

/// Everything that can be set.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// Folder of everything that is kept.
    pub(super) data_dir: String,
    /// The listener for senders.
    pub(super) http: Http,
    /// The buffer's client.
    pub(super) kafka: Kafka,
    /// Where samples go, by name.
    pub(super) stores: BTreeMap<String, Store>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Http {
    /// Address and port.
    pub(super) listen: SocketAddr,
    /// How long a request may take; after that 503.
    pub(super) request_timeout: Period,
    /// The largest body; a larger one is 413.
    pub(super) max_body: Size,
    /// Threads, or none for one per core.
    pub(super) threads: Option<u16>,
    /// Whether `a | b` is answered.
    pub(super) explain: bool,
    /// Part of requests that are traced.
    pub(super) traced_ratio: f64,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Kafka {
    /// Some brokers.
    pub(super) brokers: Vec<String>,
    /// Partitions to read; all when empty.
    pub(super) partitions: Vec<u16>,
    /// The client's own options.
    pub(super) properties: BTreeMap<String, String>,
    /// What it says about itself.
    pub(super) client_id: Option<String>,
}

/// A store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Store {
    /// Prometheus remote write.
    RemoteWrite {
        /// Where to.
        url: String,
        /// Of the protocol.
        #[serde(default)]
        version: Version,
        /// Of one request.
        #[serde(default = "ten_seconds")]
        timeout: Period,
        /// For basic authentication.
        #[serde(default)]
        password: Secret,
        /// At the same time.
        #[serde(default = "four")]
        shards: u8,
    },
    /// Files.
    Parquet(Parquet),
}

/// Parquet files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Parquet {
    /// Their folder.
    dir: String,
    /// How old a file gets.
    close_after: Period,
}

impl Default for Parquet {
    fn default() -> Self {
        Self {
            dir: "./archive".to_owned(),
            close_after: Period::secs(60),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub(super) enum Version {
    /// The old one.
    #[default]
    #[serde(rename = "1.0")]
    V1,
    /// The new one.
    #[serde(rename = "2.0")]
    V2,
}

fn ten_seconds() -> Period {
    Period::secs(10)
}

fn four() -> u8 {
    4
}

impl Default for Http {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([0, 0, 0, 0], 8080)),
            request_timeout: Period::secs(10),
            max_body: Size::mib(16),
            threads: None,
            explain: true,
            traced_ratio: 0.0,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        let archive = Store::Parquet(Parquet::default());
        Self {
            data_dir: "./data".to_owned(),
            http: Http::default(),
            kafka: Kafka::default(),
            stores: BTreeMap::from([("archive".to_owned(), archive)]),
        }
    }
}

fn file(text: &str) -> File {
    File {
        name: "sluice.yaml".to_owned(),
        text: text.to_owned(),
    }
}

fn settings(text: &str, environment: &[(&str, &str)]) -> Result<Settings, String> {
    let environment = environment
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    load(
        &Settings::default(),
        Some(&file(text)),
        environment,
        &["stores"],
    )
    .map_err(|error| error.to_string())
}

fn store(text: &str, environment: &[(&str, &str)]) -> Store {
    settings(text, environment).unwrap().stores["main"].clone()
}

#[test]
fn without_layers_the_defaults_apply() {
    for empty in ["", "# nothing\n", "---\n", "http:\n"] {
        let settings = settings(empty, &[("HOME", "/root")]).unwrap();
        assert_eq!(settings.http, Http::default());
        assert_eq!(settings.data_dir, "./data");
    }
    let alone = load(&Settings::default(), None, [], &[]).unwrap();
    assert_eq!(alone.stores.len(), 1);
}

#[test]
fn the_environment_wins_over_the_file_and_the_file_over_the_defaults() {
    let text = "http:\n  request_timeout: 3s\n  max_body: 1MiB\n";
    let http = settings(text, &[("SLUICE_HTTP__MAX_BODY", "2MiB")])
        .unwrap()
        .http;
    let expected = Http {
        request_timeout: Period::secs(3),
        max_body: Size::mib(2),
        ..Http::default()
    };
    assert_eq!(http, expected);
}

#[test]
fn a_variable_is_read_as_what_the_setting_wants() {
    let environment = [
        ("SLUICE_DATA_DIR", "123"),
        ("SLUICE_HTTP__THREADS", "8"),
        ("SLUICE_HTTP__EXPLAIN", "false"),
        ("SLUICE_HTTP__TRACED_RATIO", "1"),
        ("SLUICE_KAFKA__BROKERS", "a:1, b:2"),
        ("SLUICE_KAFKA__PARTITIONS", "1,2,"),
        ("SLUICE_KAFKA__CLIENT_ID", "true"),
    ];
    let settings = settings("", &environment).unwrap();
    assert_eq!(settings.data_dir, "123");
    assert_eq!(settings.http.threads, Some(8));
    assert!(!settings.http.explain);
    assert!((settings.http.traced_ratio - 1.0).abs() < f64::EPSILON);
    assert_eq!(settings.kafka.brokers, ["a:1", "b:2"]);
    assert_eq!(settings.kafka.partitions, [1, 2]);
    assert_eq!(settings.kafka.client_id.as_deref(), Some("true"));
}

#[test]
fn lists_are_also_taken_as_yaml_and_one_item_is_a_list() {
    let environment = [
        ("SLUICE_KAFKA__BROKERS", "a:1"),
        ("SLUICE_KAFKA__PARTITIONS", "[3, 4]"),
    ];
    let kafka = settings("", &environment).unwrap().kafka;
    assert_eq!(kafka.brokers, ["a:1"]);
    assert_eq!(kafka.partitions, [3, 4]);
}

#[test]
fn a_number_in_the_file_is_kept_as_written_where_a_text_is_wanted() {
    let text = "
data_dir: 007
kafka:
  client_id: 1.50
  properties: {linger.ms: 5, enable.idempotence: true, acks: all}
  brokers: [1.0, b]
stores:
  main: {type: remote_write, url: 'http://x', version: 2.0, password: 0123}
";
    let settings = settings(text, &[]).unwrap();
    assert_eq!(settings.data_dir, "007");
    assert_eq!(settings.kafka.client_id.as_deref(), Some("1.50"));
    assert_eq!(settings.kafka.brokers, ["1.0", "b"]);
    let properties: Vec<_> = settings.kafka.properties.values().collect();
    assert_eq!(properties, ["all", "true", "5"]);
    let Store::RemoteWrite {
        version, password, ..
    } = &settings.stores["main"]
    else {
        panic!("{settings:?}");
    };
    assert_eq!((*version, password.expose()), (Version::V2, "0123"));
}

#[test]
fn a_file_replaces_the_stores_and_the_environment_adds_to_them() {
    let url = ("SLUICE_STORES__MAIN__URL", "http://y");
    let kind = ("SLUICE_STORES__MAIN__TYPE", "remote_write");
    let added = settings("", &[url, kind]).unwrap();
    assert_eq!(added.stores.keys().collect::<Vec<_>>(), ["archive", "main"]);

    let text = "stores:\n  Main: {type: remote_write, url: 'http://x', shards: 2}\n";
    let replaced = settings(text, &[url]).unwrap();
    assert_eq!(replaced.stores.keys().collect::<Vec<_>>(), ["Main"]);
    assert!(matches!(
        &replaced.stores["Main"],
        Store::RemoteWrite { url, shards: 2, .. } if url == "http://y"
    ));
    assert!(settings("stores: {}", &[]).unwrap().stores.is_empty());
}

#[test]
fn defaults_of_another_type_do_not_stay_behind() {
    let environment = [
        ("SLUICE_STORES__ARCHIVE__TYPE", "remote_write"),
        ("SLUICE_STORES__ARCHIVE__URL", "http://x"),
    ];
    let settings = settings("", &environment).unwrap();
    assert!(matches!(
        settings.stores["archive"],
        Store::RemoteWrite { .. }
    ));
}

#[test]
fn values_inside_a_tagged_section_are_read_as_wanted() {
    let environment = [
        ("SLUICE_STORES__MAIN__TYPE", "remote_write"),
        ("SLUICE_STORES__MAIN__URL", "1"),
        ("SLUICE_STORES__MAIN__VERSION", "2.0"),
        ("SLUICE_STORES__MAIN__SHARDS", "7"),
        ("SLUICE_STORES__MAIN__TIMEOUT", "5s"),
        ("SLUICE_STORES__MAIN__PASSWORD", "0123"),
    ];
    let expected = Store::RemoteWrite {
        url: "1".to_owned(),
        version: Version::V2,
        timeout: Period::secs(5),
        password: Secret::new("0123"),
        shards: 7,
    };
    assert_eq!(store("", &environment), expected);
}

#[test]
fn a_whole_section_fits_into_a_variable() {
    let text = "kafka:\n  properties: {acks: '1', sasl.password: ''}\n";
    let environment = [
        ("SLUICE_KAFKA__PROPERTIES", "{linger.ms: 5, acks: all}"),
        ("SLUICE_KAFKA__PROPERTIES__SASL_PASSWORD", "0"),
        ("SLUICE_STORES__MAIN", "{type: parquet, dir: x}"),
    ];
    let settings = settings(text, &environment).unwrap();
    let properties = [("acks", "all"), ("linger.ms", "5"), ("sasl.password", "0")]
        .map(|(key, value)| (key.to_owned(), value.to_owned()));
    assert_eq!(settings.kafka.properties, BTreeMap::from(properties));
    assert!(matches!(&settings.stores["main"], Store::Parquet(parquet) if parquet.dir == "x"));
}

#[test]
fn a_value_can_be_in_a_file_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let password = path("password", "0123 \n");
    let properties = path("properties", "sasl.password: x\n");
    let threads = path("threads", "3\r\n");
    let environment = [
        ("SLUICE_STORES__MAIN__PASSWORD_FILE", password.as_str()),
        ("SLUICE_STORES__MAIN__TYPE", "remote_write"),
        ("SLUICE_STORES__MAIN__URL", "x"),
        ("SLUICE_KAFKA__PROPERTIES_FILE", properties.as_str()),
        ("SLUICE_HTTP__THREADS_FILE", threads.as_str()),
    ];
    let settings = settings("", &environment).unwrap();
    assert!(matches!(
        &settings.stores["main"],
        Store::RemoteWrite { password, .. } if password.expose() == "0123 "
    ));
    assert_eq!(settings.kafka.properties["sasl.password"], "x");
    assert_eq!(settings.http.threads, Some(3));
}

#[test]
fn variables_that_kubernetes_adds_are_not_settings() {
    let environment = [
        ("SLUICE_PORT", "tcp://10.0.0.1:80"),
        ("SLUICE_GATEWAY_SERVICE_HOST", "10.0.0.1"),
        ("SLUICE_GATEWAY_SERVICE_PORT", "80"),
        ("SLUICE_GATEWAY_SERVICE_PORT_HTTP", "80"),
        ("SLUICE_GATEWAY_PORT_80_TCP", "tcp://10.0.0.1:80"),
        ("SLUICE_GATEWAY_PORT_80_TCP_ADDR", "10.0.0.1"),
        ("SLUICE_CONFIG", "/etc/sluice.yaml"),
    ];
    settings("", &environment).unwrap();
}

#[test]
fn a_setting_that_contradicts_another_is_traced_to_its_place() {
    let environment = [("SLUICE_HTTP__MAX_BODY".to_owned(), "1B".to_owned())];
    let text = file("http:\n  request_timeout: 1s\n");
    let (_, sources) =
        load_with_sources(&Settings::default(), Some(&text), environment, &[]).unwrap();
    let refused = ["http.request_timeout", "http.max_body", "data_dir", "http"]
        .map(|key| sources.refuse(key, "no").to_string());
    assert_eq!(
        refused,
        [
            "sluice.yaml:2: http.request_timeout: no",
            "SLUICE_HTTP__MAX_BODY: http.max_body: no",
            "data_dir: no",
            "sluice.yaml:1: http: no",
        ]
    );
}

/// Reads itself through a value, as some do to say where they stumbled.
#[derive(Debug, Default, Serialize)]
struct ByHand {
    store: BTreeMap<String, u8>,
}

impl<'de> Deserialize<'de> for ByHand {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let value = serde_json::Value::deserialize(deserializer)?;
        let store = serde_path_to_error::deserialize(&value["store"]).map_err(|error| {
            D::Error::custom(format!("store.{}: {}", error.path(), error.inner()))
        })?;
        Ok(Self { store })
    }
}

#[test]
fn a_path_in_the_message_is_understood() {
    let load = |text: &str| {
        let variable = |name: &str| (format!("SLUICE_STORE__{name}"), text.to_owned());
        load(&ByHand::default(), None, [variable("SHARDS")], &[])
    };
    assert_eq!(load("7").unwrap().store["shards"], 7);
    assert_eq!(
        load("700").unwrap_err().to_string(),
        "SLUICE_STORE__SHARDS: store.shards: found 700, expected a whole number from 0 to 255"
    );
}
