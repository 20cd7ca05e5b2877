//! What consumers accept as a record, and what they say of the rest.

use proptest::prelude::*;
use prost::Message;

use super::*;
use crate::wire::v2;

mod pieces;

const RW2: &[u8] = b"application/x-protobuf;proto=io.prometheus.write.v2.Request";

fn request() -> v2::Request {
    v2::Request {
        symbols: [
            "",
            "__name__",
            "rpc",
            "code",
            "200",
            "seconds",
            "How long.",
            "trace",
            "abc",
        ]
        .map(str::to_owned)
        .to_vec(),
        timeseries: vec![
            v2::TimeSeries {
                labels_refs: vec![1, 2, 3, 4],
                samples: vec![
                    v2::Sample {
                        value: 1.5,
                        timestamp: 1000,
                        start_timestamp: 0,
                    },
                    v2::Sample {
                        value: 2.5,
                        timestamp: 2000,
                        start_timestamp: 700,
                    },
                ],
                exemplars: vec![v2::Exemplar {
                    labels_refs: vec![7, 8],
                    value: 0.25,
                    timestamp: 999,
                }],
                metadata: Some(v2::Metadata {
                    r#type: 1,
                    help_ref: 6,
                    unit_ref: 5,
                }),
                created_timestamp: 500,
                ..v2::TimeSeries::default()
            },
            v2::TimeSeries {
                labels_refs: vec![1, 2],
                histograms: vec![v2::Histogram {
                    count: Some(v2::Count::CountInt(3)),
                    schema: -1,
                    timestamp: 3000,
                    start_timestamp: 600,
                    ..v2::Histogram::default()
                }],
                ..v2::TimeSeries::default()
            },
        ],
    }
}

#[track_caller]
fn check_request(record: &Bytes) {
    let block = decode(Some(RW2), record).unwrap();
    assert_eq!((block.len(), block.samples()), (2, 3));
    let rpc = block.series(0).unwrap();
    assert_eq!(rpc.name(), "rpc");
    assert_eq!(
        rpc.labels().collect::<Vec<_>>(),
        [("__name__", "rpc"), ("code", "200")]
    );
    assert_eq!(
        (rpc.kind(), rpc.unit(), rpc.help()),
        (model::MetricType::Counter, "seconds", "How long.")
    );
    let points: Vec<_> = rpc
        .points()
        .iter()
        .map(|point| (point.at_ms, point.value.to_bits(), point.start_ms))
        .collect();
    assert_eq!(
        points,
        [
            (1000, 1.5_f64.to_bits(), 500),
            (2000, 2.5_f64.to_bits(), 700)
        ]
    );
    let [exemplar] = rpc.exemplars() else {
        panic!("{:?}", rpc.exemplars());
    };
    assert_eq!(
        (exemplar.at_ms, exemplar.value.to_bits()),
        (999, 0.25_f64.to_bits())
    );
    assert_eq!(
        rpc.exemplar_labels(exemplar).collect::<Vec<_>>(),
        [("trace", "abc")]
    );

    let native = block.series(1).unwrap();
    let [histogram] = native.histograms() else {
        panic!("{:?}", native.histograms());
    };
    assert_eq!(histogram.at_ms, 3000);
    assert_eq!(
        v2::Histogram::decode(histogram.message.clone()).unwrap(),
        request().timeseries[1].histograms[0]
    );
    assert!(native.points().is_empty() && native.exemplars().is_empty());
}

#[test]
fn everything_that_remote_write_2_has_is_kept() {
    check_request(&request().encode_to_vec().into());
}

#[test]
fn symbols_may_follow_the_series() {
    let mut first = request();
    let symbols = std::mem::take(&mut first.symbols);
    let mut record = first.encode_to_vec();
    let last = v2::Request {
        symbols,
        timeseries: Vec::new(),
    };
    record.extend(last.encode_to_vec());
    check_request(&record.into());
}

#[test]
fn fields_of_a_series_may_come_in_any_order_and_unpacked() {
    let mut series = Vec::new();
    // An exemplar first, then unpacked references, then the created timestamp, then a sample.
    series.extend([0x22, 4, 0x0a, 2, 1, 3]);
    series.extend([0x08, 1, 0x08, 2, 0x30, 9]);
    series.extend([0x12, 2, 0x10, 5]);
    series.extend([0x08, 3, 0x08, 3]);
    let mut record = vec![0x2a, u8::try_from(series.len()).unwrap()];
    record.extend(series);
    record.extend(b"\x22\x00\x22\x08__name__\x22\x01x\x22\x01y");
    let block = decode(Some(RW2), &record.into()).unwrap();
    let series = block.series(0).unwrap();
    assert_eq!(
        series.labels().collect::<Vec<_>>(),
        [("__name__", "x"), ("y", "y")]
    );
    let exemplar = &series.exemplars()[0];
    assert_eq!(
        series.exemplar_labels(exemplar).collect::<Vec<_>>(),
        [("__name__", "y")]
    );
    assert_eq!(
        (series.points()[0].at_ms, series.points()[0].start_ms),
        (5, 9)
    );
}

#[track_caller]
fn refused(content_type: Option<&[u8]>, value: &[u8], reason: &str, message: &str) {
    let error = decode(content_type, &Bytes::copy_from_slice(value)).unwrap_err();
    assert_eq!(
        (error.reason(), error.to_string().as_str()),
        (reason, message)
    );
}

#[test]
fn broken_protobuf_is_said_where() {
    let protobuf = "protobuf_invalid";
    refused(
        Some(RW2),
        b"\x22\x05ab",
        protobuf,
        "not a remote-write 2.0 request: a field breaks off",
    );
    refused(
        Some(RW2),
        b"\x22\x00\x22\x01\xff",
        protobuf,
        "not a remote-write 2.0 request: symbol 1: a string is not UTF-8",
    );
    refused(
        Some(RW2),
        b"\x22\x01a",
        protobuf,
        "not a remote-write 2.0 request: symbol 0 is not empty",
    );
    refused(
        Some(RW2),
        b"\x22\x00\x2a\x02\x10\x01",
        protobuf,
        "not a remote-write 2.0 request: series 0: a field has another type than it should",
    );
    refused(
        Some(RW2),
        b"\x22\x00\x2a\x03\x0a\x01\x00",
        "references_invalid",
        "not a remote-write 2.0 request: 1 label references, which is not an even number",
    );
    refused(
        Some(RW2),
        b"\x22\x00\x2a\x04\x0a\x02\x00\x07",
        "references_invalid",
        "not a remote-write 2.0 request: label reference 7 is outside the table of 1 symbols",
    );
    refused(
        Some(RW2),
        b"\x22\x00\x2a\x00",
        "references_invalid",
        "not a remote-write 2.0 request: a series has no __name__ label",
    );
}

#[test]
fn an_empty_request_is_a_block_of_nothing() {
    assert!(decode(Some(RW2), &Bytes::new()).unwrap().is_empty());
}

#[test]
fn content_types_are_read_leniently() {
    for protobuf in [
        "application/x-protobuf;proto=io.prometheus.write.v2.Request",
        " Application/X-Protobuf ; charset=x; PROTO = \"io.prometheus.write.v2.request\"",
    ] {
        assert_eq!(
            format(protobuf.as_bytes()),
            Some(Format::RemoteWriteV2),
            "{protobuf}"
        );
    }
    for json in ["application/json", "APPLICATION/JSON; charset=utf-8"] {
        assert_eq!(format(json.as_bytes()), Some(Format::Json), "{json}");
    }
    for nothing in ["", " ", ";"] {
        assert_eq!(format(nothing.as_bytes()), None, "{nothing:?}");
    }
}

#[test]
fn a_foreign_content_type_is_named() {
    refused(
        Some(b"application/x-protobuf"),
        b"",
        "content_type_unknown",
        "content-type \"application/x-protobuf\" is not a record format",
    );
    refused(
        Some(b"avro/\xff"),
        b"",
        "content_type_unknown",
        "content-type \"avro/\u{fffd}\" is not a record format",
    );
    refused(
        None,
        b"\x22\x00",
        "content_type_missing",
        "the record has no content-type and is not a JSON object",
    );
}

#[test]
fn half_a_character_is_no_text_even_beside_the_other_half() {
    // Symbols "", "__name__", and the two bytes of "é", one each.
    let value = b"\x22\x00\x22\x08__name__\x22\x01\xc3\x22\x01\xa9\x2a\x04\x0a\x02\x01\x02";
    refused(
        Some(RW2),
        value,
        "protobuf_invalid",
        "not a remote-write 2.0 request: symbol 2: a string is not UTF-8",
    );
}

/// Everything that a block says, and whether it thinks that its series are in order.
fn said(block: &Block) -> Vec<String> {
    let said = |series: model::SeriesView<'_>| {
        let labels: Vec<_> = series.labels().collect();
        let points: Vec<_> = series
            .points()
            .iter()
            .map(|it| (it.at_ms, it.value.to_bits()))
            .collect();
        let described = (
            series.kind(),
            series.unit(),
            series.help(),
            series.is_tidy(),
        );
        format!("{} {labels:?} {points:?} {described:?}", series.name())
    };
    block.iter().map(said).collect()
}

/// Short, empty, long, and outside ASCII.
fn any_symbol() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z]{1,9}", "[aé€]{0,9}", "[a-zé]{110,140}"]
}

/// A series, mostly as they are, with references that need one byte, two or three.
fn any_series() -> impl Strategy<Value = v2::TimeSeries> {
    let reference = prop_oneof![8 => 0_u32..9, 4 => 120_u32..300, 1 => 16_000_u32..17_000];
    let labels = prop::collection::vec((reference.clone(), reference), 0..40);
    let sample = (any::<f64>(), prop_oneof![0_i64..1 << 42, any::<i64>()]);
    let samples = prop_oneof![
        4 => prop::collection::vec(sample.clone(), 1..2),
        1 => prop::collection::vec(sample, 0..3),
    ];
    let metadata = prop::option::of((0_u32..9, 0_u32..9, 0_u32..300));
    (labels, samples, metadata, prop::bool::weighted(0.9)).prop_map(
        |(labels, samples, metadata, is_named)| v2::TimeSeries {
            labels_refs: [1, 2]
                .into_iter()
                .filter(|_| is_named)
                .chain(labels.into_iter().flat_map(|(name, value)| [name, value]))
                .collect(),
            samples: samples
                .into_iter()
                .map(|(value, timestamp)| v2::Sample {
                    value,
                    timestamp,
                    start_timestamp: 0,
                })
                .collect(),
            metadata: metadata.map(|(r#type, help_ref, unit_ref)| v2::Metadata {
                r#type,
                help_ref,
                unit_ref,
            }),
            ..v2::TimeSeries::default()
        },
    )
}

proptest! {
    /// The common series are read in one step. A field that nobody knows makes them uncommon.
    #[test]
    fn common_series_are_read_like_others(
        series in prop::collection::vec(
            (prop::collection::vec(0_u32..200, 0..3), any::<i64>(), any::<f64>(), 0_u32..9, any::<bool>()),
            1..6,
        ),
    ) {
        let symbols = (0..200).map(|number| match number {
            0 => String::new(),
            1 => "__name__".to_owned(),
            2 => "rpc".to_owned(),
            number => format!("text {}", number * 7919 % 211),
        });
        let mut common = v2::Request { symbols: symbols.collect(), ..v2::Request::default() };
        for (refs, timestamp, value, kind, described) in &series {
            let labels = refs.iter().flat_map(|reference| [*reference, *reference]);
            common.timeseries.push(v2::TimeSeries {
                labels_refs: [1, 2].into_iter().chain(labels).collect(),
                samples: vec![v2::Sample {
                    value: *value,
                    timestamp: *timestamp,
                    start_timestamp: 0,
                }],
                metadata: described.then_some(v2::Metadata {
                    r#type: *kind,
                    help_ref: 3,
                    unit_ref: 4,
                }),
                ..v2::TimeSeries::default()
            });
        }
        let mut uncommon = v2::Request { symbols: common.symbols.clone(), ..v2::Request::default() }
            .encode_to_vec();
        for series in &common.timeseries {
            let mut series = series.encode_to_vec();
            // Field 15, a varint.
            series.extend([0x78, 0x01]);
            prost::encoding::bytes::encode(5, &series, &mut uncommon);
        }
        let common = decode(Some(RW2), &common.encode_to_vec().into()).unwrap();
        let uncommon = decode(Some(RW2), &uncommon.into()).unwrap();
        prop_assert_eq!(said(&common), said(&uncommon));
    }

    /// Whatever a record holds, and whatever is broken about it, the shortcuts change neither the block nor the error.
    #[test]
    fn shortcuts_change_nothing(
        symbols in prop::collection::vec(any_symbol(), 0..40),
        repeat in prop::sample::select(vec![1_usize, 5, 50, 800]),
        series in prop::collection::vec(any_series(), 0..8),
        late in prop::option::of(any_symbol()),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
        end in prop::option::weighted(0.2, any::<prop::sample::Index>()),
    ) {
        let named = ["", "__name__", "rpc"].map(str::to_owned).into_iter();
        let others = symbols.iter().cycle().take(symbols.len() * repeat).cloned();
        let request = v2::Request { symbols: named.chain(others).collect(), timeseries: series };
        let mut record = request.encode_to_vec();
        if let Some(symbol) = late {
            prost::encoding::string::encode(4, &symbol, &mut record);
        }
        for (at, byte) in flips {
            let at = at.index(record.len());
            record[at] = byte;
        }
        if let Some(end) = end {
            record.truncate(end.index(record.len()));
        }
        let record = Bytes::from(record);
        let said = |block: Block| said(&block);
        let short = protobuf::decode(&record).map(said);
        let long = protobuf::decode_field_by_field(&record).map(said);
        prop_assert_eq!(short, long);
    }

    #[test]
    fn random_bytes_never_panic(value: Vec<u8>) {
        drop(decode(Some(RW2), &value.into()));
    }

    #[test]
    fn a_mutated_record_never_panics_and_stays_small(
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut record = request().encode_to_vec();
        for (at, byte) in flips {
            let at = at.index(record.len());
            record[at] = byte;
        }
        let record = Bytes::from(record);
        if let Ok(block) = decode(Some(RW2), &record) {
            prop_assert!(block.size_bytes() <= 1000 + 100 * record.len());
            for series in block.iter() {
                prop_assert!(!series.name().is_empty());
            }
        }
    }
}
