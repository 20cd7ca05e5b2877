//! What a sample costs that comes as `VictoriaMetrics`' JSON lines, by `OpenTSDB`'s put or from a Datadog agent.
//!
//! Each body has 1000 samples of 50 metrics on 20 hosts, three labels each. Beside each decoder stands what the
//! fastest library makes of the same bytes in plain structs, where nothing can be wrong with them.

#[path = "way/records.rs"]
mod records;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Duration;

use codec::Decoded;
use codec::datadog::Options;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use prost::Message;
use records::{NOW_MS, Way};
use serde::Deserialize;

const SAMPLES: u64 = 1000;
const AT_S: u64 = 1_700_000_000;
const OPTIONS: Options = Options {
    now_ms: NOW_MS,
    max_samples: 10_000,
};

/// Name, host and value of each sample.
fn samples() -> impl Iterator<Item = (String, String, f64)> {
    (0..SAMPLES).map(|sample| {
        let (name, host) = (sample % 50, sample / 50);
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let value = (sample * 7919 % 99_991) as f64 / 1000.0;
        (
            format!("service_{name:02}_memory_usage_percent"),
            format!("web-server-{host:02}.example"),
            value,
        )
    })
}

/// One sample per line, as the importer gets what was pushed; `per_line` more of the same series.
fn lines(per_line: u64) -> String {
    let mut body = String::new();
    let each = usize::try_from(per_line).expect("small");
    for (name, host, value) in samples().step_by(each) {
        let values = vec![value.to_string(); each].join(",");
        let times: Vec<_> = (0..per_line)
            .map(|at| ((AT_S + at) * 1000).to_string())
            .collect();
        writeln!(
            body,
            "{{\"metric\":{{\"__name__\":\"{name}\",\"host\":\"{host}\",\"region\":\"us-east-1\",\"environment\":\
             \"production\"}},\"values\":[{values}],\"timestamps\":[{}]}}",
            times.join(",")
        )
        .expect("text grows");
    }
    body
}

fn puts() -> String {
    let points: Vec<_> = samples()
        .map(|(name, host, value)| {
            format!(
                "{{\"metric\":\"{name}\",\"timestamp\":{AT_S},\"value\":{value},\"tags\":{{\"host\":\"{host}\",\
                 \"region\":\"us-east-1\",\"environment\":\"production\"}}}}"
            )
        })
        .collect();
    format!("[{}]", points.join(","))
}

fn series_v1() -> String {
    let series: Vec<_> = samples()
        .map(|(name, host, value)| {
            format!(
                "{{\"metric\":\"{name}\",\"points\":[[{AT_S},{value}]],\"type\":\"gauge\",\"host\":\"{host}\",\
                 \"interval\":10,\"tags\":[\"region:us-east-1\",\"environment:production\"]}}"
            )
        })
        .collect();
    format!("{{\"series\":[{}]}}", series.join(","))
}

fn series_v2() -> Vec<u8> {
    let series = samples().map(|(metric, name, value)| MetricSeries {
        resources: vec![Resource {
            r#type: "host".to_owned(),
            name,
        }],
        metric,
        tags: vec![
            "region:us-east-1".to_owned(),
            "environment:production".to_owned(),
        ],
        points: vec![MetricPoint {
            value,
            timestamp: AT_S.cast_signed(),
        }],
        r#type: 3,
    });
    MetricPayload {
        series: series.collect(),
    }
    .encode_to_vec()
}

#[derive(Deserialize)]
struct PlainLine<'a> {
    #[serde(borrow)]
    metric: BTreeMap<Cow<'a, str>, Cow<'a, str>>,
    values: Vec<f64>,
    timestamps: Vec<i64>,
}

#[derive(Deserialize)]
struct PlainPut<'a> {
    metric: &'a str,
    timestamp: i64,
    value: f64,
    #[serde(borrow)]
    tags: BTreeMap<Cow<'a, str>, Cow<'a, str>>,
}

#[derive(Deserialize)]
struct PlainSeries<'a> {
    #[serde(borrow)]
    series: Vec<PlainV1<'a>>,
}

#[derive(Deserialize)]
struct PlainV1<'a> {
    metric: &'a str,
    host: &'a str,
    points: Vec<(f64, f64)>,
    #[serde(borrow)]
    tags: Vec<&'a str>,
}

#[derive(Clone, PartialEq, Message)]
struct MetricPayload {
    #[prost(message, repeated, tag = "1")]
    series: Vec<MetricSeries>,
}

#[derive(Clone, PartialEq, Message)]
struct MetricSeries {
    #[prost(message, repeated, tag = "1")]
    resources: Vec<Resource>,
    #[prost(string, tag = "2")]
    metric: String,
    #[prost(string, repeated, tag = "3")]
    tags: Vec<String>,
    #[prost(message, repeated, tag = "4")]
    points: Vec<MetricPoint>,
    #[prost(int32, tag = "5")]
    r#type: i32,
}

#[derive(Clone, PartialEq, Message)]
struct Resource {
    #[prost(string, tag = "1")]
    r#type: String,
    #[prost(string, tag = "2")]
    name: String,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct MetricPoint {
    #[prost(double, tag = "1")]
    value: f64,
    #[prost(int64, tag = "2")]
    timestamp: i64,
}

fn measure<'b>(
    criterion: &mut Criterion,
    name: &str,
    plain: impl Fn() -> usize,
    decode: impl Fn() -> Decoded<'b>,
) {
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(SAMPLES));
    group
        .sample_size(20)
        .measurement_time(Duration::from_secs(2));
    group.warm_up_time(Duration::from_millis(500));
    group.bench_function("plain_structs", |bencher| bencher.iter(&plain));
    group.bench_function("decode", |bencher| bencher.iter(&decode));
    let mut way = Way::default();
    group.bench_function("decode_to_records", |bencher| {
        bencher.iter(|| way.records(&mut decode().batch));
    });
    group.finish();
}

fn all(criterion: &mut Criterion) {
    for (name, body) in [
        ("victoria_json", lines(1)),
        ("victoria_json_50_per_line", lines(50)),
    ] {
        measure(
            criterion,
            name,
            || {
                let lines = black_box(&body).lines().map(|line| {
                    let line: PlainLine<'_> = sonic_rs::from_str(line).expect("a good line");
                    black_box(line.metric.len() + line.timestamps.len());
                    line.values.len()
                });
                lines.sum()
            },
            || {
                codec::victoria_json::decode(black_box(body.as_bytes()), 10_000)
                    .expect("good")
                    .0
            },
        );
    }
    let body = puts();
    measure(
        criterion,
        "opentsdb",
        || {
            let points: Vec<PlainPut<'_>> = sonic_rs::from_str(black_box(&body)).expect("good");
            let last = points.last().expect("some");
            black_box((last.metric, last.timestamp, last.value, last.tags.len()));
            points.len()
        },
        || codec::opentsdb::decode(black_box(body.as_bytes()), 10_000).expect("good"),
    );
    let body = series_v1();
    measure(
        criterion,
        "datadog_v1_json",
        || {
            let plain: PlainSeries<'_> = sonic_rs::from_str(black_box(&body)).expect("good");
            let last = plain.series.last().expect("some");
            black_box((last.metric, last.host, last.points.len(), last.tags.len()));
            plain.series.len()
        },
        || codec::datadog::decode_v1(black_box(body.as_bytes()), OPTIONS).expect("good"),
    );
    let body = series_v2();
    measure(
        criterion,
        "datadog_v2_protobuf",
        || {
            MetricPayload::decode(black_box(body.as_slice()))
                .expect("good")
                .series
                .len()
        },
        || codec::datadog::decode_v2_protobuf(black_box(&body), OPTIONS).expect("good"),
    );
}

criterion_group!(benches, all);
criterion_main!(benches);
