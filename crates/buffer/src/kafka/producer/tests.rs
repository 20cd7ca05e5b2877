//! What becomes of records, against a Kafka inside the process.

use std::time::Duration;

use bytes::Bytes;
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use service::units::{Period, Size};

use super::Producer;
use super::delivery::{Answers, Delivery, Open};
use crate::kafka::partition_for;
use crate::kafka::tests::{
    DEAD_LETTERS, Mock, PATIENCE, TOPIC, record, tenant, topic, unconfirmed,
};
use crate::{BuryDead as _, ContentType, DeadLetter, Publish as _, PublishError, Record};

const VERSION: &str = env!("CARGO_PKG_VERSION");

#[tokio::test]
async fn a_record_has_its_key_its_headers_and_the_gateways_time() {
    let mock = Mock::new(8);
    let producer = mock.producer();
    let sent = Record {
        tenant: tenant("acme"),
        source: Some("web-01".into()),
        content_type: ContentType::RemoteWriteV2,
        ..record("cpu_usage_percent", "42.5")
    };
    producer.publish(sent).await.unwrap();

    let stored = mock.read_back(TOPIC, 8, 1).remove(0);
    assert_eq!(stored.key.as_deref(), Some("cpu_usage_percent"));
    assert_eq!(stored.value, "42.5");
    assert_eq!(stored.at_ms, Some(1_700_000_000_000));
    assert_eq!(
        stored.headers,
        [
            "content-type: application/x-protobuf;proto=io.prometheus.write.v2.Request".to_owned(),
            format!("sluice-version: {VERSION}"),
            "tenant: acme".to_owned(),
            "source: web-01".to_owned(),
        ]
    );
    producer.close().await;
}

#[tokio::test]
async fn a_key_is_on_the_partition_that_the_java_client_chooses() {
    let mock = Mock::new(7);
    let producer = mock.producer();
    let keys: Vec<String> = (0..100).map(|number| format!("metric_{number}")).collect();
    for key in &keys {
        mock.publish(&producer, key, 0..1).await;
    }
    for stored in mock.read_back(TOPIC, 7, keys.len()) {
        let key = stored.key.unwrap();
        assert_eq!(stored.partition, partition_for(key.as_bytes(), 7), "{key}");
    }
    producer.close().await;
}

#[tokio::test]
async fn records_of_one_key_keep_the_order_of_the_calls_through_retries() {
    let mock = Mock::new(2);
    let producer = mock.producer();
    mock.cluster.request_errors(
        RDKafkaApiKey::Produce,
        &[
            RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
            RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
            RDKafkaRespErr::RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
        ],
    );
    mock.publish(&producer, "cpu", 0..500).await;
    let values: Vec<String> = mock
        .read_back(TOPIC, 2, 500)
        .into_iter()
        .map(|stored| stored.value)
        .collect();
    let expected: Vec<String> = (0..500).map(|number| number.to_string()).collect();
    assert_eq!(values, expected);
    producer.close().await;
}

#[tokio::test]
async fn a_lack_of_replicas_goes_back_to_the_sender() {
    let mut mock = Mock::new(1);
    mock.config.delivery_timeout = Period::millis(500);
    let producer = mock.producer();
    let error = RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS;
    mock.cluster
        .request_errors(RDKafkaApiKey::Produce, &[error; 200]);
    let answer = producer.publish(record("cpu", "1")).await;
    assert!(unconfirmed(&answer), "{answer:?}");
    producer.close().await;
}

#[tokio::test]
async fn a_kafka_that_is_away_and_comes_back_has_every_record_that_was_confirmed() {
    let mut mock = Mock::new(1);
    mock.config.delivery_timeout = Period::secs(1);
    let producer = mock.producer();
    mock.publish(&producer, "cpu", 0..1).await;

    mock.cluster.broker_down(-1).unwrap();
    let answer = producer.publish(record("cpu", "lost")).await;
    assert!(unconfirmed(&answer), "{answer:?}");

    mock.cluster.broker_up(-1).unwrap();
    let taken = testkit::eventually(PATIENCE, || async {
        producer.publish(record("cpu", "2")).await
    });
    taken.await;
    let values: Vec<String> = mock
        .read_back(TOPIC, 1, 2)
        .into_iter()
        .map(|stored| stored.value)
        .collect();
    assert_eq!(values, ["0", "2"]);
    producer.close().await;
}

#[tokio::test]
async fn a_full_queue_asks_the_sender_to_wait_and_answers_everything_it_took() {
    let mut mock = Mock::new(1);
    mock.config.max_queue = Size::mib(1);
    mock.config.delivery_timeout = Period::secs(1);
    let producer = mock.producer();
    mock.cluster.broker_down(-1).unwrap();

    let large = "x".repeat(100_000);
    // A record is enqueued before its future is looked at.
    let answers: Vec<_> = (0..20)
        .map(|_| producer.publish(record("cpu", &large)))
        .collect();
    let mut full = 0;
    for answer in answers {
        match answer.await {
            Err(PublishError::QueueFull) => full += 1,
            other => assert!(unconfirmed(&other), "{other:?}"),
        }
    }
    assert_eq!(full, 10, "of 20 records of 100 kB, 1 MiB takes 10");
    assert_eq!(producer.flush(Duration::ZERO).await, 0);
    producer.close().await;
}

#[tokio::test]
async fn a_record_that_is_too_large_is_refused_with_the_limit() {
    let mock = Mock::new(1);
    let producer = Producer::new(&mock.config);
    let small = crate::kafka::Topic {
        max_message_bytes: Some(20_000),
        ..topic(1)
    };
    producer.open(&small, None).unwrap();
    assert_eq!(producer.max_record_bytes(), 20_000 - 4096);

    let largest = "x".repeat(producer.max_record_bytes() - 3);
    producer.publish(record("cpu", &largest)).await.unwrap();
    let answer = producer.publish(record("cpus", &largest)).await;
    assert_eq!(
        answer,
        Err(PublishError::TooLarge {
            size_bytes: 15_905,
            limit_bytes: 15_904
        })
    );
    producer.close().await;
}

#[tokio::test]
async fn a_changed_limit_is_followed_without_losing_what_is_on_its_way() {
    let mock = Mock::new(1);
    let producer = mock.producer();
    let before: Vec<_> = (0..100)
        .map(|number| producer.publish(record("cpu", &number.to_string())))
        .collect();
    let larger = crate::kafka::Topic {
        max_message_bytes: Some(2_000_000),
        ..topic(1)
    };
    producer.open(&larger, None).unwrap();
    assert_eq!(producer.max_record_bytes(), 2_000_000 - 4096);
    for answer in before {
        answer.await.unwrap();
    }
    mock.publish(&producer, "cpu", 100..101).await;
    producer.close().await;
}

#[tokio::test]
async fn each_topic_has_its_own_limit() {
    let mock = Mock::new(1);
    let producer = Producer::with_dead_letters(&mock.config, Some(DEAD_LETTERS));
    let of = |bytes| crate::kafka::Topic {
        max_message_bytes: Some(bytes),
        ..topic(1)
    };
    producer.open(&of(20_000), Some(&of(100_000))).unwrap();
    assert_eq!(producer.max_record_bytes(), 20_000 - 4096);
    let letter = DeadLetter {
        value: Bytes::from(vec![b'x'; 90_000]),
        ..letter()
    };
    producer.bury(letter).await.unwrap();
    producer.close().await;
}

#[tokio::test]
async fn nothing_is_taken_before_the_topic_was_checked() {
    let mock = Mock::new(1);
    let producer = Producer::new(&mock.config);
    assert_eq!(
        producer.publish(record("cpu", "1")).await,
        Err(PublishError::Unconfirmed(
            "the topic was not checked yet".to_owned()
        ))
    );
}

#[tokio::test]
async fn a_closed_producer_says_so_and_answers_what_was_open() {
    let mock = Mock::new(1);
    let producer = mock.producer();
    mock.cluster.broker_down(-1).unwrap();
    let open = producer.publish(record("cpu", "1"));
    let other = producer.clone();
    producer.close().await;
    assert!(unconfirmed(&open.await));
    let answer = other.publish(record("cpu", "2")).await;
    assert_eq!(answer, Err(PublishError::Closed));
}

#[tokio::test]
async fn flushing_counts_what_is_still_open_at_the_deadline() {
    let mock = Mock::new(1);
    let producer = mock.producer();
    mock.publish(&producer, "cpu", 0..1).await;
    mock.cluster
        .broker_round_trip_time(-1, Duration::from_secs(2))
        .unwrap();
    let answers = [
        producer.publish(record("cpu", "1")),
        producer.publish(record("cpu", "2")),
    ];
    assert_eq!(producer.flush(Duration::from_millis(10)).await, 2);
    assert_eq!(producer.flush(Duration::from_secs(30)).await, 0);
    for answer in answers {
        answer.await.unwrap();
    }
    producer.close().await;
}

#[tokio::test]
async fn a_dropped_future_does_not_take_its_record_back() {
    let mock = Mock::new(1);
    let producer = mock.producer();
    drop(producer.publish(record("cpu", "1")));
    assert_eq!(producer.flush(Duration::from_secs(30)).await, 0);
    assert_eq!(mock.read_back(TOPIC, 1, 1).remove(0).value, "1");
    producer.close().await;
}

#[tokio::test]
async fn a_client_that_an_error_ended_is_replaced() {
    let mut mock = Mock::new(1);
    mock.config.delivery_timeout = Period::secs(2);
    // An idempotent producer without the right to be one is over for good.
    mock.cluster.request_errors(
        RDKafkaApiKey::InitProducerId,
        &[RDKafkaRespErr::RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED],
    );
    let producer = mock.producer();
    let first = producer.current().unwrap();
    let fatal = testkit::eventually(PATIENCE, || async {
        first.client().fatal_error().ok_or("no fatal error")
    });
    assert_eq!(fatal.await.0, RDKafkaErrorCode::ClusterAuthorizationFailed);
    let answer = producer.publish(record("cpu", "1")).await;
    assert!(unconfirmed(&answer), "{answer:?}");

    let taken = testkit::eventually(PATIENCE, || async {
        producer.publish(record("cpu", "2")).await
    });
    taken.await;
    assert_eq!(mock.read_back(TOPIC, 1, 1).remove(0).value, "2");
    producer.close().await;
}

fn letter() -> DeadLetter {
    DeadLetter {
        key: Some(Bytes::from_static(b"cpu")),
        value: Bytes::from_static(b"?"),
        content_type: Some(Bytes::from_static(b"application/json")),
        tenant: tenant("acme"),
        source: Some("web-01".into()),
        reason: "out_of_order",
        message: format!("{}é", "x".repeat(2047)),
        source_topic: TOPIC.to_owned(),
        source_partition: 3,
        source_offset: 99,
        store: "main".to_owned(),
    }
}

#[tokio::test]
async fn a_dead_letter_tells_where_it_came_from_and_why() {
    let mock = Mock::new(1);
    let producer = mock.producer();
    producer.bury(letter()).await.unwrap();
    let stored = mock.read_back(DEAD_LETTERS, 4, 1).remove(0);
    assert_eq!(stored.key.as_deref(), Some("cpu"));
    assert_eq!(
        stored.headers,
        [
            "reason: out_of_order".to_owned(),
            format!("message: {}", "x".repeat(2047)),
            "source-topic: metrics".to_owned(),
            "source-partition: 3".to_owned(),
            "source-offset: 99".to_owned(),
            "store: main".to_owned(),
            format!("sluice-version: {VERSION}"),
            "content-type: application/json".to_owned(),
            "tenant: acme".to_owned(),
            "source: web-01".to_owned(),
        ]
    );
    producer.close().await;
}

#[test]
fn every_outcome_is_counted_once() {
    let recorder = metrics_util::debugging::DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let open = std::sync::Arc::<Open>::default();
    ::metrics::with_local_recorder(&recorder, || {
        for failure in [
            None,
            Some(RDKafkaErrorCode::QueueFull),
            Some(RDKafkaErrorCode::MessageSizeTooLarge),
            Some(RDKafkaErrorCode::MessageTimedOut),
            Some(RDKafkaErrorCode::NotEnoughReplicas),
        ] {
            let (delivery, answer) = Delivery::new(10, 100, &open);
            assert_eq!(open.records(), 1);
            drop(answer);
            delivery.end(failure);
        }
    });
    assert_eq!(open.records(), 0);
    let (delivered, failed) = (1, 4);
    assert_eq!(open.answers(), Answers { delivered, failed });
    let mut counted: Vec<(String, u64)> = snapshotter
        .snapshot()
        .into_vec()
        .into_iter()
        .filter_map(|(key, _, _, value)| {
            let outcome = key.key().labels().next()?.value().to_owned();
            match value {
                metrics_util::debugging::DebugValue::Counter(count) => Some((outcome, count)),
                _ => None,
            }
        })
        .collect();
    counted.sort();
    let expected = [
        ("delivered", 1),
        ("queue_full", 1),
        ("too_large", 1),
        ("unconfirmed", 2),
    ];
    assert_eq!(
        counted,
        expected.map(|(name, count)| (name.to_owned(), count))
    );
}
