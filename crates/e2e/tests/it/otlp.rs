//! Applications with the OpenTelemetry SDK push every instrument, and what arrives has Prometheus' names.

use std::process::Command;

use serde_json::Value;
use testkit::eventually;
use testkit::python::interpreter;

use crate::sluice::{PATIENCE, Sluice};

fn push(protocol: &str, endpoint: &str, temporality: &str) {
    let script = testkit::repository().join("crates/e2e/tests/it/otlp.py");
    let output = Command::new(interpreter())
        .arg(script)
        .args([protocol, endpoint, temporality])
        .output()
        .expect("python runs");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    // The exporters log what was refused and what failed.
    assert!(stderr.is_empty(), "{stderr}");
}

/// The last value of the one series with this name, this instance, and these labels.
fn value(
    shown: &Value,
    name: &str,
    instance: &str,
    labels: &[(&str, &str)],
) -> Result<f64, String> {
    let samples = shown["samples"].as_array().ok_or("no samples")?;
    let found = samples.iter().rev().find(|sample| {
        let has = |name: &str, value: &str| sample["labels"][name] == value;
        sample["metric_name"] == name
            && has("instance", instance)
            && labels.iter().all(|(name, value)| has(name, value))
    });
    let sample = found.ok_or_else(|| format!("no {name} of {instance} with {labels:?}"))?;
    let expected = [("job", "eu/shop"), ("otel_scope_name", "shop.lib")];
    for (label, value) in expected {
        if name != "target_info" && sample["labels"][label] != value {
            return Err(format!("{label} is missing: {sample}"));
        }
    }
    sample["value"].as_f64().ok_or_else(|| sample.to_string())
}

fn check_all(shown: &Value, instance: &str) -> Result<(), String> {
    let get = [("http_method", "GET")];
    let bucket = |le: &'static str| [get[0], ("le", le)];
    let shard = [("shard_id", "7")];
    for (name, labels, expected) in [
        ("orders_placed_total", &[("order_kind", "web")][..], 6.0),
        ("sessions_active", &[], 8.0),
        ("http_server_duration_seconds_bucket", &bucket("0.1"), 2.0),
        ("http_server_duration_seconds_bucket", &bucket("1"), 6.0),
        ("http_server_duration_seconds_bucket", &bucket("10"), 6.0),
        ("http_server_duration_seconds_bucket", &bucket("+Inf"), 8.0),
        ("http_server_duration_seconds_count", &get, 8.0),
        ("http_server_duration_seconds_sum", &get, 42.1),
        ("room_temperature_celsius", &[], 22.5),
        ("cpu_time_seconds_total", &shard, 20.0),
        ("queue_length", &shard, -4.0),
        ("disk_usage_ratio", &shard, 0.25),
        ("target_info", &[("telemetry_sdk_language", "python")], 1.0),
    ] {
        let found = value(shown, name, instance, labels)?;
        if (found - expected).abs() > 1e-9 {
            return Err(format!("{name} of {instance} is {found}, not {expected}"));
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_instrument_arrives_over_http_and_grpc_cumulative_and_delta() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().display().to_string();
    let (http_port, grpc_port) = (testkit::free_port(), testkit::free_port());
    let http = format!("127.0.0.1:{http_port}");
    let grpc = format!("127.0.0.1:{grpc_port}");
    let sluice = Sluice::start(
        "standalone",
        &[
            ("SLUICE_DATA_DIR", &data_dir),
            ("SLUICE_OTLP__HTTP_LISTEN", &http),
            ("SLUICE_OTLP__GRPC_LISTEN", &grpc),
            ("SLUICE_RECENT__MAX_POINTS", "1000"),
        ],
    );
    // The ports that senders expect, and the public one, which takes both too.
    push("http", &format!("http://{http}"), "cumulative");
    push("http", &sluice.url(""), "delta");
    push("grpc", &format!("http://{grpc}"), "cumulative");
    push("grpc", &sluice.url(""), "delta");
    let instances = [
        "http-cumulative",
        "http-delta",
        "grpc-cumulative",
        "grpc-delta",
    ];
    eventually(PATIENCE, async || {
        let shown = sluice
            .get("/api/v1/recent/samples?limit=100000")
            .map_err(|error| error.to_string())?;
        instances
            .iter()
            .try_for_each(|instance| check_all(&shown, instance))
    })
    .await;
    let refused = sluice.metric("sluice_gateway_samples_rejected_total", "otlp");
    assert_eq!(refused.unwrap(), 0.0);

    sluice.process.terminate();
    assert!(sluice.process.wait_for_exit(PATIENCE).success());
    let found = native_histograms(folder.path());
    // Two exports each: three observations, then six; the SDK repeats cumulative ones when it stops.
    let expected: Vec<Value> = [
        "grpc-cumulative",
        "grpc-delta",
        "http-cumulative",
        "http-delta",
    ]
    .iter()
    .flat_map(|instance| [3, 6].map(|count| serde_json::json!([instance, count])))
    .collect();
    assert_eq!(found, Value::Array(expected));
}

/// Instance and count of every native histogram `payload_size_bytes` in an archive, sorted.
fn native_histograms(folder: &std::path::Path) -> Value {
    const READ: &str = r#"
import glob, json, sys
import pyarrow.parquet as pq
found = set()
for file in glob.glob(sys.argv[1] + "/archive/**/*.parquet", recursive=True):
    for row in pq.read_table(file, partitioning=None).to_pylist():
        if row["metric"] == "payload_size_bytes" and row["histogram"] is not None:
            # Field 1 of the message: count_int, a varint of one byte here.
            assert row["histogram"][0] == 8, row["histogram"]
            found.add((dict(row["labels"])["instance"], row["histogram"][1]))
print(json.dumps(sorted(found)))
"#;
    let folder = folder.display().to_string();
    serde_json::from_str(&testkit::python::run(READ, &[&folder])).unwrap()
}
