//! Other programs share the topic: what they write is read if it can be, and set aside if it cannot.

use serde_json::json;
use testkit::kafka::{Kafka, Record};
use testkit::{VictoriaMetrics, eventually};

use crate::push::now_ms;
use crate::sluice::{PATIENCE, Sluice, Topics};

fn record(key: &str, value: &[u8], content_type: Option<&str>) -> Record {
    let headers = content_type.map(|kind| ("content-type".to_owned(), kind.as_bytes().to_vec()));
    Record {
        partition: 0,
        offset: 0,
        timestamp_ms: 0,
        key: Some(key.as_bytes().to_vec()),
        value: Some(value.to_vec()),
        headers: headers.into_iter().collect(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn json_without_headers_is_read_and_garbage_becomes_a_dead_letter_with_its_bytes() {
    let store = VictoriaMetrics::start();
    let topics = Topics::new("foreign", 1);
    let (topic, dead) = (&topics.samples, &topics.dead);
    let kafka = Kafka::shared();
    let write_url = store.write_url();
    let consumer = Sluice::start(
        "consumer",
        &topics.with(&[
            ("SLUICE_STORES__MAIN__TYPE", "remote_write"),
            ("SLUICE_STORES__MAIN__URL", write_url.as_str()),
        ]),
    );
    let at_ms = now_ms();
    let sample = |value: f64| {
        json!({"metric_name": "foreign", "timestamp": at_ms, "value": value, "labels": {"by": format!("{value}")}})
            .to_string()
    };
    let (first, last) = (sample(1.5), sample(2.5));
    let protobuf = Some("application/x-protobuf;proto=io.prometheus.write.v2.Request");
    let written = kafka.produce(
        topic,
        &[
            record("foreign", first.as_bytes(), None),
            record("foreign", b"\xff\xfenot protobuf", protobuf),
            record("foreign", b"{\"metric_name\": 7}", None),
            record("foreign", last.as_bytes(), Some("application/json")),
        ],
    );
    eventually(PATIENCE, async || {
        let found = store.export("{__name__=\"foreign\"}");
        if found.len() == 2 { Ok(()) } else { Err(found) }
    })
    .await;
    let letters = eventually(PATIENCE, async || {
        let letters = kafka.read(dead);
        if letters.len() == 2 {
            Ok(letters)
        } else {
            Err(letters)
        }
    })
    .await;
    for (letter, (value, offset)) in letters.iter().zip([
        (b"\xff\xfenot protobuf".as_slice(), written[1].1),
        (b"{\"metric_name\": 7}".as_slice(), written[2].1),
    ]) {
        let header = |name: &str| {
            let (_, value) = letter
                .headers
                .iter()
                .find(|(header, _)| header == name)
                .unwrap();
            String::from_utf8(value.clone()).unwrap()
        };
        assert_eq!(letter.value.as_deref(), Some(value));
        assert_eq!(header("source-offset"), offset.to_string());
        assert!(["protobuf_invalid", "json_invalid"].contains(&header("reason").as_str()));
        assert!(!header("message").is_empty());
    }

    // Everything is read: no lag, and a day until anything would expire.
    eventually(PATIENCE, async || {
        let lag = consumer
            .metric("sluice_consumer_lag_records", "partition=\"0\"")
            .unwrap();
        let headroom = consumer
            .metric("sluice_consumer_headroom_seconds", "partition=\"0\"")
            .unwrap();
        if lag == 0.0 && headroom > 86_000.0 {
            Ok(())
        } else {
            Err((lag, headroom))
        }
    })
    .await;
    assert_eq!(
        kafka.committed(&format!("{topic}-main")),
        [(topic.clone(), 0, 4)]
    );
}
