//! What a sample costs the consumer: records to blocks, blocks to compressed remote-write requests.
//!
//! A batch of 2000 samples out of 80 records of 100 series each: a quarter of each record, as one of four lanes gets it.

use std::hint::black_box;

use bytes::Bytes;
use codec::record::RecordBuilder;
use codec::remote_write::{Encoder, NameEscaping, Version};
use codec::snappy::Compressor;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use model::{Block, MetricType, Point};

const CONTENT_TYPE: &[u8] = b"application/x-protobuf;proto=io.prometheus.write.v2.Request";
const RECORDS: u32 = 80;
const SERIES: u32 = 100;
const LANES: usize = 4;
const AT_MS: i64 = 1_700_000_000_000;

/// Records of ten names, for hosts in turn.
fn records() -> Vec<Bytes> {
    (0..RECORDS)
        .map(|record| {
            let (name, chunk) = (record % 10, record / 10);
            let mut builder = RecordBuilder::new(&format!("service_metric_{name:04}_percent"));
            for host in chunk * SERIES..(chunk + 1) * SERIES {
                let host_name = format!("web-server-{host:05}");
                let labels = [
                    ("environment", "production"),
                    ("host", host_name.as_str()),
                    ("region", "us-east-1"),
                ];
                let point = Point {
                    at_ms: AT_MS + i64::from(host * 7919 % 10_000),
                    value: f64::from((host * 7919 + name * 104_729) % 99_991) / 1000.0,
                    start_ms: 0,
                };
                builder.push(labels, MetricType::Unspecified, "", "", [point]);
            }
            builder.finish()
        })
        .collect()
}

fn decode(records: &[Bytes]) -> Vec<Block> {
    let decode = |record| codec::record::decode(Some(CONTENT_TYPE), record);
    records
        .iter()
        .map(|record| decode(record).expect("a good record"))
        .collect()
}

fn encode(encoder: &mut Encoder, compressor: &mut Compressor, blocks: &[Block]) -> Vec<u8> {
    for view in blocks
        .iter()
        .flat_map(|block| block.iter().skip(1).step_by(LANES))
    {
        encoder.push(view, view.points(), &[], false, NameEscaping::Utf8);
    }
    encoder.finish_compressed(compressor)
}

fn stages(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("drain");
    group
        .sample_size(20)
        .measurement_time(std::time::Duration::from_secs(2))
        .warm_up_time(std::time::Duration::from_millis(500));
    let records = records();
    group.throughput(Throughput::Elements(u64::from(RECORDS * SERIES)));
    group.bench_function("decode", |bencher| {
        bencher.iter(|| decode(black_box(&records)));
    });
    let blocks = decode(&records);
    let batch = u64::from(RECORDS * SERIES) / LANES as u64;
    group.throughput(Throughput::Elements(batch));
    for (name, version) in [("v1", Version::V1), ("v2", Version::V2)] {
        // The latter has the library look for what comes again.
        for (way, mut encoder) in [
            ("encode", Encoder::for_compression(version)),
            ("encode-and-search", Encoder::new(version)),
        ] {
            let mut compressor = Compressor::default();
            group.bench_function(format!("{way}/{name}"), |bencher| {
                bencher.iter(|| encode(&mut encoder, &mut compressor, black_box(&blocks)));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, stages);
criterion_main!(benches);
