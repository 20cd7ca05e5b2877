//! Remote write through the router: what is answered, with which headers, and what is stored.

mod answers;
mod stored;

use axum::body::Body;
use codec::snappy::compress;
use codec::wire::{v1, v2};
use http::Request;
use prost::Message as _;

use crate::Config;
use crate::fake::{Answer, FakeBuffer, NOW_MS, Server};

const V2: &str = "application/x-protobuf;proto=io.prometheus.write.v2.Request";
const V1: &str = "application/x-protobuf";

fn server() -> Server {
    Server::start(&Config::default(), FakeBuffer::default())
}

fn label(name: &str, value: &str) -> v1::Label {
    v1::Label {
        name: name.to_owned(),
        value: value.to_owned(),
    }
}

fn series(name: &str, value: f64) -> v1::TimeSeries {
    v1::TimeSeries {
        labels: vec![label("__name__", name), label("host", "a")],
        samples: vec![v1::Sample {
            value,
            timestamp: NOW_MS,
        }],
        ..v1::TimeSeries::default()
    }
}

fn body(timeseries: Vec<v1::TimeSeries>) -> Vec<u8> {
    v1::WriteRequest {
        timeseries,
        metadata: Vec::new(),
    }
    .encode_to_vec()
}

fn metadata(name: &str, kind: u32) -> Vec<u8> {
    v1::WriteRequest {
        timeseries: Vec::new(),
        metadata: vec![v1::MetricMetadata {
            r#type: kind,
            metric_family_name: name.to_owned(),
            help: "What it is.".to_owned(),
            unit: String::new(),
        }],
    }
    .encode_to_vec()
}

/// A 2.0 request: a float without a name if `bad`, a good one, a histogram with an exemplar.
fn v2_body(bad: bool) -> Vec<u8> {
    let symbols = [
        "", "__name__", "up", "host", "a", "latency", "trace_id", "t",
    ];
    let sample = |value| v2::Sample {
        value,
        timestamp: NOW_MS,
        start_timestamp: NOW_MS - 1000,
    };
    let mut timeseries = vec![
        v2::TimeSeries {
            labels_refs: vec![1, 2, 3, 4],
            samples: vec![sample(1.0)],
            metadata: Some(v2::Metadata {
                r#type: 2,
                ..v2::Metadata::default()
            }),
            ..v2::TimeSeries::default()
        },
        v2::TimeSeries {
            labels_refs: vec![1, 5],
            histograms: vec![v2::Histogram {
                timestamp: NOW_MS,
                ..v2::Histogram::default()
            }],
            exemplars: vec![v2::Exemplar {
                labels_refs: vec![6, 7],
                value: 0.5,
                timestamp: NOW_MS,
            }],
            ..v2::TimeSeries::default()
        },
    ];
    if bad {
        timeseries.insert(
            0,
            v2::TimeSeries {
                labels_refs: vec![3, 4],
                samples: vec![sample(9.0)],
                ..v2::TimeSeries::default()
            },
        );
    }
    v2::Request {
        symbols: symbols.map(str::to_owned).to_vec(),
        timeseries,
    }
    .encode_to_vec()
}

async fn send(server: &Server, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
    send_to(server, "/api/v1/write", headers, body).await
}

async fn send_to(server: &Server, uri: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
    let mut request = Request::post(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    server.send(request.body(Body::from(body)).unwrap()).await
}

const SNAPPY: (&str, &str) = ("content-encoding", "snappy");

/// What the three headers of version 2.0 say.
fn written(answer: &Answer) -> [Option<&str>; 3] {
    ["samples", "histograms", "exemplars"]
        .map(|what| answer.header(&format!("x-prometheus-remote-write-{what}-written")))
}
