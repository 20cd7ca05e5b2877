//! What a sample of OTLP costs on its way through the codec, in samples per second on one core.
//!
//! 1000 data points of 50 metrics on 20 hosts, three attributes each, as gauges and counters with dotted names.

#[path = "way/records.rs"]
mod records;

use std::hint::black_box;
use std::time::Duration;

use codec::otlp::{Deltas, Options, Translation, decode, to_protobuf};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use prost::Message as _;
use records::{NOW_MS, Way};
use serde_json::json;

#[path = "../src/otlp/tests/messages.rs"]
mod messages;

const NAMES: u64 = 50;
const HOSTS: u64 = 20;

fn attribute(key: &str, value: &str) -> serde_json::Value {
    json!({"key": key, "value": {"stringValue": value}})
}

fn json_body() -> String {
    let metrics: Vec<_> = (0..NAMES)
        .map(|name| {
            let points: Vec<_> = (0..HOSTS)
                .map(|host| {
                    let at_ns = 1_700_000_000_000_000_000_u64 + (name * HOSTS + host) * 1_000_000;
                    let value = (name * HOSTS + host) * 7919 % 99_991;
                    json!({
                        "startTimeUnixNano": "1699990000000000000", "timeUnixNano": at_ns.to_string(),
                        "asDouble": value as f64 / 1000.0,
                        "attributes": [
                            attribute("host.name", &format!("web-server-{host:02}.example")),
                            attribute("cloud.region", "us-east-1"),
                            attribute("environment", "production"),
                        ]
                    })
                })
                .collect();
            let name_text = format!("service.memory.usage.{name:02}");
            if name % 2 == 0 {
                json!({"name": name_text, "unit": "By", "gauge": {"dataPoints": points}})
            } else {
                json!({"name": name_text, "unit": "s", "sum": {
                    "dataPoints": points, "aggregationTemporality": 2, "isMonotonic": true}})
            }
        })
        .collect();
    json!({"resourceMetrics": [{
        "resource": {"attributes": [attribute("service.name", "shop")]},
        "scopeMetrics": [{"scope": {"name": "lib"}, "metrics": metrics}]
    }]})
    .to_string()
}

fn stages(criterion: &mut Criterion) {
    let json = json_body();
    let body = to_protobuf(json.as_bytes()).expect("a good body");
    let options = Options {
        has_scope_labels: true,
        ..Options::default()
    };
    let deltas = Deltas::new(1 << 20, Duration::from_secs(3600));
    let translation = Translation {
        options: &options,
        deltas: &deltas,
        tenant: None,
        now_ms: NOW_MS,
    };
    let mut group_of = criterion.benchmark_group("otlp_of_1000");
    group_of
        .sample_size(20)
        .measurement_time(Duration::from_secs(2))
        .throughput(Throughput::Elements(NAMES * HOSTS));
    group_of.bench_function("prost_plain_structs", |bencher| {
        bencher.iter(|| messages::Request::decode(black_box(body.as_slice())));
    });
    group_of.bench_function("decode", |bencher| {
        bencher.iter(|| decode(black_box(&body), translation, 10_000));
    });
    group_of.bench_function("json_to_protobuf", |bencher| {
        bencher.iter(|| to_protobuf(black_box(json.as_bytes())));
    });
    let mut way = Way::default();
    group_of.bench_function("decode_to_records", |bencher| {
        bencher.iter(|| {
            let mut decoded = decode(black_box(&body), translation, 10_000).expect("a good body");
            way.records(&mut decoded.batch)
        });
    });
    group_of.finish();
}

criterion_group!(benches, stages);
criterion_main!(benches);
