//! Bytes to structs and nothing else, with the fastest library of each format.

use std::hint::black_box;
use std::time::Duration;

use codec::wire::{v1, v2};
use prost::Message as _;

use super::bodies::Bodies;
use super::json::PlainBody;
use super::stopwatch;
use super::views::{Export, NumberPoint, Numbers, Request, View as _, WriteRequest};
use super::{text, wire};
use crate::outcome::Outcome;
use crate::protocol::{Compression, Protocol};

/// The stage of these limits.
pub(super) const STAGE: &str = "decode";
/// The stage of these limits after decompression by the format's own rule.
pub(super) const SNAPPY_STAGE: &str = "decode+snappy";

/// Measures every library that may be the fastest.
pub(super) fn measure(bodies: &Bodies, seconds: Duration) -> anyhow::Result<Vec<Outcome>> {
    let mut outcomes = Vec::new();
    for (library, decode) in libraries(bodies.load.protocol) {
        let titles = (bodies.scenario(), &*format!("{library} decode"), STAGE);
        outcomes.push(stopwatch::measure(
            bodies,
            titles,
            &bodies.plain,
            seconds,
            |body| decode(body),
        ));
    }
    if matches!(
        bodies.load.protocol,
        Protocol::RemoteWrite1 | Protocol::RemoteWrite2
    ) {
        let blocks = bodies.compressed(Compression::Snappy)?;
        for (library, decode) in libraries(bodies.load.protocol) {
            let subject = format!("snap + {library} decode");
            let titles = (bodies.scenario(), subject.as_str(), SNAPPY_STAGE);
            let mut decoder = snap::raw::Decoder::new();
            let mut buffer = vec![0; bodies.largest()];
            outcomes.push(stopwatch::measure(
                bodies,
                titles,
                &blocks,
                seconds,
                |block| {
                    let len = decoder
                        .decompress(block, &mut buffer)
                        .expect("our own block");
                    decode(buffer.get(..len).unwrap_or_default())
                },
            ));
        }
    }
    Ok(outcomes)
}

/// The name of a library, and how many samples it finds in a body.
type Library = (&'static str, fn(&[u8]) -> usize);

fn libraries(protocol: Protocol) -> Vec<Library> {
    match protocol {
        Protocol::Json => vec![("sonic-rs", sonic_json), ("serde_json", serde_json)],
        Protocol::RemoteWrite1 => vec![
            ("buffa views", |body| {
                let request = black_box(WriteRequest::decode(body).expect("our own body"));
                request
                    .timeseries
                    .iter()
                    .map(|series| series.samples.len())
                    .sum()
            }),
            ("prost", |body| {
                let request = black_box(v1::WriteRequest::decode(body).expect("our own body"));
                request
                    .timeseries
                    .iter()
                    .map(|series| series.samples.len())
                    .sum()
            }),
        ],
        Protocol::RemoteWrite2 => vec![
            ("buffa views", |body| {
                let request = black_box(Request::decode(body).expect("our own body"));
                request
                    .timeseries
                    .iter()
                    .map(|series| series.samples.len())
                    .sum()
            }),
            ("prost", |body| {
                let request = black_box(v2::Request::decode(body).expect("our own body"));
                request
                    .timeseries
                    .iter()
                    .map(|series| series.samples.len())
                    .sum()
            }),
        ],
        Protocol::Otlp => vec![("buffa views", otlp_views), ("prost", otlp_prost)],
        Protocol::Influx => vec![("influxdb-line-protocol", |body| {
            let body = std::str::from_utf8(body).expect("our own body");
            let lines = influxdb_line_protocol::parse_lines(body);
            lines
                .map(|line| black_box(line.expect("our own line")).field_set.len())
                .sum()
        })],
        Protocol::Text => vec![("a trusting reader's", |body| {
            let body = std::str::from_utf8(body).expect("our own body");
            black_box(text::trusted(body).expect("our own body"))
                .samples
                .len()
        })],
        Protocol::OtlpJson
        | Protocol::Opentsdb
        | Protocol::Victoria
        | Protocol::Datadog
        | Protocol::Statsd => Vec::new(),
    }
}

/// JSON by the fastest library.
pub(super) fn sonic_json(body: &[u8]) -> usize {
    let body: PlainBody<'_> = sonic_rs::from_slice(body).expect("our own body");
    black_box(body).metrics.len()
}

fn serde_json(body: &[u8]) -> usize {
    let body: PlainBody<'_> = serde_json::from_slice(body).expect("our own body");
    black_box(body).metrics.len()
}

fn otlp_views(body: &[u8]) -> usize {
    let request = black_box(Export::decode(body).expect("our own body"));
    let scopes = request
        .resources
        .iter()
        .flat_map(|resource| &resource.scopes);
    let metrics = scopes.flat_map(|scope| &scope.metrics);
    let numbers = metrics.flat_map(|metric| metric.gauge.iter().chain(&metric.sum));
    numbers
        .map(|numbers: &Numbers<'_>| -> usize { <[NumberPoint<'_>]>::len(&numbers.points) })
        .sum()
}

fn otlp_prost(body: &[u8]) -> usize {
    let request = black_box(wire::Export::decode(body).expect("our own body"));
    let scopes = request
        .resources
        .iter()
        .flat_map(|resource| &resource.scopes);
    let metrics = scopes.flat_map(|scope| &scope.metrics);
    let numbers = metrics.flat_map(|metric| metric.gauge.iter().chain(&metric.sum));
    numbers.map(|numbers| numbers.points.len()).sum()
}
