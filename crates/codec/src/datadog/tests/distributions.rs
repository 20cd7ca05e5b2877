//! Sketches and distribution points, and the native histograms that they become.

use prost::Message as _;

use super::messages::{Dogsketch, Sketch, SketchPayload};
use super::{Decoded, OPTIONS, decode_distributions, decode_sketches, shown};
use crate::wire::v1::{Count, Histogram, ZeroCount};

/// The message of the only sample.
fn histogram(decoded: &Decoded<'_>) -> Histogram {
    assert_eq!(decoded.objects, 1);
    Histogram::decode(decoded.batch.histogram(0)).unwrap()
}

/// Buckets by the middle of their bounds.
fn buckets(histogram: &Histogram) -> Vec<(f64, i64)> {
    let (mut at, mut count) = (0, 0);
    let mut deltas = histogram.positive_deltas.iter();
    let mut buckets = Vec::new();
    for span in &histogram.positive_spans {
        at += span.offset;
        for _ in 0..span.length {
            count += deltas.next().unwrap();
            let upper = (f64::from(at) / 32.0).exp2();
            buckets.push((upper * (1.0 - 1.0 / 92.0), count));
            at += 1;
        }
    }
    assert_eq!(deltas.next(), None);
    buckets
}

#[test]
fn a_sketch_becomes_a_native_histogram_of_the_same_distribution() {
    // The mapping library's own case: 17 observations from 8 to 21, the median 13.18.
    let sketch = Dogsketch {
        ts: 1_700_000_000,
        cnt: 17,
        min: 8.0,
        max: 21.0,
        avg: 14.0,
        sum: 238.0,
        k: vec![
            0, 1472, 1473, 1479, 1480, 1503, 1504, 1512, 1513, 1514, 1515, 1531, 1532,
        ],
        n: vec![0, 0, 1, 0, 1, 4, 6, 1, 2, 0, 1, 0, 1],
    };
    let body = SketchPayload {
        sketches: vec![Sketch {
            metric: "request.duration".into(),
            host: "web-1".into(),
            tags: vec!["env:prod".into()],
            dogsketches: vec![sketch.clone()],
        }],
    };
    let body = body.encode_to_vec();
    let decoded = decode_sketches(&body, OPTIONS).unwrap();
    assert_eq!(
        shown(&decoded),
        [r#"0: request.duration{host="web-1",env="prod"} Histogram(0) @1700000000000"#]
    );
    assert_eq!(
        decoded.batch.all_series()[0].kind.as_str(),
        "gaugehistogram"
    );
    let found = histogram(&decoded);
    assert_eq!(
        (found.count, found.sum, found.timestamp, found.reset_hint),
        (Some(Count::CountInt(17)), 238.0, 1_700_000_000_000, 3)
    );
    let mut observations: Vec<f64> = Vec::new();
    for (middle, count) in buckets(&found) {
        observations.extend(std::iter::repeat_n(middle, usize::try_from(count).unwrap()));
    }
    assert_eq!(observations.len(), 17);
    for (at, value) in [(0, 8.0), (8, 13.18), (16, 20.5)] {
        assert!(
            (observations[at] / value - 1.0).abs() < 0.035,
            "{observations:?}"
        );
    }
}

#[test]
fn a_sketch_that_contradicts_itself_is_refused() {
    let sketch = Dogsketch {
        ts: 1,
        cnt: 3,
        k: vec![1338, 1339],
        n: vec![1, 2],
        ..Dogsketch::default()
    };
    let shown_of = |sketch: Dogsketch| {
        let body = SketchPayload {
            sketches: vec![Sketch {
                metric: "x".into(),
                dogsketches: vec![sketch],
                ..Sketch::default()
            }],
        };
        shown(&decode_sketches(&body.encode_to_vec(), OPTIONS).unwrap())
    };
    assert_eq!(shown_of(sketch.clone()), ["0: x{} Histogram(0) @1000"]);
    assert_eq!(
        shown_of(Dogsketch {
            cnt: 4,
            ..sketch.clone()
        }),
        ["0! x histogram_invalid: the sketch's count is 4, but its buckets have 3 observations"]
    );
    assert_eq!(
        shown_of(Dogsketch {
            k: vec![1338],
            ..sketch
        }),
        ["0! x histogram_invalid: the sketch has 1 keys, but 2 counts"]
    );
    assert_eq!(shown_of(Dogsketch::default()), ["ignored 1 no_value"]);
}

#[test]
fn the_ends_of_a_sketch_have_buckets_too() {
    let sketch = Dogsketch {
        ts: 1,
        cnt: 10,
        k: vec![i32::MIN, -1338, 0, 1, 1338, i32::MAX],
        n: vec![1, 2, 1, 1, 2, 3],
        ..Dogsketch::default()
    };
    let body = SketchPayload {
        sketches: vec![Sketch {
            metric: "x".into(),
            dogsketches: vec![sketch],
            ..Sketch::default()
        }],
    };
    let body = body.encode_to_vec();
    let found = histogram(&decode_sketches(&body, OPTIONS).unwrap());
    assert_eq!(found.zero_count, Some(ZeroCount::ZeroCountInt(1)));
    assert_eq!(found.negative_deltas, [2, -1]);
    assert_eq!(found.positive_deltas, [1, 1, 1]);
    let at: Vec<f64> = buckets(&found)
        .into_iter()
        .map(|(middle, _)| middle)
        .collect();
    assert!(
        at[0] < 1.1e-9 && (0.97..1.0).contains(&at[1]) && at[2] > 1e200,
        "{at:?}"
    );
}

#[test]
fn distribution_points_become_native_histograms() {
    let body = r#"{"series":[{"metric":"x","host":"h","tags":["a:b"],"type":"distribution",
        "points":[[1700000000.5,[1,2.0,0,-1,"2"]]]}]}"#;
    let decoded = decode_distributions(body.as_bytes(), OPTIONS).unwrap();
    assert_eq!(
        shown(&decoded),
        [r#"0: x{host="h",a="b"} Histogram(0) @1700000000500"#]
    );
    let found = histogram(&decoded);
    assert_eq!((found.count, found.sum), (Some(Count::CountInt(5)), 4.0));
    assert_eq!(found.zero_count, Some(ZeroCount::ZeroCountInt(1)));
    assert_eq!(
        (found.negative_deltas, found.positive_deltas),
        (vec![1], vec![1, 1])
    );
    assert_eq!(found.positive_spans[0].offset, 0);
    let body = r#"{"series":[{"metric":"x","points":[[1,[]],[1,["a"]],[1,3],7,[1]]}]}"#;
    assert_eq!(
        shown(&decode_distributions(body.as_bytes(), OPTIONS).unwrap()),
        [
            r#"0! x value_invalid: one of a point's values is the string "a", not a number"#,
            "1! x value_invalid: a point's values are the number 3, not an array of numbers",
            "2! x sample_invalid: a point is the number 7, not a timestamp and an array of values",
            "3! x value_missing: a point has no values",
            "ignored 1 no_value",
        ]
    );
}
