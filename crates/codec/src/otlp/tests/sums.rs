//! Sums, cumulative and delta.

use super::*;

fn sum(temporality: u8, is_monotonic: bool, points: &Json) -> Json {
    json!([{"name": "requests", "unit": "1", "sum": {
        "aggregationTemporality": temporality, "isMonotonic": is_monotonic, "dataPoints": points
    }}])
}

fn delta(at_s: u64, value: i64) -> Json {
    let at_ns = (1_700_000_000 + at_s) * 1_000_000_000;
    json!([{"timeUnixNano": at_ns, "startTimeUnixNano": at_ns - 1_000_000_000, "asInt": value,
            "attributes": [attribute("b", "2"), attribute("a", "1")]}])
}

/// Sends one delta point after the other; what each becomes.
fn push(deltas: &Deltas, at_s: u64, value: i64) -> String {
    let body = request(&json!([]), &sum(1, true, &delta(at_s, value)));
    let decoded = translate(&body, &options(), deltas);
    match decoded.refused.first() {
        Some(refused) => format!("{:?}", refused.refusal.code),
        None => lines(&decoded.batch).concat(),
    }
}

#[test]
fn a_monotonic_sum_is_a_counter_and_another_a_gauge() {
    let points = json!([{"timeUnixNano": AT_NS, "startTimeUnixNano": START_NS, "asInt": 5,
        "exemplars": [{"timeUnixNano": AT_NS, "asDouble": 0.5, "traceId": "0102030405060708090a0b0c0d0e0f10",
                       "spanId": "0102030405060708", "filteredAttributes": [attribute("user", "u"), attribute("trace_id", "x")]}]}]);
    check(
        &sum(2, true, &points),
        &[
            "requests_total{} 5 from 1000000 counter",
            "requests_total{} exemplar 0.5 {trace_id=\"0102030405060708090a0b0c0d0e0f10\",span_id=\"0102030405060708\",user=\"u\"} counter",
        ],
    );
    let points = json!([{"timeUnixNano": AT_NS, "asInt": -5}]);
    check(&sum(2, false, &points), &["requests{} -5 gauge"]);
}

#[test]
fn a_sum_without_temporality_is_refused() {
    let points = json!([{"timeUnixNano": AT_NS, "asInt": 5}]);
    check_refused(
        &sum(0, true, &points),
        Code::TemporalityInvalid,
        "neither 1 (delta) nor 2",
    );
}

#[test]
fn deltas_are_added_up_from_their_first_start() {
    let deltas = deltas();
    assert_eq!(
        push(&deltas, 0, 5),
        "requests_total{a=\"1\",b=\"2\"} 5 from 1000 counter"
    );
    assert_eq!(
        push(&deltas, 10, 3),
        "requests_total{a=\"1\",b=\"2\"} 8 from 11000 counter"
    );
    // Sent again, because the answer was lost.
    assert_eq!(
        push(&deltas, 10, 3),
        "requests_total{a=\"1\",b=\"2\"} 8 from 11000 counter"
    );
    // Older than what is counted.
    assert_eq!(push(&deltas, 5, 100), "OutOfOrder");
    assert_eq!(
        push(&deltas, 20, 0),
        "requests_total{a=\"1\",b=\"2\"} 8 from 21000 counter"
    );
    assert_eq!(deltas.series(), 1);
}

#[test]
fn the_order_of_attributes_does_not_make_another_series_but_a_tenant_does() {
    let deltas = deltas();
    push(&deltas, 0, 5);
    let at_ns = 1_700_000_010_000_000_000_u64;
    let points = json!([{"timeUnixNano": at_ns, "asInt": 1, "attributes": [attribute("a", "1"), attribute("b", "2")]}]);
    let body = request(&json!([]), &sum(1, true, &points));
    assert!(lines(&translate(&body, &options(), &deltas).batch)[0].contains("} 6 "));
    let (options, tenant) = (options(), Some("other"));
    let translation = Translation {
        options: &options,
        deltas: &deltas,
        tenant,
        now_ms: NOW_MS,
    };
    assert!(lines(&decode(&body, translation, 10).unwrap().batch)[0].contains("} 1 "));
    assert_eq!(deltas.series(), 2);
}

#[test]
fn a_series_that_was_silent_for_long_begins_again() {
    let deltas = Deltas::new(1 << 20, Duration::from_secs(60));
    let body = request(&json!([]), &sum(1, true, &delta(0, 5)));
    let later = request(&json!([]), &sum(1, true, &delta(100, 2)));
    let options = options();
    let at = |now_ms| Translation {
        options: &options,
        deltas: &deltas,
        tenant: None,
        now_ms,
    };
    decode(&body, at(NOW_MS), 10).unwrap();
    let decoded = decode(&later, at(NOW_MS + 60_001), 10).unwrap();
    assert_eq!(
        lines(&decoded.batch),
        ["requests_total{a=\"1\",b=\"2\"} 2 from 1000 counter"]
    );
    assert_eq!(deltas.series(), 1);
}

#[test]
fn new_series_beyond_the_bound_are_refused_until_old_ones_expire() {
    let deltas = Deltas::new(700, Duration::from_secs(60));
    let options = options();
    let push = |name: &str, now_ms| {
        let at_ns = now_ms * 1_000_000;
        let points =
            json!([{"timeUnixNano": at_ns, "asInt": 1, "attributes": [attribute("n", name)]}]);
        let body = request(&json!([]), &sum(1, true, &points));
        let translation = Translation {
            options: &options,
            deltas: &deltas,
            tenant: None,
            now_ms: i64::try_from(now_ms).unwrap(),
        };
        let decoded = decode(&body, translation, 10).unwrap();
        decoded.refused.first().map(|refused| refused.refusal.code)
    };
    let now_ms = 1_700_000_000_000_u64;
    assert_eq!(push("a", now_ms), None);
    assert_eq!(push("b", now_ms), None);
    assert_eq!(push("c", now_ms), Some(Code::TooManySeries));
    assert_eq!(push("a", now_ms + 50_000), None);
    assert_eq!(push("c", now_ms + 61_000), None);
    assert_eq!(deltas.series(), 2);
}

/// Series that are known may not grow without a bound either, by other buckets or by more of them.
#[test]
fn further_buckets_beyond_the_bound_are_refused_and_known_ones_go_on() {
    let options = options();
    for (name, kind) in [
        ("histogram", "explicit"),
        ("exponentialHistogram", "exponential"),
    ] {
        let deltas = Deltas::new(1000, Duration::from_secs(60));
        let push = |at: u64, buckets: usize| {
            let mut point = json!({"timeUnixNano": 1_700_000_000_000_000_000 + at});
            let counts = vec![1; buckets];
            let fields = match kind {
                "explicit" => json!({
                    "count": buckets + 1, "bucketCounts": vec![1; buckets + 1],
                    "explicitBounds": (0..buckets).collect::<Vec<_>>()
                }),
                _ => json!({
                    "count": buckets, "scale": 0, "positive": {"offset": 0, "bucketCounts": counts}
                }),
            };
            point
                .as_object_mut()
                .unwrap()
                .extend(fields.as_object().unwrap().clone());
            let metric = json!({"aggregationTemporality": 1, "dataPoints": [point]});
            let body = request(&json!([]), &json!([{"name": "x", name: metric}]));
            let translation = Translation {
                options: &options,
                deltas: &deltas,
                tenant: None,
                now_ms: NOW_MS,
            };
            let decoded = decode(&body, translation, 10_000).unwrap();
            decoded.refused.first().map(|refused| refused.refusal.code)
        };
        assert_eq!(push(0, 2), None, "{kind}");
        assert_eq!(push(1, 1000), Some(Code::TooManySeries), "{kind}");
        assert_eq!(push(2, 2), None, "{kind}");
        assert_eq!(deltas.series(), 1);
    }
}

#[test]
fn deltas_are_marked_with_their_gateway_or_refused_by_a_setting() {
    let body = request(&json!([]), &sum(1, false, &delta(0, -5)));
    let marked = Options {
        gateway: "g1".to_owned(),
        ..options()
    };
    let decoded = translate(&body, &marked, &deltas());
    assert_eq!(
        lines(&decoded.batch),
        ["requests{a=\"1\",b=\"2\",gateway=\"g1\"} -5 from 1000 gauge"]
    );
    let refusing = Options {
        refuses_delta: true,
        ..options()
    };
    let decoded = translate(&body, &refusing, &deltas());
    let refusal = &decoded.refused[0].refusal;
    assert_eq!(refusal.code, Code::TemporalityInvalid);
    assert!(refusal.message.contains("otlp.delta: refuse"), "{refusal}");
}
