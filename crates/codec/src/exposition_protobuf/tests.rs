//! What messages become.

mod messages;

use messages::{
    Bucket, Counter, Exemplar, Family, Gauge, Histogram, LabelPair, Metric, Quantile, Summary,
    Timestamp, Untyped,
};
use model::{Code, MetricType, Value};
use proptest::prelude::*;
use prost::Message;

use super::decode;
use crate::wire::v1;
use crate::{Decoded, Ignored};

const NOW_MS: i64 = 1_700_000_000_000;

fn body(families: &[Family]) -> Vec<u8> {
    let mut body = Vec::new();
    for family in families {
        family.encode_length_delimited(&mut body).unwrap();
    }
    body
}

fn family(name: &str, kind: i32, metric: Vec<Metric>) -> Family {
    Family {
        name: Some(name.to_owned()),
        help: Some("Help.".to_owned()),
        r#type: Some(kind),
        metric,
        unit: Some("s".to_owned()),
    }
}

fn labelled(name: &str, value: &str) -> Metric {
    Metric {
        label: vec![pair(name, value)],
        ..Metric::default()
    }
}

fn pair(name: &str, value: &str) -> LabelPair {
    LabelPair {
        name: Some(name.to_owned()),
        value: Some(value.to_owned()),
    }
}

fn exemplar(value: f64, at: Option<i64>) -> Exemplar {
    Exemplar {
        label: vec![pair("id", "x")],
        value: Some(value),
        timestamp: at.map(|seconds| Timestamp {
            seconds,
            nanos: 5_000_000,
        }),
    }
}

fn bucket(bound: f64, count: u64) -> Bucket {
    Bucket {
        cumulative_count: Some(count),
        upper_bound: Some(bound),
        ..Bucket::default()
    }
}

fn shown(decoded: &Decoded<'_>) -> Vec<String> {
    let batch = &decoded.batch;
    let lines = batch.samples().iter().map(|sample| {
        let series = batch.series(sample.series).unwrap();
        let mut line = format!("{} {}", sample.index, series.name);
        for label in batch.labels(series) {
            line += &format!(" {}={}", label.name, label.value);
        }
        line += &match sample.value {
            Value::Float(value) => format!(" {value}"),
            Value::Histogram(_) => " native".to_owned(),
            Value::Exemplar(number) => {
                let (exemplar, labels) = batch.exemplar(number).unwrap();
                format!(" exemplar {} {}", exemplar.value, labels[0].value)
            }
        };
        if sample.at_ms != NOW_MS {
            line += &format!(" @{}", sample.at_ms);
        }
        if sample.start_ms != 0 {
            line += &format!(" since {}", sample.start_ms);
        }
        assert_eq!((&*series.unit, &*series.help), ("s", "Help."));
        line + " " + series.kind.as_str()
    });
    lines.collect()
}

#[test]
fn classic_types_become_the_series_that_prometheus_makes_of_them() {
    let families = [
        family(
            "c",
            0,
            vec![Metric {
                counter: Some(Counter {
                    value: Some(1.5),
                    exemplar: Some(exemplar(0.5, Some(7))),
                    created_timestamp: Some(Timestamp {
                        seconds: 3,
                        nanos: 0,
                    }),
                }),
                ..labelled("a", "b")
            }],
        ),
        family(
            "g",
            1,
            vec![Metric {
                gauge: Some(Gauge { value: Some(-1.0) }),
                timestamp_ms: Some(1234),
                ..Metric::default()
            }],
        ),
        family(
            "s",
            2,
            vec![Metric {
                summary: Some(Summary {
                    sample_count: Some(2),
                    sample_sum: Some(3.5),
                    quantile: vec![
                        Quantile {
                            quantile: Some(0.5),
                            value: Some(1.0),
                        },
                        Quantile {
                            quantile: Some(1.0),
                            value: Some(f64::NAN),
                        },
                    ],
                    created_timestamp: None,
                }),
                ..labelled("a", "b")
            }],
        ),
        family(
            "u",
            3,
            vec![Metric {
                untyped: Some(Untyped { value: Some(4.0) }),
                ..Metric::default()
            }],
        ),
        family(
            "h",
            4,
            vec![Metric {
                histogram: Some(Histogram {
                    sample_count: Some(9),
                    sample_sum: Some(1.25),
                    bucket: vec![
                        Bucket {
                            exemplar: Some(exemplar(0.05, None)),
                            ..bucket(0.1, 4)
                        },
                        bucket(1.0, 8),
                    ],
                    ..Histogram::default()
                }),
                ..labelled("a", "b")
            }],
        ),
    ];
    let body = body(&families);
    let decoded = decode(&body, NOW_MS, 100).unwrap();
    assert_eq!((decoded.objects, decoded.refused.len()), (5, 0));
    assert_eq!(
        shown(&decoded),
        [
            "0 c a=b 1.5 since 3000 counter",
            "0 c a=b exemplar 0.5 x @7005 counter",
            "1 g -1 @1234 gauge",
            "2 s a=b quantile=0.5 1 summary",
            "2 s a=b quantile=1.0 NaN summary",
            "2 s_sum a=b 3.5 summary",
            "2 s_count a=b 2 summary",
            "3 u 4 unknown",
            "4 h_bucket a=b le=0.1 4 histogram",
            "4 h_bucket a=b le=0.1 exemplar 0.05 x histogram",
            "4 h_bucket a=b le=1.0 8 histogram",
            "4 h_bucket a=b le=+Inf 9 histogram",
            "4 h_sum a=b 1.25 histogram",
            "4 h_count a=b 9 histogram",
        ]
    );
}

fn native() -> Histogram {
    Histogram {
        sample_count: Some(6),
        sample_sum: Some(10.0),
        schema: Some(3),
        zero_threshold: Some(1e-128),
        zero_count: Some(1),
        positive_span: vec![
            v1::BucketSpan {
                offset: 0,
                length: 2,
            },
            v1::BucketSpan {
                offset: 3,
                length: 1,
            },
        ],
        positive_delta: vec![2, -1, 1],
        exemplars: vec![exemplar(1.0, Some(9)), exemplar(2.0, None)],
        ..Histogram::default()
    }
}

#[test]
fn a_native_histogram_is_kept_beside_its_classic_buckets() {
    let histogram = Histogram {
        bucket: vec![bucket(1.0, 6)],
        ..native()
    };
    let metrics = [native(), histogram].map(|histogram| Metric {
        histogram: Some(histogram),
        ..labelled("a", "b")
    });
    let body = body(&[family("h", 4, metrics.to_vec())]);
    let decoded = decode(&body, NOW_MS, 100).unwrap();
    assert_eq!(decoded.ignored, [(Ignored::Exemplar, 2)]);
    assert_eq!(
        shown(&decoded),
        [
            "0 h a=b native histogram",
            "0 h a=b exemplar 1 x @9005 histogram",
            "1 h_bucket a=b le=1.0 6 histogram",
            "1 h_bucket a=b le=+Inf 6 histogram",
            "1 h_sum a=b 10 histogram",
            "1 h_count a=b 6 histogram",
            "1 h a=b native histogram",
            "1 h a=b exemplar 1 x @9005 histogram",
        ]
    );
    let message = v1::Histogram::decode(decoded.batch.histogram(0)).unwrap();
    assert_eq!(
        message,
        v1::Histogram {
            count: Some(v1::Count::CountInt(6)),
            sum: 10.0,
            schema: 3,
            zero_threshold: 1e-128,
            zero_count: Some(v1::ZeroCount::ZeroCountInt(1)),
            positive_spans: native().positive_span,
            positive_deltas: vec![2, -1, 1],
            timestamp: NOW_MS,
            ..v1::Histogram::default()
        }
    );
}

#[test]
fn a_metric_that_cannot_be_is_refused_alone() {
    let gauge = || Metric {
        gauge: Some(Gauge { value: Some(1.0) }),
        ..Metric::default()
    };
    let of = |histogram| Metric {
        histogram: Some(histogram),
        ..Metric::default()
    };
    let families = [
        family("c", 0, vec![gauge()]),
        family("g", 1, vec![gauge()]),
        family("", 1, vec![gauge()]),
        family(
            "h",
            4,
            vec![
                of(Histogram {
                    bucket: vec![bucket(f64::NAN, 1)],
                    ..Histogram::default()
                }),
                of(Histogram {
                    schema: Some(9),
                    ..native()
                }),
                of(Histogram {
                    positive_delta: vec![2, -1],
                    ..native()
                }),
                of(Histogram {
                    positive_delta: vec![2, -3, 1],
                    ..native()
                }),
                of(Histogram {
                    sample_count: Some(7),
                    ..native()
                }),
                Metric {
                    histogram: Some(Histogram::default()),
                    ..labelled("le", "1")
                },
            ],
        ),
    ];
    let body = body(&families);
    let decoded = decode(&body, NOW_MS, 100).unwrap();
    assert_eq!((decoded.objects, decoded.batch.samples().len()), (9, 1));
    let told: Vec<String> = decoded
        .refused
        .iter()
        .map(|refused| {
            format!(
                "{} {} {}",
                refused.index, refused.metric_name, refused.refusal
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            "0 c the metric has no value of the type that its family has, which is counter",
            "2  the metric family has no name",
            "3 h the bound of a bucket is NaN",
            "4 h schema 9 is not known; it can be -4 to 8, or -53 for custom buckets",
            "5 h the positive spans have 3 buckets, but there are 2 deltas",
            "6 h a positive bucket has a negative count",
            "7 h the buckets have 6 observations, but count is 7",
            "8 h label \"le\" is reserved on a histogram",
        ]
    );
}

#[test]
fn a_family_without_metrics_describes_later_ones() {
    let body = body(&[family("c", 0, Vec::new())]);
    let decoded = decode(&body, NOW_MS, 10).unwrap();
    assert_eq!(decoded.objects, 0);
    assert_eq!(decoded.families[0].kind, MetricType::Counter);
}

#[test]
fn a_body_that_is_cut_off_is_refused_whole() {
    let families = [family("a", 0, Vec::new()), family("b", 0, Vec::new())];
    let mut body = body(&families);
    body.pop();
    let refusal = decode(&body, NOW_MS, 10).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "message 2 of the body is no MetricFamily after its length: a field breaks off"
    );
    assert_eq!(
        decode(b"# TYPE a counter\n", NOW_MS, 10).unwrap_err().code,
        Code::BodyInvalid
    );
}

#[test]
fn more_samples_than_may_be_are_refused_whole() {
    let histogram = Histogram {
        bucket: vec![bucket(0.1, 4); 5],
        ..Histogram::default()
    };
    let metric = Metric {
        histogram: Some(histogram),
        ..Metric::default()
    };
    let body = body(&[family("h", 4, vec![metric])]);
    for (max_samples, is_fine) in [(1, false), (4, false), (7, false), (8, true)] {
        assert_eq!(
            decode(&body, NOW_MS, max_samples).is_ok(),
            is_fine,
            "{max_samples}"
        );
    }
}

#[test]
fn a_short_body_does_not_become_a_large_batch() {
    let histogram = Histogram {
        bucket: vec![Bucket::default(); 100_000],
        ..Histogram::default()
    };
    let mut metric = Metric {
        histogram: Some(histogram),
        ..Metric::default()
    };
    metric.label = vec![pair("a", "b"); 1000];
    let body = body(&[family("h", 4, vec![metric])]);
    let decoded = decode(&body, NOW_MS, 500_000).unwrap();
    assert_eq!(decoded.refused[0].refusal.code, Code::HistogramInvalid);
    assert_eq!(decoded.batch.all_series().len(), 0);
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        drop(decode(&bytes, NOW_MS, 100));
    }

    #[test]
    fn mutated_bodies_never_panic(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        let metric = Metric {
            histogram: Some(Histogram { bucket: vec![bucket(1.0, 6)], ..native() }),
            ..labelled("a", "b")
        };
        let mut body = body(&[family("h", 4, vec![metric.clone(), metric])]);
        for (at, byte) in changes {
            let at = at.index(body.len());
            body[at] = byte;
        }
        if let Ok(decoded) = decode(&body, NOW_MS, 100) {
            prop_assert!(decoded.refused.len() <= decoded.objects as usize);
        }
    }

    #[test]
    fn numbers_come_back_as_they_were(value: f64, at_ms: i64, name in "[a-z.ü]{1,9}", label in "\\PC{0,9}") {
        let metric = Metric {
            gauge: Some(Gauge { value: Some(value) }),
            timestamp_ms: Some(at_ms),
            ..labelled("l", &label)
        };
        let body = body(&[family(&name, 1, vec![metric])]);
        let decoded = decode(&body, NOW_MS, 100).unwrap();
        let sample = decoded.batch.samples()[0];
        let series = decoded.batch.series(sample.series).unwrap();
        prop_assert_eq!(&series.name, &name);
        prop_assert_eq!(&decoded.batch.labels(series)[0].value, &label);
        prop_assert_eq!(sample.at_ms, at_ms);
        let Value::Float(found) = sample.value else { panic!("a gauge") };
        prop_assert_eq!(found.to_bits(), value.to_bits());
    }
}
