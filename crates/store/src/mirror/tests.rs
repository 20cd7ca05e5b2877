//! A batch as records: keys, order, tenants, sizes, both formats.

use super::{Config, Format, Outgoing, records};
use crate::fixtures::{Series, batch, give_to};
use crate::{Batch, Item, WriteError};

fn items() -> Batch {
    let cpu = |host: &str, at_ms: i64, offset: i64| {
        Series::new("cpu", &[("host", host)], &[(at_ms, 1.5)]).at(0, offset)
    };
    let mut of_tenant = cpu("a", 3, 2);
    give_to(&mut of_tenant, Some("team"));
    let up = Series::new("up", &[], &[(1, f64::NAN), (2, 1.0)]).at(0, 3);
    batch(0, vec![cpu("a", 1, 0), up, cpu("a", 2, 1), of_tenant])
}

fn decoded(record: &Outgoing) -> Vec<(String, i64)> {
    let content_type: &[u8] = match record.format {
        Format::Protobuf => b"application/x-protobuf;proto=io.prometheus.write.v2.Request",
        Format::Json => b"application/json",
    };
    let block = codec::record::decode(Some(content_type), &record.value).unwrap();
    let mut samples = Vec::new();
    for view in block.iter() {
        for point in view.points() {
            samples.push((view.name().to_owned(), point.at_ms));
        }
    }
    samples
}

#[test]
fn a_record_holds_a_metric_of_one_tenant_in_its_order() {
    let records = records(&items(), Format::Protobuf, usize::MAX).unwrap();
    let shown: Vec<_> = records
        .iter()
        .map(|it| (&*it.key, it.tenant.as_deref(), decoded(it)))
        .collect();
    let at = |name: &str, at: i64| (name.to_owned(), at);
    assert_eq!(
        shown,
        [
            (&b"cpu"[..], None, vec![at("cpu", 1), at("cpu", 2)]),
            (b"up", None, vec![at("up", 1), at("up", 2)]),
            (b"cpu", Some("team"), vec![at("cpu", 3)]),
        ]
    );
}

#[test]
fn in_json_a_record_holds_a_sample() {
    let records = records(&items(), Format::Json, usize::MAX).unwrap();
    let first = String::from_utf8(records[0].value.to_vec()).unwrap();
    assert_eq!(
        first,
        r#"{"metric_name":"cpu","timestamp":1,"value":1.5,"labels":{"host":"a"}}"#
    );
    let all: Vec<_> = records.iter().flat_map(decoded).map(|(_, at)| at).collect();
    assert_eq!(all, [1, 1, 2, 2, 3]);
}

#[test]
fn a_record_that_is_too_large_is_split_by_whoever_sent_the_batch() {
    for format in [Format::Protobuf, Format::Json] {
        match records(&items(), format, 20) {
            Err(WriteError::Refused {
                reason: "too_large",
                message,
            }) => {
                assert!(message.ends_with("the topic takes 20"), "{message}");
            }
            other => panic!("{other:?}"),
        }
    }
    let nothing: Vec<Item> = Vec::new();
    assert_eq!(records(&batch(0, nothing), Format::Json, 20), Ok(vec![]));
}

#[test]
fn a_batch_whose_labels_would_fill_the_memory_is_refused() {
    let long = "v".repeat(1 << 20);
    let points: Vec<(i64, f64)> = (0..65).map(|at| (at, 1.0)).collect();
    let batch = batch(
        0,
        vec![Series::new("x", &[("label", &long)], &points).at(0, 0)],
    );
    let refused = records(&batch, Format::Json, usize::MAX);
    assert!(
        matches!(
            refused,
            Err(WriteError::Refused {
                reason: "too_large",
                ..
            })
        ),
        "it was not refused"
    );
    // There the labels are once in a record.
    assert_eq!(
        records(&batch, Format::Protobuf, usize::MAX).unwrap().len(),
        1
    );
}

#[test]
fn settings_that_cannot_work_are_named() {
    let good = Config {
        brokers: "b:9092".to_owned(),
        topic: "t".to_owned(),
        ..Config::default()
    };
    assert_eq!(good.check(), Ok(()));
    let refused = |change: fn(&mut Config), key: &str| {
        let mut config = good.clone();
        change(&mut config);
        assert_eq!(config.check().unwrap_err().0, key);
    };
    refused(|it| it.brokers.clear(), "brokers");
    refused(|it| it.topic.clear(), "topic");
    refused(|it| it.shards = 0, "shards");
    refused(
        |it| it.retention = service::units::Period::secs(0),
        "retention",
    );
}
