//! What is written is what everybody else would write, whatever series come one after the other.

use std::collections::BTreeMap;

use model::{Block, MetricType, Point};
use proptest::prelude::*;
use prost::Message as _;

use crate::record::{self, RecordBuilder};
use crate::remote_write::{Encoder, NameEscaping, Version};
use crate::wire::v1;

const RW2: &[u8] = b"application/x-protobuf;proto=io.prometheus.write.v2.Request";

type Labels = BTreeMap<String, String>;

/// Labels, a time, the bits of a value.
type Entry = (Labels, i64, u64);

fn block(name: &str, entries: &[Entry]) -> Block {
    let mut builder = RecordBuilder::new(name);
    for (labels, at_ms, bits) in entries {
        let point = Point {
            at_ms: *at_ms,
            value: f64::from_bits(*bits),
            start_ms: 0,
        };
        let labels = labels.iter();
        let labels = labels.map(|(name, value)| (name.as_str(), value.as_str()));
        builder.push(labels, MetricType::Unspecified, "", "", [point]);
    }
    record::decode(Some(RW2), &builder.finish()).unwrap()
}

/// The request as the library writes it: series in the order of their first sample, samples by time.
fn expected(records: &[(String, Vec<Entry>)]) -> v1::WriteRequest {
    let mut series: Vec<(Labels, Vec<v1::Sample>)> = Vec::new();
    for (name, entries) in records {
        for (labels, timestamp, bits) in entries {
            let mut labels = labels.clone();
            labels.retain(|_, value| !value.is_empty());
            labels.insert("__name__".to_owned(), name.clone());
            let value = f64::from_bits(*bits);
            let sample = v1::Sample {
                value,
                timestamp: *timestamp,
            };
            match series.iter_mut().find(|(known, _)| *known == labels) {
                Some((_, samples)) => samples.push(sample),
                None => series.push((labels, vec![sample])),
            }
        }
    }
    let timeseries = series.into_iter().map(|(labels, mut samples)| {
        samples.sort_by_key(|sample| sample.timestamp);
        let labels = labels.into_iter();
        v1::TimeSeries {
            labels: labels
                .map(|(name, value)| v1::Label { name, value })
                .collect(),
            samples,
            ..v1::TimeSeries::default()
        }
    });
    v1::WriteRequest {
        timeseries: timeseries.collect(),
        metadata: Vec::new(),
    }
}

/// Labels that come again, with values as long as the one before, or shorter, or longer than a byte can count.
fn any_entry() -> impl Strategy<Value = Entry> {
    let value = prop_oneof![
        8 => "web-server-0[0-9]{1,2}\\.example",
        4 => "[xyé]{0,3}",
        1 => "[a-d]{100,140}",
        1 => "[a-d]{30}".prop_map(|text| text.repeat(600)),
    ];
    let labels = prop::collection::btree_map("[A-Ca-c]{1,2}|environment|region", value, 0..5);
    let at_ms = prop_oneof![
        4 => 1_700_000_000_000_i64..1_700_000_100_000,
        1 => -3_i64..3,
        1 => any::<i64>(),
    ];
    let bits = prop_oneof![
        (0_u32..50).prop_map(|it| f64::from(it).to_bits()),
        any::<u64>()
    ];
    (labels, at_ms, bits)
}

proptest! {
    #[test]
    fn every_byte_is_as_the_library_writes_it(
        batches in prop::collection::vec(
            prop::collection::vec(("[a-c]{1,2}_total", prop::collection::vec(any_entry(), 0..12)), 0..5),
            1..3,
        ),
    ) {
        // Used again, as a store uses it.
        let mut encoder = Encoder::new(Version::V1);
        for records in batches {
            for (name, entries) in &records {
                let block = block(name, entries);
                for view in block.iter() {
                    encoder.push(view, view.points(), &[], true, NameEscaping::Utf8);
                }
            }
            let expected = expected(&records).encode_to_vec();
            prop_assert!(encoder.finish() == expected, "{records:?}");
        }
    }
}
