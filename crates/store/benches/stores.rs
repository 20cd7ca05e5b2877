//! What a sample costs the standalone's two stores once it is decoded, in CPU time of the process.
//!
//! 50 metric names × 160 hosts, one sample of each series per record, as agents send them.
#![expect(
    clippy::print_stdout,
    reason = "the size of the archive is a result too"
)]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use model::Block;
use rustix::time::{ClockId, clock_gettime};
use store::parquet::{self, Archive};
use store::recent::{self, Recent};
use store::{Batch, Item, Lane, Record, Source, Write};
use tokio::runtime::Runtime;

const NAMES: usize = 50;
const HOSTS: usize = 160;
const ROUNDS: usize = 8;

fn field(message: &mut Vec<u8>, number: u8, content: &[u8]) {
    message.push(number << 3 | 2);
    let mut len = content.len();
    while len > 0x7F {
        message.push(u8::try_from(len & 0x7F).unwrap_or_default() | 0x80);
        len >>= 7;
    }
    message.push(u8::try_from(len).unwrap_or_default());
    message.extend_from_slice(content);
}

/// As the gateway writes it.
fn record(name: usize, round: usize) -> Block {
    let mut value = Vec::new();
    let name = format!("application_metric_{name:03}");
    let shared = [
        "",
        "__name__",
        &name,
        "environment",
        "production",
        "host",
        "region",
        "us-east-1",
    ];
    for symbol in shared {
        field(&mut value, 4, symbol.as_bytes());
    }
    for host in 0..HOSTS {
        field(&mut value, 4, format!("web-server-{host:05}").as_bytes());
    }
    for host in 0..HOSTS {
        let mut series = Vec::new();
        let mut refs = vec![1, 2, 3, 4, 5];
        let number = shared.len() + host;
        if number > 0x7F {
            refs.push(u8::try_from(number & 0x7F).unwrap_or_default() | 0x80);
            refs.push(1);
        } else {
            refs.push(u8::try_from(number).unwrap_or_default());
        }
        refs.extend([6, 7]);
        field(&mut series, 1, &refs);
        let random: u32 = rand::random();
        let mut sample = vec![1 << 3 | 1];
        sample.extend((f64::from(random >> 12) / 64.0).to_le_bytes());
        sample.push(2 << 3);
        let mut at_ms = 1_795_219_200_000 + 1000 * round as u64 + u64::from(random % 7);
        while at_ms > 0x7F {
            sample.push(u8::try_from(at_ms & 0x7F).unwrap_or_default() | 0x80);
            at_ms >>= 7;
        }
        sample.push(u8::try_from(at_ms).unwrap_or_default());
        field(&mut series, 2, &sample);
        field(&mut value, 5, &series);
    }
    let kind = "application/x-protobuf;proto=io.prometheus.write.v2.Request";
    let block = codec::record::decode(Some(kind.as_bytes()), &Bytes::from(value));
    block.expect("a record of the bench's own")
}

fn batch() -> Batch {
    let records = (0..ROUNDS).flat_map(|round| (0..NAMES).map(move |name| (round, name)));
    let items = (0_i64..).zip(records).flat_map(|(offset, (round, name))| {
        let record = Arc::new(Record {
            block: record(name, round),
            source: Source {
                partition: 0,
                offset,
                received_at_ms: 0,
            },
            tenant: None,
            sender: None,
        });
        let series = (0_u32..).take(record.block.len());
        series.map(move |series| Item {
            record: Arc::clone(&record),
            series,
            samples: 0..1,
        })
    });
    Batch {
        lane: Lane::Partition(0),
        items: items.collect(),
    }
}

fn cpu() -> Duration {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(
        u64::try_from(now.tv_sec).unwrap_or_default(),
        u32::try_from(now.tv_nsec).unwrap_or_default(),
    )
}

fn bench_store(criterion: &mut Criterion, name: &str, store: &impl Write, batch: &Batch) {
    let runtime = Runtime::new().expect("a runtime");
    let mut group = criterion.benchmark_group("store");
    group.throughput(Throughput::Elements(batch.samples() as u64));
    group.sample_size(20);
    group.bench_function(name, |bencher| {
        bencher.iter_custom(|times| {
            let before = cpu();
            for _ in 0..times {
                runtime
                    .block_on(store.write(batch))
                    .expect("the store takes it");
            }
            cpu() - before
        });
    });
    group.finish();
}

fn stores(criterion: &mut Criterion) {
    let batch = batch();
    let root = tempfile::tempdir().expect("a folder for temporary files");
    let config = parquet::Config::default();
    let archive = Archive::open(config, "archive", "bench", root.path()).expect("an archive");
    bench_store(criterion, "archive", &archive, &batch);
    println!("archive: {} bytes", size(root.path()));
    let recent = Recent::new(&recent::Config::default());
    bench_store(criterion, "recent", &recent, &batch);
}

/// Of everything in a folder.
fn size(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(found) if found.is_dir() => size(&entry.path()),
            Ok(found) => found.len(),
            Err(_) => 0,
        })
        .sum()
}

criterion_group!(benches, stores);
criterion_main!(benches);
