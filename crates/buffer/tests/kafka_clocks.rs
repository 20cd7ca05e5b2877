//! Gateways whose clocks differ, on a real Kafka: the times of its records go back and forth, so that every few seconds
//! each log looks as if it were another one.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests, helpers among them: a panic is the report"
)]

use std::time::Duration;

use buffer::kafka::{Config, Member, Producer, Reader};
use buffer::{ContentType, Drain as _, DrainError, Event, Publish as _, Record};
use testkit::Kafka;
use testkit::kafka::unique;

const DAY: Duration = Duration::from_secs(86_400);
/// Of a reader that looks at each log before each record, a hundred records took minutes.
const PATIENCE: Duration = Duration::from_secs(60);
/// Logs are doubted every five seconds, and looked at one after the other.
const UNTIL_DOUBTED: Duration = Duration::from_secs(12);
const RECORDS: i64 = 400;

async fn publish(producer: &Producer, numbers: std::ops::Range<i64>) {
    let now_ms = service::clock::now_ms();
    let answers: Vec<_> = numbers
        .map(|number| {
            producer.publish(Record {
                key: format!("metric_{}", number % 64).into(),
                value: number.to_string().into(),
                content_type: ContentType::Json,
                tenant: None,
                source: None,
                received_at_ms: now_ms - number * 1000,
                spread: buffer::Spread::default(),
            })
        })
        .collect();
    for answer in answers {
        answer.await.unwrap();
    }
}

async fn read(reader: &mut Reader, count: i64) -> Vec<i64> {
    let mut numbers = Vec::new();
    let all = async {
        while i64::try_from(numbers.len()).unwrap() < count {
            match reader.next().await {
                // A passing error is none.
                Err(DrainError::Unavailable(_)) | Ok(Event::Assigned { .. }) => {}
                Ok(Event::Records(records)) => numbers.extend(records.iter().map(|record| {
                    let number = std::str::from_utf8(&record.value).unwrap();
                    number.parse::<i64>().unwrap()
                })),
                other => panic!("{other:?}"),
            }
        }
    };
    let ended = tokio::time::timeout(PATIENCE, all).await;
    assert!(ended.is_ok(), "{} of {count} in time", numbers.len());
    numbers.sort_unstable();
    numbers
}

#[tokio::test]
async fn logs_that_are_doubted_all_the_time_are_read_on() {
    let config = Config {
        brokers: Kafka::shared().brokers(),
        topic: unique("clocks"),
        partitions: 8,
        replication: 1,
        ..Config::default()
    };
    let producer = Producer::new(&config);
    producer.prepare(DAY).await.unwrap();
    publish(&producer, 0..RECORDS).await;
    let mut reader = Reader::new(&config, &Member::of("clocks"), DAY).unwrap();
    let first = read(&mut reader, RECORDS).await;
    assert_eq!(first, (0..RECORDS).collect::<Vec<_>>());

    tokio::time::sleep(UNTIL_DOUBTED).await;
    publish(&producer, RECORDS..2 * RECORDS).await;
    let second = read(&mut reader, RECORDS).await;
    assert_eq!(second, (RECORDS..2 * RECORDS).collect::<Vec<_>>());
    reader.close().await;
    producer.close().await;
}
