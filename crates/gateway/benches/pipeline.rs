//! What a sample costs from body to record, without network and buffer.
//!
//! Measures processor time of the whole process, so that the number reads as samples per CPU-second:
//! routing, reading, decoding, validating, grouping, coalescing, encoding, answering.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use buffer::{Durability, Publish, PublishError, Record};
use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use futures::future::join_all;
use gateway::{Config, Front, router};
use http::Request;
use model::ManualClock;
use service::tasks::Tasks;
use tower::ServiceExt as _;

const NOW_MS: i64 = 1_700_000_000_000;

/// Requests that are under way at the same time.
const SENDERS: usize = 32;

/// Confirms everything and keeps nothing.
struct Nowhere;

impl Publish for Nowhere {
    fn publish(
        &self,
        _record: Record,
    ) -> impl Future<Output = Result<Durability, PublishError>> + Send + 'static {
        std::future::ready(Ok(Durability::Local))
    }

    fn durability(&self) -> Durability {
        Durability::Local
    }

    fn max_record_bytes(&self) -> usize {
        1 << 20
    }

    async fn flush(&self, _deadline: Duration) -> usize {
        0
    }
}

/// A batch of 50 metric names on so many hosts, as the agents send it.
fn batch(samples: usize, round: usize) -> Bytes {
    let samples: Vec<String> = (0..samples)
        .map(|n| {
            let (metric, host) = (n % 50, n / 50);
            let at_ms = NOW_MS + i64::try_from(round).unwrap_or_default() * 1000;
            let value = (n * 7919 + round * 104_729) % 100_000;
            format!(
                r#"{{"metric_name":"system_metric_number_{metric}","timestamp":{at_ms},"value":{}.{:02},"labels":{{"host":"web-{host:03}.example.com","region":"us-east-1","environment":"production"}}}}"#,
                value / 100,
                value % 100
            )
        })
        .collect();
    format!("{{\"metrics\":[{}]}}", samples.join(",")).into()
}

async fn post(front: Front, body: Bytes) {
    let request = Request::post("/metrics").body(Body::from(body));
    let request = request.expect("a request");
    let response = front.oneshot(request).await.expect("an answer");
    assert_eq!(response.status(), 200);
}

/// User and system time of this process so far.
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let after_name = stat.rsplit_once(") ").expect("a name in parentheses").1;
    let ticks: u64 = after_name
        .split(' ')
        .skip(11)
        .take(2)
        .map(|field| field.parse::<u64>().expect("a number"))
        .sum();
    // 100 ticks a second, on every Linux that this runs on.
    Duration::from_millis(ticks * 10)
}

fn pipeline(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let _guard = runtime.enter();
    let tasks = Tasks::new();
    let clock = Arc::new(ManualClock::new(NOW_MS));
    let (front, _gateway) = router(
        &Config::default(),
        Arc::new(Nowhere),
        clock,
        &tasks,
        Router::new(),
    );
    let mut group = criterion.benchmark_group("pipeline");
    group
        .sample_size(10)
        .measurement_time(Duration::from_secs(10));
    for samples in [10_usize, 100, 1000] {
        let bodies: Vec<Bytes> = (0..16).map(|round| batch(samples, round)).collect();
        group.throughput(Throughput::Elements((samples * SENDERS) as u64));
        group.bench_function(format!("json/{samples}"), |bencher| {
            bencher.iter_custom(|rounds| {
                let started = cpu_time();
                for _ in 0..rounds {
                    let requests = bodies.iter().cycle().take(SENDERS);
                    let posts = requests.map(|body| post(front.clone(), body.clone()));
                    runtime.block_on(join_all(posts));
                }
                // Criterion cannot do with nothing.
                (cpu_time() - started).max(Duration::from_micros(1))
            });
        });
    }
    group.finish();
}

criterion_group!(benches, pipeline);
criterion_main!(benches);
