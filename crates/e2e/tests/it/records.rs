//! What is in Kafka: other producers agree on the partition, other consumers can read the value.

use std::io::Write as _;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use testkit::kafka::{Kafka, Record, partitions_of};
use testkit::python::interpreter;

use crate::push::{self, now_ms, push};
use crate::sluice::{Sluice, Topics};

const PARTITIONS: u32 = 13;

fn gateway(topics: &Topics, format: &str) -> Sluice {
    let format = [("SLUICE_BUFFER__RECORD_FORMAT", format)];
    Sluice::start("gateway", &topics.with(&format))
}

fn pushed() -> Value {
    let at_ms = now_ms();
    let mut metrics = Vec::new();
    for number in 0..300_i64 {
        let name = format!("m{}.größe", number % 40);
        metrics.push(json!({
            "metric_name": name, "timestamp": at_ms + number, "value": number as f64 / 3.0,
            "labels": {"Zone": "b", "host": format!("h{}", number % 5), "ürl": "\"/a\\b\""},
        }));
    }
    metrics.push(json!({
        "metric_name": "typed", "timestamp": at_ms, "value": 7, "labels": {},
        "type": "counter", "unit": "bytes", "help": "Bytes sent.",
    }));
    json!({ "metrics": metrics })
}

fn check_keys_and_partitions(records: &[Record]) {
    let keys: Vec<&[u8]> = records
        .iter()
        .map(|record| record.key.as_deref().expect("a record has a key"))
        .collect();
    let partitions: Vec<i32> = records.iter().map(|record| record.partition).collect();
    assert_eq!(partitions, partitions_of(&keys, PARTITIONS));
    assert!(
        partitions
            .iter()
            .any(|partition| *partition != partitions[0]),
        "all in one partition"
    );
}

fn header<'a>(record: &'a Record, name: &str) -> Option<&'a str> {
    let (_, value) = record.headers.iter().find(|(header, _)| header == name)?;
    std::str::from_utf8(value).ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_knows_only_remote_write_reads_the_default_format() {
    let topics = Topics::new("records-protobuf", PARTITIONS);
    let gateway = gateway(&topics, "protobuf");
    let body = pushed();
    push(&gateway.url("/metrics"), &body).await.unwrap();
    let records = Kafka::shared().read(&topics.samples);
    check_keys_and_partitions(&records);
    assert!(
        records.len() <= 41,
        "{} records for 41 metric names",
        records.len()
    );

    let folder = testkit::repository().join("crates/e2e/tests/it");
    let mut reader = Command::new(interpreter())
        .arg(folder.join("read_remote_write.py"))
        .arg(folder.join("remote_write_v2.proto"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = reader.stdin.take().unwrap();
    for record in &records {
        assert_eq!(
            header(record, "content-type"),
            Some("application/x-protobuf;proto=io.prometheus.write.v2.Request")
        );
        assert!(header(record, "sluice-version").is_some());
        assert!((now_ms() - record.timestamp_ms).abs() < 60_000);
        writeln!(input, "{}", BASE64.encode(record.value.as_deref().unwrap())).unwrap();
    }
    drop(input);
    let output = reader.wait_with_output().unwrap();
    assert!(output.status.success());
    let read: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        push::samples(&read).unwrap(),
        push::samples(&body["metrics"]).unwrap()
    );
    let typed = read
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["metric_name"] == "typed")
        .unwrap();
    assert_eq!(
        (&typed["type"], &typed["unit"], &typed["help"]),
        (&json!("counter"), &json!("bytes"), &json!("Bytes sent."))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_knows_only_json_reads_the_other() {
    let topics = Topics::new("records-json", PARTITIONS);
    let gateway = gateway(&topics, "json");
    let body = pushed();
    push(&gateway.url("/metrics"), &body).await.unwrap();
    let records = Kafka::shared().read(&topics.samples);
    check_keys_and_partitions(&records);
    let mut read = Vec::new();
    for record in &records {
        assert_eq!(header(record, "content-type"), Some("application/json"));
        let value: Value = serde_json::from_slice(record.value.as_deref().unwrap()).unwrap();
        assert_eq!(
            value["metric_name"].as_str().map(str::as_bytes),
            record.key.as_deref()
        );
        read.push(value);
    }
    assert_eq!(
        push::samples(&Value::Array(read)).unwrap(),
        push::samples(&body["metrics"]).unwrap()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_topic_is_created_with_a_day_of_retention() {
    let topics = Topics::new("records-topic", PARTITIONS);
    let _gateway = gateway(&topics, "protobuf");
    let kafka = Kafka::shared();
    assert_eq!(
        kafka.topic_setting(&topics.samples, "partitions"),
        PARTITIONS.to_string()
    );
    assert_eq!(
        kafka.topic_setting(&topics.samples, "retention.ms"),
        (24 * 3600 * 1000).to_string()
    );
}
