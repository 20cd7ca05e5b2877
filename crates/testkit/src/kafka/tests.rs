//! Checks the broker, the Java client and the ways to break a broker, all for real.

use super::{Kafka, KafkaOptions, Record, partitions_of, unique};
use crate::{Network, eventually_blocking};
use std::time::Duration;

fn record(key: &str, value: &str) -> Record {
    Record {
        partition: 0,
        offset: 0,
        timestamp_ms: 0,
        key: Some(key.into()),
        value: Some(value.into()),
        headers: vec![("content-type".to_owned(), b"text/plain".to_vec())],
    }
}

#[test]
fn the_java_partitioner_answers_with_its_known_values() {
    // toPositive(murmur2(key)) % n; murmur2("21") and the others are vectors of Kafka's own UtilsTest.
    let vectors: [(&str, i32); 4] = [
        ("21", -973_932_308),
        ("foobar", -790_332_482),
        ("a-little-bit-long-string", -985_981_536),
        (
            "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8",
            -58_897_971,
        ),
    ];
    let expected: Vec<i32> = vectors
        .iter()
        .map(|(_, hash)| (hash & 0x7fff_ffff) % 64)
        .collect();
    assert_eq!(partitions_of(vectors.map(|(key, _)| key), 64), expected);
}

#[test]
fn records_come_back_as_they_were_written() {
    let kafka = Kafka::shared();
    let topic = unique("round-trip");
    kafka.create_topic(&topic, 8, 1, &[("retention.ms", "86400000")]);
    assert_eq!(kafka.topic_setting(&topic, "partitions"), "8");
    assert_eq!(kafka.topic_setting(&topic, "retention.ms"), "86400000");

    let keys = ["cpu", "mem", "disk"];
    let written = kafka.produce(&topic, &keys.map(|key| record(key, "1")));
    let partitions: Vec<i32> = written.iter().map(|(partition, _)| *partition).collect();
    assert_eq!(partitions, partitions_of(keys, 8));

    let mut read = kafka.read(&topic);
    read.sort_by_key(|record| record.key.clone());
    let read_keys: Vec<_> = read
        .iter()
        .filter_map(|record| record.key.clone())
        .collect();
    assert_eq!(
        read_keys,
        [b"cpu".to_vec(), b"disk".to_vec(), b"mem".to_vec()]
    );
    assert_eq!(read[0].headers, record("", "").headers);
    assert_eq!(read[0].value.as_deref(), Some(b"1".as_slice()));

    let (partition, offset) = written[0];
    kafka.delete_below(&topic, partition, offset + 1);
    assert!(
        kafka
            .read(&topic)
            .iter()
            .all(|record| record.key.as_deref() != Some(b"cpu"))
    );
    assert_eq!(kafka.committed(&unique("no-such-group")), []);
}

#[test]
fn a_cluster_keeps_its_records_when_a_broker_is_killed_or_cut_off() {
    let kafka = Kafka::start(&KafkaOptions {
        nodes: 3,
        proxied: true,
        properties: vec![("min.insync.replicas".to_owned(), "2".to_owned())],
        ..KafkaOptions::default()
    });
    kafka.create_topic("t", 3, 3, &[]);
    assert_eq!(kafka.topic_setting("t", "replicas"), "3");
    kafka.produce("t", &[record("a", "1")]);

    kafka.with_broker(0, crate::Process::kill);
    kafka.produce("t", &[record("b", "2")]);
    kafka.restart_broker(0);

    kafka.proxy(1).set(Network::Reset);
    kafka.proxy(1).set(Network::Good);
    let values = eventually_blocking(Duration::from_secs(60), || {
        let mut values: Vec<_> = kafka
            .read("t")
            .into_iter()
            .filter_map(|record| record.value)
            .collect();
        values.sort();
        if values.len() == 2 {
            Ok(values)
        } else {
            Err(values)
        }
    });
    assert_eq!(values, [b"1".to_vec(), b"2".to_vec()]);
    assert!(kafka.proxy(2).forwarded_bytes() > 0);
}

#[test]
fn a_topic_that_is_made_anew_has_another_id() {
    let kafka = Kafka::shared();
    let topic = unique("ids");
    kafka.create_topic(&topic, 2, 1, &[]);
    // The logs are there once they take something.
    kafka.produce(&topic, &[record("cpu", "1")]);
    let old = kafka.topic_ids(&topic);
    assert_eq!(old.len(), 1, "{old:?}");
    kafka.delete_topic(&topic);
    let patience = Duration::from_secs(30);
    eventually_blocking(patience, || {
        let found = kafka.topic_ids(&topic);
        if found.is_empty() { Ok(()) } else { Err(found) }
    });
    kafka.create_topic(&topic, 2, 1, &[]);
    kafka.produce(&topic, &[record("cpu", "1")]);
    let new = kafka.topic_ids(&topic);
    assert_eq!(new.len(), 1, "{new:?}");
    assert!(new.is_disjoint(&old), "{new:?} {old:?}");
}
