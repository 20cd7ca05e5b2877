//! Whole bodies: both spellings, hostile ones, limits.

use prost::Message as _;

use super::messages::{
    AnyValue, Buckets, ExponentialPoint, Exponentials, KeyValue, Metric, NumberPoint, Numbers,
    Request, Resource, ResourceMetrics, Scope, ScopeMetrics,
};
use super::*;

/// A request as other encoders write it.
pub(super) fn encoded() -> Request {
    let text = |key: &str, value: &str| KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue {
            string_value: Some(value.to_owned()),
            int_value: None,
        }),
    };
    let start = 1_699_999_000_000_000_000;
    let at = 1_700_000_000_000_000_000;
    let requests = Metric {
        name: "requests".to_owned(),
        description: "Requests served.".to_owned(),
        sum: Some(Numbers {
            data_points: vec![NumberPoint {
                start,
                at,
                as_int: Some(42),
                attributes: vec![text("http.method", "GET")],
                ..NumberPoint::default()
            }],
            temporality: 2,
            is_monotonic: true,
        }),
        ..Metric::default()
    };
    let size = Metric {
        name: "size".to_owned(),
        unit: "By".to_owned(),
        exponential: Some(Exponentials {
            data_points: vec![ExponentialPoint {
                start,
                at,
                count: 6,
                sum: Some(9.5),
                scale: -1,
                zero_count: 1,
                positive: Some(Buckets {
                    offset: -2,
                    counts: vec![2, 0, 3],
                }),
                negative: None,
            }],
            temporality: 2,
        }),
        ..Metric::default()
    };
    Request {
        resource_metrics: vec![ResourceMetrics {
            resource: Some(Resource {
                attributes: vec![text("service.name", "shop"), text("host.name", "h")],
            }),
            scope_metrics: vec![ScopeMetrics {
                scope: Some(Scope {
                    name: "lib".to_owned(),
                    version: String::new(),
                }),
                metrics: vec![requests, size],
            }],
        }],
    }
}

/// The same in the spelling of the specification's examples, with what has to be passed over.
pub(super) const JSON: &str = r#"{"resourceMetrics": [{"schemaUrl": "x", "resource": {"droppedAttributesCount": 0, "attributes": [
  {"key": "service.name", "value": {"stringValue": "shop"}}, {"value": {"stringValue": "h"}, "key": "host.name"}]},
 "scopeMetrics": [{"metrics": [
  {"name": "requests", "description": "Requests served.", "unit": "", "later": {"than": ["us"]}, "sum": {
    "isMonotonic": true, "aggregationTemporality": 2, "dataPoints": [{"asInt": "42", "attributes":
      [{"key": "http.method", "value": {"stringValue": "GET"}}], "startTimeUnixNano": "1699999000000000000",
      "timeUnixNano": 1700000000000000000, "flags": null}]}},
  {"name": "size", "unit": "By", "exponentialHistogram": {"aggregationTemporality": 2, "dataPoints": [{
    "startTimeUnixNano": 1699999000000000000, "timeUnixNano": "1700000000000000000", "count": "6", "sum": 9.5, "scale": -1,
    "zeroCount": 1, "positive": {"offset": -2, "bucketCounts": ["2", 0, "3"]}, "min": 1, "max": 2}]}}],
  "scope": {"name": "lib"}}]}]}"#;

fn all() -> Options {
    Options {
        has_scope_labels: true,
        has_target_info: true,
        ..options()
    }
}

#[test]
fn json_is_read_as_protobuf_is() {
    let protobuf = encoded().encode_to_vec();
    let json = to_protobuf(JSON.as_bytes()).unwrap();
    let (deltas, all) = (deltas(), all());
    let (a, b) = (
        translate(&protobuf, &all, &deltas),
        translate(&json, &all, &deltas),
    );
    assert_eq!(a, b);
    assert_eq!(lines(&a.batch).len(), 3);
    assert_eq!(a.refused, []);
    assert_eq!(Request::decode(json.as_slice()).unwrap(), encoded());
}

#[test]
fn json_that_is_none_names_the_field_and_the_place() {
    for (body, expected) in [
        ("", "EOF"),
        ("[]", "expected an object"),
        (
            "{\"resourceMetrics\": [{\"scopeMetrics\": [{\"metrics\": [{\"name\": 7}]}]}]}",
            "name is 7",
        ),
        ("{\"resourceMetrics\": {}}", "resourceMetrics is an object"),
        ("{\"resourceMetrics\": [7]}", "expected an object"),
        ("{} x", "trailing"),
        (
            "{\"resourceMetrics\": [{\"resource\": []}]}",
            "resource is a list",
        ),
    ] {
        let refusal = to_protobuf(body.as_bytes()).unwrap_err();
        assert_eq!(refusal.code, Code::BodyInvalid);
        assert!(refusal.message.contains(expected), "{refusal}");
        assert!(refusal.message.contains("line 1"), "{refusal}");
    }
    for (field, value) in [
        ("timeUnixNano", "-1"),
        ("timeUnixNano", "\"x\""),
        ("timeUnixNano", "1.5"),
        ("asInt", "true"),
        ("asInt", "9223372036854775808"),
        ("asDouble", "\"inf\""),
        ("flags", "4294967296"),
        ("attributes", "\"a\""),
    ] {
        let body = format!(
            "{{\"resourceMetrics\":[{{\"scopeMetrics\":[{{\"metrics\":[{{\"gauge\":{{\"dataPoints\":[{{\"{field}\":{value}}}]}}}}]}}]}}]}}"
        );
        let refusal = to_protobuf(body.as_bytes()).unwrap_err();
        assert!(
            refusal.message.contains(&format!("{field} is ")),
            "{refusal}"
        );
    }
}

#[test]
fn deep_values_are_cut_or_refused_but_do_not_overflow() {
    let mut value = json!({"intValue": 1});
    for _ in 0..10 {
        value = json!({"arrayValue": {"values": [value]}});
    }
    let metrics = gauge(
        &json!([{"timeUnixNano": AT_NS, "asInt": 1, "attributes": [{"key": "a", "value": value}]}]),
    );
    let body = json!({"resourceMetrics": [{"scopeMetrics": [{"metrics": metrics}]}]}).to_string();
    assert!(
        to_protobuf(body.as_bytes())
            .unwrap_err()
            .message
            .contains("nested too deep")
    );
    // Protobuf can nest a level per four bytes.
    let mut value: Vec<u8> = vec![0x18, 1];
    for _ in 0..10_000 {
        let mut outer = Vec::new();
        crate::protobuf::put_bytes(&mut outer, 1, &value);
        value.clear();
        crate::protobuf::put_bytes(&mut value, 5, &outer);
    }
    let mut attribute = vec![0x0a, 1, b'a'];
    crate::protobuf::put_bytes(&mut attribute, 2, &value);
    let (_, text) = super::super::attributes::attribute(&attribute).unwrap();
    assert_eq!(text, format!("{}null{}", "[".repeat(16), "]".repeat(16)));
}

#[test]
fn a_body_that_breaks_off_is_refused_whole() {
    let body = encoded().encode_to_vec();
    for length in 0..body.len() {
        let deltas = deltas();
        let options = options();
        let translation = Translation {
            options: &options,
            deltas: &deltas,
            tenant: None,
            now_ms: NOW_MS,
        };
        let cut = &body[..length];
        match decode(cut, translation, 100) {
            Ok(decoded) => assert_eq!((length, decoded.objects), (0, 0)),
            Err(refusal) => assert_eq!(refusal.code, Code::BodyInvalid),
        }
    }
}

#[test]
fn more_samples_or_points_than_the_limit_are_too_many() {
    let points = json!([{"timeUnixNano": AT_NS, "asInt": 1}, {"timeUnixNano": AT_NS, "asInt": 1}]);
    // Empty points take two bytes each, and no sample.
    let empty = json!([{}, {}, {}]);
    let options = options();
    for (points, limit, is_good) in [(&points, 2, true), (&points, 1, false), (&empty, 2, false)] {
        let body = request(&json!([]), &gauge(points));
        let deltas = deltas();
        let translation = Translation {
            options: &options,
            deltas: &deltas,
            tenant: None,
            now_ms: NOW_MS,
        };
        let code = decode(&body, translation, limit).map_err(|refusal| refusal.code);
        assert_eq!(code.is_ok(), is_good);
        if let Err(code) = code {
            assert_eq!(code, Code::TooManySamples);
        }
    }
}

fn too_large(body: &[u8]) -> (Code, String) {
    let translation = Translation {
        options: &options(),
        deltas: &deltas(),
        tenant: None,
        now_ms: NOW_MS,
    };
    let refusal = decode(body, translation, 500_000).unwrap_err();
    (refusal.code, refusal.message)
}

/// Each series has its own copy of what had to be made: the job, the metric's name, the labels of a histogram.
#[test]
fn a_short_body_does_not_become_a_large_batch() {
    let long = "n".repeat(100_000);
    let points: Vec<Json> = (0..2000)
        .map(|_| json!({"timeUnixNano": AT_NS, "asInt": 1}))
        .collect();
    let job = json!([
        attribute("service.namespace", &long),
        attribute("service.name", "s")
    ]);
    let of_job = request(
        &job,
        &json!([{"name": "x", "gauge": {"dataPoints": points}}]),
    );
    let name = format!("a.{long}");
    let of_name = request(
        &json!([]),
        &json!([{"name": name, "gauge": {"dataPoints": points}}]),
    );
    let attributes: Vec<Json> = (0..900)
        .map(|at| attribute(&format!("a{at}"), "v"))
        .collect();
    let histogram = json!({
        "timeUnixNano": AT_NS, "count": 0, "attributes": attributes,
        "explicitBounds": (0..20_000).collect::<Vec<_>>(), "bucketCounts": vec![0; 20_001]
    });
    let of_buckets = request(
        &json!([]),
        &json!([{"name": "x", "histogram": {"aggregationTemporality": 2, "dataPoints": [histogram]}}]),
    );
    for body in [of_job, of_name, of_buckets] {
        let (code, message) = too_large(&body);
        assert_eq!(code, Code::TooManyLabels);
        assert!(message.ends_with("send several smaller ones"), "{message}");
    }
    // Scopes of nothing have two bytes each, and the job as well.
    let mut many_scopes = encoded();
    let resource = many_scopes.resource_metrics.first_mut().unwrap();
    let text = |key: &str, value: &str| KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue {
            string_value: Some(value.to_owned()),
            int_value: None,
        }),
    };
    let attributes = vec![text("service.namespace", &long), text("service.name", "s")];
    resource.resource = Some(Resource { attributes });
    resource.scope_metrics = vec![ScopeMetrics::default(); 10_000];
    assert_eq!(
        too_large(&many_scopes.encode_to_vec()).0,
        Code::TooManyLabels
    );
}

#[test]
fn a_point_of_very_many_attributes_is_refused_alone() {
    let attributes: Vec<Json> = (0..1001)
        .map(|at| attribute(&format!("a{at}"), "v"))
        .collect();
    let body = request(
        &json!([]),
        &json!([{"name": "x", "gauge": {"dataPoints": [
            {"timeUnixNano": AT_NS, "asInt": 1, "attributes": attributes},
            {"timeUnixNano": AT_NS, "asInt": 2}
        ]}}]),
    );
    let (options, deltas) = (options(), deltas());
    let decoded = translate(&body, &options, &deltas);
    assert_eq!(decoded.batch.samples().len(), 1);
    assert_eq!(
        decoded.refused[0].refusal.message,
        "the data point has 1001 attributes, the limit is 1000"
    );
}
