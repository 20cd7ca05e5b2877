//! Histograms, exponential histograms and summaries.

use prost::Message as _;

use super::*;
use crate::wire::v1::{BucketSpan, Count, Histogram, ZeroCount};

fn histogram(temporality: u8, point: &Json) -> Json {
    json!([{"name": "http.server.duration", "unit": "s", "histogram": {
        "aggregationTemporality": temporality, "dataPoints": [point]
    }}])
}

#[test]
fn a_histogram_becomes_the_classic_series() {
    let point = json!({"timeUnixNano": AT_NS, "startTimeUnixNano": START_NS, "count": "6", "sum": 7.5,
        "bucketCounts": ["1", "2", "3"], "explicitBounds": [0.1, 2], "attributes": [attribute("le", "own")],
        "exemplars": [{"asDouble": 1.5, "traceId": "01"}, {"asInt": 9}, {"traceId": "02"}]});
    check(
        &histogram(2, &point),
        &[
            "http_server_duration_seconds_bucket{le=\"0.1\"} 1 from 1000000 histogram",
            "http_server_duration_seconds_bucket{le=\"2\"} 3 from 1000000 histogram",
            "http_server_duration_seconds_bucket{le=\"+Inf\"} 6 from 1000000 histogram",
            "http_server_duration_seconds_sum{le=\"own\"} 7.5 from 1000000 histogram",
            "http_server_duration_seconds_count{le=\"own\"} 6 from 1000000 histogram",
            "http_server_duration_seconds_bucket{le=\"2\"} exemplar 1.5 {trace_id=\"01\"} histogram",
            "http_server_duration_seconds_bucket{le=\"+Inf\"} exemplar 9 {} histogram",
        ],
    );
}

#[test]
fn a_histogram_may_lack_its_sum_and_its_buckets() {
    check(
        &histogram(2, &json!({"timeUnixNano": AT_NS, "count": 6})),
        &[
            "http_server_duration_seconds_bucket{le=\"+Inf\"} 6 histogram",
            "http_server_duration_seconds_count{} 6 histogram",
        ],
    );
    // A bound of its own for what the count says anyway.
    let point = json!({"timeUnixNano": AT_NS, "count": 3, "bucketCounts": [1, 2, 0], "explicitBounds": [1, "Infinity"], "flags": 1});
    check(
        &histogram(2, &point),
        &[
            "http_server_duration_seconds_bucket{le=\"1\"} stale histogram",
            "http_server_duration_seconds_bucket{le=\"+Inf\"} stale histogram",
            "http_server_duration_seconds_count{} stale histogram",
        ],
    );
}

#[test]
fn histograms_that_contradict_themselves_are_refused() {
    for (counts, bounds, count, expected) in [
        (json!([1, 2]), json!([1, 2]), 3, "bucket_counts has 2"),
        (json!([]), json!([1]), 3, "bucket_counts has 0"),
        (json!([1, 1, 1]), json!([2, 1]), 3, "do not rise"),
        (json!([1, 1, 1]), json!([1, 1]), 3, "do not rise"),
        (json!([1, 1]), json!(["NaN"]), 2, "do not rise"),
        (json!([1, 2]), json!([1]), 2, "more than count, which is 2"),
        (
            json!(["18446744073709551615", 2]),
            json!([1]),
            2,
            "more than count",
        ),
    ] {
        let point = json!({"timeUnixNano": AT_NS, "count": count, "bucketCounts": counts, "explicitBounds": bounds});
        check_refused(&histogram(2, &point), Code::HistogramInvalid, expected);
    }
}

#[test]
fn delta_histograms_are_added_up_until_their_bounds_change() {
    let deltas = deltas();
    let push = |at_s: u64, bounds: Json| {
        let at_ns = (1_700_000_000 + at_s) * 1_000_000_000;
        let point = json!({"timeUnixNano": at_ns, "startTimeUnixNano": at_ns - 1_000_000_000, "count": 3, "sum": 4,
            "bucketCounts": [1, 2], "explicitBounds": bounds});
        let body = request(&json!([]), &histogram(1, &point));
        lines(&translate(&body, &options(), &deltas).batch).join("\n")
    };
    push(0, json!([1]));
    assert_eq!(
        push(1, json!([1])),
        "http_server_duration_seconds_bucket{le=\"1\"} 2 from 2000 histogram\n\
         http_server_duration_seconds_bucket{le=\"+Inf\"} 6 from 2000 histogram\n\
         http_server_duration_seconds_sum{} 8 from 2000 histogram\n\
         http_server_duration_seconds_count{} 6 from 2000 histogram"
    );
    assert!(push(2, json!([5])).ends_with("_count{} 3 from 1000 histogram"));
}

#[test]
fn a_summary_becomes_a_series_per_quantile() {
    let point = json!({"timeUnixNano": AT_NS, "count": 4, "sum": 2.5,
        "quantileValues": [{"quantile": 0.5, "value": 0.25}, {"quantile": 1, "value": "NaN"}]});
    let metrics = json!([{"name": "rpc", "summary": {"dataPoints": [point]}}]);
    check(
        &metrics,
        &[
            "rpc{quantile=\"0.5\"} 0.25 summary",
            "rpc{quantile=\"1\"} NaN summary",
            "rpc_sum{} 2.5 summary",
            "rpc_count{} 4 summary",
        ],
    );
    let point = json!({"timeUnixNano": AT_NS, "quantileValues": [{"quantile": 1.5}]});
    let metrics = json!([{"name": "rpc", "summary": {"dataPoints": [point]}}]);
    check_refused(&metrics, Code::SummaryInvalid, "1.5");
}

fn exponential(temporality: u8, point: &Json) -> Json {
    json!([{"name": "size", "unit": "By", "exponentialHistogram": {
        "aggregationTemporality": temporality, "dataPoints": [point]
    }}])
}

fn native(decoded: &Decoded<'_>) -> Histogram {
    assert_eq!(decoded.refused, []);
    Histogram::decode(decoded.batch.histogram(0)).unwrap()
}

fn span(offset: i32, length: u32) -> BucketSpan {
    BucketSpan { offset, length }
}

/// Buckets of a native histogram by their index.
fn counts(spans: &[BucketSpan], deltas: &[i64]) -> Vec<(i32, i64)> {
    let (mut index, mut count, mut deltas) = (0, 0, deltas.iter());
    let mut buckets = Vec::new();
    for span in spans {
        index += span.offset;
        for _ in 0..span.length {
            count += deltas.next().unwrap();
            if count != 0 {
                buckets.push((index, count));
            }
            index += 1;
        }
    }
    assert_eq!(deltas.next(), None);
    buckets
}

#[test]
fn an_exponential_histogram_becomes_a_native_one() {
    let point = json!({"timeUnixNano": AT_NS, "startTimeUnixNano": START_NS, "count": 11, "sum": 12.5, "scale": 1,
        "zeroCount": 2, "zeroThreshold": 0.001, "min": 1, "max": 3,
        "positive": {"offset": 1, "bucketCounts": ["1", "0", "0", "2", "0", "0", "0", "3"]},
        "negative": {"offset": -3, "bucketCounts": [0, 3]},
        "exemplars": [{"asDouble": 2, "traceId": "0a"}]});
    let body = request(&json!([]), &exponential(2, &point));
    let decoded = translate(&body, &options(), &deltas());
    assert_eq!(
        lines(&decoded.batch),
        [
            "size_bytes{} histogram histogram",
            "size_bytes{} exemplar 2 {trace_id=\"0a\"} histogram",
        ]
    );
    let expected = Histogram {
        count: Some(Count::CountInt(11)),
        sum: 12.5,
        schema: 1,
        zero_threshold: 0.001,
        zero_count: Some(ZeroCount::ZeroCountInt(2)),
        // OTLP's bucket 1 is Prometheus' bucket 2; a gap of two is filled, one of three is not.
        positive_spans: vec![span(2, 4), span(3, 1)],
        positive_deltas: vec![1, -1, 0, 2, 1],
        negative_spans: vec![span(-1, 1)],
        negative_deltas: vec![3],
        timestamp: NOW_MS,
        start_timestamp: NOW_MS - 1_000_000,
        ..Histogram::default()
    };
    assert_eq!(native(&decoded), expected);
}

/// Offset, counts and by how many scales they are merged: the buckets that Prometheus' translator makes of them, from
/// its own table, and two more.
#[test]
fn finer_scales_are_merged_as_by_prometheus() {
    type Case = (i32, &'static [u64], i32, &'static [(i32, i64)]);
    let cases: [Case; 29] = [
        (0, &[4, 3, 2, 1], 0, &[(1, 4), (2, 3), (3, 2), (4, 1)]),
        (0, &[4, 3, 2, 1], 1, &[(1, 7), (2, 3)]),
        (0, &[4, 3, 2, 1], 2, &[(1, 10)]),
        (1, &[4, 3, 2, 1], 0, &[(2, 4), (3, 3), (4, 2), (5, 1)]),
        (1, &[4, 3, 2, 1], 1, &[(1, 4), (2, 5), (3, 1)]),
        (1, &[4, 3, 2, 1], 2, &[(1, 9), (2, 1)]),
        (
            4,
            &[4, 2, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
            0,
            &[(5, 4), (6, 2), (8, 2), (21, 1)],
        ),
        (
            4,
            &[4, 2, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
            1,
            &[(3, 6), (4, 2), (11, 1)],
        ),
        (
            4,
            &[4, 2, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
            2,
            &[(2, 8), (6, 1)],
        ),
        (
            4,
            &[4, 2, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 1],
            0,
            &[(5, 4), (6, 2), (8, 2), (17, 1)],
        ),
        (
            4,
            &[4, 2, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 1],
            1,
            &[(3, 6), (4, 2), (9, 1)],
        ),
        (
            4,
            &[4, 2, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 1],
            2,
            &[(2, 8), (5, 1)],
        ),
        (-2, &[3, 1, 0, 0, 0, 1], 0, &[(-1, 3), (0, 1), (4, 1)]),
        (-2, &[3, 1, 0, 0, 0, 1], 1, &[(0, 4), (2, 1)]),
        (-2, &[3, 1, 0, 0, 0, 1], 2, &[(0, 4), (1, 1)]),
        (
            -2,
            &[3, 1, 0, 1, 0, 1],
            0,
            &[(-1, 3), (0, 1), (2, 1), (4, 1)],
        ),
        (-2, &[3, 1, 0, 1, 0, 1], 1, &[(0, 4), (1, 1), (2, 1)]),
        (-2, &[3, 1, 0, 1, 0, 1], 2, &[(0, 4), (1, 2)]),
        (-2, &[3, 0, 0, 1, 0, 0, 1], 0, &[(-1, 3), (2, 1), (5, 1)]),
        (-2, &[3, 0, 0, 1, 0, 0, 1], 1, &[(0, 3), (1, 1), (3, 1)]),
        (-2, &[3, 0, 0, 1, 0, 0, 1], 2, &[(0, 3), (1, 1), (2, 1)]),
        (0, &[0, 0, 5, 3], 0, &[(3, 5), (4, 3)]),
        (0, &[0, 0, 5, 3], 1, &[(2, 8)]),
        (0, &[0, 0, 5, 3], 2, &[(1, 8)]),
        (0, &[1, 0, 0, 0, 5, 3], 0, &[(1, 1), (5, 5), (6, 3)]),
        (0, &[1, 0, 0, 0, 5, 3], 1, &[(1, 1), (3, 8)]),
        (0, &[1, 0, 0, 0, 5, 3], 2, &[(1, 1), (2, 8)]),
        (-3, &[1, 2, 3], 3, &[(0, 6)]),
        (i32::MAX - 3, &[0, 0, 7], 20, &[((i32::MAX >> 20) + 1, 7)]),
    ];
    for (offset, buckets, steps, expected) in cases {
        let count: u64 = buckets.iter().sum();
        let point = json!({"timeUnixNano": AT_NS, "count": count, "scale": 8 + steps,
            "positive": {"offset": offset, "bucketCounts": buckets}, "negative": {"offset": offset, "bucketCounts": []}});
        let body = request(&json!([]), &exponential(2, &point));
        let histogram = native(&translate(&body, &options(), &deltas()));
        assert_eq!(histogram.schema, 8);
        let found = counts(&histogram.positive_spans, &histogram.positive_deltas);
        assert_eq!(found, expected, "{offset} {buckets:?} {steps}");
        assert_eq!(histogram.negative_spans, []);
    }
}

#[test]
fn an_exponential_histogram_without_a_value_ends_its_series() {
    let point = json!({"timeUnixNano": AT_NS, "flags": 1, "scale": -11});
    let body = request(&json!([]), &exponential(2, &point));
    let histogram = native(&translate(&body, &options(), &deltas()));
    assert_eq!(histogram.sum.to_bits(), 0x7ff0_0000_0000_0002);
    assert_eq!(histogram.timestamp, NOW_MS);
}

#[test]
fn exponential_histograms_without_a_native_counterpart_are_refused() {
    for (scale, count, offset, expected) in [
        (-5, 3, 0, "scale is -5; native histograms have -4 to 8"),
        (0, 4, 0, "3 observations together, but count is 4"),
        (0, 2, 0, "3 observations together, but count is 2"),
        (0, 3, i32::MAX, "beyond what a native histogram holds"),
    ] {
        let point = json!({"timeUnixNano": AT_NS, "count": count, "scale": scale,
            "positive": {"offset": offset, "bucketCounts": [1, 2]}});
        check_refused(&exponential(2, &point), Code::HistogramInvalid, expected);
    }
    let many = vec![0; 16_385];
    let point = json!({"timeUnixNano": AT_NS, "positive": {"bucketCounts": many}});
    check_refused(
        &exponential(2, &point),
        Code::HistogramInvalid,
        "16385 buckets, the limit is 16384",
    );
    let point = json!({"timeUnixNano": AT_NS, "zeroThreshold": -1});
    check_refused(
        &exponential(2, &point),
        Code::HistogramInvalid,
        "zero_threshold is -1",
    );
}

#[test]
fn delta_exponential_histograms_are_added_up_at_the_coarser_scale() {
    let deltas = deltas();
    let push = |at_s: u64, scale: i32, offset: i32, buckets: &[u64]| {
        let at_ns = (1_700_000_000 + at_s) * 1_000_000_000;
        let count: u64 = buckets.iter().sum::<u64>() + 1;
        let point = json!({"timeUnixNano": at_ns, "startTimeUnixNano": at_ns - 1_000_000_000, "count": count, "sum": 1,
            "scale": scale, "zeroCount": 1, "positive": {"offset": offset, "bucketCounts": buckets}});
        let body = request(&json!([]), &exponential(1, &point));
        native(&translate(&body, &options(), &deltas))
    };
    let first = push(0, 2, 0, &[1, 2, 3, 4]);
    assert_eq!(
        counts(&first.positive_spans, &first.positive_deltas),
        [(1, 1), (2, 2), (3, 3), (4, 4)]
    );
    let second = push(1, 1, 1, &[10, 0, 20]);
    assert_eq!(
        counts(&second.positive_spans, &second.positive_deltas),
        [(1, 3), (2, 17), (4, 20)]
    );
    assert_eq!(
        (second.schema, second.count, second.sum),
        (1, Some(Count::CountInt(42)), 2.0)
    );
    assert_eq!(second.start_timestamp, NOW_MS - 1000);
    let third = push(2, 3, 0, &[1]);
    assert_eq!(
        counts(&third.positive_spans, &third.positive_deltas),
        [(1, 4), (2, 17), (4, 20)]
    );
}
