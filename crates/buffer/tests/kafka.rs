//! The buffer on a real Kafka: what the cluster inside the process does not have.
//!
//! Topics are created and looked at, records expire, groups are left, and readiness follows a broker
//! that is killed and comes back.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests, which clippy does not take for tests themselves"
)]

use std::time::Duration;

use buffer::kafka::{
    Compression, Config, Member, Producer, Reader, Topic, ensure_dead_letter_topic, ensure_topic,
};
use buffer::{Commit as _, Consumed, ContentType, Drain as _, Event, Publish as _, Record};
use bytes::Bytes;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use service::health::Health;
use service::units::{Period, Size};
use testkit::kafka::unique;
use testkit::{Kafka, KafkaOptions, eventually};

const DAY: Duration = Duration::from_secs(86_400);
const PATIENCE: Duration = Duration::from_secs(60);

fn config(name: &str, partitions: i32) -> Config {
    Config {
        brokers: Kafka::shared().brokers(),
        topic: unique(name),
        partitions,
        replication: 1,
        ..Config::default()
    }
}

fn record(value: impl Into<Bytes>) -> Record {
    Record {
        key: Bytes::from_static(b"cpu_usage_percent"),
        value: value.into(),
        content_type: ContentType::Json,
        tenant: None,
        source: None,
        received_at_ms: service::clock::now_ms(),
        spread: buffer::Spread::default(),
    }
}

fn admin(config: &Config) -> AdminClient<DefaultClientContext> {
    ClientConfig::new()
        .set("bootstrap.servers", &config.brokers)
        .create()
        .unwrap()
}

async fn settings(config: &Config, topic: &str, names: &[&str]) -> Vec<String> {
    let resource = ResourceSpecifier::Topic(topic);
    let answer = admin(config).describe_configs([&resource], &AdminOptions::new());
    let entries = answer.await.unwrap().remove(0).unwrap();
    names
        .iter()
        .map(|name| entries.get(name).unwrap().value.clone().unwrap())
        .collect()
}

async fn next(reader: &mut Reader) -> Event {
    tokio::time::timeout(PATIENCE, reader.next())
        .await
        .expect("the reader should go on")
        .unwrap()
}

async fn read(reader: &mut Reader, count: usize) -> Vec<Consumed> {
    let mut read = Vec::new();
    while read.len() < count {
        if let Event::Records(records) = next(reader).await {
            read.extend(records);
        }
    }
    read
}

async fn publish(producer: &Producer, numbers: std::ops::Range<i64>, padding: &str) {
    let answers: Vec<_> = numbers
        .map(|number| producer.publish(record(format!("{number}{padding}"))))
        .collect();
    for answer in answers {
        answer.await.unwrap();
    }
}

async fn open(config: &Config) -> Producer {
    let producer = Producer::new(config);
    producer.prepare(DAY).await.unwrap();
    producer
}

#[tokio::test]
async fn a_missing_topic_is_made_as_the_settings_say_by_whoever_is_first() {
    let config = config("made", 6);
    let (one, two) = tokio::join!(ensure_topic(&config, DAY), ensure_topic(&config, DAY));
    let expected = Topic {
        name: config.topic.clone(),
        partitions: 6,
        max_message_bytes: Some(1_048_588),
    };
    assert_eq!((one.as_ref(), two.as_ref()), (Ok(&expected), Ok(&expected)));
    assert_eq!(
        settings(&config, &config.topic, &["retention.ms", "cleanup.policy"]).await,
        ["86400000", "delete"]
    );
}

#[tokio::test]
async fn the_topic_of_dead_letters_takes_the_largest_record_and_its_headers() {
    let config = config("letters", 64);
    let mut samples = Topic {
        name: "samples".to_owned(),
        partitions: 64,
        max_message_bytes: None,
    };
    let topic = ensure_dead_letter_topic(&config, &config.topic, DAY, &samples).await;
    let topic = topic.unwrap();
    assert_eq!(topic.partitions, 4);
    assert_eq!(topic.max_message_bytes, Some(1_048_588 + 65_536));

    samples.max_message_bytes = Some(5_000_000);
    let name = format!("{}-large", config.topic);
    let topic = ensure_dead_letter_topic(&config, &name, DAY, &samples).await;
    assert_eq!(topic.unwrap().max_message_bytes, Some(5_000_000 + 65_536));
}

#[tokio::test]
async fn an_existing_topic_is_not_changed() {
    let config = config("existing", 6);
    let existing = NewTopic::new(&config.topic, 2, TopicReplication::Fixed(1))
        .set("retention.ms", "3600000")
        .set("max.message.bytes", "50000");
    let created = admin(&config).create_topics([&existing], &AdminOptions::new());
    created.await.unwrap().remove(0).unwrap();

    let topic = ensure_topic(&config, DAY).await.unwrap();
    assert_eq!(
        (topic.partitions, topic.max_message_bytes),
        (2, Some(50_000))
    );
    let kept = settings(&config, &config.topic, &["retention.ms"]).await;
    assert_eq!(kept, ["3600000"]);
}

#[tokio::test]
async fn more_replicas_than_brokers_is_said_with_the_setting() {
    let config = Config {
        replication: 3,
        ..config("replicas", 1)
    };
    let error = ensure_topic(&config, DAY).await.unwrap_err();
    assert_eq!(
        error.reason,
        "there are fewer brokers than the 3 replicas of `kafka.replication`"
    );
}

#[tokio::test]
async fn a_record_may_be_as_large_as_the_topic_takes() {
    let config = config("large", 1);
    let existing = NewTopic::new(&config.topic, 1, TopicReplication::Fixed(1))
        .set("max.message.bytes", "3000000");
    let created = admin(&config).create_topics([&existing], &AdminOptions::new());
    created.await.unwrap().remove(0).unwrap();
    let producer = open(&config).await;
    // Noise, which no compression makes smaller.
    let mut state = 1_u32;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    })
    .take(producer.max_record_bytes() - "cpu_usage_percent".len())
    .collect();
    assert!(noise.len() > 2_990_000);
    producer.publish(record(noise.clone())).await.unwrap();
    let mut reader = Reader::new(&config, &Member::of("large"), DAY).unwrap();
    assert_eq!(read(&mut reader, 1).await[0].value, noise);
    reader.close().await;
    producer.close().await;
}

#[tokio::test]
async fn a_reader_that_leaves_frees_its_partitions_at_once() {
    let config = config("leaving", 4);
    let producer = open(&config).await;
    publish(&producer, 0..10, "").await;
    let member = Member {
        // Far beyond the patience of this test.
        session_timeout: Duration::from_secs(300),
        ..Member::of(unique("leaving"))
    };
    let mut first = Reader::new(&config, &member, DAY).unwrap();
    let partition = read(&mut first, 10).await[0].partition;
    first
        .committer()
        .commit(vec![(partition, 7)])
        .await
        .unwrap();
    first.close().await;

    let mut second = Reader::new(&config, &member, DAY).unwrap();
    let offsets: Vec<i64> = read(&mut second, 3)
        .await
        .iter()
        .map(|r| r.offset)
        .collect();
    assert_eq!(offsets, [7, 8, 9]);
    second.close().await;
    producer.close().await;
}

#[tokio::test]
async fn what_expires_under_a_reader_that_is_too_slow_is_told() {
    let config = Config {
        read_ahead: Size::mib(1),
        // Or it would all be fetched at once, and be there still.
        compression: Compression::None,
        ..config("expiring", 1)
    };
    let producer = open(&config).await;
    publish(&producer, 0..1000, &" ".repeat(10_000)).await;
    let mut reader = Reader::new(&config, &Member::of("expiring"), DAY).unwrap();
    // It is told of its partition before any record, and paused before it asks for one.
    let assigned = next(&mut reader).await;
    assert!(
        matches!(assigned, Event::Assigned { offset: 0, .. }),
        "{assigned:?}"
    );
    reader.pause(true);
    let mut cut = TopicPartitionList::new();
    cut.add_partition_offset(&config.topic, 0, Offset::Offset(900))
        .unwrap();
    let deleted = admin(&config)
        .delete_records(&cut, &AdminOptions::new())
        .await;
    deleted.unwrap();
    reader.pause(false);

    let mut expected = 0;
    let mut lost = None;
    while expected < 1000 {
        match next(&mut reader).await {
            Event::Records(records) => {
                for record in records {
                    assert_eq!(record.offset, expected);
                    expected += 1;
                }
            }
            Event::Expired { from, to, .. } => {
                assert_eq!((from, to), (expected, 900));
                assert_eq!(lost.replace((from, to)), None, "told once");
                expected = to;
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(lost.is_some());
    reader.close().await;
    producer.close().await;
}

#[tokio::test]
async fn a_topic_that_was_made_anew_is_read_from_its_start() {
    let config = config("anew", 1);
    let producer = open(&config).await;
    publish(&producer, 0..10, "").await;
    let mut reader = Reader::new(&config, &Member::of("anew"), DAY).unwrap();
    read(&mut reader, 10).await;

    let deleted = admin(&config).delete_topics(&[&config.topic], &AdminOptions::new());
    deleted.await.unwrap().remove(0).unwrap();
    let again = eventually(PATIENCE, || async {
        producer.prepare(DAY).await.map_err(|error| error.reason)?;
        producer
            .publish(record("new"))
            .await
            .map_err(|e| e.to_string())
    });
    again.await;

    let mut seen = Vec::new();
    loop {
        // That the topic is gone for a while is a passing error.
        match tokio::time::timeout(PATIENCE, reader.next()).await.unwrap() {
            Ok(Event::Lost { partitions }) => seen.push(format!("lost {partitions:?}")),
            Ok(Event::Assigned { offset, .. }) => seen.push(format!("assigned at {offset}")),
            Ok(Event::Records(records)) => {
                assert_eq!(records[0].value, "new");
                break;
            }
            Ok(Event::Revoked { .. }) => seen.push("lost [0]".to_owned()),
            Ok(Event::Expired { .. }) => panic!("nothing expired"),
            Err(_) => {}
        }
    }
    assert_eq!(seen, ["lost [0]", "assigned at 0"]);
    reader.close().await;
    producer.close().await;
}

#[tokio::test]
async fn readiness_follows_a_broker_that_is_killed_and_comes_back() {
    let kafka = Kafka::start(&KafkaOptions::default());
    let config = Config {
        brokers: kafka.brokers(),
        delivery_timeout: Period::secs(2),
        ..config("killed", 1)
    };
    let health = Health::new();
    let producer = Producer::new(&config);
    let keeping = producer
        .clone()
        .keep_ready(DAY, health.condition("kafka", "starting"));
    let story = async {
        let ready = |wanted: bool| {
            let health = health.clone();
            eventually(PATIENCE, move || {
                let reasons = health.reasons();
                async move {
                    if reasons.is_empty() == wanted {
                        Ok(())
                    } else {
                        Err(reasons)
                    }
                }
            })
        };
        ready(true).await;
        producer.publish(record("1")).await.unwrap();
        kafka.with_broker(0, testkit::Process::kill);
        ready(false).await;
        producer.publish(record("2")).await.unwrap_err();
        kafka.restart_broker(0);
        ready(true).await;
        producer.publish(record("3")).await.unwrap();
    };
    tokio::select! {
        () = keeping => panic!("it never ends"),
        () = story => {}
    }
    producer.close().await;
}

/// A record of a hot key, in one of its lanes.
fn hot(number: i64, lane: u32, settled_at_ms: Option<i64>) -> Record {
    let moved = settled_at_ms.map(|settled_at_ms| buffer::Moved {
        was: 1,
        over: 4,
        settled_at_ms,
    });
    Record {
        key: Bytes::from_static(b"hot"),
        spread: buffer::Spread { lane, moved },
        ..record(number.to_string())
    }
}

fn number(record: &Consumed) -> i64 {
    std::str::from_utf8(&record.value).unwrap().parse().unwrap()
}

#[tokio::test]
async fn series_that_moved_are_read_once_what_was_before_them_is_committed() {
    let config = config("order", 4);
    let producer = Producer::new(&config);
    producer.prepare(DAY).await.unwrap();
    for value in 0..50 {
        producer.publish(hot(value, 0, None)).await.unwrap();
    }
    // The last one may be of this millisecond.
    let settled = service::clock::now_ms() + 1;
    for value in 100..110 {
        producer
            .publish(hot(value, 1, Some(settled)))
            .await
            .unwrap();
    }
    // One that has not moved, and comes last: what is held back by then is held back.
    producer.publish(hot(1000, 2, None)).await.unwrap();
    let mut reader = Reader::new(&config, &Member::of(unique("order")), DAY).unwrap();
    let committer = reader.committer();
    let first = read(&mut reader, 51).await;
    let mut found: Vec<i64> = first.iter().map(number).collect();
    found.sort_unstable();
    assert_eq!(found, (0..50).chain([1000]).collect::<Vec<_>>());
    let old = first.iter().find(|record| number(record) == 0).unwrap();
    // All but one: not yet.
    committer.commit(vec![(old.partition, 49)]).await.unwrap();
    producer.publish(hot(1001, 2, None)).await.unwrap();
    let next = read(&mut reader, 1).await;
    assert_eq!(next.iter().map(number).collect::<Vec<_>>(), [1001]);
    committer.commit(vec![(old.partition, 50)]).await.unwrap();
    let moved = read(&mut reader, 10).await;
    let numbers: Vec<i64> = moved.iter().map(number).collect();
    assert_eq!(numbers, (100..110).collect::<Vec<_>>());
    // From now on nothing waits.
    producer.publish(hot(110, 1, Some(settled))).await.unwrap();
    let later = read(&mut reader, 1).await;
    assert_eq!(number(&later[0]), 110);
    reader.close().await;
}

#[tokio::test]
async fn another_member_of_the_group_is_waited_for_as_well() {
    let config = config("order-two", 2);
    let producer = Producer::new(&config);
    producer.prepare(DAY).await.unwrap();
    let group = unique("order-two");
    let mut readers = [
        Reader::new(&config, &Member::of(group.clone()), DAY).unwrap(),
        Reader::new(&config, &Member::of(group), DAY).unwrap(),
    ];
    // Until each has a partition.
    let mut owned = [0_usize; 2];
    let assigned = async {
        while owned != [1, 1] {
            for (count, reader) in owned.iter_mut().zip(&mut readers) {
                let event = tokio::time::timeout(Duration::from_millis(100), reader.next()).await;
                match event {
                    Ok(Ok(Event::Assigned { .. })) => *count += 1,
                    Ok(Ok(Event::Revoked {
                        partitions,
                        handover,
                    })) => {
                        *count -= partitions.len();
                        handover.done();
                    }
                    Ok(Ok(Event::Lost { partitions })) => *count -= partitions.len(),
                    Ok(_) | Err(_) => {}
                }
            }
        }
    };
    let assigned = tokio::time::timeout(Duration::from_secs(60), assigned).await;
    assigned.expect("each has a partition");
    producer.publish(hot(0, 0, None)).await.unwrap();
    // It may be of this millisecond.
    let settled = service::clock::now_ms() + 1;
    producer.publish(hot(1, 1, Some(settled))).await.unwrap();
    let mut numbers = Vec::new();
    let both = async {
        while numbers.len() < 2 {
            for reader in &mut readers {
                let event = tokio::time::timeout(Duration::from_millis(100), reader.next()).await;
                if let Ok(Ok(Event::Records(records))) = event {
                    for record in records {
                        numbers.push(number(&record));
                        let next = (record.partition, record.offset + 1);
                        reader.committer().commit(vec![next]).await.unwrap();
                    }
                }
            }
        }
    };
    let both = tokio::time::timeout(Duration::from_secs(60), both).await;
    both.expect("both are read");
    assert_eq!(numbers, [0, 1]);
    for reader in readers {
        reader.close().await;
    }
}
