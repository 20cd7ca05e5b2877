//! What the gateway's own decoders make of our bodies: the series and values that were meant.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use codec::otlp::{Deltas, Options, Translation};
use codec::remote_write::{Version, receive};
use codec::{Decoded, Encoding, inflate, influx, text};
use model::{Limits, Value};

use super::*;
use crate::load::Load;
use crate::protocol::Compression;

const AT_MS: u64 = 1_795_257_343_000;
const MOST: usize = 10_000;
const ALL: [Protocol; 10] = [
    Protocol::Json,
    Protocol::RemoteWrite1,
    Protocol::RemoteWrite2,
    Protocol::Otlp,
    Protocol::OtlpJson,
    Protocol::Influx,
    Protocol::Text,
    Protocol::Opentsdb,
    Protocol::Victoria,
    Protocol::Datadog,
];

/// A sample: its name and labels, its time, the place of its value.
type Sample = (String, BTreeMap<String, String>, i64, u64);

fn samples(decoded: &Decoded<'_>) -> Vec<Sample> {
    assert_eq!(decoded.refused, []);
    assert_eq!(decoded.ignored, []);
    let batch = &decoded.batch;
    let sample = |sample: &model::Sample| {
        let series = batch.series(sample.series).unwrap();
        let labels = batch.labels(series).iter();
        let labels = labels.map(|label| (label.name.to_string(), label.value.to_string()));
        let Value::Float(value) = sample.value else {
            panic!("{sample:?}");
        };
        let place = number::place(value).unwrap();
        (
            series.name.to_string(),
            labels.collect(),
            sample.at_ms,
            place,
        )
    };
    batch.samples().iter().map(sample).collect()
}

fn decode(protocol: Protocol, body: &[u8]) -> Vec<Sample> {
    let limits = Limits::default();
    match protocol {
        Protocol::Json => samples(&codec::json::decode(body, MOST).unwrap()),
        Protocol::RemoteWrite1 => samples(&receive::decode(Version::V1, body, &limits).unwrap()),
        Protocol::RemoteWrite2 => samples(&receive::decode(Version::V2, body, &limits).unwrap()),
        Protocol::Otlp => {
            let translation = Translation {
                options: &Options::default(),
                deltas: &Deltas::new(1 << 20, std::time::Duration::from_secs(60)),
                tenant: None,
                now_ms: i64::try_from(AT_MS).unwrap(),
            };
            samples(&codec::otlp::decode(body, translation, MOST).unwrap())
        }
        Protocol::OtlpJson => {
            let body = codec::otlp::to_protobuf(body).unwrap();
            decode(Protocol::Otlp, &body)
        }
        Protocol::Influx => {
            let options = influx::Options {
                precision: influx::Precision::parse("ns").unwrap(),
                now_ms: 0,
                separator: "_",
                strings: influx::Strings::default(),
                booleans: influx::Booleans::default(),
                label: None,
                max_samples: MOST,
                max_metric_name_bytes: 200,
            };
            samples(&influx::decode(body, &options).unwrap())
        }
        Protocol::Text => {
            let options = text::Options {
                dialect: text::Dialect::Text,
                now_ms: 0,
            };
            samples(&text::decode(body, &options, MOST).unwrap())
        }
        Protocol::Opentsdb => samples(&codec::opentsdb::decode(body, MOST).unwrap()),
        Protocol::Victoria => samples(&codec::victoria_json::decode(body, MOST).unwrap().0),
        Protocol::Datadog => {
            let options = codec::datadog::Options {
                now_ms: 0,
                max_samples: MOST,
            };
            samples(&codec::datadog::decode_v2_json(body, options).unwrap())
        }
        Protocol::Statsd => panic!("has a test of its own"),
    }
}

fn load(protocol: Protocol) -> Load {
    let mut load = Load {
        protocol,
        batch: 10.try_into().unwrap(),
        names: 5.try_into().unwrap(),
        connections: 2.try_into().unwrap(),
        labels: 4.try_into().unwrap(),
        ..Load::default()
    };
    load.series = Some(40.try_into().unwrap());
    load
}

/// Names and hosts.
fn series(samples: &[Sample]) -> BTreeSet<(String, String)> {
    let series = samples.iter();
    series
        .map(|(name, labels, ..)| (name.clone(), labels["host"].clone()))
        .collect()
}

#[test]
fn a_body_of_every_protocol_holds_what_was_meant_however_often_it_is_patched() {
    for protocol in ALL {
        let mut bodies = Bodies::new(&load(protocol));
        for (turn, at_ms, first) in [(0, AT_MS, 0), (1, AT_MS + 77_000, 10), (2, AT_MS, 1 << 42)] {
            let found = decode(protocol, bodies.make(1, turn, at_ms, first));
            assert_eq!(found.len(), 10, "{protocol:?}");
            assert_eq!(series(&found).len(), 10, "{protocol:?}: no series twice");
            let places: BTreeSet<u64> = found.iter().map(|sample| sample.3).collect();
            assert_eq!(places, (first..first + 10).collect(), "{protocol:?}");
            for (name, labels, at, _) in &found {
                assert_eq!(*at, i64::try_from(at_ms).unwrap(), "{protocol:?}");
                assert!(
                    name.starts_with("service_metric_00000"),
                    "{protocol:?} {name}"
                );
                let names: Vec<&str> = labels.keys().map(String::as_str).collect();
                let wanted = ["environment", "host", "label_003", "region"];
                assert_eq!(names, wanted, "{protocol:?}");
                assert_eq!(labels["region"], "us-east-1");
            }
        }
    }
}

#[test]
fn all_series_take_their_turn_and_each_connection_has_its_own() {
    for protocol in [Protocol::Json, Protocol::RemoteWrite2, Protocol::Otlp] {
        let mut bodies = Bodies::new(&load(protocol));
        assert_eq!(bodies.series(), 40);
        let mut of = |connection: u64| {
            let turns = (0..4).flat_map(|turn| {
                series(&decode(protocol, bodies.make(connection, turn, AT_MS, 0)))
            });
            turns.collect::<BTreeSet<_>>()
        };
        let (one, other) = (of(0), of(1));
        assert_eq!((one.len(), other.len()), (20, 20), "{protocol:?}");
        assert_eq!(one.union(&other).count(), 40, "{protocol:?}");
    }
}

#[test]
fn more_names_than_a_body_has_samples_take_their_turn_too() {
    let mut load = load(Protocol::RemoteWrite2);
    load.names = 25.try_into().unwrap();
    load.series = None;
    let mut bodies = Bodies::new(&load);
    let mut names = BTreeSet::new();
    for turn in 0..8 {
        let found = decode(Protocol::RemoteWrite2, bodies.make(0, turn, AT_MS, 0));
        assert_eq!(series(&found).len(), 10);
        names.extend(found.into_iter().map(|(name, ..)| name));
    }
    assert_eq!(names.len(), 25);
}

#[test]
fn millions_of_series_are_numbers_in_a_body_and_not_kept() {
    let mut load = load(Protocol::Json);
    load.series = Some(10_000_000.try_into().unwrap());
    let mut bodies = Bodies::new(&load);
    assert_eq!(bodies.series(), 10_000_000);
    // Two connections take turns, so the last series are in the first one's half-millionth body.
    let found = decode(Protocol::Json, bodies.make(1, 499_999, AT_MS, 0));
    let hosts: BTreeSet<_> = series(&found).into_iter().map(|(_, host)| host).collect();
    assert_eq!(hosts.last().unwrap(), "web-srv-01999999");
}

#[test]
fn names_by_zipfs_law_are_drawn_anew_and_the_first_is_the_most_frequent() {
    let mut load = load(Protocol::Otlp);
    load.zipf = Some(1.0);
    load.names = 1000.try_into().unwrap();
    load.batch = 100.try_into().unwrap();
    load.series = Some(1_000_000.try_into().unwrap());
    let mut bodies = Bodies::new(&load);
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for turn in 0..40 * DRAWN_FOR {
        let found = decode(Protocol::Otlp, bodies.make(0, turn, AT_MS, 0));
        assert_eq!(series(&found).len(), 100, "no series twice in a body");
        for (name, ..) in found {
            *counts.entry(name).or_default() += 1;
        }
    }
    let most = counts.iter().max_by_key(|(_, count)| **count).unwrap();
    assert_eq!(most.0, "service_metric_000000_percent");
    assert!(counts.len() > 100, "{} names", counts.len());
}

#[test]
fn labels_are_as_many_and_as_long_as_they_should_be() {
    let mut load = load(Protocol::Json);
    load.labels = 30.try_into().unwrap();
    load.label_bytes = Some(100);
    let mut bodies = Bodies::new(&load);
    let found = decode(Protocol::Json, bodies.make(0, 0, AT_MS, 0));
    let labels = &found[0].1;
    assert_eq!(labels.len(), 30);
    assert!(
        labels
            .iter()
            .all(|(name, value)| name == "host" || value.len() == 100)
    );
}

#[test]
fn compressed_bodies_are_what_they_were() {
    let mut bodies = Bodies::new(&load(Protocol::Json));
    for (compression, encoding) in [
        (Compression::Identity, Encoding::Identity),
        (Compression::Gzip, Encoding::Gzip),
        (Compression::Zstd, Encoding::Zstd),
        (Compression::Snappy, Encoding::Snappy),
    ] {
        let mut compressor = Compressor::new(compression).unwrap();
        for first in [0, 1000] {
            let body = bodies.make(0, 0, AT_MS, first).to_vec();
            let mut compressed = Vec::new();
            compressor.append(&body, &mut compressed).unwrap();
            let found = inflate(encoding, &Bytes::from(compressed), 1 << 20).unwrap();
            assert_eq!(found, body, "{compression:?}");
        }
    }
}

#[test]
fn a_statsd_packet_has_a_gauge_per_line() {
    let mut bodies = Bodies::new(&load(Protocol::Statsd));
    let packet = bodies.make(0, 0, AT_MS, 7).to_vec();
    let mut places = Vec::new();
    codec::statsd::decode(&packet, |line, found| {
        let codec::statsd::Found::Sample(metric) = found else {
            panic!("{found:?}: {:?}", String::from_utf8_lossy(line));
        };
        assert_eq!(metric.tags.iter().count(), 4);
        places.extend(
            metric
                .reading
                .numbers()
                .map(|number| super::number::place(number.value).unwrap()),
        );
    });
    assert_eq!(places, (7..17).collect::<Vec<_>>());
}
