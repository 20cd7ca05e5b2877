//! What a line of a text exposition costs, in samples per second on one core.
//!
//! The body is what `/metrics` pages look like: 1000 samples of 50 metrics on 20 hosts, three labels each, with `HELP`
//! and `TYPE`. The limit is a reader that trusts the body: it finds the same borrowed strings and numbers in it, and
//! nothing can be wrong, escaped or said of a family.

#[path = "way/records.rs"]
mod records;

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Duration;

use codec::text::{Dialect, Options, decode};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use records::{NOW_MS, Way};

const NAMES: u64 = 50;
const HOSTS: u64 = 20;
const AT_MS: u64 = 1_700_000_000_000;

fn body(dialect: Dialect) -> String {
    let mut body = String::new();
    for name in 0..NAMES {
        let name = format!("service_{name:02}_memory_usage_percent");
        body += &format!("# HELP {name} How much memory is used.\n# TYPE {name} gauge\n");
        for host in 0..HOSTS {
            let at_ms = AT_MS + host;
            let value = (name.len() as u64 + host * 7919) % 99_991;
            let at = match dialect {
                Dialect::Text => at_ms.to_string(),
                Dialect::OpenMetrics => format!("{}.{:03}", at_ms / 1000, at_ms % 1000),
            };
            writeln!(
                body,
                "{name}{{host=\"web-server-{host:02}.example\",region=\"us-east-1\",environment=\"production\"}} {}.{:03} {at}",
                value / 1000,
                value % 1000,
            )
            .expect("text grows");
        }
    }
    if dialect == Dialect::OpenMetrics {
        body += "# EOF\n";
    }
    body
}

/// The samples of a body in which nothing can be wrong.
struct Trusted<'a> {
    labels: Vec<(&'a str, &'a str)>,
    samples: Vec<(&'a str, usize, f64, i64)>,
}

fn trusted(body: &str) -> Option<Trusted<'_>> {
    let mut read = Trusted {
        labels: Vec::with_capacity(4000),
        samples: Vec::with_capacity(1000),
    };
    let mut start = 0;
    for end in memchr::memchr_iter(b'\n', body.as_bytes()) {
        let line = body.get(start..end)?;
        start = end + 1;
        if line.starts_with('#') {
            continue;
        }
        let open = memchr::memchr(b'{', line.as_bytes())?;
        let mut rest = line.get(open + 1..)?;
        while !rest.starts_with('}') {
            let equal = memchr::memchr(b'=', rest.as_bytes())?;
            let value = rest.get(equal + 2..)?;
            let quote = memchr::memchr(b'"', value.as_bytes())?;
            read.labels.push((rest.get(..equal)?, value.get(..quote)?));
            rest = value.get(quote + 1..)?;
            rest = rest.strip_prefix(',').unwrap_or(rest);
        }
        let (value, at_ms) = rest.get(2..)?.split_once(' ')?;
        let (value, at_ms) = (value.parse().ok()?, at_ms.parse().ok()?);
        read.samples
            .push((line.get(..open)?, read.labels.len(), value, at_ms));
    }
    Some(read)
}

fn stages(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("page_of_1000");
    group
        .throughput(Throughput::Elements(NAMES * HOSTS))
        .sample_size(20)
        .measurement_time(Duration::from_secs(2));
    let text = body(Dialect::Text);
    group.bench_function("trusted_lines", |bencher| {
        bencher.iter(|| {
            let read = trusted(black_box(&text)).expect("a good body");
            read.samples.len() + read.labels.len()
        });
    });
    for (name, dialect) in [
        ("decode_text", Dialect::Text),
        ("decode_openmetrics", Dialect::OpenMetrics),
    ] {
        let body = body(dialect);
        let options = Options {
            dialect,
            now_ms: NOW_MS,
        };
        group.bench_function(name, |bencher| {
            bencher.iter(|| decode(black_box(body.as_bytes()), &options, 10_000));
        });
    }
    let options = Options {
        dialect: Dialect::Text,
        now_ms: NOW_MS,
    };
    let mut way = Way::default();
    group.bench_function("decode_to_records", |bencher| {
        bencher.iter(|| {
            let mut decoded =
                decode(black_box(text.as_bytes()), &options, 10_000).expect("a good body");
            way.records(&mut decoded.batch)
        });
    });
    group.finish();
}

criterion_group!(benches, stages);
criterion_main!(benches);
