//! What a receiver gets to see, read by an independent decoder.

use std::collections::BTreeMap;

use model::Block;
use proptest::prelude::*;
use prost::Message;

use super::*;
use crate::record;
use crate::wire::{v1, v2};

const RW2: &[u8] = b"application/x-protobuf;proto=io.prometheus.write.v2.Request";

type Pairs<'a> = &'a [(&'a str, &'a str)];
type Labels = Vec<(String, String)>;
/// Time and bits of each sample.
type Samples = Vec<(i64, u64)>;

/// A block with one point per entry: labels as `name=value` pairs, time, value.
fn block(entries: &[(Pairs<'_>, i64, f64)]) -> Block {
    let mut request = v2::Request {
        symbols: vec![String::new()],
        ..v2::Request::default()
    };
    for (labels, timestamp, value) in entries {
        let mut labels_refs = Vec::new();
        for text in labels.iter().flat_map(|(name, value)| [name, value]) {
            labels_refs.push(u32::try_from(request.symbols.len()).unwrap());
            request.symbols.push((*text).to_owned());
        }
        request.timeseries.push(v2::TimeSeries {
            labels_refs,
            samples: vec![v2::Sample {
                value: *value,
                timestamp: *timestamp,
                start_timestamp: 0,
            }],
            ..v2::TimeSeries::default()
        });
    }
    decode(&request)
}

fn decode(request: &v2::Request) -> Block {
    record::decode(Some(RW2), &request.encode_to_vec().into()).unwrap()
}

fn encode(version: Version, blocks: &[&Block], names: NameEscaping) -> Vec<u8> {
    let mut encoder = Encoder::new(version);
    for series in blocks.iter().flat_map(|block| block.iter()) {
        encoder.push(series, series.points(), series.histograms(), true, names);
    }
    encoder.finish()
}

fn as_v1(blocks: &[&Block], names: NameEscaping) -> v1::WriteRequest {
    v1::WriteRequest::decode(encode(Version::V1, blocks, names).as_slice()).unwrap()
}

fn as_v2(blocks: &[&Block], names: NameEscaping) -> v2::Request {
    v2::Request::decode(encode(Version::V2, blocks, names).as_slice()).unwrap()
}

/// `name=value,… @time…` per series.
fn lines_v1(request: &v1::WriteRequest) -> Vec<String> {
    let line = |series: &v1::TimeSeries| {
        let labels: Vec<String> = series
            .labels
            .iter()
            .map(|label| format!("{}={}", label.name, label.value))
            .collect();
        let times: Vec<String> = series
            .samples
            .iter()
            .map(|sample| format!(" {}@{}", sample.value, sample.timestamp))
            .collect();
        labels.join(",") + &times.join("")
    };
    request.timeseries.iter().map(line).collect()
}

fn lines_v2(request: &v2::Request) -> Vec<String> {
    let line = |series: &v2::TimeSeries| {
        let labels: Vec<String> = series
            .labels_refs
            .chunks(2)
            .map(|pair| {
                let text = |at: usize| request.symbols[pair[at] as usize].as_str();
                format!("{}={}", text(0), text(1))
            })
            .collect();
        let times: Vec<String> = series
            .samples
            .iter()
            .map(|sample| format!(" {}@{}", sample.value, sample.timestamp))
            .collect();
        labels.join(",") + &times.join("")
    };
    request.timeseries.iter().map(line).collect()
}

#[track_caller]
fn check(blocks: &[&Block], names: NameEscaping, lines: &[&str]) {
    assert_eq!(lines_v1(&as_v1(blocks, names)), lines, "1.0");
    assert_eq!(lines_v2(&as_v2(blocks, names)), lines, "2.0");
}

#[test]
fn a_series_of_several_records_is_one_with_its_samples_by_time() {
    let first = block(&[
        (&[("__name__", "m"), ("h", "a")], 3, 1.0),
        (&[("__name__", "m"), ("h", "b")], 1, 2.0),
    ]);
    let second = block(&[
        (&[("__name__", "m"), ("h", "a")], 2, 3.0),
        (&[("__name__", "m"), ("h", "a")], 2, 4.0),
    ]);
    check(
        &[&first, &second],
        NameEscaping::Utf8,
        &["__name__=m,h=a 3@2 4@2 1@3", "__name__=m,h=b 2@1"],
    );
}

#[test]
fn labels_of_foreign_records_are_sorted_and_empty_values_dropped() {
    let block = block(&[
        (
            &[("z", "1"), ("__name__", "m"), ("a", ""), ("B", "2")],
            1,
            1.0,
        ),
        (&[("B", "2"), ("__name__", "m"), ("z", "1")], 2, 1.0),
    ]);
    check(
        &[&block],
        NameEscaping::Utf8,
        &["B=2,__name__=m,z=1 1@1 1@2"],
    );
}

#[test]
fn names_are_escaped_for_receivers_that_want_it() {
    let block = block(&[
        (
            &[
                ("__name__", "http.latency:p99"),
                ("host.name", "a.b"),
                ("k8s/pod", "x"),
            ],
            1,
            1.0,
        ),
        (&[("__name__", "9é"), ("9", "x"), ("a:b", "y")], 2, 1.0),
        (&[("__name__", "classic:name_1"), ("A_9", "x")], 3, 1.0),
    ]);
    check(
        &[&block],
        NameEscaping::Utf8,
        &[
            "__name__=http.latency:p99,host.name=a.b,k8s/pod=x 1@1",
            "9=x,__name__=9é,a:b=y 1@2",
            "A_9=x,__name__=classic:name_1 1@3",
        ],
    );
    check(
        &[&block],
        NameEscaping::Underscores,
        &[
            "__name__=http_latency:p99,host_name=a.b,k8s_pod=x 1@1",
            "_=x,__name__=__,a_b=y 1@2",
            "A_9=x,__name__=classic:name_1 1@3",
        ],
    );
}

#[test]
fn labels_that_escape_to_one_name_are_joined() {
    let block = block(&[(
        &[
            ("__name__", "m"),
            ("a-b", "1"),
            ("a.b", "2"),
            ("a_b", "3"),
            ("..name..", "4"),
        ],
        1,
        1.0,
    )]);
    check(
        &[&block],
        NameEscaping::Underscores,
        &["__name__=m,a_b=1;2;3,key__name__=4 1@1"],
    );
}

fn described(name: &str, kind: u32) -> v2::Request {
    v2::Request {
        symbols: ["", "__name__", name, "seconds", "How long."]
            .map(str::to_owned)
            .to_vec(),
        timeseries: vec![v2::TimeSeries {
            labels_refs: vec![1, 2],
            samples: vec![v2::Sample {
                value: 1.0,
                timestamp: 1,
                start_timestamp: 77,
            }],
            metadata: Some(v2::Metadata {
                r#type: kind,
                help_ref: 4,
                unit_ref: 3,
            }),
            ..v2::TimeSeries::default()
        }],
    }
}

#[test]
fn version_1_states_each_family_once_by_its_own_name() {
    let blocks: Vec<Block> = [
        ("rpc_bucket", 3),
        ("rpc_sum", 3),
        ("rpc_count", 3),
        ("size_count", 5),
        ("total_count", 1),
        ("_sum", 5),
    ]
    .iter()
    .map(|(name, kind)| decode(&described(name, *kind)))
    .collect();
    let blocks: Vec<&Block> = blocks.iter().collect();
    let request = as_v1(&blocks, NameEscaping::Utf8);
    let families: Vec<(u32, &str)> = request
        .metadata
        .iter()
        .map(|family| (family.r#type, family.metric_family_name.as_str()))
        .collect();
    assert_eq!(
        families,
        [(3, "rpc"), (5, "size"), (1, "total_count"), (5, "_sum")]
    );
    assert_eq!(
        (
            request.metadata[0].unit.as_str(),
            request.metadata[0].help.as_str()
        ),
        ("seconds", "How long.")
    );
    let plain = block(&[(&[("__name__", "m")], 1, 1.0)]);
    assert!(as_v1(&[&plain], NameEscaping::Utf8).metadata.is_empty());
}

#[test]
fn version_2_describes_each_series_and_keeps_start_times() {
    let rpc = decode(&described("rpc_bucket", 3));
    let request = as_v2(&[&rpc], NameEscaping::Utf8);
    let series = &request.timeseries[0];
    let metadata = series.metadata.unwrap();
    assert_eq!(metadata.r#type, 3);
    assert_eq!(request.symbols[metadata.unit_ref as usize], "seconds");
    assert_eq!(request.symbols[metadata.help_ref as usize], "How long.");
    assert_eq!(series.samples[0].start_timestamp, 77);
    assert_eq!(request.symbols[0], "");
}

#[test]
fn native_histograms_and_exemplars_go_through() {
    let histogram = |timestamp| v2::Histogram {
        count: Some(v2::Count::CountInt(3)),
        zero_count: Some(v2::ZeroCount::ZeroCountInt(1)),
        sum: 2.5,
        positive_spans: vec![v2::BucketSpan {
            offset: -1,
            length: 2,
        }],
        positive_deltas: vec![1, -1],
        timestamp,
        start_timestamp: 5,
        ..v2::Histogram::default()
    };
    let mut request = described("rpc", 3);
    request
        .symbols
        .extend(["trace.id".to_owned(), "abc".to_owned()]);
    request.timeseries[0].histograms = vec![histogram(20), histogram(10)];
    request.timeseries[0].exemplars = vec![v2::Exemplar {
        labels_refs: vec![5, 6],
        value: 0.5,
        timestamp: 9,
    }];
    let block = decode(&request);

    let sent = as_v2(&[&block], NameEscaping::Utf8);
    let [floats, natives] = sent.timeseries.as_slice() else {
        panic!("{:?}", sent.timeseries);
    };
    assert_eq!(
        (
            floats.samples.len(),
            floats.histograms.len(),
            floats.exemplars.len()
        ),
        (1, 0, 1)
    );
    assert_eq!(natives.histograms, [histogram(10), histogram(20)]);
    assert_eq!(
        sent.symbols[floats.exemplars[0].labels_refs[0] as usize],
        "trace.id"
    );

    let sent = as_v1(&[&block], NameEscaping::Underscores);
    let [floats, natives] = sent.timeseries.as_slice() else {
        panic!("{:?}", sent.timeseries);
    };
    let without_start = |timestamp| v1::Histogram {
        start_timestamp: 0,
        ..histogram(timestamp)
    };
    assert_eq!(natives.histograms, [without_start(10), without_start(20)]);
    let exemplar = &floats.exemplars[0];
    assert_eq!(
        (exemplar.value.to_bits(), exemplar.timestamp),
        (0.5_f64.to_bits(), 9)
    );
    assert_eq!(exemplar.labels[0].name, "trace_id");
}

#[test]
fn exemplars_stay_behind_when_nobody_wants_them() {
    let mut request = described("rpc", 1);
    request.timeseries[0].exemplars = vec![v2::Exemplar::default()];
    let block = decode(&request);
    let series = block.series(0).unwrap();
    let mut encoder = Encoder::new(Version::V2);
    encoder.push(series, series.points(), &[], false, NameEscaping::Utf8);
    let sent = v2::Request::decode(encoder.finish().as_slice()).unwrap();
    assert!(sent.timeseries[0].exemplars.is_empty());
}

#[test]
fn exemplars_without_a_sample_of_their_series_can_be_left_out() {
    let mut request = described("rpc", 1);
    request.timeseries[0].exemplars = vec![v2::Exemplar::default()];
    let with_sample = decode(&request);
    request.timeseries[0].samples.clear();
    let alone = decode(&request);
    request.symbols[2] = "other".to_owned();
    let of_another = decode(&request);

    let mut encoder = Encoder::new(Version::V2);
    for block in [&alone, &of_another, &with_sample] {
        let series = block.series(0).unwrap();
        encoder.push(series, series.points(), &[], true, NameEscaping::Utf8);
    }
    assert_eq!(encoder.drop_lone_exemplars(), 1);
    assert_eq!(encoder.drop_lone_exemplars(), 0);
    let sent = v2::Request::decode(encoder.finish().as_slice()).unwrap();
    let [series] = sent.timeseries.as_slice() else {
        panic!("{:?}", sent.timeseries);
    };
    assert_eq!((series.samples.len(), series.exemplars.len()), (1, 2));
}

#[test]
fn a_part_of_a_series_may_be_pushed_and_the_encoder_used_again() {
    let block = block(&[(&[("__name__", "m")], 1, 1.0)]);
    let series = block.series(0).unwrap();
    for version in [Version::V1, Version::V2] {
        let mut encoder = Encoder::new(version);
        assert!(encoder.is_empty());
        encoder.push(series, &[], &[], true, NameEscaping::Utf8);
        assert_eq!(encoder.samples(), 0);
        encoder.push(series, series.points(), &[], true, NameEscaping::Utf8);
        assert_eq!(encoder.samples(), 1);
        let first = encoder.finish();
        assert!(encoder.is_empty());
        encoder.push(series, series.points(), &[], true, NameEscaping::Utf8);
        assert_eq!(encoder.finish(), first);
    }
}

fn any_entries() -> impl Strategy<Value = Vec<(BTreeMap<String, String>, i64, u64)>> {
    prop::collection::vec(
        (
            prop::collection::btree_map("[A-C_a]|é", "[xy]{0,2}", 0..3),
            -3_i64..3,
            any::<u64>(),
        ),
        0..12,
    )
}

proptest! {
    #[test]
    fn every_sample_arrives_once(entries in any_entries(), record_len in 1_usize..5) {
        let mut builder = record::RecordBuilder::new("m");
        let mut blocks = Vec::new();
        let mut expected: BTreeMap<Labels, Samples> = BTreeMap::new();
        for (number, (labels, at_ms, bits)) in entries.iter().enumerate() {
            if number % record_len == 0 {
                let block = record::decode(Some(RW2), &builder.finish()).unwrap();
                blocks.push(block);
            }
            let point = Point { at_ms: *at_ms, value: f64::from_bits(*bits), start_ms: 0 };
            let pairs = labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            builder.push(pairs, MetricType::Gauge, "", "", [point]);
            let mut key: Labels =
                labels.clone().into_iter().filter(|(_, value)| !value.is_empty()).collect();
            key.push(("__name__".to_owned(), "m".to_owned()));
            key.sort();
            expected.entry(key).or_default().push((*at_ms, *bits));
        }
        for samples in expected.values_mut() {
            samples.sort_by_key(|(at_ms, _)| *at_ms);
        }
        blocks.push(record::decode(Some(RW2), &builder.finish()).unwrap());
        let blocks: Vec<&Block> = blocks.iter().collect();

        let sent: Vec<(Labels, Samples)> = as_v1(&blocks, NameEscaping::Utf8)
            .timeseries
            .into_iter()
            .map(|series| (
                series.labels.into_iter().map(|label| (label.name, label.value)).collect(),
                series.samples.iter().map(|it| (it.timestamp, it.value.to_bits())).collect(),
            ))
            .collect();
        prop_assert_eq!(sent.len(), expected.len(), "a series came twice");
        prop_assert_eq!(sent.into_iter().collect::<BTreeMap<_, _>>(), expected.clone());

        let request = as_v2(&blocks, NameEscaping::Utf8);
        let text = |number: u32| request.symbols[number as usize].clone();
        let sent: Vec<(Labels, Samples)> = request
            .timeseries
            .iter()
            .map(|series| (
                series.labels_refs.chunks(2).map(|pair| (text(pair[0]), text(pair[1]))).collect(),
                series.samples.iter().map(|it| (it.timestamp, it.value.to_bits())).collect(),
            ))
            .collect();
        prop_assert_eq!(sent.len(), expected.len(), "a series came twice");
        prop_assert_eq!(sent.into_iter().collect::<BTreeMap<_, _>>(), expected);
    }

    /// What an encoder remembers of the requests and records before changes nothing.
    #[test]
    fn an_encoder_that_was_used_writes_the_same(
        batches in prop::collection::vec(any_entries(), 1..4),
    ) {
        let blocks: Vec<Block> = batches
            .iter()
            .map(|entries| {
                let mut builder = record::RecordBuilder::new("m");
                for (labels, at_ms, bits) in entries {
                    let point =
                        Point { at_ms: *at_ms, value: f64::from_bits(*bits), start_ms: 0 };
                    let pairs = labels.iter();
                    let pairs = pairs.map(|(name, value)| (name.as_str(), value.as_str()));
                    builder.push(pairs, MetricType::Gauge, "percent", "Help.", [point]);
                }
                record::decode(Some(RW2), &builder.finish()).unwrap()
            })
            .collect();
        for version in [Version::V1, Version::V2] {
            let mut used = Encoder::new(version);
            for first in 0..blocks.len() {
                // Each request goes back and forth between the records.
                let (before, after) = blocks.split_at(first);
                let order: Vec<&Block> = after.iter().chain(before).chain(after).collect();
                for series in order.iter().flat_map(|block| block.iter()) {
                    used.push(series, series.points(), &[], true, NameEscaping::Utf8);
                }
                let fresh = encode(version, &order, NameEscaping::Utf8);
                prop_assert_eq!(used.finish(), fresh);
            }
        }
    }
}
