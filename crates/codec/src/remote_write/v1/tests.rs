//! What is written is what everybody else would write, whatever series come one after the other.

use std::collections::BTreeMap;

use model::{Block, MetricType, Point};
use proptest::prelude::*;
use prost::Message as _;

use crate::record::{self, RecordBuilder};
use crate::remote_write::{Encoder, NameEscaping, Version};
use crate::wire::{v1, v2};

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

/// A series of anything: with labels that come again, and lengths on both sides of where a varint grows.
fn any_mixed() -> impl Strategy<Value = v2::TimeSeries> {
    let reference = prop_oneof![4 => 3_u32..12, 1 => 12_u32..40];
    let value = prop_oneof![9 => reference.clone(), 1 => Just(0_u32)];
    let labels = prop::collection::vec((reference.clone(), value), 0..4);
    let sample = (-2_i64..3, 0_u32..3).prop_map(|(timestamp, value)| v2::Sample {
        value: f64::from(value),
        timestamp,
        start_timestamp: 0,
    });
    let samples = prop_oneof![
        6 => prop::collection::vec(sample.clone(), 1..2),
        2 => prop::collection::vec(sample, 0..4),
    ];
    let exemplar = (reference.clone(), reference).prop_map(|(name, value)| v2::Exemplar {
        labels_refs: vec![name, value],
        value: 1.5,
        timestamp: 1,
    });
    let exemplars = prop_oneof![4 => Just(Vec::new()), 1 => prop::collection::vec(exemplar, 1..3)];
    let histograms = prop_oneof![4 => Just(Vec::new()), 1 => Just(vec![v2::Histogram {
        sum: 2.5,
        timestamp: 7,
        ..v2::Histogram::default()
    }])];
    (labels, samples, exemplars, histograms).prop_map(|(labels, samples, exemplars, histograms)| {
        v2::TimeSeries {
            labels_refs: [1, 2]
                .into_iter()
                .chain(labels.into_iter().flat_map(|(name, value)| [name, value]))
                .collect(),
            samples,
            exemplars,
            histograms,
            ..v2::TimeSeries::default()
        }
    })
}

proptest! {
    /// The labels of the series before are no part of what is written of a series.
    #[test]
    fn series_are_written_as_if_each_were_alone(
        lengths in prop::collection::vec(
            prop_oneof![1_usize..4, 110_usize..132, 16_330_usize..16_390], 37),
        mixed in prop::collection::vec(any_mixed(), 0..14),
        names in prop::sample::select(vec![NameEscaping::Utf8, NameEscaping::Underscores]),
    ) {
        let texts = lengths.iter().zip(b'a'..).map(|(length, byte)| {
            char::from(b'a' + byte % 26).to_string().repeat(*length)
        });
        let symbols = ["", "__name__", "rpc"].map(str::to_owned).into_iter().chain(texts);
        let symbols: Vec<String> = symbols.chain(["number".to_owned()]).collect();
        let mut request = v2::Request { symbols, timeseries: mixed };
        // Each is a series of its own, so that none is put together with another.
        for (number, series) in (0_u32..).zip(&mut request.timeseries) {
            let text = u32::try_from(request.symbols.len()).unwrap();
            request.symbols.push(format!("{}", 10 + number));
            series.labels_refs.extend([40, text]);
        }
        let block = record::decode(Some(RW2), &request.encode_to_vec().into()).unwrap();
        let mut together = Encoder::new(Version::V1);
        let mut alone = Vec::new();
        for view in block.iter() {
            together.push(view, view.points(), view.histograms(), true, names);
            let mut encoder = Encoder::new(Version::V1);
            encoder.push(view, view.points(), view.histograms(), true, names);
            alone.extend(encoder.finish());
        }
        let together = together.finish();
        prop_assert!(together == alone);
        let read = v1::WriteRequest::decode(together.as_slice()).unwrap();
        prop_assert!(read.encode_to_vec() == together);
    }

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
