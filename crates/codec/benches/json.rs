//! What a sample costs on its way through the codec, in samples per second on one core.
//!
//! The batch has the shape that push agents send: 1000 samples of 50 metrics on 20 hosts, three
//! labels each, about 195 bytes per sample, every value another one.

#[path = "way/records.rs"]
mod records;

use std::borrow::Cow;
use std::fmt::Write as _;
use std::hint::black_box;
use std::io::Write as _;

use bytes::Bytes;
use codec::remote_write::{Encoder, NameEscaping, Version};
use codec::{Encoding, inflate};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use records::Way;
use serde::Deserialize;

const NAMES: u64 = 50;
const HOSTS: u64 = 20;
const AT_MS: u64 = 1_700_000_000_000;
const RW2: &[u8] = b"application/x-protobuf;proto=io.prometheus.write.v2.Request";

fn body() -> String {
    let mut body = String::from("{\"metrics\": [");
    for sample in 0..NAMES * HOSTS {
        let (name, host) = (sample % NAMES, sample / NAMES);
        let comma = if sample > 0 { ", " } else { "" };
        let value = sample * 7919 % 99_991;
        write!(
            body,
            "{comma}{{\"metric_name\": \"service_{name:02}_memory_usage_percent\", \"timestamp\": {}, \
             \"value\": {}.{:03}, \"labels\": {{\"host\": \"web-server-{host:02}.example\", \"region\": \
             \"us-east-1\", \"environment\": \"production\"}}}}",
            AT_MS + sample,
            value / 1000,
            value % 1000,
        )
        .expect("text grows");
    }
    body.push_str("]}");
    body
}

/// What the samples would cost if nothing could be wrong with them.
#[derive(Deserialize)]
struct PlainBody<'a> {
    #[serde(borrow)]
    metrics: Vec<PlainSample<'a>>,
}

#[derive(Deserialize)]
struct PlainSample<'a> {
    #[serde(borrow)]
    metric_name: Cow<'a, str>,
    timestamp: i64,
    value: f64,
    #[serde(borrow)]
    labels: PlainLabels<'a>,
}

struct PlainLabels<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'de: 'a, 'a> Deserialize<'de> for PlainLabels<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = PlainLabels<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("labels")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<Self::Value, A::Error> {
                let mut labels = Vec::with_capacity(4);
                while let Some((name, value)) = map.next_entry::<&str, &str>()? {
                    labels.push((Cow::Borrowed(name), Cow::Borrowed(value)));
                }
                Ok(PlainLabels(labels))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

fn touch(body: &PlainBody<'_>) -> usize {
    let sample = body.metrics.last().expect("there are some");
    black_box((&sample.metric_name, sample.timestamp, sample.value));
    body.metrics.len() + sample.labels.0.len()
}

fn stages(criterion: &mut Criterion) {
    let body = body();
    let mut group_of = criterion.benchmark_group("batch_of_1000");
    group_of.throughput(Throughput::Elements(NAMES * HOSTS));

    group_of.bench_function("sonic_rs_plain_structs", |bencher| {
        bencher.iter(|| {
            let plain = sonic_rs::from_str(black_box(&body)).expect("a good body");
            touch(&plain)
        });
    });
    group_of.bench_function("serde_json_plain_structs", |bencher| {
        bencher.iter(|| {
            let plain = serde_json::from_str(black_box(&body)).expect("a good body");
            touch(&plain)
        });
    });
    group_of.bench_function("decode", |bencher| {
        bencher.iter(|| codec::json::decode(black_box(body.as_bytes()), 10_000));
    });
    let bad = body.replacen("\"value\": ", "\"value\": 1e999, \"was\": ", 1);
    group_of.bench_function("decode_with_one_unreadable_sample", |bencher| {
        bencher.iter(|| codec::json::decode(black_box(bad.as_bytes()), 10_000));
    });
    let decoded = codec::json::decode(body.as_bytes(), 10_000).expect("a good body");
    let mut way = Way::default();
    group_of.bench_function("sort_and_validate", |bencher| {
        bencher.iter_batched_ref(
            || decoded.batch.clone(),
            |batch| way.validate(batch),
            criterion::BatchSize::SmallInput,
        );
    });
    let mut batch = decoded.batch.clone();
    batch.sort_labels();
    group_of.bench_function("group_and_encode", |bencher| {
        bencher.iter(|| way.group(&batch));
    });
    group_of.bench_function("decode_to_records", |bencher| {
        bencher.iter(|| {
            let mut decoded =
                codec::json::decode(black_box(body.as_bytes()), 10_000).expect("a good body");
            way.records(&mut decoded.batch)
        });
    });
    group_of.finish();

    let records = way.group(&batch);
    readers(criterion, &body, &records);
}

fn readers(criterion: &mut Criterion, body: &str, records: &[Bytes]) {
    let mut group_of = criterion.benchmark_group("batch_of_1000");
    group_of.throughput(Throughput::Elements(NAMES * HOSTS));
    group_of.bench_function("record_decode", |bencher| {
        bencher.iter(|| {
            let samples = |record| codec::record::decode(Some(RW2), record).map(|it| it.samples());
            records
                .iter()
                .filter_map(|record| samples(record).ok())
                .sum::<usize>()
        });
    });
    let blocks: Vec<_> = records
        .iter()
        .map(|record| codec::record::decode(Some(RW2), record).expect("our own record"))
        .collect();
    for (name, version) in [
        ("remote_write_1_encode", Version::V1),
        ("remote_write_2_encode", Version::V2),
    ] {
        let mut encoder = Encoder::new(version);
        group_of.bench_function(name, |bencher| {
            bencher.iter(|| {
                for series in blocks.iter().flat_map(model::Block::iter) {
                    encoder.push(series, series.points(), &[], true, NameEscaping::Utf8);
                }
                encoder.finish()
            });
        });
    }
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(body.as_bytes()).expect("into memory");
    let bodies = [
        (
            "gunzip",
            Encoding::Gzip,
            gzip.finish().expect("into memory"),
        ),
        (
            "unzstd",
            Encoding::Zstd,
            zstd::bulk::compress(body.as_bytes(), 3).expect("into memory"),
        ),
    ];
    for (name, encoding, compressed) in bodies {
        let compressed = Bytes::from(compressed);
        group_of.bench_function(name, |bencher| {
            bencher.iter(|| inflate(encoding, black_box(&compressed), 1 << 20));
        });
    }
    group_of.finish();
    let bytes: usize = records.iter().map(Bytes::len).sum();
    let per_sample = |bytes: usize| bytes / 1000;
    #[expect(clippy::print_stdout, reason = "a bench tells its reader")]
    {
        println!(
            "body {} B/sample, records {} B/sample",
            per_sample(body.len()),
            per_sample(bytes)
        );
    }
}

criterion_group!(benches, stages);
criterion_main!(benches);
