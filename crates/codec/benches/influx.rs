//! What a sample of InfluxDB's line protocol costs on its way through the codec, in samples per second on one core.
//!
//! The same 1000 samples as in `json.rs`: once as lines of one field each, and once as Telegraf sends them, ten
//! fields to a line.

#[path = "way/records.rs"]
mod records;

use std::fmt::Write as _;
use std::hint::black_box;

use codec::influx::{Booleans, Options, Precision, Strings, decode};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use records::{NOW_MS, Way};

const NAMES: u64 = 50;
const HOSTS: u64 = 20;
const AT_NS: u64 = 1_700_000_000_000_000_000;

fn body(fields: u64) -> String {
    let mut body = String::new();
    for host in 0..HOSTS {
        for group in 0..NAMES / fields {
            let tags = format!(
                "host=web-server-{host:02}.example,region=us-east-1,environment=production"
            );
            write!(body, "service_{group:02},{tags} ").expect("text grows");
            for field in 0..fields {
                let value = (host * NAMES + group * fields + field) * 7919 % 99_991;
                let comma = if field > 0 { "," } else { "" };
                let (whole, rest) = (value / 1000, value % 1000);
                write!(body, "{comma}memory_usage_{field}={whole}.{rest:03}").expect("text grows");
            }
            writeln!(body, " {}", AT_NS + group * 1_000_000).expect("text grows");
        }
    }
    body
}

fn options() -> Options<'static> {
    Options {
        precision: Precision::Nanosecond,
        now_ms: NOW_MS,
        separator: "_",
        strings: Strings::Skip,
        booleans: Booleans::Number,
        label: Some(("db", "telegraf")),
        max_samples: 10_000,
        max_metric_name_bytes: 1024,
    }
}

/// What the lines cost if nothing were made of them.
fn library(body: &str) -> usize {
    let mut fields = 0;
    for line in influxdb_line_protocol::parse_lines(body) {
        let line = line.expect("a good line");
        black_box((&line.series, line.timestamp));
        fields += line.field_set.len();
    }
    fields
}

fn stages(criterion: &mut Criterion) {
    let options = options();
    for fields in [1, 10] {
        let body = body(fields);
        let mut group_of = criterion.benchmark_group(format!("influx_{fields}_fields_per_line"));
        group_of.throughput(Throughput::Elements(NAMES * HOSTS));
        group_of.bench_function("influxdb_line_protocol_parse_only", |bencher| {
            bencher.iter(|| assert_eq!(library(black_box(&body)), 1000));
        });
        group_of.bench_function("decode", |bencher| {
            bencher.iter(|| decode(black_box(body.as_bytes()), &options));
        });
        let mut way = Way::default();
        group_of.bench_function("decode_to_records", |bencher| {
            bencher.iter(|| {
                let mut decoded = decode(black_box(body.as_bytes()), &options).expect("good");
                assert_eq!(decoded.batch.samples().len(), 1000);
                way.records(&mut decoded.batch)
            });
        });
        group_of.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .measurement_time(std::time::Duration::from_secs(2))
        .warm_up_time(std::time::Duration::from_secs(1));
    targets = stages
}
criterion_main!(benches);
