//! How fast the embedded log acknowledges, by how many publishes wait together: the price of an
//! fsync is shared by the group.

use std::sync::Arc;
use std::time::Duration;

use buffer::local::{Config, Log};
use buffer::{ContentType, Publish, Record};
use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use futures::future::join_all;
use service::health::Health;

/// Remote-write-like: labels that repeat, numbers that do not.
fn record(number: usize) -> Record {
    let mut value = Vec::with_capacity(5120);
    while value.len() < 5000 {
        let random: u64 = rand::random();
        value.extend_from_slice(b"instance\x06web-01\x06region\x07us-east");
        value.extend_from_slice(&random.to_be_bytes());
    }
    Record {
        key: Bytes::from(format!("metric_{number}")),
        value: Bytes::from(value),
        content_type: ContentType::RemoteWriteV2,
        tenant: None,
        source: None,
        received_at_ms: service::clock::now_ms(),
        spread: buffer::Spread::default(),
    }
}

fn appends(criterion: &mut Criterion) {
    let root = tempfile::tempdir().expect("a folder for temporary files");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let log = Log::open(
        &root.path().join("log"),
        &Config::default(),
        Duration::from_hours(24),
        Arc::new(service::clock::now_ms),
        Health::new().condition("log", "not opened"),
    )
    .expect("a log");
    let writer = log.writer();
    let records: Vec<_> = (0..1000).map(record).collect();
    let mut group = criterion.benchmark_group("append 5 KB records");
    for together in [1, 10, 100, 1000] {
        group.throughput(Throughput::Elements(together));
        group.bench_function(format!("{together} together"), |bencher| {
            bencher.iter(|| {
                let records = records
                    .iter()
                    .cycle()
                    .take(usize::try_from(together).unwrap_or(1));
                let answers = records.map(|record| writer.publish(record.clone()));
                for answer in runtime.block_on(join_all(answers)) {
                    answer.expect("the log takes it");
                }
            });
        });
    }
    group.finish();
    runtime.block_on(log.close());
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(4))
        .sample_size(20);
    targets = appends
}
criterion_main!(benches);
