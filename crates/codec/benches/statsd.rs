//! What reading a StatsD line costs, in samples per second on one core.
//!
//! Packets are as DogStatsD's clients fill them: below 1432 bytes, three tags on each line. The limit is a split at
//! lines, colons and bars with nothing understood. There is no faster reader to compare with.

use std::fmt::Write as _;
use std::hint::black_box;

use codec::statsd::{Found, decode};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const NAMES: u64 = 50;
const HOSTS: u64 = 20;
const PACKET_BYTES: usize = 1432;

fn packets(tagged: bool) -> Vec<String> {
    let mut packets = vec![String::new()];
    for sample in 0..NAMES * HOSTS {
        let (name, host) = (sample % NAMES, sample / NAMES);
        let mut line = format!("service_{name:02}.requests:{}|c", sample * 7919 % 99_991);
        if tagged {
            write!(
                line,
                "|@0.5|#host:web-server-{host:02}.example,region:us-east-1,environment:production"
            )
            .expect("text grows");
        }
        line.push('\n');
        match packets.last_mut() {
            Some(packet) if packet.len() + line.len() <= PACKET_BYTES => packet.push_str(&line),
            _ => packets.push(line),
        }
    }
    packets
}

fn split(packet: &str) -> usize {
    let fields = |line: &str| line.split('|').count() + usize::from(line.contains(':'));
    packet.lines().map(fields).sum()
}

fn read(packet: &str) -> f64 {
    let mut sum = 0.0;
    decode(packet.as_bytes(), |_, found| {
        let Found::Sample(sample) = found else {
            unreachable!("a good line");
        };
        let tags: usize = sample
            .tags
            .iter()
            .map(|(name, value)| name.len() + value.len())
            .sum();
        black_box(tags);
        let reading = sample.reading;
        sum += reading
            .numbers()
            .map(|number| number.value / reading.rate)
            .sum::<f64>();
    });
    sum
}

fn lines(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("statsd_lines");
    group
        .sample_size(20)
        .measurement_time(std::time::Duration::from_secs(2))
        .throughput(Throughput::Elements(NAMES * HOSTS));
    for (name, tagged) in [("plain", false), ("three_tags", true)] {
        let packets = packets(tagged);
        group.bench_function(format!("split_only/{name}"), |bencher| {
            bencher.iter(|| {
                packets
                    .iter()
                    .map(|packet| split(black_box(packet)))
                    .sum::<usize>()
            });
        });
        group.bench_function(format!("decode/{name}"), |bencher| {
            bencher.iter(|| {
                packets
                    .iter()
                    .map(|packet| read(black_box(packet)))
                    .sum::<f64>()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, lines);
criterion_main!(benches);
