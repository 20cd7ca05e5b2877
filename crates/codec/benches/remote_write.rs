//! What a pushed remote-write sample costs on its way through the codec, in samples per second on one core.
//!
//! 1000 samples of 50 metrics on 20 hosts, three labels each, as the JSON bench has them. The limit is what the
//! protobuf library takes to decode the same body into its own structs.

#[path = "way/records.rs"]
mod way;

use std::hint::black_box;

use codec::remote_write::{Version, receive};
use codec::wire::{v1, v2};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use model::Limits;
use prost::Message;
use way::Way;

const NAMES: u32 = 50;
const HOSTS: u32 = 20;
const AT_MS: i64 = 1_700_000_000_000;

/// A series' labels, sorted as the protocol wants them, and its value.
fn series() -> Vec<([(&'static str, String); 4], f64)> {
    (0..NAMES * HOSTS)
        .map(|sample| {
            let (name, host) = (sample / HOSTS, sample % HOSTS);
            let labels = [
                (
                    "__name__",
                    format!("service_{name:02}_memory_usage_percent"),
                ),
                ("environment", "production".to_owned()),
                ("host", format!("web-server-{host:02}.example")),
                ("region", "us-east-1".to_owned()),
            ];
            (labels, f64::from(sample * 7919 % 99_991) / 1000.0)
        })
        .collect()
}

fn body_v1() -> Vec<u8> {
    let timeseries = series()
        .into_iter()
        .map(|(labels, value)| v1::TimeSeries {
            labels: labels
                .into_iter()
                .map(|(name, value)| v1::Label {
                    name: name.to_owned(),
                    value,
                })
                .collect(),
            samples: vec![v1::Sample {
                value,
                timestamp: AT_MS,
            }],
            ..v1::TimeSeries::default()
        })
        .collect();
    v1::WriteRequest {
        timeseries,
        metadata: Vec::new(),
    }
    .encode_to_vec()
}

fn body_v2() -> Vec<u8> {
    let mut symbols = vec![String::new()];
    let mut number = |text: &str| {
        let at = symbols.iter().position(|known| known == text);
        let at = at.unwrap_or_else(|| {
            symbols.push(text.to_owned());
            symbols.len() - 1
        });
        u32::try_from(at).expect("a few symbols")
    };
    let timeseries = series()
        .into_iter()
        .map(|(labels, value)| v2::TimeSeries {
            labels_refs: labels
                .iter()
                .flat_map(|(name, value)| [number(name), number(value)])
                .collect(),
            samples: vec![v2::Sample {
                value,
                timestamp: AT_MS,
                start_timestamp: 0,
            }],
            metadata: Some(v2::Metadata {
                r#type: 2,
                help_ref: number("How much of the memory is used."),
                unit_ref: number("percent"),
            }),
            ..v2::TimeSeries::default()
        })
        .collect();
    v2::Request {
        symbols,
        timeseries,
    }
    .encode_to_vec()
}

fn stages(criterion: &mut Criterion) {
    let mut group_of = criterion.benchmark_group("remote_write_of_1000");
    group_of.throughput(Throughput::Elements(u64::from(NAMES * HOSTS)));
    group_of
        .sample_size(20)
        .measurement_time(std::time::Duration::from_secs(2))
        .warm_up_time(std::time::Duration::from_millis(500));
    let limits = Limits::default();
    for (name, version, body) in [
        ("v1", Version::V1, body_v1()),
        ("v2", Version::V2, body_v2()),
    ] {
        group_of.bench_function(format!("{name}/prost"), |bencher| {
            bencher.iter(|| match version {
                Version::V1 => v1::WriteRequest::decode(black_box(body.as_slice()))
                    .expect("a good body")
                    .timeseries
                    .len(),
                Version::V2 => v2::Request::decode(black_box(body.as_slice()))
                    .expect("a good body")
                    .timeseries
                    .len(),
            });
        });
        group_of.bench_function(format!("{name}/decode"), |bencher| {
            bencher.iter(|| receive::decode(version, black_box(&body), &limits));
        });
        let mut way = Way::default();
        group_of.bench_function(format!("{name}/decode_to_records"), |bencher| {
            bencher.iter(|| {
                let mut decoded =
                    receive::decode(version, black_box(&body), &limits).expect("a good body");
                way.records(&mut decoded.batch)
            });
        });
        let block = codec::snappy::compress(&body);
        group_of.bench_function(format!("{name}/snappy"), |bencher| {
            bencher.iter(|| codec::snappy::decompress(black_box(&block), 1 << 20));
        });
        group_of.bench_function(format!("{name}/snappy_to_records"), |bencher| {
            bencher.iter(|| {
                let body = codec::snappy::decompress(black_box(&block), 1 << 20).expect("a block");
                let mut decoded = receive::decode(version, &body, &limits).expect("a good body");
                way.records(&mut decoded.batch)
            });
        });
    }
    group_of.finish();
}

criterion_group!(benches, stages);
criterion_main!(benches);
