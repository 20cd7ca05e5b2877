//! Series, samples, histograms and exemplars.

use super::*;
use crate::wire::v1::{BucketSpan, Count, Histogram};

fn one(labels: Vec<v1::Label>) -> Vec<u8> {
    of_series(vec![
        v1::TimeSeries {
            labels,
            samples: vec![sample(1.0, 5), sample(2.0, 6)],
            ..v1::TimeSeries::default()
        },
        v1::TimeSeries {
            labels: named("good"),
            samples: vec![sample(3.0, 7)],
            ..v1::TimeSeries::default()
        },
    ])
}

#[test]
fn a_bad_series_is_refused_sample_by_sample_beside_good_ones() {
    for (labels, name, code, message) in [
        (
            vec![label("host", "a")],
            "",
            Code::MetricNameMissing,
            "the series has no label \"__name__\"",
        ),
        (
            vec![],
            "",
            Code::MetricNameMissing,
            "the series has no label \"__name__\"",
        ),
        (
            vec![label("__name__", "")],
            "",
            Code::MetricNameMissing,
            "the series has no label \"__name__\"",
        ),
        (
            vec![label("__name__", "up"), label("__name__", "down")],
            "down",
            Code::LabelDuplicate,
            "label \"__name__\" appears twice",
        ),
        (
            (0..32)
                .map(|number| label(&format!("l{number}"), "x"))
                .chain([label("__name__", "wide")])
                .collect(),
            "wide",
            Code::TooManyLabels,
            "the series has 32 labels, the limit is 30",
        ),
    ] {
        let body = one(labels);
        let decoded = v1_of(&body);
        assert_eq!(
            refusals(&decoded),
            [(0, name, code, message), (1, name, code, message)]
        );
        assert_eq!(shown(&decoded.batch), ["good{host=a} 3 @7"]);
        assert_eq!((decoded.objects, decoded.batch.samples()[0].index), (3, 2));
    }
}

#[test]
fn a_label_that_is_no_text_refuses_its_series_alone() {
    let mut body = one(named("up"));
    let at = body.windows(2).position(|bytes| bytes == b"up").unwrap();
    body[at] = 0xff;
    let decoded = v1_of(&body);
    assert_eq!(refusals(&decoded)[0].2, Code::LabelsInvalid);
    assert_eq!(refusals(&decoded)[0].3, "a label's value is not UTF-8");
    assert_eq!(shown(&decoded.batch), ["good{host=a} 3 @7"]);
}

#[test]
fn a_stale_marker_keeps_its_bits() {
    let stale = f64::from_bits(0x7ff0_0000_0000_0002);
    let body = of_series(vec![v1::TimeSeries {
        labels: named("up"),
        samples: vec![sample(stale, 5)],
        ..v1::TimeSeries::default()
    }]);
    let decoded = v1_of(&body);
    let Value::Float(value) = decoded.batch.samples()[0].value else {
        panic!("a float");
    };
    assert_eq!(value.to_bits(), stale.to_bits());
}

#[test]
fn bad_references_refuse_their_series() {
    for (refs, message) in [
        (vec![1, 2, 3, 9], "symbol 9 is not one of the 5 symbols"),
        (
            vec![1, 2, 3],
            "label \"host\" has no reference to its value",
        ),
    ] {
        let mut request = Request::default();
        request.refs(&[("__name__", "up"), ("host", "a")]);
        request.series(&[]).samples = vec![point(1.0, 5, 0)];
        request.0.timeseries[0].labels_refs = refs;
        request.series(&[("__name__", "up")]).samples = vec![point(2.0, 5, 0)];
        let body = request.body();
        let decoded = v2_of(&body);
        assert_eq!(
            refusals(&decoded),
            [(0, "up", Code::LabelsInvalid, message)]
        );
        assert_eq!(shown(&decoded.batch), ["up{} 2 @5"]);
    }
    let mut request = Request::default();
    let series = request.series(&[("__name__", "up")]);
    series.samples = vec![point(1.0, 5, 0)];
    series.metadata = Some(v2::Metadata {
        r#type: 1,
        help_ref: 77,
        unit_ref: 0,
    });
    let body = request.body();
    assert_eq!(
        refusals(&v2_of(&body)),
        [(
            0,
            "up",
            Code::MetadataInvalid,
            "symbol 77 is not one of the 3 symbols"
        )]
    );
}

#[test]
fn the_start_time_is_taken_from_where_it_stands() {
    let mut request = Request::default();
    let series = request.series(&[("__name__", "up")]);
    series.samples = vec![point(1.0, 50, 7), point(2.0, 60, 0)];
    series.created_timestamp = 3;
    let body = request.body();
    assert_eq!(
        shown(&v2_of(&body).batch),
        ["up{} 1 @50 since 7", "up{} 2 @60 since 3"]
    );
    for (own, expected) in [(0, 3), (9, 9)] {
        let mut request = Request::default();
        let series = request.series(&[("__name__", "up")]);
        series.histograms = vec![Histogram {
            timestamp: 50,
            start_timestamp: own,
            ..Histogram::default()
        }];
        series.created_timestamp = 3;
        let body = request.body();
        let decoded = v2_of(&body);
        let message: Histogram = prost::Message::decode(decoded.batch.histogram(0)).unwrap();
        assert_eq!((message.timestamp, message.start_timestamp), (50, expected));
    }
}

#[test]
fn a_series_is_described_by_its_metadata() {
    let long = "x".repeat(2000);
    let mut request = Request::default();
    let (help, unit, too_long) = (
        request.number("Bytes sent."),
        request.number("bytes"),
        request.number(&long),
    );
    for help_ref in [help, too_long] {
        let series = request.series(&[("__name__", "sent_bytes_total")]);
        series.samples = vec![point(1.0, 5, 0)];
        series.metadata = Some(v2::Metadata {
            r#type: 1,
            help_ref,
            unit_ref: unit,
        });
    }
    let body = request.body();
    let decoded = v2_of(&body);
    let described: Vec<_> = decoded
        .batch
        .all_series()
        .iter()
        .map(|series| {
            (
                series.kind.as_str(),
                series.unit.as_ref(),
                series.help.as_ref(),
            )
        })
        .collect();
    assert_eq!(
        described,
        [
            ("counter", "bytes", "Bytes sent."),
            ("counter", "bytes", "")
        ]
    );
    assert_eq!(decoded.ignored, [(Ignored::Metadata, 1)]);
}

#[test]
fn exemplars_come_beside_samples_and_alone() {
    let exemplar = |labels| v1::Exemplar {
        labels,
        value: 0.5,
        timestamp: 4,
    };
    let body = of_series(vec![
        v1::TimeSeries {
            labels: named("up"),
            samples: vec![sample(1.0, 5)],
            exemplars: vec![exemplar(vec![label("trace_id", "abc")])],
            ..v1::TimeSeries::default()
        },
        v1::TimeSeries {
            labels: named("up"),
            exemplars: vec![exemplar(vec![])],
            ..v1::TimeSeries::default()
        },
        v1::TimeSeries {
            labels: vec![label("host", "nameless")],
            exemplars: vec![exemplar(vec![])],
            ..v1::TimeSeries::default()
        },
        v1::TimeSeries {
            labels: named("up"),
            exemplars: vec![exemplar(vec![label("x", "y"); 65])],
            ..v1::TimeSeries::default()
        },
    ]);
    let decoded = v1_of(&body);
    assert_eq!(
        shown(&decoded.batch),
        [
            "up{host=a} 1 @5",
            "up{host=a} exemplar 0.5{trace_id=abc} @4",
            "up{host=a} exemplar 0.5{} @4"
        ]
    );
    assert_eq!(decoded.objects, 1);
    assert_eq!(decoded.ignored, [(Ignored::Exemplar, 2)]);

    let mut request = Request::default();
    let labels_refs = request.refs(&[("trace_id", "abc")]);
    let bad = vec![99, 1];
    request.series(&[("__name__", "up")]).exemplars = [labels_refs, bad]
        .map(|labels_refs| v2::Exemplar {
            labels_refs,
            value: 0.5,
            timestamp: 4,
        })
        .to_vec();
    let body = request.body();
    let decoded = v2_of(&body);
    assert_eq!(
        shown(&decoded.batch),
        ["up{} exemplar 0.5{trace_id=abc} @4"]
    );
    assert_eq!(decoded.ignored, [(Ignored::Exemplar, 1)]);
}

#[test]
fn histograms_are_taken_as_they_are_and_bad_ones_refused() {
    let good = Histogram {
        count: Some(Count::CountInt(3)),
        sum: 1.5,
        schema: 2,
        positive_spans: vec![BucketSpan {
            offset: -1,
            length: 2,
        }],
        positive_deltas: vec![1, 1],
        timestamp: 9,
        ..Histogram::default()
    };
    let bad = Histogram {
        count: Some(Count::CountInt(4)),
        ..good.clone()
    };
    let body = of_series(vec![v1::TimeSeries {
        labels: named("latency"),
        histograms: vec![good.clone(), bad],
        ..v1::TimeSeries::default()
    }]);
    let decoded = v1_of(&body);
    assert_eq!(shown(&decoded.batch), ["latency{host=a} histogram @9"]);
    assert_eq!(decoded.batch.histogram(0), encoded(&good));
    assert_eq!(
        refusals(&decoded),
        [(
            1,
            "latency",
            Code::HistogramInvalid,
            "the buckets have 3 observations, but count is 4"
        )]
    );
}
