//! A request that is compressed while it is written is the request, whatever series come one after the other.

use std::collections::BTreeMap;

use model::{Block, MetricType, Point};
use proptest::prelude::*;

use super::super::{Encoder, NameEscaping, Version};
use crate::record::{self, RecordBuilder};
use crate::snappy::{Compressor, compress, decompress};

const RW2: &[u8] = b"application/x-protobuf;proto=io.prometheus.write.v2.Request";
const NOW_MS: i64 = 1_700_000_000_000;

type Labels = BTreeMap<String, String>;

/// A metric name, and its series in the order of the record.
type Record = (String, Vec<(Labels, Point)>);

fn block((name, series): &Record) -> Block {
    let mut builder = RecordBuilder::new(name);
    for (labels, point) in series {
        let labels = labels.iter();
        let labels = labels.map(|(name, value)| (name.as_str(), value.as_str()));
        builder.push(labels, MetricType::Unspecified, "", "", [*point]);
    }
    record::decode(Some(RW2), &builder.finish()).unwrap()
}

fn push(encoder: &mut Encoder, blocks: &[Block]) {
    for view in blocks.iter().flat_map(Block::iter) {
        encoder.push(view, view.points(), &[], true, NameEscaping::Utf8);
    }
}

fn any_point() -> impl Strategy<Value = Point> {
    let at_ms = prop_oneof![
        4 => Just(NOW_MS),
        4 => NOW_MS..NOW_MS + 100_000,
        1 => -3_i64..3,
        1 => any::<i64>(),
    ];
    let bits = prop_oneof![
        4 => (0_u32..9).prop_map(|it| f64::from(it).to_bits()),
        4 => (0_u32..9999).prop_map(|it| (f64::from(it) / 100.0).to_bits()),
        1 => Just(f64::NAN.to_bits()),
        1 => any::<u64>(),
    ];
    let start_ms = prop_oneof![6 => Just(0_i64), 1 => Just(NOW_MS - 1000), 1 => any::<i64>()];
    (at_ms, bits, start_ms).prop_map(|(at_ms, bits, start_ms)| Point {
        at_ms,
        value: f64::from_bits(bits),
        start_ms,
    })
}

fn any_labels() -> impl Strategy<Value = Labels> {
    let value = prop_oneof![
        12 => "web-server-0[0-9]{2}\\.example",
        4 => "[xyé]{0,3}",
        2 => "[a-d]{60,80}",
        2 => "[a-d]{2}".prop_map(|text| text.repeat(1100)),
        1 => "[a-d]{2}".prop_map(|text| text.repeat(34_000)),
    ];
    prop::collection::btree_map("[A-Ca-c]|environment|host|region", value, 0..5)
}

fn any_record() -> impl Strategy<Value = Record> {
    // Mostly the same labels with another value of one or two of them.
    let changed = (any_labels(), "[0-9]{1,4}", "[0-9]{2}", any_point());
    let series = (
        any_labels(),
        prop::collection::vec(changed, 1..25),
        any::<u8>(),
    );
    let series = series.prop_map(|(base, changes, odd)| {
        let changes = changes.into_iter().enumerate();
        let series = changes.map(|(at, (other, host, rack, point))| {
            let mut labels = if (at + usize::from(odd)) % 9 == 0 {
                other
            } else {
                base.clone()
            };
            let host = if odd % 3 == 0 {
                host
            } else {
                format!("web-server-{host:0>4}.example")
            };
            labels.insert("host".to_owned(), host);
            if odd % 2 == 0 {
                labels.insert("rack".to_owned(), rack);
            }
            (labels, point)
        });
        series.collect()
    });
    ("[a-c]{1,2}_total|(cpu|disk)_usage_percent", series)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn a_compressed_request_is_the_request(
        batches in prop::collection::vec(prop::collection::vec(any_record(), 0..6), 1..3),
    ) {
        for version in [Version::V1, Version::V2] {
            // Used again, as a store uses them.
            let mut encoder = Encoder::for_compression(version);
            let mut compressor = Compressor::default();
            for records in &batches {
                let blocks: Vec<Block> = records.iter().map(block).collect();
                push(&mut encoder, &blocks);
                let was_written = encoder.is_written;
                let body = encoder.finish_compressed(&mut compressor);
                let mut plain = Encoder::new(version);
                push(&mut plain, &blocks);
                // As if it had not been written when it came.
                plain.is_written = false;
                let plain = plain.finish();
                prop_assert!(decompress(&body, usize::MAX).unwrap() == plain, "{was_written}");
            }
        }
    }
}

/// Records as a gateway makes them of so many hosts' requests, which have the same names.
fn records(hosts: std::ops::Range<u32>, names: u32, are_even: bool) -> Vec<Record> {
    let record = |name: u32| {
        let series = hosts.clone().map(|host| {
            let labels = [
                ("environment", "production".to_owned()),
                (
                    "host",
                    match are_even {
                        true => format!("web-server-{host:03}.example"),
                        false => format!("web-{}.eu.example", host * 37),
                    },
                ),
                ("region", "us-east-1".to_owned()),
            ];
            let labels = labels.map(|(name, value)| (name.to_owned(), value));
            let number = (host * 50 + name) * 7919 % 9_999_991;
            let point = Point {
                at_ms: NOW_MS + i64::from(if are_even { number % 977 } else { 0 }),
                value: match name % 3 {
                    0 if !are_even => 0.0,
                    1 if !are_even => f64::from(number % 1000),
                    _ => f64::from(number) / 1000.0,
                },
                start_ms: 0,
            };
            (labels.into(), point)
        });
        let length = if are_even { 0 } else { name as usize % 13 };
        (
            format!(
                "service_{name:02}_memory{}_percent",
                "_usage_of_something".get(..length).unwrap()
            ),
            series.collect(),
        )
    };
    (0..names).map(record).collect()
}

/// What is written is little more than what a compressor finds that looks for everything.
#[test]
fn a_compressed_request_is_about_as_small() {
    let one_by_one = |are_even| (0..40).flat_map(move |host| records(host..host + 1, 50, are_even));
    let five =
        |are_even| (0..8).flat_map(move |host| records(5 * host..5 * host + 5, 50, are_even));
    let cases: [(&str, Vec<Record>, [f64; 2]); 5] = [
        (
            "many hosts of a name",
            records(0..200, 10, true),
            [1.2, 1.35],
        ),
        (
            "many uneven hosts of a name",
            records(0..200, 10, false),
            [1.35, 1.4],
        ),
        ("five hosts of a name", five(true).collect(), [1.2, 1.35]),
        ("a host of a name", one_by_one(true).collect(), [1.15, 1.3]),
        (
            "an uneven host of a name",
            one_by_one(false).collect(),
            [1.8, 2.25],
        ),
    ];
    for (case, records, most) in cases {
        let blocks: Vec<Block> = records.iter().map(block).collect();
        let count: usize = blocks.iter().map(Block::len).sum();
        for (version, most) in [Version::V1, Version::V2].into_iter().zip(most) {
            let mut encoder = Encoder::for_compression(version);
            push(&mut encoder, &blocks);
            let searched = compress(&encoder.finish()).len();
            push(&mut encoder, &blocks);
            let known = encoder.finish_compressed(&mut Compressor::default()).len();
            let of_each = |bytes: usize| bytes as f64 / count as f64;
            let (searched, known) = (of_each(searched), of_each(known));
            println!("{case}, {version:?}: {known:.1} bytes of a series, searched {searched:.1}");
            assert!(
                known <= most * searched,
                "{case}, {version:?}: {known} of {searched}"
            );
        }
    }
}
