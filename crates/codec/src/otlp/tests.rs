//! What OTLP's metrics become, instrument by instrument, and what is refused.

use std::time::Duration;

use model::{Batch, Code, Value};
use serde_json::{Value as Json, json};

use super::{Deltas, Options, Translation, decode, to_protobuf};
use crate::decoded::Decoded;

mod bodies;
mod distributions;
mod known;
mod messages;
mod random;
mod sums;

pub(super) const NOW_MS: i64 = 1_700_000_000_000;
const AT_NS: &str = "1700000000000000000";
const START_NS: &str = "1699999000000000000";

pub(super) fn options() -> Options {
    Options::default()
}

fn deltas() -> Deltas {
    Deltas::new(1 << 20, Duration::from_secs(3600))
}

/// A request of one resource with these metrics.
fn request(resource: &Json, metrics: &Json) -> Vec<u8> {
    let body = json!({"resourceMetrics": [{
        "resource": {"attributes": resource},
        "scopeMetrics": [{"scope": {"name": "lib", "version": "1.2"}, "metrics": metrics}]
    }]});
    to_protobuf(body.to_string().as_bytes()).unwrap()
}

fn attribute(key: &str, value: &str) -> Json {
    json!({"key": key, "value": {"stringValue": value}})
}

fn translate<'a>(body: &'a [u8], options: &Options, deltas: &Deltas) -> Decoded<'a> {
    let translation = Translation {
        options,
        deltas,
        tenant: None,
        now_ms: NOW_MS,
    };
    decode(body, translation, 10_000).unwrap()
}

/// Samples as `name{label="value",…} value @start type`, in order.
fn lines(batch: &Batch<'_>) -> Vec<String> {
    batch
        .samples()
        .iter()
        .map(|sample| {
            let series = batch.series(sample.series).unwrap();
            let mut labels: Vec<String> = batch
                .labels(series)
                .iter()
                .map(|label| format!("{}={:?}", label.name, label.value))
                .collect();
            labels.sort();
            let value = match sample.value {
                Value::Float(value) if value.to_bits() == super::STALE_BITS => "stale".to_owned(),
                Value::Float(value) => value.to_string(),
                Value::Histogram(_) => "histogram".to_owned(),
                Value::Exemplar(number) => {
                    let (exemplar, labels) = batch.exemplar(number).unwrap();
                    let labels: Vec<String> = labels
                        .iter()
                        .map(|label| format!("{}={:?}", label.name, label.value))
                        .collect();
                    format!("exemplar {} {{{}}}", exemplar.value, labels.join(","))
                }
            };
            let start = if sample.start_ms == 0 {
                String::new()
            } else {
                format!(" from {}", sample.at_ms - sample.start_ms)
            };
            let kind = series.kind.as_str();
            format!(
                "{}{{{}}} {value}{start} {kind}",
                series.name,
                labels.join(",")
            )
        })
        .collect()
}

fn check(metrics: &Json, expected: &[&str]) {
    check_with(&options(), &json!([]), metrics, expected);
}

fn check_with(options: &Options, resource: &Json, metrics: &Json, expected: &[&str]) {
    let body = request(resource, metrics);
    let decoded = translate(&body, options, &deltas());
    assert_eq!(decoded.refused, []);
    assert_eq!(lines(&decoded.batch), expected);
}

fn check_refused(metrics: &Json, code: Code, expected: &str) {
    let body = request(&json!([]), metrics);
    let decoded = translate(&body, &options(), &deltas());
    assert_eq!(lines(&decoded.batch), [""; 0]);
    let [refused] = decoded.refused.as_slice() else {
        panic!("one is refused: {:?}", decoded.refused);
    };
    assert_eq!(refused.refusal.code, code, "{}", refused.refusal.message);
    assert!(
        refused.refusal.message.contains(expected),
        "{}",
        refused.refusal.message
    );
    assert_eq!(decoded.objects, 1);
}

fn gauge(points: &Json) -> Json {
    json!([{"name": "room.temperature", "unit": "Cel", "description": "How warm it is.", "gauge": {"dataPoints": points}}])
}

#[test]
fn a_gauge_has_its_unit_in_its_name() {
    check(
        &gauge(&json!([
            {"timeUnixNano": AT_NS, "startTimeUnixNano": START_NS, "asDouble": 21.5, "attributes": [attribute("room.name", "hall")]},
            {"timeUnixNano": AT_NS, "asInt": "-3", "attributes": [attribute("room.name", "cellar")]}
        ])),
        &[
            "room_temperature_celsius{room_name=\"hall\"} 21.5 gauge",
            "room_temperature_celsius{room_name=\"cellar\"} -3 gauge",
        ],
    );
}

#[test]
fn unit_and_help_are_kept() {
    let body = request(
        &json!([]),
        &gauge(&json!([{"timeUnixNano": AT_NS, "asInt": 1}])),
    );
    let decoded = translate(&body, &options(), &deltas());
    let series = &decoded.batch.all_series()[0];
    assert_eq!(
        (&*series.unit, &*series.help),
        ("celsius", "How warm it is.")
    );
    assert_eq!(decoded.batch.samples()[0].at_ms, NOW_MS);
}

#[test]
fn attributes_of_every_kind_become_text() {
    let attributes = json!([
        attribute("text", "a \"b\""),
        {"key": "bool", "value": {"boolValue": true}},
        {"key": "no", "value": {"boolValue": false}},
        {"key": "int", "value": {"intValue": "-7"}},
        {"key": "double", "value": {"doubleValue": 0.25}},
        {"key": "large", "value": {"doubleValue": 1e21}},
        {"key": "small", "value": {"doubleValue": 1e-7}},
        {"key": "nan", "value": {"doubleValue": "NaN"}},
        {"key": "bytes", "value": {"bytesValue": "AQID"}},
        {"key": "list", "value": {"arrayValue": {"values": [{"stringValue": "x\"y"}, {"intValue": 1}, {"boolValue": true}, {}]}}},
        {"key": "map", "value": {"kvlistValue": {"values": [{"key": "b", "value": {"intValue": 2}}, {"key": "a", "value": {"arrayValue": {"values": []}}}]}}},
        {"key": "none"},
    ]);
    let metrics = gauge(&json!([{"timeUnixNano": AT_NS, "asInt": 1, "attributes": attributes}]));
    check(
        &metrics,
        &[
            "room_temperature_celsius{bool=\"true\",bytes=\"AQID\",double=\"0.25\",int=\"-7\",large=\"1e+21\",\
           list=\"[\\\"x\\\\\\\"y\\\",1,true,null]\",map=\"{\\\"a\\\":[],\\\"b\\\":2}\",nan=\"NaN\",no=\"false\",\
           none=\"\",small=\"1e-7\",text=\"a \\\"b\\\"\"} 1 gauge",
        ],
    );
}

#[test]
fn attributes_whose_names_become_one_are_joined() {
    let attributes = json!([
        attribute("a.b", "1"),
        attribute("a/b", "2"),
        attribute("__name__", "no"),
        attribute("0", "x")
    ]);
    let metrics = gauge(&json!([{"timeUnixNano": AT_NS, "asInt": 1, "attributes": attributes}]));
    check(
        &metrics,
        &["room_temperature_celsius{a_b=\"1;2\",key_0=\"x\"} 1 gauge"],
    );
}

#[test]
fn names_stay_as_they_are_where_that_is_set() {
    let options = Options {
        names: super::Names::Utf8,
        ..options()
    };
    let metrics = gauge(
        &json!([{"timeUnixNano": AT_NS, "asInt": 1, "attributes": [attribute("room.name", "a")]}]),
    );
    check_with(
        &options,
        &json!([]),
        &metrics,
        &["room.temperature{room.name=\"a\"} 1 gauge"],
    );
}

#[test]
fn resource_and_scope_become_labels_and_target_info() {
    let options = Options {
        has_scope_labels: true,
        has_target_info: true,
        promoted: vec!["k8s.pod.name".to_owned()],
        ..options()
    };
    let resource = json!([
        attribute("service.name", "shop"),
        attribute("service.namespace", "eu"),
        attribute("service.instance.id", "i-1"),
        attribute("k8s.pod.name", "p-1"),
        attribute("host.name", "h"),
    ]);
    // A point's own label is kept before a promoted one, not before job.
    let points = json!([
        {"timeUnixNano": AT_NS, "asInt": 1},
        {"timeUnixNano": AT_NS, "asInt": 2, "attributes": [attribute("k8s.pod.name", "own"), attribute("job", "own")]}
    ]);
    let scope = "otel_scope_name=\"lib\",otel_scope_schema_url=\"\",otel_scope_version=\"1.2\"";
    check_with(
        &options,
        &resource,
        &gauge(&points),
        &[
            &format!(
                "room_temperature_celsius{{instance=\"i-1\",job=\"eu/shop\",k8s_pod_name=\"p-1\",{scope}}} 1 gauge"
            ),
            &format!(
                "room_temperature_celsius{{instance=\"i-1\",job=\"eu/shop\",k8s_pod_name=\"own\",{scope}}} 2 gauge"
            ),
            "target_info{host_name=\"h\",instance=\"i-1\",job=\"eu/shop\",k8s_pod_name=\"p-1\"} 1 gauge",
        ],
    );
    // Nothing identifies it, or nothing is said about it.
    let points = gauge(&json!([{"timeUnixNano": AT_NS, "asInt": 1}]));
    for resource in [
        json!([attribute("host.name", "h")]),
        json!([attribute("service.name", "s")]),
    ] {
        let body = request(&resource, &points);
        let decoded = translate(&body, &options, &deltas());
        assert_eq!(decoded.batch.samples().len(), 1);
        assert_eq!(decoded.objects, 1);
    }
}

#[test]
fn a_point_without_a_value_ends_its_series() {
    check(
        &gauge(&json!([{"timeUnixNano": AT_NS, "flags": 1}])),
        &["room_temperature_celsius{} stale gauge"],
    );
}

#[test]
fn bad_points_are_refused_and_the_others_stored() {
    check_refused(
        &gauge(&json!([{"timeUnixNano": AT_NS}])),
        Code::ValueMissing,
        "as_double",
    );
    check_refused(
        &gauge(&json!([{"asInt": 1}])),
        Code::TimestampMissing,
        "time_unix_nano",
    );
    check_refused(
        &gauge(&json!([{"timeUnixNano": AT_NS, "asInt": 1, "attributes": [attribute("__", "x")]}])),
        Code::LabelNameInvalid,
        "\"__\"",
    );
    let points = json!({"dataPoints": [{"timeUnixNano": AT_NS, "asInt": 1}]});
    check_refused(
        &json!([{"gauge": points}]),
        Code::MetricNameMissing,
        "no name",
    );
    check_refused(
        &json!([{"name": "ほげ", "gauge": points}]),
        Code::MetricNameInvalid,
        "ほげ",
    );

    let body = request(
        &json!([]),
        &gauge(
            &json!([{"asInt": 1}, {"timeUnixNano": AT_NS, "asInt": 2}, {"timeUnixNano": AT_NS}]),
        ),
    );
    let decoded = translate(&body, &options(), &deltas());
    assert_eq!(
        lines(&decoded.batch),
        ["room_temperature_celsius{} 2 gauge"]
    );
    let refused: Vec<u32> = decoded
        .refused
        .iter()
        .map(|refused| refused.index)
        .collect();
    assert_eq!((refused, decoded.batch.samples()[0].index), (vec![0, 2], 1));
    assert_eq!(decoded.objects, 3);
}

#[test]
fn a_time_in_another_unit_is_recognised() {
    for (at, expected) in [
        ("1700000000", "looks like seconds"),
        ("1700000000000", "looks like milliseconds"),
        ("1700000000000000", "looks like microseconds"),
    ] {
        let points = gauge(&json!([{"timeUnixNano": at, "asInt": 1}]));
        check_refused(&points, Code::TimestampInSeconds, expected);
    }
}

#[test]
fn a_metric_without_points_is_passed_over() {
    let body = request(
        &json!([]),
        &json!([{"name": "a"}, {"name": "b", "gauge": {"dataPoints": []}}]),
    );
    let decoded = translate(&body, &options(), &deltas());
    assert_eq!((decoded.objects, decoded.ignored.len()), (0, 1));
    assert_eq!(decoded.ignored[0].1, 2);
}

#[test]
fn an_empty_request_has_nothing() {
    assert_eq!(translate(b"", &options(), &deltas()).objects, 0);
    assert_eq!(to_protobuf(b"{}").unwrap(), b"");
}
