//! How long Kafka's answers take by partitions, where an answer is far away: a request of the client has records of one
//! partition, and one at a time is on its way to a broker. The cluster is in this process, and as slow as it is told.

use std::time::Duration;

use buffer::kafka::{Config, Producer, Topic};
use buffer::{ContentType, Publish, Record};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use futures::future::join_all;
use rdkafka::mocking::MockCluster;

const TOPIC: &str = "metrics";
const ROUND_TRIP: Duration = Duration::from_millis(2);
/// So many names that each partition has some.
const RECORDS: usize = 256;

fn record(number: usize) -> Record {
    Record {
        key: format!("metric_{number}").into(),
        value: number.to_string().into(),
        content_type: ContentType::Json,
        tenant: None,
        source: None,
        received_at_ms: service::clock::now_ms(),
        spread: buffer::Spread::default(),
    }
}

async fn publish(producer: &Producer) {
    let answers = join_all((0..RECORDS).map(|number| producer.publish(record(number)))).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
}

fn round_trips(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let mut group = criterion.benchmark_group("a window's answers, 2 ms away");
    group.sample_size(10);
    for partitions in [8, 24, 64] {
        for in_flight in ["1", "5"] {
            let cluster = MockCluster::new(1).expect("a cluster");
            let created = cluster.create_topic(TOPIC, partitions, 1);
            created.expect("a topic");
            let mut config = Config {
                brokers: cluster.bootstrap_servers(),
                topic: TOPIC.to_owned(),
                partitions,
                ..Config::default()
            };
            config.properties.set("max.in.flight", in_flight);
            let producer = Producer::new(&config);
            let topic = Topic {
                name: TOPIC.to_owned(),
                partitions,
                max_message_bytes: None,
            };
            producer.open(&topic, None).expect("a client");
            // It connects, and learns where the partitions are.
            runtime.block_on(publish(&producer));
            let slowed = cluster.broker_round_trip_time(1, ROUND_TRIP);
            slowed.expect("a slow broker");
            let name = format!("{partitions} partitions");
            let id = BenchmarkId::new(name, format!("{in_flight} in flight"));
            group.bench_function(id, |bencher| {
                bencher.iter(|| runtime.block_on(publish(&producer)));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, round_trips);
criterion_main!(benches);
