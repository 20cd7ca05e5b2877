//! A record's bytes are a contract with every consumer that was ever deployed.

use proptest::prelude::*;
use prost::Message;

use super::*;
use crate::record::decode;
use crate::wire::v2;

const RW2: &[u8] = b"application/x-protobuf;proto=io.prometheus.write.v2.Request";

fn point(at_ms: i64, value: f64) -> Point {
    Point {
        at_ms,
        value,
        start_ms: 0,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .chunks(16)
        .map(|line| {
            line.iter()
                .map(|byte| format!("{byte:02x}"))
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn the_bytes_of_a_small_record() {
    let mut builder = RecordBuilder::new("cpu");
    let labels = [("Zone", "a"), ("host", "web-01")];
    builder.push(
        labels,
        MetricType::Gauge,
        "percent",
        "",
        [point(1_700_000_000_000, 42.5)],
    );
    builder.push(
        labels,
        MetricType::Gauge,
        "percent",
        "",
        [point(1_700_000_001_000, 0.0)],
    );
    builder.push([], MetricType::Unspecified, "", "", [point(-1, -0.0)]);
    insta::assert_snapshot!(hex(&builder.finish()), @r"
    22 00 22 08 5f 5f 6e 61 6d 65 5f 5f 22 03 63 70
    75 22 04 5a 6f 6e 65 22 01 61 22 04 68 6f 73 74
    22 06 77 65 62 2d 30 31 22 07 70 65 72 63 65 6e
    74 2a 29 0a 06 03 04 01 02 05 06 12 10 09 00 00
    00 00 00 40 45 40 10 80 d0 95 ff bc 31 12 07 10
    e8 d7 95 ff bc 31 2a 04 08 02 20 07 2a 1a 0a 02
    01 02 12 14 09 00 00 00 00 00 00 00 80 10 ff ff
    ff ff ff ff ff ff ff 01
    ");
}

#[test]
fn the_metric_name_is_a_label_in_its_sorted_place() {
    let mut builder = RecordBuilder::new("cpu");
    builder.push(
        [("A", "1"), ("_", "2"), ("a", "3")],
        MetricType::Unspecified,
        "",
        "",
        [point(1, 1.0)],
    );
    let block = decode(Some(RW2), &builder.finish()).unwrap();
    let labels: Vec<_> = block.series(0).unwrap().labels().collect();
    assert_eq!(
        labels,
        [("A", "1"), ("_", "2"), ("__name__", "cpu"), ("a", "3")]
    );
}

#[test]
fn consecutive_points_of_a_series_share_it() {
    let mut builder = RecordBuilder::new("cpu");
    let mut push = |host, kind, at_ms| {
        builder.push([("host", host)], kind, "", "", [point(at_ms, 1.0)]);
    };
    push("a", MetricType::Gauge, 1);
    push("a", MetricType::Gauge, 2);
    push("b", MetricType::Gauge, 3);
    push("a", MetricType::Gauge, 4);
    push("a", MetricType::Counter, 5);
    assert_eq!(builder.samples(), 5);
    let request = v2::Request::decode(builder.finish()).unwrap();
    let times: Vec<Vec<i64>> = request
        .timeseries
        .iter()
        .map(|series| {
            series
                .samples
                .iter()
                .map(|sample| sample.timestamp)
                .collect()
        })
        .collect();
    assert_eq!(times, [vec![1, 2], vec![3], vec![4], vec![5]]);
}

#[test]
fn what_does_not_fit_leaves_no_trace() {
    let mut builder = RecordBuilder::new("cpu");
    builder.push(
        [("host", "a")],
        MetricType::Unspecified,
        "",
        "",
        [point(1, 1.0)],
    );
    let before = builder.encoded_len();
    let mut try_push = |limit_bytes, host| {
        builder.push_within(
            limit_bytes,
            [("host", host), ("rack", "new text")],
            MetricType::Gauge,
            "new unit",
            "",
            [point(2, 1.0)],
        )
    };
    assert!(!try_push(before, "b"));
    assert!(!try_push(before + 20, "b"));
    assert_eq!(builder.encoded_len(), before);
    assert_eq!(builder.samples(), 1);

    let mut untouched = RecordBuilder::new("cpu");
    untouched.push(
        [("host", "a")],
        MetricType::Unspecified,
        "",
        "",
        [point(1, 1.0)],
    );
    assert_eq!(builder.finish(), untouched.finish());
}

#[test]
fn a_record_fills_up_to_the_last_byte_of_its_limit() {
    let push = |builder: &mut RecordBuilder, limit_bytes| {
        builder.push_within(
            limit_bytes,
            [("host", "b")],
            MetricType::Gauge,
            "",
            "help",
            [point(1_700_000_000_000, 1.0)],
        )
    };
    let mut builder = RecordBuilder::new("cpu");
    assert!(push(&mut builder, usize::MAX));
    let exact = builder.finish().len();
    assert!(push(&mut builder, exact));
    assert_eq!(builder.finish().len(), exact);
    assert!(!push(&mut builder, exact - 1));
    assert!(builder.is_empty());
}

#[test]
fn no_points_are_no_series() {
    let mut builder = RecordBuilder::new("cpu");
    let empty = builder.encoded_len();
    builder.push(
        [("host", "a")],
        MetricType::Gauge,
        "u",
        "h",
        [] as [Point; 0],
    );
    assert_eq!(builder.encoded_len(), empty);
    assert!(builder.is_empty());
    assert!(decode(Some(RW2), &builder.finish()).unwrap().is_empty());
}

#[test]
fn a_used_builder_is_as_good_as_a_new_one() {
    let mut builder = RecordBuilder::new("cpu");
    let push = |builder: &mut RecordBuilder| {
        builder.push([("a", "b")], MetricType::Gauge, "", "", [point(1, 1.0)]);
        builder.finish()
    };
    builder.push([("c", "d")], MetricType::Counter, "u", "h", [point(9, 9.0)]);
    builder.finish();
    assert_eq!(push(&mut builder), push(&mut RecordBuilder::new("cpu")));
    assert_eq!(builder.samples(), 0);
}

#[derive(Debug, Clone)]
struct Pushed {
    labels: Vec<(String, String)>,
    kind: MetricType,
    unit: String,
    help: String,
    points: Vec<Point>,
}

fn any_point() -> impl Strategy<Value = Point> {
    (
        any::<i64>(),
        any::<u64>(),
        prop_oneof![Just(0), any::<i64>()],
    )
        .prop_map(|(at_ms, bits, start_ms)| Point {
            at_ms,
            value: f64::from_bits(bits),
            start_ms,
        })
}

fn any_pushed() -> impl Strategy<Value = Pushed> {
    (
        prop::collection::btree_map("[A-Z_a-c]{1,2}|é", "[ab]{1,3}|.{200}", 0..4),
        prop::sample::select(&MetricType::ALL[..]),
        prop_oneof![Just(""), Just("seconds")],
        prop_oneof![Just(""), Just("a")],
        prop::collection::vec(any_point(), 1..4),
    )
        .prop_map(|(labels, kind, unit, help, points)| Pushed {
            labels: labels.into_iter().collect(),
            kind,
            unit: unit.to_owned(),
            help: help.to_owned(),
            points,
        })
}

/// Bits instead of values, because a NaN is not equal to itself.
type Flat = (
    Vec<(String, String)>,
    MetricType,
    String,
    String,
    (i64, u64, i64),
);

fn flat(point: &Point) -> (i64, u64, i64) {
    (point.at_ms, point.value.to_bits(), point.start_ms)
}

#[test]
fn histograms_floats_and_exemplars_of_a_series_are_kept_apart_as_the_protocol_wants() {
    let mut builder = RecordBuilder::new("m");
    let labels = || [("host", "a")];
    let message = v2::Histogram {
        timestamp: 3,
        sum: 1.5,
        ..v2::Histogram::default()
    }
    .encode_to_vec();
    let trace = [Label {
        name: "trace_id".into(),
        value: "abc".into(),
    }];
    let exemplar = Item::Exemplar {
        at_ms: 2,
        value: 0.5,
        labels: &trace,
    };
    let kind = MetricType::Histogram;
    builder.push(labels(), kind, "", "", [point(1, 1.0)]);
    builder.push(labels(), kind, "", "", [exemplar]);
    builder.push(labels(), kind, "", "", [Item::Histogram(&message)]);
    builder.push(labels(), kind, "", "", [exemplar]);
    assert_eq!(builder.samples(), 2);
    let size = builder.encoded_len();
    let record = builder.finish();
    assert_eq!(record.len(), size);

    let block = decode(Some(RW2), &record).unwrap();
    let series: Vec<_> = block.iter().collect();
    assert_eq!(series.len(), 2);
    let lens = |view: &model::SeriesView<'_>| {
        (
            view.points().len(),
            view.histograms().len(),
            view.exemplars().len(),
        )
    };
    assert_eq!(
        series.iter().map(lens).collect::<Vec<_>>(),
        [(1, 0, 1), (0, 1, 1)]
    );
    assert_eq!(series[1].histograms()[0].at_ms, 3);
    assert_eq!(series[1].histograms()[0].message, message);
    let exemplar = &series[1].exemplars()[0];
    assert_eq!((exemplar.at_ms, exemplar.value), (2, 0.5));
    let pairs: Vec<_> = series[1].exemplar_labels(exemplar).collect();
    assert_eq!(pairs, [("trace_id", "abc")]);
}

#[test]
fn a_record_of_exemplars_alone_is_not_empty_and_has_no_samples() {
    let mut builder = RecordBuilder::new("m");
    let exemplar = Item::Exemplar {
        at_ms: 2,
        value: 0.5,
        labels: &[],
    };
    builder.push([("host", "a")], MetricType::Counter, "", "", [exemplar]);
    assert!(!builder.is_empty());
    assert_eq!(builder.samples(), 0);
    let block = decode(Some(RW2), &builder.finish()).unwrap();
    assert_eq!(
        block
            .iter()
            .map(|view| view.exemplars().len())
            .sum::<usize>(),
        1
    );
    assert!(builder.is_empty());
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        pushed in prop::collection::vec(any_pushed(), 0..8),
        limit_bytes in prop_oneof![Just(usize::MAX), 0_usize..2000],
    ) {
        let mut builder = RecordBuilder::new("name");
        let mut expected: Vec<Flat> = Vec::new();
        for push in &pushed {
            let before = builder.encoded_len();
            let fits = builder.push_within(
                limit_bytes,
                push.labels.iter().map(|(name, value)| (name.as_str(), value.as_str())),
                push.kind,
                &push.unit,
                &push.help,
                push.points.iter().copied(),
            );
            if !fits {
                prop_assert_eq!(builder.encoded_len(), before);
                continue;
            }
            prop_assert!(builder.encoded_len() <= limit_bytes);
            let mut labels = push.labels.clone();
            labels.push(("__name__".to_owned(), "name".to_owned()));
            labels.sort();
            for point in &push.points {
                expected.push((
                    labels.clone(),
                    push.kind,
                    push.unit.clone(),
                    push.help.clone(),
                    flat(point),
                ));
            }
        }
        prop_assert_eq!(builder.samples() as usize, expected.len());
        let size = builder.encoded_len();
        let record = builder.finish();
        prop_assert_eq!(record.len(), size);

        let block = decode(Some(RW2), &record).unwrap();
        let mut read: Vec<Flat> = Vec::new();
        for series in block.iter() {
            for point in series.points() {
                read.push((
                    series.labels().map(|(n, v)| (n.to_owned(), v.to_owned())).collect(),
                    series.kind(),
                    series.unit().to_owned(),
                    series.help().to_owned(),
                    flat(point),
                ));
            }
        }
        prop_assert_eq!(read, expected);
        // Another implementation of the format agrees.
        let request = v2::Request::decode(record).unwrap();
        prop_assert_eq!(request.timeseries.len(), block.len());
    }
}

#[test]
fn the_samples_of_one_series_count_as_memory_that_is_kept() {
    let mut builder = RecordBuilder::new("cpu");
    let points = (0..1000).map(|at| point(at, 0.1));
    builder.push([], MetricType::Gauge, "", "", points);
    let written = builder.finish().len();
    assert!(builder.capacity() >= written, "{}", builder.capacity());
}
