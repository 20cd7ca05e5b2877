//! Records of each format, as their writers write them.

use super::otlp::{Metric, Point, Points, Request, Resource, Scope, Value};
use super::{Format, values};
use prost::Message as _;

#[track_caller]
fn check(format: Format, record: &[u8], expected: &[f64]) {
    let mut found = Vec::new();
    values(format, record, &mut |value| found.push(value));
    assert_eq!(found, expected, "{format:?}");
}

#[test]
fn a_json_record_has_one_value() {
    let record = br#"{"metric_name": "up", "timestamp": 1700000000000, "value": 10000000000007, "labels": {}}"#;
    check(Format::Json, record, &[10_000_000_000_007.0]);
}

#[test]
fn a_quoted_value_is_a_number_too() {
    let record = br#"{"labels":{"__name__":"up"},"name":"up","timestamp":"2023-11-14T22:13:20Z","value":"10000000000007"}"#;
    check(Format::JsonText, record, &[10_000_000_000_007.0]);
}

#[test]
fn each_field_of_each_influx_line_is_a_value() {
    let record = b"up,host=web-1,region=us value=10000000000007 1700000000000000000\n\
                   up,host=web-1 value=10000000000008i,other=2.5 1700000000000000000\n";
    let expected = [10_000_000_000_007.0, 10_000_000_000_008.0, 2.5];
    check(Format::Influx, record, &expected);
}

#[test]
fn text_and_labels_of_influx_lines_are_no_values() {
    let record = b"prometheus,value=3 name=\"up\",up=1 1700000000000000000";
    check(Format::Influx, record, &[1.0]);
}

#[test]
fn all_samples_of_a_remote_write_record_count() {
    use codec::wire::v2;
    let series = |values: &[f64]| v2::TimeSeries {
        samples: values
            .iter()
            .map(|&value| v2::Sample {
                value,
                ..v2::Sample::default()
            })
            .collect(),
        ..v2::TimeSeries::default()
    };
    let request = v2::Request {
        symbols: vec![String::new()],
        timeseries: vec![series(&[1.0, 2.0]), series(&[3.0])],
    };
    let record = request.encode_to_vec();
    check(Format::RemoteWrite2, &record, &[1.0, 2.0, 3.0]);
}

#[test]
fn all_points_of_an_otlp_record_count() {
    let points = |values: &[Value]| {
        let points = values.iter().map(|&value| Point { value: Some(value) });
        Some(Points {
            points: points.collect(),
        })
    };
    let gauge = Metric {
        gauge: points(&[Value::Double(1.5), Value::Whole(2)]),
        sum: None,
    };
    let sum = Metric {
        gauge: None,
        sum: points(&[Value::Double(3.0)]),
    };
    let scope = Scope {
        metrics: vec![gauge, sum],
    };
    let resource = Resource {
        scopes: vec![scope],
    };
    let request = Request {
        resources: vec![resource.clone(), resource],
    };
    let record = request.encode_to_vec();
    check(Format::Otlp, &record, &[1.5, 2.0, 3.0, 1.5, 2.0, 3.0]);
}

#[test]
fn what_is_not_of_the_format_has_no_values() {
    for format in [
        Format::RemoteWrite2,
        Format::Json,
        Format::JsonText,
        Format::Influx,
        Format::Otlp,
    ] {
        check(format, b"\xffnonsense", &[]);
        check(format, b"", &[]);
    }
}
