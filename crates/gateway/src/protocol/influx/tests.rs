//! What InfluxDB's clients see: statuses, shapes and headers of each version, and what is stored.

mod probes;
mod settings;
mod versions;

use std::collections::BTreeMap;

use axum::body::Body;
use http::Request;

use crate::Config;
use crate::fake::{Answer, FakeBuffer, NOW_MS, Server};

const PATHS: [&str; 3] = ["/write", "/api/v2/write", "/api/v3/write_lp"];

/// A gateway whose records show their samples as text.
fn server() -> Server {
    server_with(|_| {})
}

fn server_with(change: impl FnOnce(&mut Config)) -> Server {
    let mut config = Config {
        record_format: crate::RecordFormat::Json,
        ..Config::default()
    };
    change(&mut config);
    Server::start(&config, FakeBuffer::default())
}

async fn post(server: &Server, uri: &str, body: impl Into<Body>) -> Answer {
    let request = Request::post(uri).body(body.into()).unwrap();
    server.send(request).await
}

async fn get(server: &Server, uri: &str) -> Answer {
    server
        .send(Request::get(uri).body(Body::empty()).unwrap())
        .await
}

/// What is durable, as `name{label=value} value @timestamp`, sorted.
fn stored(server: &Server) -> Vec<String> {
    let mut stored: Vec<String> = server
        .buffer
        .confirmed()
        .iter()
        .map(|record| {
            let sample: serde_json::Value = serde_json::from_slice(&record.value).unwrap();
            let labels: BTreeMap<String, String> =
                serde_json::from_value(sample["labels"].clone()).unwrap();
            let labels: Vec<String> = labels
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            format!(
                "{}{{{}}} {} @{}",
                sample["metric_name"].as_str().unwrap(),
                labels.join(","),
                sample["value"],
                sample["timestamp"].as_i64().unwrap() - NOW_MS,
            )
        })
        .collect();
    stored.sort();
    stored
}
