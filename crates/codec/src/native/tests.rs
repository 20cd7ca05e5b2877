//! The rules of native histograms, as Prometheus has them, and their classic form.

use proptest::prelude::*;
use prost::Message as _;

use super::*;
use crate::wire::v1::{BucketSpan, Count, Histogram, ZeroCount};

fn span(offset: i32, length: u32) -> BucketSpan {
    BucketSpan { offset, length }
}

/// Two positive, two negative buckets and the zero bucket; 1 + 3 + 2 + 1 + 4 observations.
fn good() -> Histogram {
    Histogram {
        count: Some(Count::CountInt(11)),
        sum: 7.5,
        schema: 0,
        zero_threshold: 0.001,
        zero_count: Some(ZeroCount::ZeroCountInt(4)),
        positive_spans: vec![span(0, 1), span(1, 1)],
        positive_deltas: vec![1, 2],
        negative_spans: vec![span(0, 2)],
        negative_deltas: vec![2, -1],
        timestamp: 5,
        ..Histogram::default()
    }
}

fn floats() -> Histogram {
    Histogram {
        count: Some(Count::CountFloat(3.5)),
        positive_spans: vec![span(0, 2)],
        positive_counts: vec![1.5, 2.0],
        ..Histogram::default()
    }
}

fn custom() -> Histogram {
    Histogram {
        count: Some(Count::CountInt(6)),
        sum: 12.0,
        schema: CUSTOM_BUCKETS,
        positive_spans: vec![span(0, 3)],
        positive_deltas: vec![1, 1, 1],
        custom_values: vec![0.5, 1.0],
        ..Histogram::default()
    }
}

#[track_caller]
fn is_good(histogram: &Histogram) -> Checked {
    check(&histogram.encode_to_vec()).unwrap()
}

#[track_caller]
fn is_bad(histogram: &Histogram, why: &str) {
    assert_eq!(check(&histogram.encode_to_vec()), Err(why.to_owned()));
}

#[test]
fn good_ones_pass() {
    let checked = is_good(&good());
    assert_eq!(
        (checked.at_ms, checked.has_start, checked.buckets),
        (5, false, 4)
    );
    is_good(&floats());
    is_good(&custom());
    is_good(&Histogram::default());
    // Observations that are NaN are counted, and in no bucket.
    is_good(&Histogram {
        count: Some(Count::CountInt(20)),
        sum: f64::NAN,
        ..good()
    });
    assert!(
        is_good(&Histogram {
            start_timestamp: 1,
            ..good()
        })
        .has_start
    );
}

#[test]
fn a_count_must_fit_the_buckets() {
    is_bad(
        &Histogram {
            count: Some(Count::CountInt(12)),
            ..good()
        },
        "the buckets have 11 observations, but count is 12",
    );
    is_bad(
        &Histogram {
            count: Some(Count::CountInt(10)),
            sum: f64::NAN,
            ..good()
        },
        "the buckets have 11 observations, but count is 10",
    );
    is_bad(
        &Histogram {
            positive_deltas: vec![i64::MAX, 1],
            ..good()
        },
        "the buckets' counts together have more than 64 bits",
    );
}

#[test]
fn counts_are_not_negative() {
    is_bad(
        &Histogram {
            positive_deltas: vec![1, -2],
            ..good()
        },
        "a positive bucket has a negative count",
    );
    is_bad(
        &Histogram {
            count: Some(Count::CountFloat(-1.0)),
            ..floats()
        },
        "count is -1; it cannot be negative",
    );
    is_bad(
        &Histogram {
            positive_counts: vec![1.0, -0.5],
            ..floats()
        },
        "a positive bucket has a negative count",
    );
    is_bad(
        &Histogram {
            zero_count: Some(ZeroCount::ZeroCountFloat(-2.0)),
            ..floats()
        },
        "zero_count is -2; it cannot be negative",
    );
}

#[test]
fn spans_and_buckets_must_match() {
    is_bad(
        &Histogram {
            positive_spans: vec![span(0, 3)],
            ..good()
        },
        "the positive spans have 3 buckets, but there are 2 deltas",
    );
    is_bad(
        &Histogram {
            negative_spans: vec![],
            ..good()
        },
        "the negative spans have 0 buckets, but there are 2 deltas",
    );
    is_bad(
        &Histogram {
            positive_spans: vec![span(0, 1), span(-1, 1)],
            ..good()
        },
        "a positive span behind the first has a negative offset",
    );
    is_bad(
        &Histogram {
            positive_spans: vec![span(i32::MAX, 1), span(i32::MAX, 1)],
            ..good()
        },
        "the positive spans reach beyond 32-bit indices",
    );
    // Counts of the other kind are none.
    is_bad(
        &Histogram {
            positive_deltas: vec![1, 2],
            positive_counts: vec![],
            ..floats()
        },
        "the positive spans have 2 buckets, but there are 0 counts",
    );
}

#[test]
fn the_schema_is_one_that_there_is() {
    for schema in [-4, 8] {
        is_good(&Histogram { schema, ..good() });
    }
    for schema in [-5, 9, -52, -54] {
        is_bad(
            &Histogram { schema, ..good() },
            &format!("schema {schema} is not known; it can be -4 to 8, or -53 for custom buckets"),
        );
    }
}

#[test]
fn custom_bounds_rise_and_cover_the_spans() {
    for (custom_values, why) in [
        (
            vec![1.0, 1.0],
            "custom bounds must rise, each above the one before it",
        ),
        (vec![1.0, f64::NAN], "a custom bound is NaN"),
        (
            vec![1.0, f64::INFINITY],
            "the custom bound +Inf is implied and must not be listed",
        ),
        (
            vec![1.0],
            "1 custom bounds make 2 buckets, but the spans reach 3",
        ),
    ] {
        is_bad(
            &Histogram {
                custom_values,
                ..custom()
            },
            why,
        );
    }
    is_bad(
        &Histogram {
            zero_threshold: 0.1,
            ..custom()
        },
        "custom buckets have no zero bucket",
    );
    is_bad(
        &Histogram {
            negative_spans: vec![span(0, 1)],
            negative_deltas: vec![1],
            ..custom()
        },
        "custom buckets have no negative ones",
    );
    is_bad(
        &Histogram {
            positive_spans: vec![span(-1, 3)],
            ..custom()
        },
        "the first span of custom buckets has a negative offset",
    );
    is_bad(
        &Histogram {
            custom_values: vec![1.0],
            ..good()
        },
        "custom_values belong to schema -53, and this one has schema 0",
    );
}

#[test]
fn what_is_no_message_is_refused() {
    assert_eq!(
        check(b"\x21\x00"),
        Err("the histogram is malformed: a field breaks off".to_owned())
    );
    assert_eq!(
        check(b"\x0a\x00"),
        Err("the histogram is malformed: a field has another type than it should".to_owned())
    );
}

#[test]
fn the_classic_form_keeps_both_bounds_of_each_bucket() {
    let classic = classic(&good().encode_to_vec()).unwrap();
    assert_eq!(
        classic.buckets,
        [
            (-2.0, 0.0),
            (-1.0, 1.0),
            (-0.5, 3.0),
            (-0.001, 3.0),
            (0.001, 7.0),
            (0.5, 7.0),
            (1.0, 8.0),
            (2.0, 8.0),
            (4.0, 11.0),
            (f64::INFINITY, 11.0)
        ]
    );
    assert_eq!((classic.sum, classic.count), (7.5, 11.0));
}

#[test]
fn custom_buckets_are_classic_ones() {
    let classic = classic(&custom().encode_to_vec()).unwrap();
    assert_eq!(
        classic.buckets,
        [(0.5, 1.0), (1.0, 3.0), (f64::INFINITY, 6.0)]
    );
}

#[test]
fn bounds_are_powers_of_two_and_parts_of_them() {
    // One bucket: its lower bound, its upper bound, and infinity.
    for (schema, index, lower, upper) in [
        (0, 1, 1.0, 2.0),
        (-1, 2, 4.0, 16.0),
        (1, 1, 1.0, 2_f64.sqrt()),
        (3, 1, 1.0, 1.090_507_732_665_257_7),
        (0, 1024, 2_f64.powi(1023), f64::MAX),
        (0, -1073, 0.0, 2_f64.powi(-537) * 2_f64.powi(-537)),
    ] {
        let histogram = Histogram {
            count: Some(Count::CountInt(1)),
            schema,
            positive_spans: vec![span(index, 1)],
            positive_deltas: vec![1],
            ..Histogram::default()
        };
        let classic = classic(&histogram.encode_to_vec()).unwrap();
        let [(low, 0.0), (high, 1.0), (f64::INFINITY, 1.0)] = classic.buckets[..] else {
            panic!("{classic:?}");
        };
        if index > -1073 {
            assert!((low - lower).abs() <= lower * 1e-15, "{low} {lower}");
            assert!((high - upper).abs() <= upper * 1e-15, "{high} {upper}");
        }
    }
}

#[test]
fn a_stale_marker_is_one_in_every_number() {
    let stale = f64::from_bits(0x7ff0_0000_0000_0002);
    let histogram = Histogram {
        sum: stale,
        ..Histogram::default()
    };
    is_good(&histogram);
    let classic = classic(&histogram.encode_to_vec()).unwrap();
    for number in [classic.sum, classic.count, classic.buckets[0].1] {
        assert_eq!(number.to_bits(), stale.to_bits());
    }
}

fn record(classic: &Classic) -> Vec<u8> {
    crate::json::histogram(
        "latency",
        [("host", "a")],
        1_700_000_000_000,
        classic,
        "",
        "",
    )
}

#[test]
fn a_json_record_of_one_is_the_classic_series() {
    let value = record(&classic(&custom().encode_to_vec()).unwrap());
    assert_eq!(
        String::from_utf8(value.clone()).unwrap(),
        r#"{"metric_name":"latency","timestamp":1700000000000,"value":{"buckets":{"0.5":1,"1.0":3,"+Inf":6},"sum":12,"count":6},"labels":{"host":"a"},"type":"histogram"}"#
    );
    let block = crate::record::decode(Some(b"application/json"), &value.into()).unwrap();
    let series: Vec<_> = block
        .iter()
        .map(|series| (series.name().to_owned(), series.points()[0].value))
        .collect();
    assert_eq!(
        series,
        [
            ("latency_bucket".to_owned(), 1.0),
            ("latency_bucket".to_owned(), 3.0),
            ("latency_bucket".to_owned(), 6.0),
            ("latency_sum".to_owned(), 12.0),
            ("latency_count".to_owned(), 6.0)
        ]
    );
}

#[test]
fn a_stale_marker_survives_a_json_record() {
    let stale = f64::from_bits(0x7ff0_0000_0000_0002);
    let value = record(&Classic {
        buckets: vec![(f64::INFINITY, stale)],
        sum: stale,
        count: stale,
    });
    let block = crate::record::decode(None, &value.into()).unwrap();
    assert_eq!(block.len(), 3);
    for series in block.iter() {
        assert_eq!(series.points()[0].value.to_bits(), stale.to_bits());
    }
}

proptest! {
    #[test]
    fn any_bytes_are_checked_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        if check(&bytes).is_ok() {
            prop_assert!(classic(&bytes).is_some());
        }
    }

    #[test]
    fn whatever_passes_is_a_record_that_can_be_read(
        schema in -4..=8, zero in 0..5_u64, offset in -2000..2000, counts in prop::collection::vec(0..9_i64, 0..40),
    ) {
        let total: i64 = counts.iter().sum();
        let mut before = 0;
        let deltas: Vec<i64> = counts.iter().map(|count| { let delta = count - before; before = *count; delta }).collect();
        let length = u32::try_from(counts.len()).unwrap();
        let histogram = Histogram {
            count: Some(Count::CountInt(u64::try_from(2 * total).unwrap() + zero)),
            schema,
            zero_threshold: 1e-9,
            zero_count: Some(ZeroCount::ZeroCountInt(zero)),
            positive_spans: vec![span(offset, length)],
            positive_deltas: deltas.clone(),
            negative_spans: vec![span(offset, length)],
            negative_deltas: deltas,
            ..Histogram::default()
        };
        let message = histogram.encode_to_vec();
        prop_assert_eq!(check(&message).map(|checked| checked.buckets), Ok(2 * counts.len()));
        let classic = classic(&message).unwrap();
        prop_assert!(classic.buckets.len() <= 4 * counts.len() + 3);
        prop_assert!(crate::record::decode(None, &record(&classic).into()).is_ok());
    }
}
